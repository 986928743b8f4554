//! What operators need of a transaction: the methods of [`txn::Txn`], behind a trait so that plans
//! run against memory in tests.

use base::api::lock::{LockStrength, LockWait};
use base::{BoxFuture, Key, KvResult, NodeId, RangeId};
use bytes::Bytes;
use txn::{Txn, TxnLocked, TxnScan, TxnScanPage};

/// A transaction as operators see it.
pub trait Kv: Send {
    /// Reads keys at the statement's snapshot; own writes win.
    fn get<'a>(&'a mut self, keys: &'a [Key]) -> BoxFuture<'a, KvResult<Vec<Option<Bytes>>>>;
    /// Reads one page of a span.
    fn scan(&mut self, request: TxnScan) -> BoxFuture<'_, KvResult<TxnScanPage>>;
    /// Locks keys, in the given order, and reads what they hold now.
    fn lock(
        &mut self,
        keys: Vec<Key>,
        strength: LockStrength,
        wait: LockWait,
    ) -> BoxFuture<'_, KvResult<Vec<TxnLocked>>>;
    /// Locks keys exclusively and makes the commit rest on the locks not having been lost.
    fn hold(&mut self, keys: Vec<Key>) -> BoxFuture<'_, KvResult<()>>;
    /// Reads see the newest state from now on, besides own writes.
    fn read_newest(&mut self) -> BoxFuture<'_, KvResult<()>>;
    /// Reads see the statement's snapshot again.
    fn read_snapshot(&mut self);
    /// Writes under a key that was locked or read before.
    fn put(&mut self, key: Key, value: Bytes);
    /// Deletes a key that was locked or read before.
    fn delete(&mut self, key: Key);
    /// Writes under a key that must be free. Checked at the end of the statement or at commit.
    fn insert(&mut self, key: Key, value: Bytes);
    /// Writes an index entry that its row's lock guards.
    fn put_unconditional(&mut self, key: Key, value: Bytes);
    /// Deletes an index entry that its row's lock guards.
    fn delete_unconditional(&mut self, key: Key);
    /// Ranges and nodes that the transaction has touched, for EXPLAIN ANALYZE.
    fn touched(&self) -> Vec<(RangeId, NodeId)>;
}

impl Kv for Txn {
    fn get<'a>(&'a mut self, keys: &'a [Key]) -> BoxFuture<'a, KvResult<Vec<Option<Bytes>>>> {
        Box::pin(Txn::get(self, keys))
    }

    fn scan(&mut self, request: TxnScan) -> BoxFuture<'_, KvResult<TxnScanPage>> {
        Box::pin(Txn::scan(self, request))
    }

    fn lock(
        &mut self,
        keys: Vec<Key>,
        strength: LockStrength,
        wait: LockWait,
    ) -> BoxFuture<'_, KvResult<Vec<TxnLocked>>> {
        Box::pin(Txn::lock(self, keys, strength, wait))
    }

    fn hold(&mut self, keys: Vec<Key>) -> BoxFuture<'_, KvResult<()>> {
        Box::pin(Txn::hold(self, keys))
    }

    fn read_newest(&mut self) -> BoxFuture<'_, KvResult<()>> {
        Box::pin(Txn::read_newest(self))
    }

    fn read_snapshot(&mut self) {
        Txn::read_snapshot(self);
    }

    fn put(&mut self, key: Key, value: Bytes) {
        Txn::put(self, key, value);
    }

    fn delete(&mut self, key: Key) {
        Txn::delete(self, key);
    }

    fn insert(&mut self, key: Key, value: Bytes) {
        Txn::insert(self, key, value);
    }

    fn put_unconditional(&mut self, key: Key, value: Bytes) {
        Txn::put_unconditional(self, key, value);
    }

    fn delete_unconditional(&mut self, key: Key) {
        Txn::delete_unconditional(self, key);
    }

    fn touched(&self) -> Vec<(RangeId, NodeId)> {
        Txn::touched(self).touched.clone()
    }
}
