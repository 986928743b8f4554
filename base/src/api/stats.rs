//! What a range knows about itself, for views, placement and metrics. Any replica answers.

use super::*;
use crate::ReplicaDescriptor;

/// Asks for it.
#[derive(Clone, Debug, Encode, Decode)]
pub struct StatsRequest {}

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
    /// Snapshots below this are refused.
    pub safe_point: Timestamp,
    /// A key near the middle of the data, for splitting; `None` when the range is nearly empty.
    pub split_hint: Option<Key>,
}
