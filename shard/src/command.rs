//! What a Raft log entry of a range carries: effects, not logic. The leader has already evaluated
//! the request; applying a command is a deterministic write plus at most one trigger.

use base::codec::{Blob, from_message, to_message};
use base::{Key, RangeDescriptor, Timestamp};
use bincode::{Decode, Encode};

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Command {
    /// The descriptor epoch under which it was evaluated: a command that finds a newer epoch when
    /// it is applied does nothing and fails with `StaleEpoch`.
    pub epoch: u64,
    /// Raft term of the leader that evaluated it: a command that is applied in another term than
    /// its own does nothing.
    pub term: u64,
    /// Highest timestamp it writes: replicas keep the maximum, for follower reads and as a floor.
    pub max_ts: Timestamp,
    /// Writes, in order.
    pub effects: Vec<Effect>,
    /// What else happens.
    pub trigger: Option<Trigger>,
}

/// One write into the range's part of a keyspace.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Effect {
    /// Which keyspace (`storage::Keyspace` as its byte).
    pub keyspace: u8,
    /// The full storage key.
    pub key: Blob,
    /// The value, `None` deletes.
    pub value: Option<Blob>,
}

/// Changes beyond data.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Trigger {
    /// The range becomes `left`; `right` starts on every node that holds a replica of `left`.
    Split { left: RangeDescriptor, right: RangeDescriptor },
    /// No snapshot below this is served any more. What it frees is removed by effects of later
    /// commands.
    SafePoint(Timestamp),
    /// The log up to this index (inclusive) may go.
    TruncateLog { index: u64 },
    /// The span below is merged away or moved (reserved for the self-healing work).
    Clear { start: Key, end: Key },
}

impl Command {
    /// Bytes for the log.
    pub fn encode(&self) -> Vec<u8> {
        to_message(self)
    }

    /// Reads them back.
    pub fn decode(bytes: &[u8]) -> Result<Command, base::codec::CodecError> {
        from_message(bytes)
    }
}
