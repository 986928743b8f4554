//! Foreign keys, checked after the statement's own writes: a referenced row must be there (and stays
//! locked against removal), a removed row must not be referenced.

use crate::exec::batch::BATCH_ROWS;
use crate::exec::errors::{ExecResult, shown};
use crate::exec::state::Cx;
use crate::plan::physical::WriteTarget;
use base::api::lock::{LockStrength, LockWait};
use base::{Key, Span, layout};
use catalog::descriptor::{ForeignKey, ForeignKeyAction, IndexColumn, Table};
use std::collections::BTreeMap;
use txn::{TxnLocked, TxnScan};
use types::{Datum, SqlError, compare, sqlstate};

/// Every referenced row exists.
pub(super) async fn check_parents(
    target: &WriteTarget,
    rows: impl Iterator<Item = &[Datum]>,
    cx: &mut Cx<'_>,
) -> ExecResult<()> {
    if target.parents.is_empty() {
        return Ok(());
    }
    let mut wanted: BTreeMap<Key, (usize, Vec<Datum>)> = BTreeMap::new();
    for row in rows {
        for (number, (key, parent)) in target.parents.iter().enumerate() {
            let values = values_of(&target.table, &key.columns, row);
            if values.iter().any(|v| matches!(v, Datum::Null)) {
                continue;
            }
            let at = referenced_key(parent, key, &values)?;
            wanted.entry(at).or_insert((number, values));
        }
    }
    let keys: Vec<Key> = wanted.keys().cloned().collect();
    for chunk in keys.chunks(BATCH_ROWS) {
        let locked = cx.txn.lock(chunk.to_vec(), LockStrength::Shared, LockWait::Block).await?;
        for (at, found) in chunk.iter().zip(locked) {
            if matches!(found, TxnLocked::Held { value: Some(_), .. }) {
                continue;
            }
            let Some((number, values)) = wanted.get(at) else { continue };
            let (key, parent) = &target.parents[*number];
            return Err(missing_parent(target, key, parent, values, cx).into());
        }
    }
    Ok(())
}

fn missing_parent(
    target: &WriteTarget,
    key: &ForeignKey,
    parent: &Table,
    values: &[Datum],
    cx: &Cx<'_>,
) -> SqlError {
    let table = &target.table;
    SqlError::new(
        sqlstate::FOREIGN_KEY_VIOLATION,
        format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            table.name, key.name
        ),
    )
    .with_detail(format!(
        "Key {} is not present in table \"{}\".",
        shown_values(table, &key.columns, values, cx),
        parent.name
    ))
    .with_table(target.schema.clone(), table.name.clone())
    .with_constraint(key.name.clone())
}

fn shown_values(table: &Table, columns: &[u32], values: &[Datum], cx: &Cx<'_>) -> String {
    let mut names = Vec::with_capacity(columns.len());
    let mut texts = Vec::with_capacity(columns.len());
    for (id, value) in columns.iter().zip(values) {
        if let Some(column) = table.column(*id) {
            names.push(column.name.clone());
            texts.push(shown(value, column.ty, &cx.state.settings));
        }
    }
    format!("({})=({})", names.join(", "), texts.join(", "))
}

fn values_of(table: &Table, columns: &[u32], row: &[Datum]) -> Vec<Datum> {
    let value = |id: &u32| table.position(*id).map_or(Datum::Null, |p| row[p].clone());
    columns.iter().map(value).collect()
}

/// The key in the parent (its row's, or that of a unique index) that the values stand for.
fn referenced_key(parent: &Table, key: &ForeignKey, values: &[Datum]) -> Result<Key, SqlError> {
    let in_order = |columns: &[IndexColumn]| -> Option<Vec<Datum>> {
        if columns.len() != key.referenced_columns.len() {
            return None;
        }
        columns
            .iter()
            .map(|c| {
                let at = key.referenced_columns.iter().position(|r| *r == c.column)?;
                Some(values[at].clone())
            })
            .collect()
    };
    let candidates = std::iter::once((layout::PRIMARY_INDEX, parent.key.as_slice())).chain(
        parent.secondary_indexes().filter(|i| i.is_unique).map(|i| (i.id, i.columns.as_slice())),
    );
    for (index, columns) in candidates {
        if let Some(ordered) = in_order(columns) {
            let ordered = typed(parent, columns, ordered);
            let mut out = layout::index_prefix(parent.storage_id, index);
            catalog::layout::put_key_prefix(parent, columns, &ordered, &mut out)?;
            return Ok(out.into());
        }
    }
    Err(SqlError::internal(format!("there is no unique index for foreign key \"{}\"", key.name)))
}

/// Integers take the width of the columns they are compared with.
fn typed(table: &Table, columns: &[IndexColumn], values: Vec<Datum>) -> Vec<Datum> {
    let fit = |(column, value): (&IndexColumn, Datum)| {
        let wide = match &value {
            Datum::Int2(v) => i64::from(*v),
            Datum::Int4(v) => i64::from(*v),
            Datum::Int8(v) => *v,
            _ => return value,
        };
        match table.column(column.column).map(|c| c.ty.oid) {
            Some(types::oid::INT2) => i16::try_from(wide).map_or(value, Datum::Int2),
            Some(types::oid::INT4) => i32::try_from(wide).map_or(value, Datum::Int4),
            Some(types::oid::INT8) => Datum::Int8(wide),
            _ => value,
        }
    };
    columns.iter().zip(values).map(fit).collect()
}

