//! Indexes, the primary key among them.

use super::{ColumnId, Oid};
use crate::wire::{wire_enum, wire_struct};
use base::codec::Direction;

/// An index of a table. It is part of the table's descriptor but has an OID and a name among the
/// relations of the table's schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Its number in keys: 1 is the primary key, later ones count up and are never used again.
    pub id: u16,
    pub oid: Oid,
    pub name: String,
    /// Key columns in order.
    pub columns: Vec<IndexColumn>,
    /// INCLUDE: stored in the entry, no part of the key.
    pub include: Vec<ColumnId>,
    pub is_unique: bool,
    pub is_primary: bool,
    /// Made by PRIMARY KEY or UNIQUE: the name is a constraint's too.
    pub is_constraint: bool,
    /// OID of that constraint, 0 for a plain index.
    pub constraint_oid: Oid,
    /// UNIQUE NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// WHERE of a partial index, SQL text.
    pub predicate: Option<String>,
    pub state: IndexState,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Index {
    id,
    oid,
    name,
    columns,
    include,
    is_unique,
    is_primary,
    is_constraint,
    constraint_oid,
    nulls_not_distinct,
    predicate,
    state,
    comment
});

/// A column of an index. NULLs sort last ascending and first descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexColumn {
    pub column: ColumnId,
    pub direction: Direction,
}
wire_struct!(IndexColumn { column, direction });

/// Who uses an index. The primary key always is `Public`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// Every write maintains it and checks it; no read uses it yet (being built) or any more
    /// (about to go).
    WriteOnly,
    /// In use.
    Public,
}
wire_enum!(IndexState { WriteOnly = 1, Public = 2 });

impl Index {
    /// May reads use it?
    pub fn is_readable(&self) -> bool {
        self.state == IndexState::Public
    }

    /// True when the column is part of the key.
    pub fn has_column(&self, column: ColumnId) -> bool {
        self.columns.iter().any(|c| c.column == column)
    }
}
