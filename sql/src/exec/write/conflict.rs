//! ON CONFLICT: the keys that decide are locked first, so that what they hold stays true.

use super::foreign;
use super::row::{Changes, belongs, complete, decode_row};
use crate::exec::batch::BATCH_ROWS;
use crate::exec::errors::ExecResult;
use crate::exec::eval::eval_row;
use crate::exec::op::mismatch;
use crate::exec::state::Cx;
use crate::plan::physical::{ConflictNode, InsertNode};
use base::Key;
use base::api::lock::{LockStrength, LockWait};
use base::layout::PRIMARY_INDEX;
use bytes::Bytes;
use catalog::layout;
use std::collections::BTreeMap;
use txn::TxnLocked;
use types::{Datum, SqlError, sqlstate};

/// Decides for each row between insert, update and nothing.
pub(super) struct Arbiter<'a> {
    plan: &'a InsertNode,
    conflict: &'a ConflictNode,
    held: BTreeMap<Key, Held>,
    /// Rows that were updated, before and after.
    changed: Vec<(Vec<Datum>, Vec<Datum>)>,
}

#[derive(Clone)]
enum Held {
    Free,
    /// A row, or the index entry of a row.
    Taken(Bytes),
    /// Inserted or updated by this statement.
    Own,
}

impl<'a> Arbiter<'a> {
    pub(super) fn new(plan: &'a InsertNode, conflict: &'a ConflictNode) -> Arbiter<'a> {
        Arbiter { plan, conflict, held: BTreeMap::new(), changed: Vec::new() }
    }

    /// Writes the rows; answers those that were inserted or updated.
    pub(super) async fn run(
        mut self,
        rows: Vec<Vec<Datum>>,
        cx: &mut Cx<'_>,
    ) -> ExecResult<Vec<Vec<Datum>>> {
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(self.keys(row, cx)?);
        }
        self.lock(keys.iter().flatten().map(|(_, key)| key.clone()).collect(), cx).await?;
        let mut out = Vec::with_capacity(rows.len());
        let mut changes = Changes::default();
        for (row, keys) in rows.into_iter().zip(keys) {
            let taken = keys.iter().find_map(|(index, key)| match self.held.get(key) {
                Some(Held::Free) | None => None,
                Some(held) => Some((*index, key.clone(), held.clone())),
            });
            match taken {
                None => {
                    changes.insert(&self.plan.target, &row, &cx.state.env())?;
                    keys.into_iter().for_each(|(_, key)| {
                        self.held.insert(key, Held::Own);
                    });
                    out.push(row);
                }
                Some((index, key, held)) => {
                    let written = self.update(index, key, held, row, &mut changes, cx).await?;
                    out.extend(written);
                }
            }
        }
        changes.apply(cx)?;
        foreign::children_of_changed(&self.plan.target, &self.changed, cx).await?;
        Ok(out)
    }

    /// The keys that decide about a row, with the index of each.
    fn keys(&self, row: &[Datum], cx: &Cx<'_>) -> Result<Vec<(u16, Key)>, SqlError> {
        let table = &self.plan.target.table;
        let mut out = Vec::with_capacity(self.conflict.indexes.len());
        for &id in &self.conflict.indexes {
            if id == PRIMARY_INDEX {
                out.push((id, layout::row_key(table, row)?));
                continue;
            }
            let Some(index) = table.index(id) else { continue };
            if !belongs(&self.plan.target, index, row, &cx.state.env())? {
                continue;
            }
            let entry = layout::index_entry(table, index, row)?;
            if entry.is_unique {
                out.push((id, entry.key));
            }
        }
        Ok(out)
    }

    async fn lock(&mut self, mut keys: Vec<Key>, cx: &mut Cx<'_>) -> ExecResult<()> {
        keys.sort();
        keys.dedup();
        for chunk in keys.chunks(BATCH_ROWS) {
            let locked =
                cx.txn.lock(chunk.to_vec(), LockStrength::Exclusive, LockWait::Block).await?;
            for (key, found) in chunk.iter().zip(locked) {
                let held = match found {
                    TxnLocked::Held { value: Some(value), .. } => Held::Taken(value),
                    _ => Held::Free,
                };
                self.held.insert(key.clone(), held);
            }
        }
        Ok(())
    }

    /// DO UPDATE of the row in the way.
    async fn update(
        &mut self,
        index: u16,
        key: Key,
        held: Held,
        excluded: Vec<Datum>,
        changes: &mut Changes,
        cx: &mut Cx<'_>,
    ) -> ExecResult<Option<Vec<Datum>>> {
        let Some((assignments, filter)) = &self.conflict.update else { return Ok(None) };
        let value = match held {
            Held::Taken(value) => value,
            Held::Own => return Err(twice().into()),
            Held::Free => return mismatch(),
        };
        let table = &self.plan.target.table;
        let (row_key, value) = if index == PRIMARY_INDEX {
            (key.clone(), value)
        } else {
            let entry = decode_row(table, &value)?;
            let row_key = layout::row_key(table, &entry)?;
            self.lock(vec![row_key.clone()], cx).await?;
            match self.held.get(&row_key) {
                Some(Held::Taken(value)) => (row_key.clone(), value.clone()),
                _ => return Ok(None),
            }
        };
        let old = decode_row(table, &value)?;
        let mut both = old.clone();
        both.extend(excluded);
        let env = cx.state.env();
        if let Some(filter) = filter
            && !matches!(eval_row(filter, both.as_slice(), &env)?, Datum::Bool(true))
        {
            return Ok(None);
        }
        let mut new = old.clone();
        for (position, expr) in assignments {
            new[*position] = eval_row(expr, both.as_slice(), &env)?;
        }
        complete(&self.plan.target, &mut new, &env)?;
        changes.update(&self.plan.target, row_key, &old, &new, &env)?;
        self.held.insert(key, Held::Own);
        if !self.plan.target.children.is_empty() {
            self.changed.push((old, new.clone()));
        }
        Ok(Some(new))
    }
}

fn twice() -> SqlError {
    SqlError::new(
        sqlstate::CARDINALITY_VIOLATION,
        "ON CONFLICT DO UPDATE command cannot affect row a second time",
    )
    .with_hint(
        "Ensure that no rows proposed for insertion within the same command have duplicate \
         constrained values.",
    )
}
