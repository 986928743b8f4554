//! One row on its way into a table: generated columns, constraints, key, index entries.

use crate::exec::errors::{ExecResult, shown};
use crate::exec::eval::{Env, eval_row};
use crate::exec::state::Cx;
use crate::plan::physical::WriteTarget;
use base::Key;
use bytes::Bytes;
use catalog::descriptor::Index;
use catalog::layout::{self, IndexEntry};
use types::{Datum, Settings, SqlError, sqlstate};

/// Computes generated columns and checks everything that depends on the row alone.
pub(super) fn complete(
    target: &WriteTarget,
    row: &mut [Datum],
    env: &Env<'_>,
) -> Result<(), SqlError> {
    for (position, expr) in &target.generated {
        row[*position] = eval_row(expr, &*row, env)?;
    }
    for (column, value) in target.table.columns.iter().zip(row.iter()) {
        if column.is_not_null && !column.is_dropped && matches!(value, Datum::Null) {
            return Err(not_null(target, &column.name, row, env.settings));
        }
    }
    for (name, check) in &target.checks {
        if matches!(eval_row(check, &*row, env)?, Datum::Bool(false)) {
            return Err(check_violation(target, name, row, env.settings));
        }
    }
    Ok(())
}

fn not_null(target: &WriteTarget, column: &str, row: &[Datum], settings: &Settings) -> SqlError {
    let table = &target.table.name;
    SqlError::new(
        sqlstate::NOT_NULL_VIOLATION,
        format!(
            "null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"
        ),
    )
    .with_detail(failing_row(target, row, settings))
    .with_table(target.schema.clone(), table.clone())
    .with_column(column)
}

fn check_violation(
    target: &WriteTarget,
    name: &str,
    row: &[Datum],
    settings: &Settings,
) -> SqlError {
    let table = &target.table.name;
    SqlError::new(
        sqlstate::CHECK_VIOLATION,
        format!("new row for relation \"{table}\" violates check constraint \"{name}\""),
    )
    .with_detail(failing_row(target, row, settings))
    .with_table(target.schema.clone(), table.clone())
    .with_constraint(name)
}

/// Longest value that details show.
const SHOWN_CHARS: usize = 64;

fn failing_row(target: &WriteTarget, row: &[Datum], settings: &Settings) -> String {
    let columns = target.table.columns.iter().zip(row).filter(|(c, _)| c.is_visible());
    let texts: Vec<String> = columns
        .map(|(column, value)| {
            let text = shown(value, column.ty, settings);
            match text.char_indices().nth(SHOWN_CHARS) {
                Some((cut, _)) => format!("{}...", &text[..cut]),
                None => text,
            }
        })
        .collect();
    format!("Failing row contains ({}).", texts.join(", "))
}

/// Does a row belong to an index? Partial indexes hold only rows that satisfy their predicate.
pub(super) fn belongs(
    target: &WriteTarget,
    index: &Index,
    row: &[Datum],
    env: &Env<'_>,
) -> Result<bool, SqlError> {
    match target.predicates.iter().find(|(id, _)| *id == index.id) {
        None => Ok(true),
        Some((_, predicate)) => Ok(matches!(eval_row(predicate, row, env)?, Datum::Bool(true))),
    }
}

/// The entries of a row in all secondary indexes.
pub(super) fn entries(
    target: &WriteTarget,
    row: &[Datum],
    env: &Env<'_>,
) -> Result<Vec<Option<IndexEntry>>, SqlError> {
    target
        .table
        .secondary_indexes()
        .map(|index| {
            if belongs(target, index, row, env)? {
                layout::index_entry(&target.table, index, row).map(Some)
            } else {
                Ok(None)
            }
        })
        .collect()
}

/// Changes to be made, in two steps: what goes, then what comes.
#[derive(Default)]
pub(super) struct Changes {
    gone: Vec<Gone>,
    new: Vec<New>,
}

enum Gone {
    Row(Key),
    Entry(Key),
}

enum New {
    Put(Key, Bytes),
    Insert(Key, Bytes),
    Entry(Key, Bytes),
}

impl Changes {
    /// A new row.
    pub(super) fn insert(
        &mut self,
        target: &WriteTarget,
        row: &[Datum],
        env: &Env<'_>,
    ) -> Result<Key, SqlError> {
        let key = layout::row_key(&target.table, row)?;
        self.new.push(New::Insert(key.clone(), layout::row_value(&target.table, row)));
        for entry in entries(target, row, env)?.into_iter().flatten() {
            self.add_entry(entry);
        }
        Ok(key)
    }

    /// A row that goes.
    pub(super) fn delete(
        &mut self,
        target: &WriteTarget,
        key: Key,
        row: &[Datum],
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        self.gone.push(Gone::Row(key));
        for entry in entries(target, row, env)?.into_iter().flatten() {
            self.gone.push(Gone::Entry(entry.key));
        }
        Ok(())
    }

    /// A row that changes.
    pub(super) fn update(
        &mut self,
        target: &WriteTarget,
        key: Key,
        old: &[Datum],
        new: &[Datum],
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        let new_key = layout::row_key(&target.table, new)?;
        let value = layout::row_value(&target.table, new);
        if new_key == key {
            self.new.push(New::Put(key, value));
        } else {
            self.gone.push(Gone::Row(key));
            self.new.push(New::Insert(new_key, value));
        }
        if target.table.secondary_indexes().next().is_none() {
            return Ok(());
        }
        let before = entries(target, old, env)?;
        let after = entries(target, new, env)?;
        for (before, after) in before.into_iter().zip(after) {
            match (before, after) {
                (Some(a), Some(b)) if a.key == b.key => {
                    if a.value != b.value {
                        self.new.push(New::Entry(b.key, b.value));
                    }
                }
                (before, after) => {
                    self.gone.extend(before.map(|entry| Gone::Entry(entry.key)));
                    if let Some(entry) = after {
                        self.add_entry(entry);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: IndexEntry) {
        self.new.push(match entry.is_unique {
            true => New::Insert(entry.key, entry.value),
            false => New::Entry(entry.key, entry.value),
        });
    }

    /// Hands everything to the transaction.
    pub(super) fn apply(self, cx: &mut Cx<'_>) -> ExecResult<()> {
        for gone in self.gone {
            match gone {
                Gone::Row(key) => cx.txn.delete(key),
                Gone::Entry(key) => cx.txn.delete_unconditional(key),
            }
        }
        for new in self.new {
            match new {
                New::Put(key, value) => cx.txn.put(key, value),
                New::Insert(key, value) => cx.txn.insert(key, value),
                New::Entry(key, value) => cx.txn.put_unconditional(key, value),
            }
        }
        Ok(())
    }
}

/// All columns of a stored row by position.
pub(super) fn decode_row(
    table: &catalog::descriptor::Table,
    value: &[u8],
) -> ExecResult<Vec<Datum>> {
    let mut wanted: Vec<(u32, usize)> =
        table.columns.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
    wanted.sort_unstable();
    let mut row = vec![Datum::Null; table.columns.len()];
    types::tuple::read_into(value, &wanted, &mut row)?;
    Ok(row)
}
