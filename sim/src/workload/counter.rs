//! Increments and reads of single keys, checked against real time.

use super::{number, parse, row_key};
use base::api::lock::{LockStrength, LockWait};
use base::{KvError, KvResult};
use std::time::Duration;
use txn::{Isolation, TxnClient, TxnLocked};

/// The counters' table.
pub const TABLE: u32 = 101;
/// How many counters there are.
pub const COUNTERS: u32 = 4;

/// Adds one.
pub async fn increment(client: TxnClient, counter: u32) -> KvResult<()> {
    let key = row_key(TABLE, counter);
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    txn.set_lock_timeout(Some(Duration::from_secs(5)));
    txn.begin_statement(true);
    let locked = txn.lock(vec![key.clone()], LockStrength::Exclusive, LockWait::Block).await?;
    let value = match locked.as_slice() {
        [TxnLocked::Held { value, .. }] => value.as_deref().map_or(0, parse),
        _ => return Err(KvError::Fatal("a counter was not locked".into())),
    };
    txn.put(key, number(value + 1));
    txn.commit().await.map(drop)
}

/// Reads it, as a statement that stands alone or in a snapshot.
pub async fn read(client: TxnClient, counter: u32, is_alone: bool) -> KvResult<i64> {
    let mut txn = client.begin(Isolation::ReadCommitted, true);
    txn.begin_statement(is_alone);
    let values = txn.get(&[row_key(TABLE, counter)]).await?;
    Ok(values[0].as_deref().map_or(0, parse))
}
