//! What a range knows about itself, for views, placement and metrics. Any replica answers.

use super::*;
use crate::ReplicaDescriptor;

/// Asks for it.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct StatsRequest {
    /// Also count what is stored, for which the whole range is read.
    pub count: bool,
}

/// A range as one of its replicas sees it.
#[derive(Clone, Debug, Encode, Decode)]
pub struct StatsResponse {
    /// Its descriptor.
    pub descriptor: RangeDescriptor,
    /// The leader, if known.
    pub leader: Option<ReplicaDescriptor>,
    /// Raft term.
    pub term: u64,
    /// Last index applied here.
    pub applied: u64,
    /// Estimated bytes on disk.
    pub bytes: u64,
    /// Reads since start.
    pub reads: u64,
    /// Writes since start.
    pub writes: u64,
    /// Highest timestamp written here; of a leader no lower than the draw with which it began.
    pub written: Timestamp,
    /// A leader: intents stand, or it is not known that none does.
    pub has_intents: bool,
    /// Snapshots below this are refused.
    pub safe_point: Timestamp,
    /// A key near the middle of the data, for splitting; `None` when the range is nearly empty.
    pub split_hint: Option<Key>,
    /// What is stored, if that was asked for.
    pub counts: Option<StoredCounts>,
}

/// What one replica of a range stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct StoredCounts {
    /// Versions of rows, tombstones among them.
    pub versions: u64,
    /// Intents of transactions that are not over, or not cleaned up.
    pub intents: u64,
}
