//! Transfers between accounts, and audits of their sum.

use super::{number, parse, row_key, table};
use crate::executor::Executor;
use base::api::lock::{LockStrength, LockWait};
use base::{Key, KvError, KvResult, Span};
use bytes::Bytes;
use rand::Rng;
use std::time::Duration;
use txn::{Isolation, Txn, TxnClient, TxnLocked, TxnScan};

/// The accounts' table.
pub const TABLE: u32 = 100;
/// How many accounts there are.
pub const ACCOUNTS: u32 = 12;
/// What each holds at first.
pub const OPENING: i64 = 100;

/// Fills the accounts.
pub async fn open(client: TxnClient) -> KvResult<()> {
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    for account in 0..ACCOUNTS {
        txn.insert(row_key(TABLE, account), number(OPENING));
    }
    txn.commit().await.map(drop)
}

/// Moves money between two accounts.
pub async fn transfer(client: TxnClient, world: Executor) -> KvResult<()> {
    let (from, to, amount, way) = world.random(|rng| {
        let from = rng.random_range(0..ACCOUNTS);
        let to = (from + rng.random_range(1..ACCOUNTS)) % ACCOUNTS;
        (from, to, rng.random_range(1..10), rng.random_range(0..4))
    });
    let keys = [row_key(TABLE, from), row_key(TABLE, to)];
    match way {
        0 | 1 => locked(client, world, keys, amount).await,
        2 => optimistic(client, Isolation::RepeatableRead, keys, amount).await,
        _ => optimistic(client, Isolation::Serializable, keys, amount).await,
    }
}

/// As SQL does it at READ COMMITTED: lock, look, write.
async fn locked(client: TxnClient, world: Executor, keys: [Key; 2], amount: i64) -> KvResult<()> {
    let mut txn = client.begin(Isolation::ReadCommitted, false);
    txn.set_lock_timeout(Some(Duration::from_secs(5)));
    txn.begin_statement(false);
    let mut values = Vec::new();
    let one_by_one = world.chance(0.5);
    let requests = if one_by_one {
        vec![vec![keys[0].clone()], vec![keys[1].clone()]]
    } else {
        vec![keys.to_vec()]
    };
    for request in requests {
        for locked in txn.lock(request, LockStrength::Exclusive, LockWait::Block).await? {
            match locked {
                TxnLocked::Held { value: Some(value), .. } => values.push(parse(&value)),
                other => return Err(KvError::Fatal(format!("an account is gone: {other:?}"))),
            }
        }
    }
    if world.chance(0.1) {
        scribble_and_undo(&mut txn, &keys[0]).await?;
    }
    txn.put(keys[0].clone(), number(values[0] - amount));
    txn.put(keys[1].clone(), number(values[1] + amount));
    if world.chance(0.05) {
        // The client goes away.
        return Err(KvError::Cancelled);
    }
    txn.commit().await.map(drop)
}

async fn scribble_and_undo(txn: &mut Txn, key: &Key) -> KvResult<()> {
    let savepoint = txn.savepoint();
    txn.put(key.clone(), number(-1_000_000));
    txn.put_unconditional(row_key(TABLE, ACCOUNTS + 5), number(1));
    txn.rollback_to(savepoint).await?;
    txn.release(savepoint);
    Ok(())
}

/// Reads without locks; whoever commits second fails.
async fn optimistic(
    client: TxnClient,
    isolation: Isolation,
    keys: [Key; 2],
    amount: i64,
) -> KvResult<()> {
    let mut txn = client.begin(isolation, false);
    txn.set_lock_timeout(Some(Duration::from_secs(5)));
    txn.begin_statement(false);
    let values = txn.get(&keys).await?;
    let value = |i: usize| {
        let value: Option<&Bytes> = values[i].as_ref();
        value.map(|v| parse(v)).ok_or_else(|| KvError::Fatal("an account is gone".into()))
    };
    txn.put(keys[0].clone(), number(value(0)? - amount));
    txn.put(keys[1].clone(), number(value(1)? + amount));
    txn.commit().await.map(drop)
}

/// Adds up all accounts in one snapshot, in one of several ways. `Err` with what is wrong.
pub async fn audit(client: TxnClient, world: Executor) -> KvResult<Result<(), String>> {
    let (way, serializable) = world.random(|rng| (rng.random_range(0..5), rng.random_bool(0.3)));
    let isolation = if serializable { Isolation::Serializable } else { Isolation::ReadCommitted };
    let mut txn = client.begin(isolation, true);
    txn.begin_statement(way == 4);
    let rows = match way {
        0 => {
            let forward = TxnScan::forward(table(TABLE));
            pages(&mut txn, TxnScan { scatter: true, limit_bytes: 64, ..forward }).await?
        }
        1 => pages(&mut txn, TxnScan { limit_rows: 3, ..TxnScan::forward(table(TABLE)) }).await?,
        2 => {
            let backward = TxnScan { reverse: true, ..TxnScan::forward(table(TABLE)) };
            pages(&mut txn, TxnScan { limit_rows: 4, ..backward }).await?
        }
        3 => {
            let keys: Vec<Key> = (0..ACCOUNTS).map(|account| row_key(TABLE, account)).collect();
            let values = txn.get(&keys).await?;
            keys.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?))).collect()
        }
        // Alone, the leader may pick the snapshot of the first page.
        _ => pages(&mut txn, TxnScan { limit_rows: 5, ..TxnScan::forward(table(TABLE)) }).await?,
    };
    txn.commit().await?;
    let sum: i64 = rows.iter().map(|(_, value)| parse(value)).sum();
    let expected = i64::from(ACCOUNTS) * OPENING;
    if sum == expected && rows.len() == ACCOUNTS as usize {
        return Ok(Ok(()));
    }
    let values: Vec<i64> = rows.iter().map(|(_, value)| parse(value)).collect();
    Ok(Err(format!("audit {way}: {} accounts with {sum}, not {expected}: {values:?}", rows.len())))
}

/// Reads all pages, each its own request within one statement.
pub(crate) async fn pages(txn: &mut Txn, mut request: TxnScan) -> KvResult<Vec<(Key, Bytes)>> {
    let mut rows = Vec::new();
    loop {
        let page = txn.scan(request.clone()).await?;
        rows.extend(page.rows);
        let mut left = page.resume.into_iter().chain(page.more);
        match left.next() {
            Some(rest) => request.span = rest,
            None => return Ok(rows),
        }
        request.also = left.collect();
    }
}

/// Where the accounts are, for splitting.
pub fn span() -> Span {
    table(TABLE)
}
