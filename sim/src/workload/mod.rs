//! What clients do, each checking what it can check on the spot.
//!
//! * `bank`: transfers between accounts in several ranges at all isolation levels; the sum of all
//!   accounts is the same in every snapshot.
//! * `counter`: increments and reads of single keys; a read sees every increment that was
//!   acknowledged before it began, and none that did not begin.
//! * `ledger`: inserts of unique keys; acknowledged ones are there, refused ones are not, none twice.
//! * `duty`: two keys of which one must stay set, under write skew at SERIALIZABLE.

pub mod bank;
pub mod counter;
pub mod duty;
pub mod ledger;

use base::codec::put_i32;
use base::layout::{PRIMARY_INDEX, index_prefix};
use base::{Key, KvError, Span};
use bytes::Bytes;

/// A row's key.
pub(crate) fn row_key(table: u32, row: u32) -> Key {
    let mut key = index_prefix(table, PRIMARY_INDEX);
    put_i32(&mut key, row as i32);
    key.into()
}

/// All rows of a table.
pub(crate) fn table(table: u32) -> Span {
    base::layout::index_span(table, PRIMARY_INDEX)
}

/// A number as a row's value.
pub(crate) fn number(value: i64) -> Bytes {
    Bytes::copy_from_slice(&value.to_le_bytes())
}

/// Reads what [`number`] wrote; damage counts as a value that no check will accept.
pub(crate) fn parse(value: &[u8]) -> i64 {
    value.try_into().map_or(i64::MIN / 1024, i64::from_le_bytes)
}

/// What a failed operation means to its client.
pub(crate) fn fate_of(error: &KvError) -> crate::model::Fate {
    if error.is_ambiguous() { crate::model::Fate::Unknown } else { crate::model::Fate::Failed }
}
