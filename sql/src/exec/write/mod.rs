//! INSERT, UPDATE, DELETE.
//!
//! A write first pulls all its rows, then writes: what it reads never includes what it writes.
//! Deletes of keys and entries come before inserts, so that rows may swap their unique values.

mod conflict;
mod delete;
mod foreign;
mod insert;
mod partial;
mod row;
mod update;

pub(super) use delete::DeleteOp;
pub(super) use insert::InsertOp;
pub(crate) use partial::PartialIndexes;
pub(super) use update::UpdateOp;

use super::batch::{BATCH_ROWS, Batch, BatchBuilder};
use super::errors::{ExecError, ExecResult};
use super::state::Cx;
use base::Key;
use base::api::lock::{LockStrength, LockWait};
use std::collections::BTreeSet;
use txn::TxnLocked;
use types::{Datum, SqlType};

/// Locks rows that were found without locking. One that has changed since the statement's snapshot
/// sends the statement back to its start.
async fn lock_found(keys: &[Key], cx: &mut Cx<'_>) -> ExecResult<()> {
    let sorted: BTreeSet<Key> = keys.iter().cloned().collect();
    let sorted: Vec<Key> = sorted.into_iter().collect();
    for chunk in sorted.chunks(BATCH_ROWS) {
        let locked = cx.txn.lock(chunk.to_vec(), LockStrength::Exclusive, LockWait::Block).await?;
        if locked.iter().any(|l| matches!(l, TxnLocked::Held { changed: true, .. })) {
            return Err(ExecError::Restart);
        }
    }
    Ok(())
}

/// The key in a column of row keys.
fn key_at(batch: &Batch, column: usize, row: usize) -> Option<Key> {
    match batch.get(column, row) {
        Datum::Bytea(bytes) => Some(Key(bytes)),
        _ => None,
    }
}

/// Rows that a write gives back, batch by batch.
struct Returned {
    batches: std::vec::IntoIter<Batch>,
}

impl Returned {
    fn new(types: &[SqlType], rows: Vec<Vec<Datum>>) -> Returned {
        let mut out = Vec::with_capacity(rows.len() / BATCH_ROWS + 1);
        let mut builder = BatchBuilder::new(types);
        for row in rows {
            builder.push(row);
            if builder.rows() == BATCH_ROWS {
                out.push(builder.finish());
            }
        }
        if builder.rows() > 0 {
            out.push(builder.finish());
        }
        Returned { batches: out.into_iter() }
    }
}
