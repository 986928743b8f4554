//! One transaction.

use crate::client::{TxnClient, unfinished};
use crate::scan_types::{TxnScan, TxnScanPage};
use base::api::lock::{LockStrength, LockWait};
use base::{Key, KvResult, NodeId, RangeId, Timestamp, TxnId};
use bytes::Bytes;
use std::time::Duration;

/// Isolation level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// A fresh snapshot a statement.
    ReadCommitted,
    /// One snapshot; the first committer of a row wins.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
}

/// A place to roll back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SavepointId(pub(crate) u64);

/// What a locked key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnLocked {
    /// Locked. The newest committed value or the transaction's own; `changed` when it is newer
    /// than the statement's snapshot.
    Held { value: Option<Bytes>, changed: bool },
    /// Locked by somebody else and skipped.
    Skipped,
}

/// Ranges and nodes a transaction has sent requests to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TouchLog {
    /// Pairs in the order of first contact.
    pub touched: Vec<(RangeId, NodeId)>,
}

/// One transaction. Dropped without [`Txn::commit`] it is rolled back in the background.
pub struct Txn {
    client: TxnClient,
    isolation: Isolation,
    touched: TouchLog,
}

impl Txn {
    pub(crate) fn new(client: TxnClient, isolation: Isolation, _read_only: bool) -> Txn {
        Txn { client, isolation, touched: TouchLog::default() }
    }

    /// Its id; `None` until the first lock or the commit.
    pub fn id(&self) -> Option<TxnId> {
        None
    }

    /// Its isolation level.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// How long locks are waited for; `None` (the default) is without limit.
    pub fn set_lock_timeout(&mut self, timeout: Option<Duration>) {
        let _ = timeout;
    }

    /// A statement begins. READ COMMITTED: the next read draws a fresh snapshot. `alone` says that
    /// the statement is a transaction of its own: if its reads stay within one range, the leader
    /// picks the snapshot.
    pub fn begin_statement(&mut self, alone: bool) {
        let _ = alone;
    }

    /// The snapshot that reads use; drawn now if there is none yet.
    pub async fn snapshot(&mut self) -> KvResult<Timestamp> {
        self.client.now().await
    }

    /// Values under keys, in their order; own buffered writes win.
    pub async fn get(&mut self, keys: &[Key]) -> KvResult<Vec<Option<Bytes>>> {
        let _ = keys;
        Err(unfinished())
    }

    /// One page of a span, own buffered writes merged in. Loop while `resume` is set.
    pub async fn scan(&mut self, request: TxnScan) -> KvResult<TxnScanPage> {
        let _ = request;
        Err(unfinished())
    }

    /// Locks keys; answers the newest committed values (or own writes) in the order of the keys.
    /// REPEATABLE READ and SERIALIZABLE fail with `WriteConflict` where a value is newer than the
    /// snapshot.
    pub async fn lock(
        &mut self,
        keys: Vec<Key>,
        strength: LockStrength,
        wait: LockWait,
    ) -> KvResult<Vec<TxnLocked>> {
        let _ = (keys, strength, wait);
        Err(unfinished())
    }

    /// Writes a value. The key must have been locked by the transaction or read by the current
    /// statement: COMMIT fails with `WriteConflict` if a newer version than that has appeared.
    pub fn put(&mut self, key: Key, value: Bytes) {
        let _ = (key, value);
    }

    /// Deletes; as for [`Txn::put`].
    pub fn delete(&mut self, key: Key) {
        let _ = key;
    }

    /// Writes a value under a key that must be absent: `KeyExists` from [`Txn::check_inserts`] or
    /// from COMMIT otherwise.
    pub fn insert(&mut self, key: Key, value: Bytes) {
        let _ = (key, value);
    }

    /// Writes a value whatever is there: index entries that their row's lock guards.
    pub fn put_unconditional(&mut self, key: Key, value: Bytes) {
        let _ = (key, value);
    }

    /// Deletes whatever is there: index entries that their row's lock guards.
    pub fn delete_unconditional(&mut self, key: Key) {
        let _ = key;
    }

    /// Locks and checks the keys of inserts that were not checked yet: the end of a statement
    /// inside a transaction block. COMMIT checks whatever is left.
    pub async fn check_inserts(&mut self) -> KvResult<()> {
        Err(unfinished())
    }

    /// Marks a place to roll back to.
    pub fn savepoint(&mut self) -> SavepointId {
        SavepointId(0)
    }

    /// Undoes everything since the savepoint, which stays; releases locks taken since.
    pub async fn rollback_to(&mut self, savepoint: SavepointId) {
        let _ = savepoint;
    }

    /// Forgets a savepoint and all later ones, keeping what was done.
    pub fn release(&mut self, savepoint: SavepointId) {
        let _ = savepoint;
    }

    /// Commits. Once polled it runs to its end even if the future is dropped. `None` for a
    /// transaction that wrote nothing.
    pub async fn commit(self) -> KvResult<Option<Timestamp>> {
        Err(unfinished())
    }

    /// Undoes everything and releases all locks.
    pub async fn rollback(self) {}

    /// True when something is buffered.
    pub fn has_writes(&self) -> bool {
        false
    }

    /// Ranges and nodes touched so far.
    pub fn touched(&self) -> &TouchLog {
        &self.touched
    }
}
