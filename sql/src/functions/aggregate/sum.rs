//! `sum` and `avg`.

use super::{splittable, start};
use crate::exec::vector::{Typed, Vector};
use crate::functions::arithmetic::float_problem;
use crate::functions::native::{Native, integer_of, mismatch, numeric_of};
use crate::functions::{AggState, Aggregate, EvalContext};
use std::sync::Arc;
use types::oid::*;
use types::{Datum, Interval, Numeric, SqlError, SqlResult, datetime, numeric as math, tuple};

/// Sum and number of integers. 128 bits hold the sum of more bigints than there can be.
#[derive(Default)]
struct Integers {
    sum: i128,
    count: i64,
}

impl Integers {
    fn add(&mut self, args: &[Datum]) -> SqlResult<()> {
        self.sum += i128::from(integer_of(&args[0])?);
        self.count += 1;
        Ok(())
    }

    fn add_all(&mut self, args: &[Arc<Vector>]) -> bool {
        match args {
            [arg] => match &**arg {
                Vector::Int4(column) => self.add_column(column),
                Vector::Int8(column) => self.add_column(column),
                _ => return false,
            },
            _ => return false,
        }
        true
    }

    fn add_column<T: Copy + Default + Into<i128>>(&mut self, column: &Typed<T>) {
        let Some(nulls) = &column.nulls else {
            self.count += column.values.len() as i64;
            self.sum += column.values.iter().map(|value| (*value).into()).sum::<i128>();
            return;
        };
        for (value, is_null) in column.values.iter().zip(nulls) {
            if !is_null {
                self.count += 1;
                self.sum += (*value).into();
            }
        }
    }

    fn merge_parts(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        self.count += tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        let bytes = encoded.try_into().map_err(|_| SqlError::internal("state of sum"))?;
        self.sum += i128::from_le_bytes(bytes);
        Ok(())
    }

    fn encode_parts(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.count));
        out.extend_from_slice(&self.sum.to_le_bytes());
    }

    fn numeric(&self) -> Numeric {
        Numeric::from_parts(self.sum, 0)
    }
}

/// A wrapper of one state for each result.
macro_rules! integer_state {
    ($name:ident, |$state:ident| $finish:expr) => {
        #[derive(Default)]
        struct $name(Integers);

        impl AggState for $name {
            fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
                self.0.add(args)
            }
            fn update_all(&mut self, args: &[Arc<Vector>], _: usize) -> bool {
                self.0.add_all(args)
            }
            fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
                self.0.merge_parts(encoded)
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode_parts(out);
            }
            fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
                let $state = &self.0;
                if $state.count == 0 {
                    return Ok(Datum::Null);
                }
                $finish
            }
        }
    };
}

integer_state!(SmallSum, |state| {
    i64::try_from(state.sum).map(Datum::Int8).map_err(|_| SqlError::out_of_range("bigint"))
});
integer_state!(BigSum, |state| Ok(Datum::Numeric(Arc::new(state.numeric()))));
integer_state!(IntegerAverage, |state| average(&state.numeric(), state.count));

fn average(sum: &Numeric, count: i64) -> SqlResult<Datum> {
    Ok(Datum::Numeric(Arc::new(math::div(sum, &Numeric::from(count))?)))
}

/// Sum and number of numerics. While the sum fits 128 bits and the scale stays, adding costs no
/// more than adding integers.
struct Numerics {
    sum: Numeric,
    count: i64,
}

impl Default for Numerics {
    fn default() -> Self {
        Numerics { sum: Numeric::ZERO, count: 0 }
    }
}

impl Numerics {
    fn add(&mut self, value: &Numeric) -> SqlResult<()> {
        self.count += 1;
        self.sum = match (self.sum.small_parts(), value.small_parts()) {
            (Some((sum, scale)), Some((value, value_scale))) if scale == value_scale => {
                match sum.checked_add(value) {
                    Some(sum) => Numeric::from_parts(sum, scale),
                    None => math::add(&self.sum, &Numeric::from_parts(value, value_scale))?,
                }
            }
            _ => math::add(&self.sum, value)?,
        };
        Ok(())
    }

    fn merge_parts(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        let count = tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        if count > 0 {
            let sum = tuple::take_value(&mut encoded)?;
            self.add(numeric_of(&sum)?)?;
            self.count += count - 1;
        }
        Ok(())
    }

    fn encode_parts(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.count));
        if self.count > 0 {
            tuple::put_value(out, &Datum::Numeric(Arc::new(self.sum.clone())));
        }
    }
}

macro_rules! numeric_state {
    ($name:ident, |$state:ident| $finish:expr) => {
        #[derive(Default)]
        struct $name(Numerics);

        impl AggState for $name {
            fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
                self.0.add(numeric_of(&args[0])?)
            }
            fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
                self.0.merge_parts(encoded)
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode_parts(out);
            }
            fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
                let $state = &self.0;
                if $state.count == 0 {
                    return Ok(Datum::Null);
                }
                $finish
            }
        }
    };
}

numeric_state!(NumericSum, |state| Ok(Datum::Numeric(Arc::new(state.sum.clone()))));
numeric_state!(NumericAverage, |state| average(&state.sum, state.count));

