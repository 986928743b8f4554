//! Inserts of unique keys.

use super::{number, parse, row_key, table};
use crate::workload::bank::pages;
use base::{Key, KvResult};
use std::collections::BTreeMap;
use txn::{Isolation, TxnClient, TxnScan};

/// The ledger's table, and that of its copies, which end up in other ranges.
pub const TABLE: u32 = 102;
/// Holds a copy of every entry, written by the same transaction.
pub const COPIES: u32 = 103;

/// Spreads ids (client and sequence number) over the rows, each to one of its own, so that entries
/// land in all ranges.
fn row(id: u64) -> u32 {
    let dense = (id >> 32) as u32 * 1_000_000 + id as u32;
    dense.wrapping_mul(0x9e37_79b1) & 0x7fff_ffff
}

/// Inserts an entry and its copy.
pub async fn insert(client: TxnClient, id: u64) -> KvResult<()> {
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    txn.begin_statement(true);
    txn.insert(row_key(TABLE, row(id)), number(id as i64));
    txn.insert(row_key(COPIES, row(id)), number(id as i64));
    txn.commit().await.map(drop)
}

/// Is the entry there, and is its copy? They must be there together.
pub async fn find(client: TxnClient, id: u64) -> KvResult<(bool, bool)> {
    let mut txn = client.begin(Isolation::ReadCommitted, true);
    txn.begin_statement(false);
    let values = txn.get(&[row_key(TABLE, row(id)), row_key(COPIES, row(id))]).await?;
    Ok((values[0].is_some(), values[1].is_some()))
}

/// All entries and all copies, id by row.
pub async fn all(client: TxnClient) -> KvResult<(BTreeMap<Key, i64>, BTreeMap<Key, i64>)> {
    let mut txn = client.begin(Isolation::RepeatableRead, true);
    txn.begin_statement(false);
    let entries = pages(&mut txn, TxnScan::forward(table(TABLE))).await?;
    let copies = pages(&mut txn, TxnScan::forward(table(COPIES))).await?;
    let number = |(key, value): (Key, bytes::Bytes)| (key, parse(&value));
    Ok((entries.into_iter().map(number).collect(), copies.into_iter().map(number).collect()))
}

/// The rows of an id.
pub fn keys(id: u64) -> (Key, Key) {
    (row_key(TABLE, row(id)), row_key(COPIES, row(id)))
}
