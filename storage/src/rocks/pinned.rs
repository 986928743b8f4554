//! Snapshots and iterators that own what they read from.
//!
//! RocksDB's own borrow the database. Ours travel between tasks and threads, so each carries a
//! reference count of the database it belongs to, and drops it last.
#![expect(unsafe_code, reason = "extends the lifetime of a borrow that the struct itself keeps")]

use super::{column, read_error};
use crate::{Keyspace, StorageResult};
use bytes::Bytes;
use rocksdb::{DB, DBRawIterator, ReadOptions, Snapshot};
use std::sync::Arc;

/// A pinned view. Fields drop in order: the snapshot before its database.
pub(crate) struct RocksSnapshot {
    snapshot: Snapshot<'static>,
    db: Arc<DB>,
}

impl RocksSnapshot {
    pub(crate) fn new(db: &Arc<DB>) -> Arc<RocksSnapshot> {
        // SAFETY: the snapshot borrows the database behind `db`, which does not move and lives at
        // least as long as this struct holds its reference; `snapshot` is dropped first and never
        // leaves the struct.
        let snapshot =
            unsafe { std::mem::transmute::<Snapshot<'_>, Snapshot<'static>>(db.snapshot()) };
        Arc::new(RocksSnapshot { snapshot, db: db.clone() })
    }

    pub(crate) fn get(&self, keyspace: Keyspace, key: &[u8]) -> StorageResult<Option<Bytes>> {
        let column = column(&self.db, keyspace);
        let found = self.snapshot.get_pinned_cf(column, key).map_err(read_error)?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    pub(crate) fn iter(
        this: &Arc<RocksSnapshot>,
        keyspace: Keyspace,
        lower: &[u8],
        upper: &[u8],
    ) -> RocksIter {
        RocksIter::new(&this.db, Some(this.clone()), keyspace, scan_options(lower, upper))
    }

    /// See `Snapshot::point_iter`.
    pub(crate) fn point_iter(this: &Arc<RocksSnapshot>) -> RocksIter {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        RocksIter::new(&this.db, Some(this.clone()), Keyspace::Data, options)
    }
}

/// Options of an iterator over `[lower, upper)`.
pub(crate) fn scan_options(lower: &[u8], upper: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    // Filters know single keys only; a scan crosses keys.
    options.set_total_order_seek(true);
    if !lower.is_empty() {
        options.set_iterate_lower_bound(lower);
    }
    if !upper.is_empty() {
        // RocksDB expects bounds in order; a reversed stretch is an empty one.
        options.set_iterate_upper_bound(upper.max(lower));
    }
    options
}

/// An iterator. Fields drop in order: the iterator before what it reads.
pub(crate) struct RocksIter {
    iter: DBRawIterator<'static>,
    _snapshot: Option<Arc<RocksSnapshot>>,
    _db: Arc<DB>,
}

impl RocksIter {
    pub(crate) fn new(
        db: &Arc<DB>,
        snapshot: Option<Arc<RocksSnapshot>>,
        keyspace: Keyspace,
        options: ReadOptions,
    ) -> RocksIter {
        let column = column(db, keyspace);
        let iter = match &snapshot {
            Some(pinned) => pinned.snapshot.raw_iterator_cf_opt(column, options),
            None => db.raw_iterator_cf_opt(column, options),
        };
        // SAFETY: the iterator reads the database behind `db`, and the snapshot if any, whose
        // references this struct keeps; `iter` is dropped first and never leaves the struct.
        let iter =
            unsafe { std::mem::transmute::<DBRawIterator<'_>, DBRawIterator<'static>>(iter) };
        RocksIter { iter, _snapshot: snapshot, _db: db.clone() }
    }

    pub(crate) fn seek(&mut self, key: &[u8]) -> StorageResult<bool> {
        self.iter.seek(key);
        self.outcome()
    }

    pub(crate) fn seek_for_prev(&mut self, key: &[u8]) -> StorageResult<bool> {
        self.iter.seek_for_prev(key);
        self.outcome()
    }

    /// Goes to the last entry before the key.
    pub(crate) fn seek_before(&mut self, key: &[u8]) -> StorageResult<bool> {
        self.iter.seek_for_prev(key);
        if self.iter.key() == Some(key) {
            self.iter.prev();
        }
        self.outcome()
    }

    pub(crate) fn seek_to_last(&mut self) -> StorageResult<bool> {
        self.iter.seek_to_last();
        self.outcome()
    }

    pub(crate) fn next(&mut self) -> StorageResult<bool> {
        self.iter.next();
        self.outcome()
    }

    pub(crate) fn prev(&mut self) -> StorageResult<bool> {
        self.iter.prev();
        self.outcome()
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.iter.key().unwrap_or_default()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.iter.value().unwrap_or_default()
    }

    /// An iterator that is not valid is at the end only if it says that nothing went wrong.
    fn outcome(&mut self) -> StorageResult<bool> {
        if self.iter.valid() {
            return Ok(true);
        }
        self.iter.status().map_err(read_error)?;
        Ok(false)
    }
}