/// No row references one that is gone.
pub(super) async fn children_of_deleted(
    target: &WriteTarget,
    gone: &[Vec<Datum>],
    cx: &mut Cx<'_>,
) -> ExecResult<()> {
    let mut left = Vec::new();
    for (key, child) in &target.children {
        for row in gone {
            let values = values_of(&target.table, &key.referenced_columns, row);
            left.push(Left { key, child, values, action: key.on_delete });
        }
    }
    refuse_references(target, left, cx).await
}

/// No row references a key that was changed away.
pub(super) async fn children_of_changed(
    target: &WriteTarget,
    changed: &[(Vec<Datum>, Vec<Datum>)],
    cx: &mut Cx<'_>,
) -> ExecResult<()> {
    let mut left = Vec::new();
    for (key, child) in &target.children {
        for (old, new) in changed {
            let values = values_of(&target.table, &key.referenced_columns, old);
            let after = values_of(&target.table, &key.referenced_columns, new);
            if !same(&values, &after) {
                left.push(Left { key, child, values, action: key.on_update });
            }
        }
    }
    refuse_references(target, left, cx).await
}

/// A referenced key that is no more.
struct Left<'a> {
    key: &'a ForeignKey,
    child: &'a Table,
    values: Vec<Datum>,
    action: ForeignKeyAction,
}

fn same(a: &[Datum], b: &[Datum]) -> bool {
    a.iter().zip(b).all(|(x, y)| match (x, y) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Null, _) | (_, Datum::Null) => false,
        _ => compare::eq(x, y),
    })
}

/// Whoever adds a reference holds a lock on the key up to its commit, but leaves no version there.
/// So the references are looked for in the newest state, once nobody can add one any more; and the
/// commit rests on that being so to the end.
async fn refuse_references(
    target: &WriteTarget,
    mut left: Vec<Left<'_>>,
    cx: &mut Cx<'_>,
) -> ExecResult<()> {
    left.retain(|left| !left.values.iter().any(|v| matches!(v, Datum::Null)));
    if left.is_empty() {
        return Ok(());
    }
    let referenced = |left: &Left<'_>| referenced_key(&target.table, left.key, &left.values);
    let keys = left.iter().map(referenced).collect::<Result<_, _>>()?;
    cx.txn.hold(keys).await?;
    cx.txn.read_newest().await?;
    for left in left {
        refuse_reference(target, left, cx).await?;
    }
    cx.txn.read_snapshot();
    Ok(())
}

async fn refuse_reference(target: &WriteTarget, left: Left<'_>, cx: &mut Cx<'_>) -> ExecResult<()> {
    let Left { key, child, values, action } = left;
    if !is_referenced(child, key, &values, cx).await? {
        return Ok(());
    }
    if !matches!(action, ForeignKeyAction::NoAction | ForeignKeyAction::Restrict) {
        return Err(SqlError::not_supported(format!(
            "the action of foreign key \"{}\" is not supported yet",
            key.name
        ))
        .into());
    }
    let detail = format!(
        "Key {} is still referenced from table \"{}\".",
        shown_values(&target.table, &key.referenced_columns, &values, cx),
        child.name
    );
    let error = SqlError::new(
        sqlstate::FOREIGN_KEY_VIOLATION,
        format!(
            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \
             \"{}\"",
            target.table.name, key.name, child.name
        ),
    );
    let error = error.with_detail(detail).with_constraint(key.name.clone());
    Err(error.with_table(target.schema.clone(), child.name.clone()).into())
}

/// Looks for a row of the child: through an index that starts with the key's columns, or through
/// the whole table.
async fn is_referenced(
    child: &Table,
    key: &ForeignKey,
    values: &[Datum],
    cx: &mut Cx<'_>,
) -> ExecResult<bool> {
    let leads = |columns: &[IndexColumn]| {
        columns.len() >= key.columns.len()
            && columns.iter().zip(&key.columns).all(|(c, k)| c.column == *k)
    };
    let index = child
        .secondary_indexes()
        .filter(|i| i.is_readable() && i.predicate.is_none())
        .map(|i| (i.id, i.columns.as_slice()))
        .chain(std::iter::once((layout::PRIMARY_INDEX, child.key.as_slice())))
        .find(|(_, columns)| leads(columns));
    let mut rest = match index {
        Some((id, columns)) => {
            let columns = &columns[..values.len()];
            let values = typed(child, columns, values.to_vec());
            let mut prefix = layout::index_prefix(child.storage_id, id);
            catalog::layout::put_key_prefix(child, columns, &values, &mut prefix)?;
            Some(Span::prefix(prefix.into()))
        }
        None => Some(catalog::layout::row_span(child)),
    };
    while let Some(span) = rest.take() {
        let page = cx.txn.scan(TxnScan::forward(span)).await?;
        for (_, value) in &page.rows {
            let found = match index {
                Some(_) => true,
                None => {
                    let row = super::row::decode_row(child, value)?;
                    same_numbers(&values_of(child, &key.columns, &row), values)
                }
            };
            if found {
                return Ok(true);
            }
        }
        rest = page.resume;
    }
    Ok(false)
}

/// Equal, whatever the width of integers.
fn same_numbers(a: &[Datum], b: &[Datum]) -> bool {
    let encoded = |values: &[Datum]| {
        let mut out = Vec::new();
        for value in values {
            let ty = types::SqlType::new(compare::natural_oid(value));
            crate::exec::hash_key::put(value, ty, &mut out);
        }
        out
    };
    encoded(a) == encoded(b)
}
