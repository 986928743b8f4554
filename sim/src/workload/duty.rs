//! Two on duty, of whom one may leave: the textbook case of write skew.

use super::{number, parse, row_key};
use crate::executor::Executor;
use base::{Key, KvResult};
use rand::Rng;
use std::time::Duration;
use txn::{Isolation, TxnClient};

/// The table of those on duty.
pub const TABLE: u32 = 104;

fn keys() -> [Key; 2] {
    [row_key(TABLE, 1), row_key(TABLE, 2)]
}

/// Both are on duty at first.
pub async fn open(client: TxnClient) -> KvResult<()> {
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    keys().into_iter().for_each(|key| txn.insert(key, number(1)));
    txn.commit().await.map(drop)
}

/// One leaves if the other stays, else comes back. Answers how many were seen on duty.
pub async fn change(client: TxnClient, world: Executor) -> KvResult<i64> {
    let who = world.random(|rng| rng.random_range(0..2usize));
    let keys = keys();
    let mut txn = client.begin(Isolation::Serializable, false);
    txn.set_lock_timeout(Some(Duration::from_secs(5)));
    txn.begin_statement(false);
    let values = txn.get(&keys).await?;
    let on_duty: Vec<i64> = values.iter().map(|value| value.as_deref().map_or(0, parse)).collect();
    let sum = on_duty.iter().sum();
    let next = if sum == 2 { 0 } else { 1 };
    txn.put(keys[who].clone(), number(next));
    txn.commit().await?;
    Ok(sum)
}
