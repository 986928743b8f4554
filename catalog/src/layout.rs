//! How rows and index entries are laid out as keys and values.
//!
//! ```text
//! row      key   prefix(storage id, 1)  | key columns
//!          value tuple of all stored columns, key columns and hidden row id included
//! entry    key   prefix(storage id, id) | index columns | key columns of the row (*)
//!          value tuple of index columns, key columns of the row and INCLUDE columns
//! (*) left out when the entry is unique: a unique index and no NULL among its columns
//! ```
//!
//! Values repeat what keys hold because key encodings forget things (the scale of a numeric), and
//! because a row or an entry can then be read from its value alone, by column id.

use crate::descriptor::{ColumnId, Index, IndexColumn, Oid, Sequence, Table};
use base::codec::{Direction, KeyReader};
use base::{Key, Span, layout};
use bytes::Bytes;
use types::tuple::TupleWriter;
use types::{Datum, SqlError, SqlType};

/// System table of descriptors, by OID.
pub const DESCRIPTOR_TABLE: u32 = 1;
/// System table of names: what makes them unique.
pub const NAME_TABLE: u32 = 2;
/// System table with one row that every catalog change rewrites.
pub const VERSION_TABLE: u32 = 3;
/// System table of sequence counters, by storage id.
pub const SEQUENCE_TABLE: u32 = 4;
/// System table of row id counters, by storage id.
pub const ROW_ID_TABLE: u32 = 5;
/// System table of write fences, by table OID.
pub const FENCE_TABLE: u32 = 6;
/// System table of keys that are to be deleted, by storage id and index.
pub const GARBAGE_TABLE: u32 = 7;
/// System table of the counters that number the indexes of a table, by table OID.
pub const INDEX_NUMBER_TABLE: u32 = 8;

/// An entry of a secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    pub key: Key,
    pub value: Bytes,
    /// True when the key alone enforces uniqueness: write it with `Txn::insert`. Otherwise the
    /// row's own key is part of it and nothing else can hold it: `Txn::put_unconditional`.
    pub is_unique: bool,
}

/// The key of a row. `row` holds a datum for each of [`Table::columns`].
pub fn row_key(table: &Table, row: &[Datum]) -> Result<Key, SqlError> {
    let mut out = layout::index_prefix(table.storage_id, layout::PRIMARY_INDEX);
    put_columns(table, &table.key, row, &mut out)?;
    Ok(out.into())
}

/// The value of a row. `row` holds a datum for each of [`Table::columns`]; those of dropped
/// columns are not stored.
pub fn row_value(table: &Table, row: &[Datum]) -> Bytes {
    let mut writer = TupleWriter::new();
    for (column, datum) in table.columns.iter().zip(row) {
        if !column.is_dropped {
            writer.put(column.id, datum);
        }
    }
    writer.finish().into()
}

/// The entry of a row in a secondary index. Partial indexes: ask only for rows that belong to it.
pub fn index_entry(table: &Table, index: &Index, row: &[Datum]) -> Result<IndexEntry, SqlError> {
    let mut out = layout::index_prefix(table.storage_id, index.id);
    put_columns(table, &index.columns, row, &mut out)?;
    let is_unique = index.is_unique && (index.nulls_not_distinct || !has_null(table, index, row));
    if !is_unique {
        put_columns(table, &table.key, row, &mut out)?;
    }
    Ok(IndexEntry { key: out.into(), value: entry_value(table, index, row), is_unique })
}

/// Ids of the columns whose values an entry of the index stores, ascending.
pub fn entry_columns(table: &Table, index: &Index) -> Vec<ColumnId> {
    let mut ids: Vec<ColumnId> = index
        .columns
        .iter()
        .chain(&table.key)
        .map(|c| c.column)
        .chain(index.include.iter().copied())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Every row of a table.
pub fn row_span(table: &Table) -> Span {
    layout::index_span(table.storage_id, layout::PRIMARY_INDEX)
}

/// Every entry of an index; of the primary key, every row.
pub fn index_span(table: &Table, index: &Index) -> Span {
    layout::index_span(table.storage_id, index.id)
}

/// Appends the key encoding of the first `values.len()` columns of a key or index: a full row key,
/// or the prefix that a range of keys starts with.
pub fn put_key_prefix(
    table: &Table,
    columns: &[IndexColumn],
    values: &[Datum],
    out: &mut Vec<u8>,
) -> Result<(), SqlError> {
    for (column, value) in columns.iter().zip(values) {
        types::key::put(value, column_type(table, column.column)?, column.direction, out);
    }
    Ok(())
}

/// Reads key columns back, for error messages (`Key (a)=(1) already exists.`).
pub fn read_key(
    table: &Table,
    columns: &[IndexColumn],
    encoded: &[u8],
) -> Result<Vec<Datum>, SqlError> {
    let mut reader = KeyReader::new(encoded);
    columns
        .iter()
        .map(|c| Ok(types::key::read(column_type(table, c.column)?, c.direction, &mut reader)?))
        .collect()
}

/// The key of a sequence's counter.
pub fn sequence_key(sequence: &Sequence) -> Key {
    counter_key(SEQUENCE_TABLE, sequence.storage_id)
}

/// The key of the counter that hands out row ids for a table's storage.
pub fn row_id_key(storage_id: u32) -> Key {
    counter_key(ROW_ID_TABLE, storage_id)
}

/// The key of the counter that numbers a table's indexes.
pub(crate) fn index_number_key(table: Oid) -> Key {
    counter_key(INDEX_NUMBER_TABLE, table)
}

pub(crate) fn counter_key(system_table: u32, id: u32) -> Key {
    let mut out = layout::index_prefix(system_table, layout::PRIMARY_INDEX);
    base::codec::put_present(&mut out, Direction::Asc, |out| {
        base::codec::put_i64(out, i64::from(id));
    });
    out.into()
}

fn put_columns(
    table: &Table,
    columns: &[IndexColumn],
    row: &[Datum],
    out: &mut Vec<u8>,
) -> Result<(), SqlError> {
    for column in columns {
        let position = position(table, column.column)?;
        let ty = table.columns[position].ty;
        types::key::put(&row[position], ty, column.direction, out);
    }
    Ok(())
}

fn entry_value(table: &Table, index: &Index, row: &[Datum]) -> Bytes {
    let mut writer = TupleWriter::new();
    let stored = entry_columns(table, index);
    for (column, datum) in table.columns.iter().zip(row) {
        if stored.binary_search(&column.id).is_ok() {
            writer.put(column.id, datum);
        }
    }
    writer.finish().into()
}

fn has_null(table: &Table, index: &Index, row: &[Datum]) -> bool {
    index.columns.iter().any(|c| {
        table.position(c.column).and_then(|p| row.get(p)).is_none_or(|d| matches!(d, Datum::Null))
    })
}

fn position(table: &Table, id: ColumnId) -> Result<usize, SqlError> {
    table.position(id).ok_or_else(|| damaged(table, id))
}

fn column_type(table: &Table, id: ColumnId) -> Result<SqlType, SqlError> {
    table.column(id).map(|c| c.ty).ok_or_else(|| damaged(table, id))
}

fn damaged(table: &Table, id: ColumnId) -> SqlError {
    SqlError::internal(format!("table \"{}\" has no column with id {id}", table.name))
}
