//! DISTINCT: the first row of every combination.

use super::{Operator, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use base::BoxFuture;
use rustc_hash::FxHashSet;

/// A running DISTINCT.
pub(crate) struct DistinctOp {
    input: Box<dyn Operator>,
    seen: FxHashSet<Box<[u8]>>,
}

impl DistinctOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> DistinctOp {
        DistinctOp { input, seen: FxHashSet::default() }
    }
}

impl Operator for DistinctOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::Distinct { input, on } = &node.op else { return mismatch() };
            while let Some(batch) = self.input.next(input, cx).await? {
                let mut rows = Vec::with_capacity(batch.rows);
                let mut bytes = 0;
                let mut key = Vec::new();
                for row in 0..batch.rows {
                    key.clear();
                    for slot in on {
                        hash_key::put(&batch.get(*slot, row), node.types[*slot], &mut key);
                    }
                    if !self.seen.contains(key.as_slice()) {
                        bytes += key.len() + 32;
                        self.seen.insert(key.clone().into_boxed_slice());
                        rows.push(row as u32);
                    }
                }
                cx.state.charge(bytes)?;
                if !rows.is_empty() {
                    return Ok(Some(batch.gather(&rows)));
                }
            }
            Ok(None)
        })
    }
}
