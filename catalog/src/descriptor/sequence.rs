//! Sequences. The descriptor says how to count; the counter itself is a row that
//! [`base::api::increment`] changes outside of transactions.

use super::{ColumnId, Oid};
use crate::wire::wire_struct;
use types::SqlType;

/// A sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    pub oid: Oid,
    pub schema: Oid,
    pub name: String,
    /// Role that owns it.
    pub owner: Oid,
    /// int2, int4 or int8.
    pub ty: SqlType,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    /// Values that a session takes at once (CACHE).
    pub cache: i64,
    pub cycle: bool,
    /// Names the counter's key; a new one restarts the sequence transactionally.
    pub storage_id: u32,
    /// The column it belongs to (SERIAL, IDENTITY, OWNED BY): it is dropped with it.
    pub owned_by: Option<OwnedBy>,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Sequence {
    oid,
    schema,
    name,
    owner,
    ty,
    start,
    increment,
    min,
    max,
    cache,
    cycle,
    storage_id,
    owned_by,
    comment
});

/// A column that owns a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedBy {
    pub table: Oid,
    pub column: ColumnId,
    /// True for IDENTITY columns, whose sequence cannot be dropped alone.
    pub is_identity: bool,
}
wire_struct!(OwnedBy { table, column, is_identity });
