//! Locks rows by the keys in a column: SELECT … FOR UPDATE over joins, sorts and the like. A row
//! that has changed since the snapshot sends the statement back to its start.

use super::limit::bounds;
use super::{Operator, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::{ExecError, ExecResult};
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use crate::plan::rel::RowLock;
use base::{BoxFuture, Key};
use std::collections::BTreeSet;
use txn::TxnLocked;
use types::Datum;

/// A running lock.
pub(crate) struct LockOp {
    input: Box<dyn Operator>,
    /// Rows that were not locked yet.
    pending: Option<Batch>,
    /// Rows still wanted.
    left: Option<Option<u64>>,
}

impl LockOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> LockOp {
        LockOp { input, pending: None, left: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Lock { input, key, lock, limit } = &node.op else { return mismatch() };
        if self.left.is_none() {
            let wanted = match limit {
                None => None,
                Some(exprs) => bounds(exprs, &cx.state.env())?.wanted(),
            };
            self.left = Some(wanted);
        }
        loop {
            let left = self.left.flatten();
            if left == Some(0) {
                return Ok(None);
            }
            let Some(batch) = self.chunk(input, left, cx).await? else { return Ok(None) };
            let kept = lock_batch(&batch, *key, *lock, cx).await?;
            if let Some(Some(left)) = &mut self.left {
                *left = left.saturating_sub(kept.len() as u64);
            }
            if !kept.is_empty() {
                return Ok(Some(batch.gather(&kept)));
            }
        }
    }

    /// The next rows to lock: no more than are wanted, so that others keep theirs.
    async fn chunk(
        &mut self,
        input: &Node,
        left: Option<u64>,
        cx: &mut Cx<'_>,
    ) -> ExecResult<Option<Batch>> {
        let batch = match self.pending.take() {
            Some(batch) => batch,
            None => match self.input.next(input, cx).await? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        let wanted = left.map_or(batch.rows, |l| batch.rows.min(l as usize));
        if wanted < batch.rows {
            self.pending = Some(batch.slice(wanted, batch.rows - wanted));
            return Ok(Some(batch.slice(0, wanted)));
        }
        Ok(Some(batch))
    }
}

/// Locks the rows of a batch; answers which of them were not skipped.
async fn lock_batch(
    batch: &Batch,
    key: usize,
    lock: RowLock,
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<u32>> {
    let keys: Vec<Option<Key>> = (0..batch.rows)
        .map(|row| match batch.get(key, row) {
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
    let kept =
        keys.iter().enumerate().filter(|(_, k)| k.as_ref().is_none_or(|k| !skipped.contains(k)));
    Ok(kept.map(|(row, _)| row as u32).collect())
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
