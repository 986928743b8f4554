//! Tables and their columns.

use super::{Check, ForeignKey, Index, IndexColumn, Oid};
use crate::wire::{wire_enum, wire_struct};
use base::codec::Direction;
use base::layout::PRIMARY_INDEX;
use types::SqlType;

/// Identifies a column inside row values. Counts up from 1, never used again within a table.
pub type ColumnId = u32;

/// A table.
///
/// **Columns keep their place for ever**, dropped ones included, and ascend by id and by attnum;
/// only the hidden row id of a table without primary key has attnum 0 wherever it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub oid: Oid,
    pub schema: Oid,
    pub name: String,
    /// Role that owns it.
    pub owner: Oid,
    pub kind: TableKind,
    /// Names the table's data in keys. TRUNCATE and rewrites move the table to a new one.
    pub storage_id: u32,
    /// Grows with every change of this descriptor.
    pub version: u64,
    pub columns: Vec<Column>,
    /// Columns that make up the key of a row, in key order: the primary key's, or the hidden row
    /// id alone.
    pub key: Vec<IndexColumn>,
    /// The primary key (if declared) and the secondary indexes.
    pub indexes: Vec<Index>,
    pub checks: Vec<Check>,
    pub foreign_keys: Vec<ForeignKey>,
    pub next_column: ColumnId,
    pub next_index: u16,
    /// Storage parameters, kept to be shown (`fillfactor=100`).
    pub options: Vec<String>,
    /// Rows at the last ANALYZE, for the planner; -1 when there was none.
    pub rows_estimate: i64,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Table {
    oid,
    schema,
    name,
    owner,
    kind,
    storage_id,
    version,
    columns,
    key,
    indexes,
    checks,
    foreign_keys,
    next_column,
    next_index,
    options,
    rows_estimate,
    comment
});

/// What stands behind a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Rows in the replicated key space.
    Ordinary,
    /// Rows in the replicated key space, dropped with the session that made it.
    Temporary,
    /// Rows made up when asked for: `pg_catalog`, `information_schema`, `sharddb`.
    Virtual,
}
wire_enum!(TableKind { Ordinary = 1, Temporary = 2, Virtual = 3 });

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub id: ColumnId,
    /// PostgreSQL's column number, from 1; 0 for the hidden row id.
    pub attnum: i16,
    pub name: String,
    pub ty: SqlType,
    pub is_not_null: bool,
    /// DEFAULT, SQL text. For SERIAL `nextval('…'::regclass)`.
    pub default: Option<String>,
    /// What rows that do not store the column have in it, in the type's text form under default
    /// settings: the default at the time of ADD COLUMN. NULL without.
    pub missing: Option<String>,
    pub identity: Option<Identity>,
    /// GENERATED ALWAYS AS (expression) STORED, SQL text.
    pub generated: Option<String>,
    /// The sequence behind SERIAL or IDENTITY.
    pub sequence: Option<Oid>,
    /// Dropped: invisible, values in rows are skipped.
    pub is_dropped: bool,
    /// The row id of a table without primary key: no name finds it, `*` skips it.
    pub is_hidden: bool,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Column {
    id,
    attnum,
    name,
    ty,
    is_not_null,
    default,
    missing,
    identity,
    generated,
    sequence,
    is_dropped,
    is_hidden,
    comment
});

/// GENERATED … AS IDENTITY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Always,
    ByDefault,
}
wire_enum!(Identity { Always = 1, ByDefault = 2 });

impl Column {
    /// A plain nullable column.
    pub fn new(id: ColumnId, attnum: i16, name: &str, ty: SqlType) -> Column {
        Column {
            id,
            attnum,
            name: name.to_owned(),
            ty,
            is_not_null: false,
            default: None,
            missing: None,
            identity: None,
            generated: None,
            sequence: None,
            is_dropped: false,
            is_hidden: false,
            comment: None,
        }
    }

    /// Seen by `*` and by name.
    pub fn is_visible(&self) -> bool {
        !self.is_dropped && !self.is_hidden
    }
}

impl Table {
    /// Columns that `SELECT *` shows, in order.
    pub fn visible_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| c.is_visible())
    }

    /// Columns that rows store: all but the dropped, the hidden row id included.
    pub fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|c| !c.is_dropped)
    }

    /// A visible column by name.
    pub fn column_named(&self, name: &str) -> Option<&Column> {
        self.visible_columns().find(|c| c.name == name)
    }

    /// A column by id, dropped ones included.
    pub fn column(&self, id: ColumnId) -> Option<&Column> {
        self.columns.iter().find(|c| c.id == id)
    }

    /// Position in [`Table::columns`] of a column.
    pub fn position(&self, id: ColumnId) -> Option<usize> {
        self.columns.iter().position(|c| c.id == id)
    }

    /// The declared primary key.
    pub fn primary_key(&self) -> Option<&Index> {
        self.indexes.iter().find(|i| i.is_primary)
    }

    /// The hidden row id of a table without primary key.
    pub fn row_id(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.is_hidden && !c.is_dropped)
    }

    /// Indexes besides the primary key, those that are being built included.
    pub fn secondary_indexes(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().filter(|i| i.id != PRIMARY_INDEX)
    }

    /// An index by its number in keys.
    pub fn index(&self, id: u16) -> Option<&Index> {
        self.indexes.iter().find(|i| i.id == id)
    }

    /// An index by OID.
    pub fn index_by_oid(&self, oid: Oid) -> Option<&Index> {
        self.indexes.iter().find(|i| i.oid == oid)
    }

    /// True when the column is part of the row's key.
    pub fn is_key_column(&self, id: ColumnId) -> bool {
        self.key.iter().any(|k| k.column == id)
    }

    /// Adds the hidden row id and makes it the key.
    pub fn add_row_id(&mut self) {
        let mut column = Column::new(self.next_column, 0, "_rowid", SqlType::INT8);
        column.is_not_null = true;
        column.is_hidden = true;
        self.next_column += 1;
        self.key = vec![IndexColumn { column: column.id, direction: Direction::Asc }];
        self.columns.push(column);
    }
}
