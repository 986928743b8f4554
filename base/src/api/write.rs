//! One buffered write, as sent at commit.

use super::*;
use crate::codec::Blob;

/// A write under one key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Write {
    /// Where.
    pub key: Key,
    /// What.
    pub op: WriteOp,
    /// When it is allowed.
    pub condition: WriteCondition,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum WriteOp {
    /// A value.
    Put(Blob),
    /// A tombstone.
    Delete,
    /// Nothing: the condition alone is checked (a row that was locked but not changed, a read that
    /// the commit depends on). Leaves an intent in a prewrite, no version.
    Check,
}

/// The condition under which a write is allowed. Always checked on the newest committed version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum WriteCondition {
    /// The newest version is at or below this timestamp; else [`crate::KvError::WriteConflict`].
    NotNewerThan(Timestamp),
    /// The newest version is the one of this timestamp: the writer has seen a value there. Unlike
    /// above, a key under which nothing is left (a tombstone that was collected) is a conflict too.
    Unchanged(Timestamp),
    /// As above, and the writer still holds the exclusive lock under which it has seen it: for
    /// writes that rest on more than the key itself, like the removal of a row that nobody was
    /// found to reference.
    Held(Timestamp),
    /// There is no live version: the insert of a unique key. A live one gives
    /// [`crate::KvError::KeyExists`]; a tombstone of any age is no obstacle.
    Absent,
}
