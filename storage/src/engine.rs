//! The store of one process.

use crate::memory::{MemDisk, MemEngine};
use crate::rocks::RocksEngine;
use crate::{DiskUsage, Durability, EngineOptions, Iter, Keyspace, Room, Snapshot};
use crate::{StorageError, StorageResult, WriteBatch};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;

/// A store: RocksDB in a directory, or memory. Cheap to clone; the store closes with its last
/// clone, snapshot and iterator.
#[derive(Clone)]
pub struct Engine(Inner);

#[derive(Clone)]
enum Inner {
    Rocks(Arc<RocksEngine>),
    Memory(Arc<MemEngine>),
}

impl Engine {
    /// Opens the store in a directory, and creates both when absent.
    pub fn open(path: &Path, options: &EngineOptions) -> StorageResult<Engine> {
        RocksEngine::open(path, options).map(|engine| Engine(Inner::Rocks(Arc::new(engine))))
    }

    /// Opens what a simulated disk holds. An engine that was open on it before is cut off, as a
    /// process that has died.
    pub fn in_memory(disk: MemDisk) -> Engine {
        Engine(Inner::Memory(Arc::new(MemEngine::open(disk))))
    }

    /// Pins the state as it is now.
    pub fn snapshot(&self) -> Snapshot {
        match &self.0 {
            Inner::Rocks(engine) => Snapshot::rocks(engine.snapshot()),
            Inner::Memory(engine) => Snapshot::memory(engine.snapshot()),
        }
    }

    /// Reads one key as it is now.
    pub fn get(&self, keyspace: Keyspace, key: &[u8]) -> StorageResult<Option<Bytes>> {
        match &self.0 {
            Inner::Rocks(engine) => engine.get(keyspace, key),
            Inner::Memory(engine) => engine.get(keyspace, key),
        }
    }

    /// Iterates over `[lower, upper)` as it is now; an empty `upper` is no bound.
    pub fn iter(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> Iter {
        match &self.0 {
            Inner::Rocks(engine) => Iter::rocks(engine.iter(keyspace, lower, upper), lower, upper),
            Inner::Memory(engine) => Iter::memory(engine.snapshot().iter(keyspace), lower, upper),
        }
    }

    /// Writes a batch: all of it or nothing.
    pub fn write(&self, batch: WriteBatch, durability: Durability) -> StorageResult<()> {
        match &self.0 {
            Inner::Rocks(engine) => engine.write(&batch, durability),
            Inner::Memory(engine) => engine.write(batch, durability),
        }
    }

    /// Makes everything durable that has been written.
    pub fn sync(&self) -> StorageResult<()> {
        match &self.0 {
            Inner::Rocks(engine) => engine.sync(),
            Inner::Memory(engine) => engine.sync(),
        }
    }

    /// Room on the disk.
    pub fn disk(&self) -> DiskUsage {
        match &self.0 {
            Inner::Rocks(engine) => engine.disk(),
            Inner::Memory(engine) => engine.disk(),
        }
    }

    /// To be asked before work is accepted: fails with [`StorageError::DiskFull`] when less than
    /// the reserve is left, or half of it for clean-up. [`Engine::write`] itself does not ask, so
    /// that what has been promised can still be carried out. Cheap.
    pub fn check_room(&self, wanted: Room) -> Result<(), StorageError> {
        let has_room = match &self.0 {
            Inner::Rocks(engine) => engine.has_room(wanted),
            Inner::Memory(engine) => engine.has_room(),
        };
        if has_room { Ok(()) } else { Err(StorageError::DiskFull) }
    }

    /// About how many bytes the keys in `[lower, upper)` take.
    pub fn approximate_bytes(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> u64 {
        match &self.0 {
            Inner::Rocks(engine) => engine.approximate_bytes(keyspace, lower, upper),
            Inner::Memory(engine) => engine.approximate_bytes(keyspace, lower, upper),
        }
    }

    /// Drops what has been overwritten and deleted in `[lower, upper)` from the disk; slow.
    pub fn compact(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) {
        if let Inner::Rocks(engine) = &self.0 {
            engine.compact(keyspace, lower, upper);
        }
    }

    /// An integer property of the engine summed over the keyspaces, for metrics; `None` when there
    /// is no such property. Names are RocksDB's (`rocksdb.estimate-num-keys`).
    pub fn property(&self, name: &str) -> Option<u64> {
        match &self.0 {
            Inner::Rocks(engine) => engine.property(name),
            Inner::Memory(_) => None,
        }
    }
}
