//! `variance`, `stddev` and their kin.

use super::{splittable, start};
use crate::functions::arithmetic::float_problem;
use crate::functions::native::{integer_of, mismatch, numeric_of};
use crate::functions::{AggState, Aggregate, EvalContext};
use std::sync::Arc;
use types::oid::*;
use types::{Datum, Numeric, SqlError, SqlResult, numeric as math, tuple};

/// Number, sum and sum of squares, exact.
#[derive(Clone)]
struct Exact {
    count: i64,
    sum: Numeric,
    squares: Numeric,
}

/// An exact state; the flags choose among the four results.
struct ExactState<const SAMPLE: bool, const ROOT: bool>(Exact);

impl<const SAMPLE: bool, const ROOT: bool> Default for ExactState<SAMPLE, ROOT> {
    fn default() -> Self {
        Self(Exact { count: 0, sum: Numeric::ZERO, squares: Numeric::ZERO })
    }
}

impl<const SAMPLE: bool, const ROOT: bool> AggState for ExactState<SAMPLE, ROOT> {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        let value = match &args[0] {
            Datum::Numeric(value) => (**value).clone(),
            integer => Numeric::from(integer_of(integer)?),
        };
        let state = &mut self.0;
        state.count += 1;
        state.sum = math::add(&state.sum, &value)?;
        state.squares = math::add(&state.squares, &math::mul(&value, &value)?)?;
        Ok(())
    }

    fn merge(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        let state = &mut self.0;
        state.count += tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        let sum = tuple::take_value(&mut encoded)?;
        let squares = tuple::take_value(&mut encoded)?;
        state.sum = math::add(&state.sum, numeric_of(&sum)?)?;
        state.squares = math::add(&state.squares, numeric_of(&squares)?)?;
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.0.count));
        tuple::put_value(out, &Datum::Numeric(Arc::new(self.0.sum.clone())));
        tuple::put_value(out, &Datum::Numeric(Arc::new(self.0.squares.clone())));
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        let Exact { count, sum, squares } = &self.0;
        if *count < if SAMPLE { 2 } else { 1 } {
            return Ok(Datum::Null);
        }
        let result = |value: Numeric| Ok(Datum::Numeric(Arc::new(value)));
        if !sum.is_finite() || !squares.is_finite() {
            return result(Numeric::NaN);
        }
        let n = Numeric::from(*count);
        // (n * squares - sum^2) / (n * (n - 1)) or / n^2
        let spread = math::sub(&math::mul(&n, squares)?, &math::mul(sum, sum)?)?;
        if spread.signum() <= 0 {
            return result(Numeric::ZERO);
        }
        let below = if SAMPLE { Numeric::from(count - 1) } else { n.clone() };
        let variance = math::div(&spread, &math::mul(&n, &below)?)?;
        if ROOT {
            result(math::sqrt_at_scale(&variance, variance.scale())?)
        } else {
            result(variance)
        }
    }
}

/// Number, sum and sum of squared deviations, updated so that nothing cancels (Youngs and Cramer).
#[derive(Clone, Copy, Default)]
pub(super) struct Deviation {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) squares: f64,
}

impl Deviation {
    pub(super) fn add(&mut self, value: f64) -> SqlResult<()> {
        let finite = self.sum.is_finite() && value.is_finite();
        self.count += 1.0;
        self.sum += value;
        if self.count > 1.0 {
            let distance = value * self.count - self.sum;
            self.squares += distance * distance / (self.count * (self.count - 1.0));
            if (self.sum.is_infinite() || self.squares.is_infinite()) && finite {
                return Err(float_problem("overflow"));
            }
            if !finite {
                self.squares = f64::NAN;
            }
        } else if !value.is_finite() {
            self.squares = f64::NAN;
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Deviation) {
        if other.count == 0.0 {
            return;
        }
        if self.count == 0.0 {
            *self = other;
            return;
        }
        let count = self.count + other.count;
        let distance = self.sum / self.count - other.sum / other.count;
        self.squares += other.squares + self.count * other.count * distance * distance / count;
        self.sum += other.sum;
        self.count = count;
    }
}

#[derive(Default)]
struct FloatState<const SAMPLE: bool, const ROOT: bool>(Deviation);

impl<const SAMPLE: bool, const ROOT: bool> AggState for FloatState<SAMPLE, ROOT> {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        match &args[0] {
            Datum::Float4(value) => self.0.add(f64::from(*value)),
            Datum::Float8(value) => self.0.add(*value),
            other => Err(mismatch("float", other)),
        }
    }

    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()> {
        let [count, sum, squares] = take_floats(encoded)?;
        self.0.merge(Deviation { count, sum, squares });
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_floats(out, &[self.0.count, self.0.sum, self.0.squares]);
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        let Deviation { count, squares, .. } = self.0;
        let below = if SAMPLE { count - 1.0 } else { count };
        if below <= 0.0 {
            return Ok(Datum::Null);
        }
        let variance = squares / below;
        Ok(Datum::Float8(if ROOT { variance.sqrt() } else { variance }))
    }
}

/// Appends doubles.
pub(super) fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
}

/// Reads what [`put_floats`] wrote.
pub(super) fn take_floats<const N: usize>(encoded: &[u8]) -> SqlResult<[f64; N]> {
    let mut out = [0.0; N];
    if encoded.len() != N * 8 {
        return Err(SqlError::internal("state of a statistical aggregate"));
    }
    for (value, bytes) in out.iter_mut().zip(encoded.chunks_exact(8)) {
        *value = f64::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    Ok(out)
}

type VarSamp = ExactState<true, false>;
type VarPop = ExactState<false, false>;
type StddevSamp = ExactState<true, true>;
type StddevPop = ExactState<false, true>;
type FloatVarSamp = FloatState<true, false>;
type FloatVarPop = FloatState<false, false>;
type FloatStddevSamp = FloatState<true, true>;
type FloatStddevPop = FloatState<false, true>;

macro_rules! family {
    ($($name:literal: $exact:ty, $float:ty;)*) => {
        &[
            $(
                splittable($name, &[INT2], NUMERIC, start::<$exact>),
                splittable($name, &[INT4], NUMERIC, start::<$exact>),
                splittable($name, &[INT8], NUMERIC, start::<$exact>),
                splittable($name, &[NUMERIC], NUMERIC, start::<$exact>),
                splittable($name, &[FLOAT4], FLOAT8, start::<$float>),
                splittable($name, &[FLOAT8], FLOAT8, start::<$float>),
            )*
        ]
    };
}

pub(super) const AGGREGATES: &[Aggregate] = family! {
    "variance": VarSamp, FloatVarSamp;
    "var_samp": VarSamp, FloatVarSamp;
    "var_pop": VarPop, FloatVarPop;
    "stddev": StddevSamp, FloatStddevSamp;
    "stddev_samp": StddevSamp, FloatStddevSamp;
    "stddev_pop": StddevPop, FloatStddevPop;
};
