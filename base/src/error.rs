//! Errors that cross from ranges and meta to the coordinator. Each variant is a decision for the
//! caller: reroute, wait and retry, re-run the statement, abort, or give up.

use crate::{Key, NodeId, RangeDescriptor, RangeId, ReplicaDescriptor, Timestamp, TxnId};
use bincode::{Decode, Encode};

/// Result of a request to a range or to meta.
pub type KvResult<T> = Result<T, KvError>;

/// What went wrong, by what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum KvError {
    /// Reroute: this replica does not lead; try the hinted one. Nothing was done.
    #[error("replica of {range} is not the leader")]
    NotLeader { range: RangeId, leader: Option<ReplicaDescriptor> },
    /// Reroute: the request was routed by an old descriptor. Nothing was done.
    #[error("range descriptor is stale, current epoch is {}", current.epoch)]
    StaleEpoch { current: RangeDescriptor },
    /// Reroute: the node holds no replica of this range. Nothing was done.
    #[error("range {0} is not on this node")]
    RangeNotFound(RangeId),
    /// Reroute: the meta replica is not the leader. Nothing was done.
    #[error("meta replica is not the leader")]
    MetaNotLeader { leader: Option<NodeId> },
    /// Reroute: no connection. `maybe_sent` means that the request may have taken effect.
    #[error("node {node} is unreachable")]
    Unreachable { node: NodeId, maybe_sent: bool },
    /// Wait and retry: the range has no leader, or cannot commit, or its queue is full. Nothing
    /// was done and nothing will be.
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
    /// The request was proposed but its fate is unknown (leadership lost, deadline passed).
    #[error("outcome unknown: {0}")]
    Ambiguous(String),
    /// Re-run the statement (READ COMMITTED) or fail with 40001: a version newer than the
    /// observed one exists under the key. The request did nothing.
    #[error("write conflict on {key} with version {newer}")]
    WriteConflict { key: Key, newer: Timestamp },
    /// An insert found its key taken. The request did nothing.
    #[error("key {key} exists")]
    KeyExists { key: Key },
    /// A lock could not be had at once (NOWAIT) or within the lock timeout.
    #[error("could not obtain lock on {key}")]
    LockNotAvailable { key: Key },
    /// The transaction was picked to end a deadlock. `detail` names the cycle.
    #[error("deadlock detected")]
    Deadlock { detail: String },
    /// The transaction was aborted by somebody else (its heartbeats stopped arriving).
    #[error("transaction {txn} was aborted")]
    TxnAborted { txn: TxnId },
    /// The snapshot is older than the versions that garbage collection has kept.
    #[error("snapshot {read_ts} is older than the oldest kept version {safe_point}")]
    SnapshotTooOld { read_ts: Timestamp, safe_point: Timestamp },
    /// The disk is full: writes are refused, reads go on.
    #[error("disk full")]
    DiskFull,
    /// A pushed-down plan fragment failed with an error of SQL: SQLSTATE and message.
    #[error("{message}")]
    Sql { code: String, message: String },
    /// The deadline passed or the statement was cancelled before anything was done.
    #[error("cancelled")]
    Cancelled,
    /// The process is going down. Nothing was done.
    #[error("shutting down")]
    Shutdown,
    /// The request itself is wrong, or data on disk is damaged. Retrying does not help.
    #[error("{0}")]
    Fatal(String),
}

impl KvError {
    /// True when the request certainly did nothing and may be sent again elsewhere.
    pub fn is_reroute(&self) -> bool {
        matches!(
            self,
            KvError::NotLeader { .. }
                | KvError::StaleEpoch { .. }
                | KvError::RangeNotFound(_)
                | KvError::MetaNotLeader { .. }
                | KvError::Unreachable { maybe_sent: false, .. }
                | KvError::Unavailable(_)
                | KvError::Shutdown
        )
    }

    /// True when the request may or may not have taken effect.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, KvError::Ambiguous(_) | KvError::Unreachable { maybe_sent: true, .. })
    }
}
