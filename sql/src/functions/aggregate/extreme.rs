//! `min` and `max`.

use super::{splittable, start};
use crate::functions::{AggState, Aggregate, EvalContext};
use std::cmp::Ordering;
use types::oid::*;
use types::{Datum, Oid, SqlResult, compare, tuple};

/// The best value so far.
#[derive(Default)]
struct Extreme<const LARGEST: bool, const PADDED: bool>(Option<Datum>);

impl<const LARGEST: bool, const PADDED: bool> Extreme<LARGEST, PADDED> {
    fn offer(&mut self, value: &Datum) {
        let type_oid = if PADDED { BPCHAR } else { 0 };
        let better = match &self.0 {
            None => true,
            Some(best) => {
                let order = compare::cmp_as(type_oid, value, best);
                order == if LARGEST { Ordering::Greater } else { Ordering::Less }
            }
        };
        if better {
            self.0 = Some(value.clone());
        }
    }
}

impl<const LARGEST: bool, const PADDED: bool> AggState for Extreme<LARGEST, PADDED> {
    fn update(&mut self, args: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.offer(&args[0]);
        Ok(())
    }

    fn merge(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        if !encoded.is_empty() {
            self.offer(&tuple::take_value(&mut encoded)?);
        }
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Some(best) = &self.0 {
            tuple::put_value(out, best);
        }
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(self.0.clone().unwrap_or(Datum::Null))
    }
}

const fn min(args: &'static [Oid]) -> Aggregate {
    splittable("min", args, args[0], start::<Extreme<false, false>>)
}

const fn max(args: &'static [Oid]) -> Aggregate {
    splittable("max", args, args[0], start::<Extreme<true, false>>)
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    min(&[INT2]),
    min(&[INT4]),
    min(&[INT8]),
    min(&[OID]),
    min(&[FLOAT4]),
    min(&[FLOAT8]),
    min(&[NUMERIC]),
    min(&[DATE]),
    min(&[TIME]),
    min(&[TIMESTAMP]),
    min(&[TIMESTAMPTZ]),
    min(&[INTERVAL]),
    min(&[TEXT]),
    min(&[ANYARRAY]),
    splittable("min", &[BPCHAR], BPCHAR, start::<Extreme<false, true>>),
    max(&[INT2]),
    max(&[INT4]),
    max(&[INT8]),
    max(&[OID]),
    max(&[FLOAT4]),
    max(&[FLOAT8]),
    max(&[NUMERIC]),
    max(&[DATE]),
    max(&[TIME]),
    max(&[TIMESTAMP]),
    max(&[TIMESTAMPTZ]),
    max(&[INTERVAL]),
    max(&[TEXT]),
    max(&[ANYARRAY]),
    splittable("max", &[BPCHAR], BPCHAR, start::<Extreme<true, true>>),
];
