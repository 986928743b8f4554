//! What a node keeps beside a replica's data, in [`Keyspace::Local`].
//!
//! ```text
//! 10 ++ range (u64 BE) ++ 01      applied state: version, index, term, max_ts, safe point (u64 LE)
//! 10 ++ range (u64 BE) ++ 02      replica state: id, descriptor, members
//! 11 ++ range (u64 BE)            tombstone: highest replica id that was ever destroyed here
//! 12 ++ range (u64 BE) ++ key     pair of a state machine
//! 13 ++ range (u64 BE) ++ s ++ n  part n of the s-th snapshot (u64 BE) that arrived in this run
//! 14 ++ range (u64 BE)            a large snapshot whose parts are replacing the data
//! ```

use crate::raft::events::InstallSnapshot;
use base::codec::{from_message, to_message};
use base::{NodeId, RangeDescriptor, RangeId, ReplicaId, Timestamp};
use bincode::{Decode, Encode};
use bytes::Bytes;
use consensus::Membership;
use storage::{Engine, Keyspace, Snapshot, StorageError, StorageResult, WriteBatch};

const REPLICA: u8 = 0x10;
const TOMBSTONE: u8 = 0x11;
const PAIR: u8 = 0x12;
const STAGED: u8 = 0x13;
const INSTALLING: u8 = 0x14;
const APPLIED: u8 = 0x01;
const STATE: u8 = 0x02;
const APPLIED_VERSION: u8 = 1;

/// How far the state machine is; rewritten with every batch that is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct AppliedState {
    pub(crate) index: u64,
    pub(crate) term: u64,
    pub(crate) max_ts: Timestamp,
    pub(crate) safe_point: Timestamp,
}

/// Who this replica is; rewritten when the descriptor changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ReplicaState {
    pub(crate) replica: ReplicaId,
    /// `None` while the replica waits for its first snapshot.
    pub(crate) known: Option<KnownState>,
}

/// What an initialised replica knows of its range.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct KnownState {
    pub(crate) descriptor: RangeDescriptor,
    pub(crate) membership: Membership,
}

pub(crate) fn put_applied(batch: &mut WriteBatch, range: RangeId, state: &AppliedState) {
    let mut value = [APPLIED_VERSION; 33];
    for (slot, number) in value[1..].chunks_exact_mut(8).zip([
        state.index,
        state.term,
        state.max_ts.0,
        state.safe_point.0,
    ]) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
    batch.put(Keyspace::Local, &key(REPLICA, range, &[APPLIED]), &value);
}

pub(crate) fn applied(view: &Snapshot, range: RangeId) -> StorageResult<Option<AppliedState>> {
    let Some(bytes) = view.get(Keyspace::Local, &key(REPLICA, range, &[APPLIED]))? else {
        return Ok(None);
    };
    if bytes.len() != 33 || bytes[0] != APPLIED_VERSION {
        return Err(StorageError::Corrupt(format!("{range}: applied state")));
    }
    let at = |i: usize| {
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[1 + i * 8..9 + i * 8]);
        u64::from_le_bytes(number)
    };
    Ok(Some(AppliedState {
        index: at(0),
        term: at(1),
        max_ts: Timestamp(at(2)),
        safe_point: Timestamp(at(3)),
    }))
}

pub(crate) fn put_replica(batch: &mut WriteBatch, range: RangeId, state: &ReplicaState) {
    batch.put(Keyspace::Local, &key(REPLICA, range, &[STATE]), &to_message(state));
}

pub(crate) fn replica(view: &Snapshot, range: RangeId) -> StorageResult<Option<ReplicaState>> {
    let bytes = view.get(Keyspace::Local, &key(REPLICA, range, &[STATE]))?;
    bytes.map(|bytes| from_message(&bytes).map_err(StorageError::from)).transpose()
}

/// Every range with a replica here.
pub(crate) fn ranges(engine: &Engine) -> StorageResult<Vec<RangeId>> {
    let mut out = Vec::new();
    let mut iter = engine.iter(Keyspace::Local, &[REPLICA], &[REPLICA + 1]);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        let range = range_of(iter.key())?;
        out.push(range);
        is_valid = iter.seek(&key(REPLICA, range, &[0xff]))?;
    }
    Ok(out)
}

fn range_of(key: &[u8]) -> StorageResult<RangeId> {
    key.get(1..9)
        .and_then(|id| id.try_into().ok())
        .map(|id| RangeId(u64::from_be_bytes(id)))
        .ok_or_else(|| StorageError::Corrupt("key of a replica's state".to_string()))
}

/// Removes the replica's own records; its data and log are somebody else's.
pub(crate) fn remove_replica(batch: &mut WriteBatch, range: RangeId) {
    batch.delete(Keyspace::Local, &key(REPLICA, range, &[APPLIED]));
    batch.delete(Keyspace::Local, &key(REPLICA, range, &[STATE]));
}

/// What stays of a replica that was destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Tombstone {
    /// The highest replica id of the range that was ever destroyed here, 0 for none.
    pub(crate) replica: ReplicaId,
    /// Replicas that knew of the removal: they, or those that come after them, can tell others.
    pub(crate) heirs: Vec<(NodeId, ReplicaId)>,
}

pub(crate) fn put_tombstone(batch: &mut WriteBatch, range: RangeId, tombstone: &Tombstone) {
    batch.put(Keyspace::Local, &key(TOMBSTONE, range, &[]), &to_message(tombstone));
}

pub(crate) fn tombstone(engine: &Engine, range: RangeId) -> StorageResult<Tombstone> {
    match engine.get(Keyspace::Local, &key(TOMBSTONE, range, &[]))? {
        Some(bytes) => Ok(from_message(&bytes)?),
        None => Ok(Tombstone::default()),
    }
}

