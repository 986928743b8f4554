//! A pinned view of the whole store.

use crate::memory::MemSnapshot;
use crate::rocks::RocksSnapshot;
use crate::{Iter, Keyspace, StorageResult};
use bytes::Bytes;
use std::sync::Arc;

/// The store as it was at one moment, all keyspaces. Cheap to clone. Held for long it keeps the
/// disk from dropping overwritten data.
#[derive(Clone)]
pub struct Snapshot(Inner);

#[derive(Clone)]
enum Inner {
    Rocks(Arc<RocksSnapshot>),
    Memory(Arc<MemSnapshot>),
}

impl Snapshot {
    pub(crate) fn rocks(snapshot: Arc<RocksSnapshot>) -> Self {
        Snapshot(Inner::Rocks(snapshot))
    }

    pub(crate) fn memory(snapshot: Arc<MemSnapshot>) -> Self {
        Snapshot(Inner::Memory(snapshot))
    }

    /// Reads one key.
    pub fn get(&self, keyspace: Keyspace, key: &[u8]) -> StorageResult<Option<Bytes>> {
        match &self.0 {
            Inner::Rocks(snapshot) => snapshot.get(keyspace, key),
            Inner::Memory(snapshot) => Ok(snapshot.get(keyspace, key)),
        }
    }

    /// Reads several keys of one keyspace; answers in their order.
    pub fn multi_get(
        &self,
        keyspace: Keyspace,
        keys: &[&[u8]],
    ) -> StorageResult<Vec<Option<Bytes>>> {
        keys.iter().map(|key| self.get(keyspace, key)).collect()
    }

    /// Iterates over `[lower, upper)`; an empty `upper` is no bound.
    pub fn iter(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> Iter {
        match &self.0 {
            Inner::Rocks(snapshot) => {
                Iter::rocks(RocksSnapshot::iter(snapshot, keyspace, lower, upper), lower, upper)
            }
            Inner::Memory(snapshot) => Iter::memory(snapshot.iter(keyspace), lower, upper),
        }
    }

    /// Iterates over the versions of single keys in [`Keyspace::Data`]. After `seek(key ++ ts)` it
    /// is sound only as long as the entries belong to that key; what lies behind them may be
    /// skipped. This lets filters skip files and memtables without the key.
    pub(crate) fn point_iter(&self) -> Iter {
        match &self.0 {
            Inner::Rocks(snapshot) => Iter::rocks(RocksSnapshot::point_iter(snapshot), &[], &[]),
            Inner::Memory(snapshot) => Iter::memory(snapshot.iter(Keyspace::Data), &[], &[]),
        }
    }
}