/// Sum of doubles.
#[derive(Default)]
struct FloatSum(Option<f64>);

impl FloatSum {
    fn add(&mut self, value: f64) -> SqlResult<()> {
        let sum = self.0.map_or(value, |sum| sum + value);
        if sum.is_infinite() && value.is_finite() && self.0.is_none_or(f64::is_finite) {
            return Err(float_problem("overflow"));
        }
        self.0 = Some(sum);
        Ok(())
    }
}

impl AggState for FloatSum {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.add(f64::get(&args[0])?)
    }

    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
        match encoded.try_into() {
            Ok(bytes) => self.add(f64::from_le_bytes(bytes)),
            Err(_) => Ok(()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(sum) = self.0 {
            out.extend_from_slice(&sum.to_le_bytes());
        }
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::Float8))
    }
}

/// Sum of reals, in their own precision.
#[derive(Default)]
struct RealSum(Option<f32>);

impl RealSum {
    fn add(&mut self, value: f32) -> SqlResult<()> {
        let sum = self.0.map_or(value, |sum| sum + value);
        if sum.is_infinite() && value.is_finite() && self.0.is_none_or(f32::is_finite) {
            return Err(float_problem("overflow"));
        }
        self.0 = Some(sum);
        Ok(())
    }
}

impl AggState for RealSum {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.add(f32::get(&args[0])?)
    }

    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
        match encoded.try_into() {
            Ok(bytes) => self.add(f32::from_le_bytes(bytes)),
            Err(_) => Ok(()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(sum) = self.0 {
            out.extend_from_slice(&sum.to_le_bytes());
        }
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::Float4))
    }
}

/// Average of floats.
#[derive(Default)]
struct FloatAverage {
    sum: f64,
    count: i64,
}

impl AggState for FloatAverage {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        let value = match &args[0] {
            Datum::Float4(value) => f64::from(*value),
            Datum::Float8(value) => *value,
            other => return Err(mismatch("float", other)),
        };
        let sum = self.sum + value;
        if sum.is_infinite() && value.is_finite() && self.sum.is_finite() {
            return Err(float_problem("overflow"));
        }
        self.sum = sum;
        self.count += 1;
        Ok(())
    }

    fn merge(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        self.count += tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        let bytes = encoded.try_into().map_err(|_| SqlError::internal("state of avg"))?;
        self.sum += f64::from_le_bytes(bytes);
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.count));
        out.extend_from_slice(&self.sum.to_le_bytes());
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(match self.count {
            0 => Datum::Null,
            count => Datum::Float8(self.sum / count as f64),
        })
    }
}

/// Sum and number of intervals.
#[derive(Default)]
struct Intervals {
    sum: Interval,
    count: i64,
}

impl Intervals {
    fn add(&mut self, value: Interval, count: i64) -> SqlResult<()> {
        self.sum = datetime::add_interval(self.sum, value)?;
        self.count += count;
        Ok(())
    }

    fn merge_parts(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        let count = tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        let sum = Interval::get(&tuple::take_value(&mut encoded)?)?;
        self.add(sum, count)
    }

    fn encode_parts(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.count));
        tuple::put_value(out, &Datum::Interval(self.sum));
    }
}

macro_rules! interval_state {
    ($name:ident, |$state:ident| $finish:expr) => {
        #[derive(Default)]
        struct $name(Intervals);

        impl AggState for $name {
            fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
                self.0.add(Interval::get(&args[0])?, 1)
            }
            fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
                self.0.merge_parts(encoded)
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode_parts(out);
            }
            fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
                let $state = &self.0;
                if $state.count == 0 {
                    return Ok(Datum::Null);
                }
                $finish
            }
        }
    };
}

interval_state!(IntervalSum, |state| Ok(Datum::Interval(state.sum)));
interval_state!(IntervalAverage, |state| {
    datetime::div_interval(state.sum, state.count as f64).map(Datum::Interval)
});

pub(super) const AGGREGATES: &[Aggregate] = &[
    splittable("sum", &[INT2], INT8, start::<SmallSum>),
    splittable("sum", &[INT4], INT8, start::<SmallSum>),
    splittable("sum", &[INT8], NUMERIC, start::<BigSum>),
    splittable("sum", &[FLOAT4], FLOAT4, start::<RealSum>),
    splittable("sum", &[FLOAT8], FLOAT8, start::<FloatSum>),
    splittable("sum", &[NUMERIC], NUMERIC, start::<NumericSum>),
    splittable("sum", &[INTERVAL], INTERVAL, start::<IntervalSum>),
    splittable("avg", &[INT2], NUMERIC, start::<IntegerAverage>),
    splittable("avg", &[INT4], NUMERIC, start::<IntegerAverage>),
    splittable("avg", &[INT8], NUMERIC, start::<IntegerAverage>),
    splittable("avg", &[FLOAT4], FLOAT8, start::<FloatAverage>),
    splittable("avg", &[FLOAT8], FLOAT8, start::<FloatAverage>),
    splittable("avg", &[NUMERIC], NUMERIC, start::<NumericAverage>),
    splittable("avg", &[INTERVAL], INTERVAL, start::<IntervalAverage>),
];
