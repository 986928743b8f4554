//! How the replicated key space is divided.
//!
//! ```text
//! 08 | table id (u32 BE) | index id (u16 BE) | encoded key columns
//! ```
//!
//! A table's id is its OID; index 1 is the primary key. System tables (descriptors, sequences,
//! settings) are tables with small ids: nothing in the key space is special.

use crate::{Key, Span};

/// First byte of every row's key.
pub const TABLE_DATA: u8 = 0x08;
/// The primary index of every table.
pub const PRIMARY_INDEX: u16 = 1;
/// First OID for objects that users create, as in PostgreSQL.
pub const FIRST_USER_OID: u32 = 16384;

/// Bytes in front of the key columns.
pub const INDEX_PREFIX_LEN: usize = 7;

/// What every key of an index starts with.
pub fn index_prefix(table: u32, index: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    key.push(TABLE_DATA);
    key.extend_from_slice(&table.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Every key of an index.
pub fn index_span(table: u32, index: u16) -> Span {
    Span::prefix(index_prefix(table, index).into())
}

/// Every key of a table, all indexes.
pub fn table_span(table: u32) -> Span {
    let mut key = vec![TABLE_DATA];
    key.extend_from_slice(&table.to_be_bytes());
    Span::prefix(key.into())
}

/// Splits a row's key into table, index and the encoded columns.
pub fn split_key(key: &[u8]) -> Option<(u32, u16, &[u8])> {
    if key.len() < INDEX_PREFIX_LEN || key[0] != TABLE_DATA {
        return None;
    }
    let table = u32::from_be_bytes(key[1..5].try_into().ok()?);
    let index = u16::from_be_bytes(key[5..7].try_into().ok()?);
    Some((table, index, &key[INDEX_PREFIX_LEN..]))
}

/// The first key of the table that a key belongs to, for naming ranges to people.
pub fn table_of(key: &Key) -> Option<u32> {
    if key.len() < 5 || key[0] != TABLE_DATA {
        return None;
    }
    key[1..5].try_into().ok().map(u32::from_be_bytes)
}
