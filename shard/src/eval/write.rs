//! What all conditional writes have in common: other people's locks, conditions, timestamps.

use crate::call::{Call, View};
use crate::lock_wait::Taken;
use base::api::lock::{LockStrength, LockWait};
use base::api::{Write, WriteCondition, WriteOp};
use base::layout::{self, FIRST_USER_OID};
use base::{Key, KvError, KvResult, Timestamp};
use storage::Room;
use storage::mvcc::{self, Intent, Version};

/// The locks of other transactions that are in the way of these writes.
pub(super) fn foreign_locks(call: &Call, writes: &[Write]) -> Vec<(Key, LockStrength)> {
    let locks = call.replica.locks();
    if locks.is_empty() {
        return Vec::new();
    }
    let needed = writes.iter().map(|write| (&write.key, strength(&write.op)));
    let foreign = needed.filter(|(key, strength)| locks.is_foreign(key, call.txn, *strength));
    foreign.map(|(key, strength)| (key.clone(), strength)).collect()
}

/// Waits for other transactions' locks, as if the writer had locked the keys itself.
pub(super) async fn wait_for_locks(
    call: &Call,
    writes: &[Write],
    foreign: Vec<(Key, LockStrength)>,
) -> KvResult<Option<Taken>> {
    if foreign.is_empty() {
        return Ok(None);
    }
    // To take a lock anew is not to have held it all the time.
    let is_foreign = |write: &&Write| foreign.iter().any(|(key, _)| *key == write.key);
    check_held(call, writes.iter().filter(is_foreign))?;
    let mut taken = Taken::new(call, call.require_txn()?);
    for (key, strength) in foreign {
        taken.lock(call, &key, strength, LockWait::Block).await?;
    }
    Ok(Some(taken))
}

fn strength(op: &WriteOp) -> LockStrength {
    match op {
        WriteOp::Put(_) | WriteOp::Delete => LockStrength::Exclusive,
        WriteOp::Check => LockStrength::Shared,
    }
}

/// The newest committed version under each key.
pub(super) fn newest(view: &View, writes: &[Write]) -> KvResult<Vec<Option<Version>>> {
    Ok(mvcc::newest_of(&view.snapshot, &keys(writes))?)
}

/// The intent under each key.
pub(super) fn intents(view: &View, writes: &[Write]) -> KvResult<Vec<Option<Intent>>> {
    if view.is_free_of_intents {
        return Ok(vec![None; writes.len()]);
    }
    Ok(mvcc::intents_of(&view.snapshot, &keys(writes))?)
}

fn keys(writes: &[Write]) -> Vec<&Key> {
    writes.iter().map(|write| &write.key).collect()
}

/// The intents of others among those found.
pub(super) fn foreign(
    call: &Call,
    writes: &[Write],
    intents: &[Option<Intent>],
) -> Vec<(Key, Intent)> {
    let found = writes.iter().zip(intents);
    found
        .filter_map(|(write, intent)| Some((write, intent.as_ref()?)))
        .filter(|(_, intent)| call.txn != Some(intent.anchor.txn))
        .map(|(write, intent)| (write.key.clone(), intent.clone()))
        .collect()
}

/// Checks a write's condition on the newest committed version.
pub(super) fn check(write: &Write, newest: Option<&Version>) -> KvResult<()> {
    let newest_ts = newest.map(|newest| newest.ts).unwrap_or_default();
    let is_met = match write.condition {
        WriteCondition::NotNewerThan(observed) => newest_ts <= observed,
        WriteCondition::Unchanged(observed) | WriteCondition::Held(observed) => {
            newest_ts == observed
        }
        WriteCondition::Absent if newest.is_some_and(|newest| newest.value.is_some()) => {
            return Err(KvError::KeyExists { key: write.key.clone() });
        }
        WriteCondition::Absent => true,
    };
    if is_met { Ok(()) } else { Err(conflict(write, newest_ts)) }
}

/// Refuses writes that needed their lock and have lost it.
pub(super) fn check_held<'a>(
    call: &Call,
    writes: impl IntoIterator<Item = &'a Write>,
) -> KvResult<()> {
    for write in writes {
        if let WriteCondition::Held(observed) = write.condition
            && !call.txn.is_some_and(|txn| call.replica.locks().holds_alone(&write.key, txn))
        {
            return Err(conflict(write, observed));
        }
    }
    Ok(())
}

fn conflict(write: &Write, newer: Timestamp) -> KvError {
    KvError::WriteConflict { key: write.key.clone(), newer }
}

/// True when the write leaves a version.
pub(super) fn leaves_version(write: &Write) -> bool {
    !matches!(write.op, WriteOp::Check)
}

/// The value to write; `None` is a tombstone.
pub(super) fn value(op: &WriteOp) -> Option<&[u8]> {
    match op {
        WriteOp::Put(value) => Some(value),
        WriteOp::Delete | WriteOp::Check => None,
    }
}

/// The timestamp of a write, or what is in its way.
pub(super) enum Chosen {
    Take(Timestamp),
    TooLate(Timestamp),
}

/// Takes the requested timestamp if nothing at or above it forbids it, else a fresh one. The caller
/// holds its latches meanwhile, so that nobody can get in the way of that one: the write makes
/// progress whatever readers do.
pub(super) async fn choose(
    call: &Call,
    requested: Timestamp,
    floor: Timestamp,
    exact: bool,
) -> KvResult<Chosen> {
    if requested > floor {
        return Ok(Chosen::Take(requested));
    }
    if exact {
        return Ok(Chosen::TooLate(floor));
    }
    call.draw_above(floor).await.map(Chosen::Take)
}

/// Refuses writes that let the store grow while the disk is nearly full. What deletes may go on, and
/// so may the catalog, which says that tables are dropped or emptied.
pub(super) fn check_disk<'a>(
    call: &Call,
    writes: impl IntoIterator<Item = &'a Write>,
) -> KvResult<()> {
    if writes.into_iter().any(grows) {
        call.replica.env.engine.check_room(Room::Growth)?;
    }
    Ok(())
}

fn grows(write: &Write) -> bool {
    let is_users = || layout::table_of(&write.key).is_none_or(|table| table >= FIRST_USER_OID);
    matches!(write.op, WriteOp::Put(_)) && is_users()
}
