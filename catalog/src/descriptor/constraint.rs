//! Constraints that are not indexes.

use super::{ColumnId, Oid};
use crate::wire::{wire_enum, wire_struct};

/// CHECK.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub oid: Oid,
    pub name: String,
    /// The condition, SQL text over the table's columns. NULL passes.
    pub expr: String,
}
wire_struct!(Check { oid, name, expr });

/// FOREIGN KEY.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    pub oid: Oid,
    pub name: String,
    /// Columns of this table.
    pub columns: Vec<ColumnId>,
    /// The referenced table.
    pub references: Oid,
    /// Its columns, in the same order.
    pub referenced_columns: Vec<ColumnId>,
    pub on_delete: ForeignKeyAction,
    pub on_update: ForeignKeyAction,
    /// MATCH FULL.
    pub match_full: bool,
    pub is_deferrable: bool,
    pub initially_deferred: bool,
}
wire_struct!(ForeignKey {
    oid,
    name,
    columns,
    references,
    referenced_columns,
    on_delete,
    on_update,
    match_full,
    is_deferrable,
    initially_deferred
});

/// What happens to referencing rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKeyAction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}
wire_enum!(ForeignKeyAction {
    NoAction = 1,
    Restrict = 2,
    Cascade = 3,
    SetNull = 4,
    SetDefault = 5,
});
