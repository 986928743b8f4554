//! UNION, INTERSECT, EXCEPT.

use super::{Operator, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use crate::plan::rel::SetOpKind;
use base::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};
use types::SqlType;

/// Bytes of an entry beside its key.
const ENTRY_BYTES: usize = 40;

/// A running set operation.
pub(crate) struct SetOpOp {
    left: Box<dyn Operator>,
    right: Box<dyn Operator>,
    /// Rows of the right side and how often they came (INTERSECT, EXCEPT).
    counts: Option<FxHashMap<Vec<u8>, u64>>,
    /// Rows given out.
    seen: FxHashSet<Vec<u8>>,
    left_done: bool,
}

impl SetOpOp {
    pub(crate) fn new(left: Box<dyn Operator>, right: Box<dyn Operator>) -> SetOpOp {
        SetOpOp { left, right, counts: None, seen: FxHashSet::default(), left_done: false }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::SetOp { kind, all, left, right } = &node.op else { return mismatch() };
        if *kind == SetOpKind::Union {
            return self.union(node, left, right, cx).await;
        }
        if self.counts.is_none() {
            let mut counts = FxHashMap::default();
            while let Some(batch) = self.right.next(right, cx).await? {
                let mut bytes = 0;
                for row in 0..batch.rows {
                    let key = row_key(&batch, row, &node.types);
                    bytes += key.len() + ENTRY_BYTES;
                    *counts.entry(key).or_insert(0u64) += 1;
                }
                cx.state.charge(bytes)?;
            }
            self.counts = Some(counts);
        }
        while let Some(batch) = self.left.next(left, cx).await? {
            let Some(counts) = &mut self.counts else { return mismatch() };
            let mut kept = Vec::new();
            for row in 0..batch.rows {
                let key = row_key(&batch, row, &node.types);
                let there = match counts.get_mut(&key) {
                    Some(count) if *all && *count > 0 => {
                        *count -= 1;
                        true
                    }
                    Some(_) if !*all => true,
                    _ => false,
                };
                let wanted = there == (*kind == SetOpKind::Intersect);
                if wanted && (*all || self.seen.insert(key)) {
                    kept.push(row as u32);
                }
            }
            if !kept.is_empty() {
                return Ok(Some(batch.gather(&kept)));
            }
        }
        Ok(None)
    }

    async fn union(
        &mut self,
        node: &Node,
        left: &Node,
        right: &Node,
        cx: &mut Cx<'_>,
    ) -> ExecResult<Option<Batch>> {
        loop {
            let batch = if self.left_done {
                self.right.next(right, cx).await?
            } else {
                self.left.next(left, cx).await?
            };
            let Some(batch) = batch else {
                if self.left_done {
                    return Ok(None);
                }
                self.left_done = true;
                continue;
            };
            let mut kept = Vec::new();
            let mut bytes = 0;
            for row in 0..batch.rows {
                let key = row_key(&batch, row, &node.types);
                let size = key.len() + ENTRY_BYTES;
                if self.seen.insert(key) {
                    bytes += size;
                    kept.push(row as u32);
                }
            }
            cx.state.charge(bytes)?;
            if !kept.is_empty() {
                return Ok(Some(batch.gather(&kept)));
            }
        }
    }
}

/// A whole row as a hash key; NULLs equal each other here.
pub(super) fn row_key(batch: &Batch, row: usize, types: &[SqlType]) -> Vec<u8> {
    let mut key = Vec::new();
    for (column, ty) in batch.columns.iter().zip(types) {
        hash_key::put(&column.get(row), *ty, &mut key);
    }
    key
}

impl Operator for SetOpOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
