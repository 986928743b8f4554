//! The engine on RocksDB.
//!
//! One write-ahead log for all keyspaces, always on. A synced write appends to the log first and
//! syncs it in a second step, so that buffered writes of other threads do not queue behind the
//! disk.

mod errors;
mod pinned;
mod setup;

use crate::{BatchOp, DiskUsage, Durability, EngineOptions, Keyspace, Room};
use crate::{StorageError, StorageResult, WriteBatch, directory};
use bytes::Bytes;
use errors::{read_error, sync_error, write_error};
pub(crate) use pinned::{RocksIter, RocksSnapshot};
use rocksdb::{ColumnFamily, DB, Range, WriteOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes written between two looks at the free space of the disk.
const SPACE_CHECK_BYTES: u64 = 1 << 20;

/// An open RocksDB.
pub(crate) struct RocksEngine {
    db: Arc<DB>,
    path: PathBuf,
    reserve_bytes: u64,
    /// Bytes that may still be written before the free space is looked at again; 0 while the disk
    /// has less than the reserve, so that freed space is noticed at once.
    unchecked_bytes: AtomicU64,
}

impl RocksEngine {
    pub(crate) fn open(path: &Path, options: &EngineOptions) -> StorageResult<RocksEngine> {
        let store = directory::prepare(path)?;
        let db = setup::open(&store, options)
            .map_err(|error| errors::open_error(path, error.into_string()))?;
        Ok(RocksEngine {
            db: Arc::new(db),
            path: path.to_path_buf(),
            reserve_bytes: options.reserve_bytes,
            unchecked_bytes: AtomicU64::new(0),
        })
    }

    pub(crate) fn snapshot(&self) -> Arc<RocksSnapshot> {
        RocksSnapshot::new(&self.db)
    }

    pub(crate) fn get(&self, keyspace: Keyspace, key: &[u8]) -> StorageResult<Option<Bytes>> {
        let found = self.db.get_pinned_cf(column(&self.db, keyspace), key).map_err(read_error)?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    pub(crate) fn iter(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> RocksIter {
        RocksIter::new(&self.db, None, keyspace, pinned::scan_options(lower, upper))
    }

    pub(crate) fn write(&self, batch: &WriteBatch, durability: Durability) -> StorageResult<()> {
        let native = self.native(batch);
        self.db.write_opt(native, &WriteOptions::default()).map_err(write_error)?;
        let bytes = batch.bytes() as u64;
        // Wrong by a concurrent writer's bytes at worst; the next check makes up for it.
        let left = self.unchecked_bytes.load(Ordering::Relaxed);
        self.unchecked_bytes.store(left.saturating_sub(bytes), Ordering::Relaxed);
        match durability {
            Durability::Buffered => Ok(()),
            Durability::Synced => self.sync(),
        }
    }

    pub(crate) fn sync(&self) -> StorageResult<()> {
        self.db.flush_wal(true).map_err(sync_error)
    }

    pub(crate) fn disk(&self) -> DiskUsage {
        let total = |name: &str| self.property(name).unwrap_or(0);
        DiskUsage {
            used_bytes: total("rocksdb.total-sst-files-size")
                + total("rocksdb.size-all-mem-tables"),
            free_bytes: self.free_bytes().unwrap_or(0),
        }
    }

    pub(crate) fn has_room(&self, wanted: Room) -> bool {
        if self.reserve_bytes == 0 || self.unchecked_bytes.load(Ordering::Relaxed) > 0 {
            return true;
        }
        // A file system that cannot tell its free space is found full by writing.
        let free = self.free_bytes().unwrap_or(u64::MAX);
        let has_reserve = free >= self.reserve_bytes;
        let allowance = if has_reserve { SPACE_CHECK_BYTES } else { 0 };
        self.unchecked_bytes.store(allowance, Ordering::Relaxed);
        has_reserve || (wanted == Room::CleanUp && free >= self.reserve_bytes / 2)
    }

    pub(crate) fn approximate_bytes(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> u64 {
        let range = Range::new(lower, upper);
        self.db.get_approximate_sizes_cf(column(&self.db, keyspace), &[range])[0]
    }

    pub(crate) fn compact(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) {
        let upper = (!upper.is_empty()).then_some(upper);
        self.db.compact_range_cf(column(&self.db, keyspace), Some(lower), upper);
    }

    pub(crate) fn property(&self, name: &str) -> Option<u64> {
        Keyspace::ALL.into_iter().try_fold(0, |sum, keyspace| {
            let value = self.db.property_int_value_cf(column(&self.db, keyspace), name);
            Some(sum + value.ok().flatten()?)
        })
    }

    fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(&self.path).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn native(&self, batch: &WriteBatch) -> rocksdb::WriteBatch {
        let mut native = rocksdb::WriteBatch::with_capacity_bytes(batch.bytes() + 16);
        for (keyspace, op) in batch.iter() {
            let column = column(&self.db, keyspace);
            match op {
                BatchOp::Put(key, value) => native.put_cf(column, key, value),
                BatchOp::Delete(key) => native.delete_cf(column, key),
                BatchOp::DeleteRange(lower, upper) if lower < upper => {
                    native.delete_range_cf(column, lower, upper);
                }
                BatchOp::DeleteRange(..) => {}
            }
        }
        native
    }
}

/// The keyspace's column family. All are opened, or the engine is not.
fn column(db: &DB, keyspace: Keyspace) -> &ColumnFamily {
    db.cf_handle(keyspace.name()).expect("every keyspace was opened")
}

impl From<rocksdb::Error> for StorageError {
    fn from(error: rocksdb::Error) -> Self {
        read_error(error)
    }
}
