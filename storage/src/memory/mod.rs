//! The engine in memory: the same contract as RocksDB's, on a simulated disk.
//!
//! Every key keeps the versions that some pinned view still needs, by write sequence.

mod disk;
mod table;

use crate::{DiskUsage, Durability, Keyspace, StorageResult, WriteBatch};
use bytes::Bytes;
pub use disk::MemDisk;
use parking_lot::RwLock;
use std::sync::Arc;
use table::Tables;

/// An open engine on a [`MemDisk`].
pub(crate) struct MemEngine {
    tables: Arc<RwLock<Tables>>,
    disk: MemDisk,
    /// Which opening of the disk this is: a later one cuts this one off.
    opening: u64,
}

impl MemEngine {
    pub(crate) fn open(disk: MemDisk) -> MemEngine {
        let mut tables = Tables::default();
        let opening = disk.open(|batch| tables.apply(batch));
        MemEngine { tables: Arc::new(RwLock::new(tables)), disk, opening }
    }

    pub(crate) fn snapshot(&self) -> Arc<MemSnapshot> {
        let sequence = self.tables.write().pin();
        Arc::new(MemSnapshot { tables: self.tables.clone(), sequence })
    }

    pub(crate) fn get(&self, keyspace: Keyspace, key: &[u8]) -> StorageResult<Option<Bytes>> {
        Ok(self.tables.read().get(keyspace, key, u64::MAX))
    }

    pub(crate) fn write(&self, batch: WriteBatch, durability: Durability) -> StorageResult<()> {
        let mut tables = self.tables.write();
        self.disk.append(self.opening, batch.clone())?;
        tables.apply(&batch);
        drop(tables);
        match durability {
            Durability::Buffered => Ok(()),
            Durability::Synced => self.sync(),
        }
    }

    pub(crate) fn sync(&self) -> StorageResult<()> {
        self.disk.sync(self.opening)
    }

    pub(crate) fn disk(&self) -> DiskUsage {
        let all: usize =
            Keyspace::ALL.iter().map(|ks| self.tables.read().bytes(*ks, &[], &[])).sum();
        DiskUsage { used_bytes: all as u64, free_bytes: self.disk.free_bytes() }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.disk.free_bytes() > 0
    }

    pub(crate) fn approximate_bytes(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> u64 {
        self.tables.read().bytes(keyspace, lower, upper) as u64
    }
}

/// A pinned view of a [`MemEngine`].
pub(crate) struct MemSnapshot {
    tables: Arc<RwLock<Tables>>,
    sequence: u64,
}

impl MemSnapshot {
    pub(crate) fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        self.tables.read().get(keyspace, key, self.sequence)
    }

    pub(crate) fn iter(self: &Arc<Self>, keyspace: Keyspace) -> MemIter {
        MemIter { snapshot: self.clone(), keyspace, entry: None }
    }
}

impl Drop for MemSnapshot {
    fn drop(&mut self) {
        self.tables.write().unpin(self.sequence);
    }
}

/// An iterator over one keyspace of a pinned view. Looks its place up again at every step.
pub(crate) struct MemIter {
    snapshot: Arc<MemSnapshot>,
    keyspace: Keyspace,
    entry: Option<(Bytes, Bytes)>,
}

impl MemIter {
    pub(crate) fn seek(&mut self, key: &[u8]) -> StorageResult<bool> {
        let tables = self.snapshot.tables.read();
        self.entry = tables.first_from(self.keyspace, key, true, self.snapshot.sequence);
        Ok(self.entry.is_some())
    }

    pub(crate) fn seek_for_prev(&mut self, key: &[u8]) -> StorageResult<bool> {
        let tables = self.snapshot.tables.read();
        self.entry = tables.last_to(self.keyspace, Some((key, true)), self.snapshot.sequence);
        Ok(self.entry.is_some())
    }

    pub(crate) fn seek_before(&mut self, key: &[u8]) -> StorageResult<bool> {
        let tables = self.snapshot.tables.read();
        self.entry = tables.last_to(self.keyspace, Some((key, false)), self.snapshot.sequence);
        Ok(self.entry.is_some())
    }

    pub(crate) fn seek_to_last(&mut self) -> StorageResult<bool> {
        let tables = self.snapshot.tables.read();
        self.entry = tables.last_to(self.keyspace, None, self.snapshot.sequence);
        Ok(self.entry.is_some())
    }

    pub(crate) fn next(&mut self) -> StorageResult<bool> {
        let Some((key, _)) = self.entry.take() else { return Ok(false) };
        let tables = self.snapshot.tables.read();
        self.entry = tables.first_from(self.keyspace, &key, false, self.snapshot.sequence);
        Ok(self.entry.is_some())
    }

    pub(crate) fn prev(&mut self) -> StorageResult<bool> {
        let Some((key, _)) = self.entry.take() else { return Ok(false) };
        self.seek_before(&key)
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.entry.as_ref().map_or(&[], |(key, _)| key)
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.entry.as_ref().map_or(&[], |(_, value)| value)
    }
}