pub(crate) fn put_pair(batch: &mut WriteBatch, range: RangeId, name: &[u8], value: Option<&[u8]>) {
    let key = key(PAIR, range, name);
    match value {
        Some(value) => batch.put(Keyspace::Local, &key, value),
        None => batch.delete(Keyspace::Local, &key),
    }
}

/// All pairs of a state machine, in order.
pub(crate) fn pairs(engine: &Engine, range: RangeId) -> StorageResult<Vec<(Bytes, Bytes)>> {
    scan(engine, PAIR, range)
}

pub(crate) fn clear_pairs(batch: &mut WriteBatch, range: RangeId) {
    clear(batch, PAIR, range);
}

pub(crate) fn put_staged(
    batch: &mut WriteBatch,
    range: RangeId,
    (stage, part): (u64, u64),
    data: &[u8],
) {
    batch.put(Keyspace::Local, &staged_key(range, stage, part), data);
}

/// One part of a snapshot; `None` when the snapshot was given up.
pub(crate) fn staged(
    engine: &Engine,
    range: RangeId,
    (stage, part): (u64, u64),
) -> StorageResult<Option<Bytes>> {
    engine.get(Keyspace::Local, &staged_key(range, stage, part))
}

/// Removes the first `parts` parts of a snapshot.
pub(crate) fn clear_staged(batch: &mut WriteBatch, range: RangeId, stage: u64, parts: u64) {
    for part in 0..parts {
        batch.delete(Keyspace::Local, &staged_key(range, stage, part));
    }
}

fn staged_key(range: RangeId, stage: u64, part: u64) -> Vec<u8> {
    let mut rest = stage.to_be_bytes().to_vec();
    rest.extend_from_slice(&part.to_be_bytes());
    key(STAGED, range, &rest)
}

/// Marks that the range's data is being replaced: to be done again after a crash.
pub(crate) fn put_installing(batch: &mut WriteBatch, install: &InstallSnapshot) {
    batch.put(Keyspace::Local, &key(INSTALLING, install.range, &[]), &to_message(install));
}

pub(crate) fn clear_installing(batch: &mut WriteBatch, range: RangeId) {
    batch.delete(Keyspace::Local, &key(INSTALLING, range, &[]));
}

/// Snapshots whose parts were replacing the data when the process ended.
pub(crate) fn installing(engine: &Engine) -> StorageResult<Vec<InstallSnapshot>> {
    let mut out = Vec::new();
    let mut iter = engine.iter(Keyspace::Local, &[INSTALLING], &[INSTALLING + 1]);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        out.push(from_message(iter.value())?);
        is_valid = iter.next()?;
    }
    Ok(out)
}

/// Removes the parts of all snapshots that never arrived whole.
pub(crate) fn clear_all_staged(batch: &mut WriteBatch) {
    batch.delete_range(Keyspace::Local, &[STAGED], &[STAGED + 1]);
}

fn clear(batch: &mut WriteBatch, kind: u8, range: RangeId) {
    let upper = key(kind, RangeId(range.0 + 1), &[]);
    batch.delete_range(Keyspace::Local, &key(kind, range, &[]), &upper);
}

fn scan(engine: &Engine, kind: u8, range: RangeId) -> StorageResult<Vec<(Bytes, Bytes)>> {
    let lower = key(kind, range, &[]);
    let upper = key(kind, RangeId(range.0 + 1), &[]);
    let mut out = Vec::new();
    let mut iter = engine.iter(Keyspace::Local, &lower, &upper);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        let name = Bytes::copy_from_slice(&iter.key()[lower.len()..]);
        out.push((name, Bytes::copy_from_slice(iter.value())));
        is_valid = iter.next()?;
    }
    Ok(out)
}

fn key(kind: u8, range: RangeId, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + rest.len());
    key.push(kind);
    key.extend_from_slice(&range.0.to_be_bytes());
    key.extend_from_slice(rest);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Durability, MemDisk};

    #[test]
    fn replica_records_survive_and_are_found() {
        let engine = Engine::in_memory(MemDisk::new());
        let descriptor = RangeDescriptor::first(&[NodeId(1)]);
        let state = ReplicaState {
            replica: ReplicaId(1),
            known: Some(KnownState { descriptor, membership: Membership::of_voters([1]) }),
        };
        let applied_state =
            AppliedState { index: 7, term: 6, max_ts: Timestamp(5), safe_point: Timestamp(4) };
        let mut batch = WriteBatch::new();
        for range in [RangeId(1), RangeId(300)] {
            put_applied(&mut batch, range, &applied_state);
            put_replica(&mut batch, range, &state);
        }
        let grave = Tombstone { replica: ReplicaId(9), heirs: vec![(NodeId(1), ReplicaId(2))] };
        put_tombstone(&mut batch, RangeId(2), &grave);
        put_pair(&mut batch, RangeId(0), b"name", Some(b"value"));
        engine.write(batch, Durability::Buffered).unwrap();
        assert_eq!(ranges(&engine).unwrap(), [RangeId(1), RangeId(300)]);
        assert_eq!(applied(&engine.snapshot(), RangeId(300)).unwrap(), Some(applied_state));
        assert_eq!(replica(&engine.snapshot(), RangeId(1)).unwrap(), Some(state));
        assert_eq!(tombstone(&engine, RangeId(2)).unwrap(), grave);
        assert_eq!(pairs(&engine, RangeId(0)).unwrap().len(), 1);
        assert_eq!(pairs(&engine, RangeId(1)).unwrap().len(), 0);
    }
}
