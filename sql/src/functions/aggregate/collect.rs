//! `string_agg` and `array_agg`.

use super::{gathering, start};
use crate::functions::native::{array_of, bytes_of, text_of};
use crate::functions::{AggState, Aggregate, EvalContext};
use std::sync::Arc;
use types::oid::*;
use types::{Array, ArrayDimension, Datum, SqlError, SqlResult, sqlstate, tuple};

/// Joined texts; None before the first.
#[derive(Default)]
struct Joined(Option<String>);

impl AggState for Joined {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        if matches!(args[0], Datum::Null) {
            return Ok(());
        }
        match &mut self.0 {
            None => self.0 = Some(text_of(&args[0])?.to_owned()),
            Some(joined) => {
                if !matches!(args[1], Datum::Null) {
                    joined.push_str(text_of(&args[1])?);
                }
                joined.push_str(text_of(&args[0])?);
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.as_deref().map_or(Datum::Null, |joined| Datum::Text(joined.into())))
    }

    fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, String::capacity)
    }
}

/// Joined bytes; None before the first.
#[derive(Default)]
struct JoinedBytes(Option<Vec<u8>>);

impl AggState for JoinedBytes {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        if matches!(args[0], Datum::Null) {
            return Ok(());
        }
        match &mut self.0 {
            None => self.0 = Some(bytes_of(&args[0])?.to_vec()),
            Some(joined) => {
                if !matches!(args[1], Datum::Null) {
                    joined.extend_from_slice(bytes_of(&args[1])?);
                }
                joined.extend_from_slice(bytes_of(&args[0])?);
            }
        }
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.clone().map_or(Datum::Null, |joined| Datum::Bytea(joined.into())))
    }

    fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::capacity)
    }
}

/// The planner never splits these: the order of their input matters.
pub(super) fn not_split() -> SqlError {
    SqlError::internal("an aggregate that keeps its input was split")
}

/// Bytes that a kept value takes, roughly.
pub(super) fn weight(value: &Datum) -> usize {
    let mut encoded = Vec::new();
    match value {
        Datum::Text(text) => size_of::<Datum>() + text.len(),
        Datum::Bytea(bytes) => size_of::<Datum>() + bytes.len(),
        Datum::Array(_) | Datum::Record(_) | Datum::Jsonb(_) | Datum::Numeric(_) => {
            tuple::put_value(&mut encoded, value);
            size_of::<Datum>() + 2 * encoded.len()
        }
        _ => size_of::<Datum>(),
    }
}

/// Values of an array in the making.
#[derive(Default)]
struct Elements {
    values: Vec<Datum>,
    bytes: usize,
}

impl AggState for Elements {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.bytes += weight(&args[0]);
        self.values.push(args[0].clone());
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, context: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.values.is_empty() {
            return Ok(Datum::Null);
        }
        let element_oid = types::element_of(context.return_type.oid)
            .unwrap_or_else(|| element_type(&self.values));
        Ok(Datum::Array(Arc::new(Array::one_dimensional(element_oid, self.values.clone()))))
    }

    fn memory(&self) -> usize {
        self.bytes
    }
}

/// The type that the first value shows.
fn element_type(values: &[Datum]) -> Oid {
    let first = values.iter().find(|value| !matches!(value, Datum::Null));
    first.map_or(TEXT, types::compare::natural_oid)
}

/// Sub-arrays of an array in the making.
#[derive(Default)]
struct SubArrays(Vec<Arc<Array>>);

impl AggState for SubArrays {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        let problem = |message| SqlError::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, message);
        if matches!(args[0], Datum::Null) {
            return Err(SqlError::new(
                sqlstate::NULL_VALUE_NOT_ALLOWED,
                "cannot accumulate null arrays",
            ));
        }
        let array = array_of(&args[0])?;
        if array.values.is_empty() {
            return Err(problem("cannot accumulate empty arrays"));
        }
        if self.0.first().is_some_and(|first| first.dimensions != array.dimensions) {
            return Err(problem("cannot accumulate arrays of different dimensionality"));
        }
        self.0.push(Arc::new(array.clone()));
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        let Some(first) = self.0.first() else { return Ok(Datum::Null) };
        let outer = ArrayDimension { length: self.0.len() as i32, lower_bound: 1 };
        let mut dimensions = vec![outer];
        dimensions.extend(&first.dimensions);
        let values = self.0.iter().flat_map(|array| array.values.iter().cloned()).collect();
        Ok(Datum::Array(Arc::new(Array { element_oid: first.element_oid, dimensions, values })))
    }

    fn memory(&self) -> usize {
        self.0.iter().map(|array| array.values.iter().map(weight).sum::<usize>()).sum()
    }
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    gathering("string_agg", &[TEXT, TEXT], TEXT, start::<Joined>),
    gathering("string_agg", &[BYTEA, BYTEA], BYTEA, start::<JoinedBytes>),
    gathering("array_agg", &[ANYNONARRAY], ANYARRAY, start::<Elements>),
    gathering("array_agg", &[ANYARRAY], ANYARRAY, start::<SubArrays>),
];
