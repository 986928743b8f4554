//! Locking reads: SELECT FOR UPDATE, the read of an UPDATE or DELETE, the uniqueness check of an
//! INSERT. Locks live in the leader's memory; commit checks what a lost lock would have guarded.

use super::*;
use crate::codec::Blob;

/// Locks keys for the request's transaction, in the given order, and reads their newest committed
/// versions.
#[derive(Clone, Debug, Encode, Decode)]
pub struct LockRequest {
    /// Keys, sorted, all inside the range. Keys without a row can be locked too.
    pub keys: Vec<Key>,
    /// Shared or exclusive.
    pub strength: LockStrength,
    /// What to do about a lock that somebody else holds.
    pub wait: LockWait,
}

/// Strength of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum LockStrength {
    /// FOR SHARE, FOR KEY SHARE, foreign key checks.
    Shared,
    /// Everything else.
    Exclusive,
}

/// What to do about a lock that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum LockWait {
    /// Wait in the key's queue until the request's timeout.
    Block,
    /// NOWAIT: [`crate::KvError::LockNotAvailable`].
    Error,
    /// SKIP LOCKED: answer [`LockedValue::Skipped`] for the key.
    Skip,
}

/// Answers in the order of the keys.
#[derive(Clone, Debug, Encode, Decode)]
pub struct LockResponse {
    /// One per key.
    pub values: Vec<LockedValue>,
}

/// What a locked key held.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum LockedValue {
    /// The newest committed version: its timestamp is the observed timestamp for the later write
    /// (`Timestamp::ZERO` and `None` when the key was never written; a tombstone has a timestamp
    /// and no value).
    Held { value: Option<Blob>, observed: Timestamp },
    /// Locked by somebody else and skipped.
    Skipped,
}

/// Releases the transaction's locks on keys of one range (ROLLBACK, ROLLBACK TO SAVEPOINT).
#[derive(Clone, Debug, Encode, Decode)]
pub struct UnlockRequest {
    /// The keys; empty releases all that the transaction holds in the range.
    pub keys: Vec<Key>,
}
