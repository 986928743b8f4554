//! `bool_and`, `bool_or`, `bit_and`, `bit_or`, `bit_xor`.

use super::{splittable, start};
use crate::functions::native::{Native, integer_of};
use crate::functions::{AggState, Aggregate, EvalContext};
use types::oid::*;
use types::{Datum, SqlResult, tuple};

/// How two values become one.
trait Combine: Send + Default {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum>;
}

/// Folds all values into one.
#[derive(Default)]
struct Fold<C: Combine>(Option<Datum>, std::marker::PhantomData<C>);

impl<C: Combine> Fold<C> {
    fn take(&mut self, value: &Datum) -> SqlResult<()> {
        self.0 = Some(match &self.0 {
            None => value.clone(),
            Some(sofar) => C::combine(sofar, value)?,
        });
        Ok(())
    }
}

impl<C: Combine> AggState for Fold<C> {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.take(&args[0])
    }

    fn merge(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        if encoded.is_empty() { Ok(()) } else { self.take(&tuple::take_value(&mut encoded)?) }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(value) = &self.0 {
            tuple::put_value(out, value);
        }
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.clone().unwrap_or(Datum::Null))
    }
}

#[derive(Default)]
struct AllTrue;
#[derive(Default)]
struct AnyTrue;
#[derive(Default)]
struct BitAnd;
#[derive(Default)]
struct BitOr;
#[derive(Default)]
struct BitXor;

impl Combine for AllTrue {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum> {
        Ok(Datum::Bool(bool::get(a)? && bool::get(b)?))
    }
}

impl Combine for AnyTrue {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum> {
        Ok(Datum::Bool(bool::get(a)? || bool::get(b)?))
    }
}

/// Applies a bit operation and keeps the integer's type.
fn bits(a: &Datum, b: &Datum, apply: fn(i64, i64) -> i64) -> SqlResult<Datum> {
    let value = apply(integer_of(a)?, integer_of(b)?);
    Ok(match a {
        Datum::Int2(_) => Datum::Int2(value as i16),
        Datum::Int4(_) => Datum::Int4(value as i32),
        _ => Datum::Int8(value),
    })
}

impl Combine for BitAnd {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum> {
        bits(a, b, |a, b| a & b)
    }
}

impl Combine for BitOr {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum> {
        bits(a, b, |a, b| a | b)
    }
}

impl Combine for BitXor {
    fn combine(a: &Datum, b: &Datum) -> SqlResult<Datum> {
        bits(a, b, |a, b| a ^ b)
    }
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    splittable("bool_and", &[BOOL], BOOL, start::<Fold<AllTrue>>),
    splittable("every", &[BOOL], BOOL, start::<Fold<AllTrue>>),
    splittable("bool_or", &[BOOL], BOOL, start::<Fold<AnyTrue>>),
    splittable("bit_and", &[INT2], INT2, start::<Fold<BitAnd>>),
    splittable("bit_and", &[INT4], INT4, start::<Fold<BitAnd>>),
    splittable("bit_and", &[INT8], INT8, start::<Fold<BitAnd>>),
    splittable("bit_or", &[INT2], INT2, start::<Fold<BitOr>>),
    splittable("bit_or", &[INT4], INT4, start::<Fold<BitOr>>),
    splittable("bit_or", &[INT8], INT8, start::<Fold<BitOr>>),
    splittable("bit_xor", &[INT2], INT2, start::<Fold<BitXor>>),
    splittable("bit_xor", &[INT4], INT4, start::<Fold<BitXor>>),
    splittable("bit_xor", &[INT8], INT8, start::<Fold<BitXor>>),
];
