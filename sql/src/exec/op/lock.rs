//! Locks rows by the keys in a column: SELECT … FOR UPDATE over joins, sorts and the like. A row
//! that has changed since the snapshot sends the statement back to its start.

use super::{Operator, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::{ExecError, ExecResult};
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use base::{BoxFuture, Key};
use std::collections::BTreeSet;
use txn::TxnLocked;
use types::Datum;

/// A running lock.
pub(crate) struct LockOp {
    pub(crate) input: Box<dyn Operator>,
}

impl LockOp {
    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Lock { input, key, lock, .. } = &node.op else { return mismatch() };
        while let Some(batch) = self.input.next(input, cx).await? {
            let keys: Vec<Option<Key>> = (0..batch.rows)
                .map(|row| match batch.get(*key, row) {
                    Datum::Bytea(bytes) => Some(Key(bytes)),
                    _ => None,
                })
                .collect();
            let sorted: BTreeSet<Key> = keys.iter().flatten().cloned().collect();
            let sorted: Vec<Key> = sorted.into_iter().collect();
            let locked = cx.txn.lock(sorted.clone(), lock.strength, lock.wait).await?;
            let mut skipped = BTreeSet::new();
            for (key, found) in sorted.into_iter().zip(locked) {
                match found {
                    TxnLocked::Skipped => {
                        skipped.insert(key);
                    }
                    TxnLocked::Held { changed: true, .. } => return Err(ExecError::Restart),
                    TxnLocked::Held { .. } => {}
                }
            }
            let kept: Vec<u32> = keys
                .iter()
                .enumerate()
                .filter(|(_, key)| key.as_ref().is_none_or(|k| !skipped.contains(k)))
                .map(|(row, _)| row as u32)
                .collect();
            if !kept.is_empty() {
                return Ok(Some(batch.gather(&kept)));
            }
        }
        Ok(None)
    }
}

impl Operator for LockOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
