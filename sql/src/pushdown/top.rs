//! The first rows of a stretch by sort keys.

use super::wire::encode_batch;
use crate::exec::eval::{Env, eval_batch};
use crate::exec::{Batch, Kept};
use crate::plan::expr::Expr;
use crate::plan::physical::SortSlot;
use types::{SqlError, SqlType};

/// The rows so far: emitted columns, then keys.
pub(super) struct TopState {
    emit: Vec<usize>,
    keys: Vec<Expr>,
    emitted: Vec<SqlType>,
    kept: Kept,
}

impl TopState {
    /// `types` are those of the fragment's slots.
    pub(super) fn new(
        emit: Vec<usize>,
        keys: Vec<(Expr, bool, bool)>,
        types: &[SqlType],
        limit: usize,
    ) -> TopState {
        let emitted: Vec<SqlType> = emit.iter().map(|slot| types[*slot]).collect();
        let all = emitted.iter().copied().chain(keys.iter().map(|(key, ..)| key.ty)).collect();
        let slot = |(at, (key, desc, nulls_first)): (usize, &(Expr, bool, bool))| SortSlot {
            slot: emit.len() + at,
            desc: *desc,
            nulls_first: *nulls_first,
            ty: key.ty,
        };
        let slots = keys.iter().enumerate().map(slot).collect();
        let keys = keys.into_iter().map(|(key, ..)| key).collect();
        TopState { emit, keys, emitted, kept: Kept::new(all, slots, Some(limit)) }
    }

    /// Takes rows.
    pub(super) fn push(&mut self, batch: &Batch, env: &Env<'_>) -> Result<(), SqlError> {
        let mut columns = batch.project(&self.emit).columns;
        for key in &self.keys {
            columns.push(eval_batch(key, batch, env)?);
        }
        self.kept.push(Batch::new(columns, batch.rows));
        Ok(())
    }

    /// Bytes held, roughly.
    pub(super) fn memory(&self) -> usize {
        self.kept.memory()
    }

    /// The first rows, encoded.
    pub(super) fn finish(self) -> Vec<u8> {
        let sorted = self.kept.finish();
        let batch = sorted.slice(0, sorted.len(), &self.emitted);
        encode_batch(&batch.columns, batch.rows)
    }
}
