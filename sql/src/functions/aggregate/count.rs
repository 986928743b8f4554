//! `count`.

use super::{splittable, start};
use crate::exec::vector::Vector;
use crate::functions::{AggState, Aggregate, EvalContext};
use std::sync::Arc;
use types::oid::{ANY, INT8};
use types::{Datum, SqlResult, tuple};

#[derive(Default)]
struct Count(i64);

impl AggState for Count {
    fn update(&mut self, _: &[Datum], _: &EvalContext<'_>) -> SqlResult<()> {
        self.0 += 1;
        Ok(())
    }

    fn update_all(&mut self, args: &[Arc<Vector>], rows: usize) -> bool {
        let nulls = args.first().map_or(0, |arg| (0..rows).filter(|at| arg.is_null(*at)).count());
        self.0 += (rows - nulls) as i64;
        true
    }

    fn merge(&mut self, mut encoded: &[u8]) -> SqlResult<()> {
        self.0 += tuple::unzigzag(tuple::take_varint(&mut encoded)?);
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        tuple::put_varint(out, tuple::zigzag(self.0));
    }

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        Ok(Datum::Int8(self.0))
    }
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    splittable("count", &[], INT8, start::<Count>),
    splittable("count", &[ANY], INT8, start::<Count>),
];
