//! The request API between transaction coordinators and ranges: one request a file.
//!
//! The coordinator ([`crate::Transport`]) sends a [`RangeRequest`] to the node that leads the range;
//! the range evaluates it under latches and answers. All conditions that make a write safe travel
//! with the write itself, so a lost lock or a leader change can cost a retry, never an anomaly.
//!
//! **The transaction protocol in one page.**
//!
//! * Reads carry a timestamp; the leader records it in its timestamp cache and no later write goes
//!   at or below it. A stand-alone read of one range carries none: the leader picks the highest
//!   timestamp it has seen ([`ReadAt::Leader`]).
//! * Locking reads ([`lock`]) take in-memory locks on the leader, wait in a FIFO queue per key, and
//!   return the newest committed version with its timestamp: the *observed* timestamp.
//! * Writes are buffered by the coordinator and sent at COMMIT with the timestamp drawn from the
//!   oracle for it. Each carries its condition ([`WriteCondition`]): the observed version is still the
//!   newest one, or nothing is under the key at all.
//! * All writes in one range: [`commit_1pc`], no intents. Several ranges: [`prewrite`] in all of
//!   them in parallel, the one of the anchor key also writes the STAGING record. When every
//!   prewrite has succeeded at the same timestamp the transaction is committed; when some leader had
//!   to choose a higher one, an explicit [`end_txn`] commits at the highest. Afterwards [`end_txn`]
//!   and [`resolve`] clean up in the background.
//! * Whoever meets an intent asks the record's range ([`push`]); an abandoned STAGING transaction is
//!   decided by [`recover`] from the presence of its declared intents.

pub mod admin;
pub mod commit_1pc;
pub mod end_txn;
pub mod gc;
pub mod get;
pub mod increment;
pub mod lock;
pub mod prewrite;
pub mod push;
pub mod query_intent;
pub mod recover;
pub mod refresh;
pub mod resolve;
pub mod scan;
pub mod snapshot;
pub mod stats;
mod write;

use crate::{Key, RangeDescriptor, RangeId, Timestamp, TxnId};
use bincode::{Decode, Encode};

pub use write::{Write, WriteCondition, WriteOp};

/// A request to one range.
#[derive(Clone, Debug, Encode, Decode)]
pub struct RangeRequest {
    /// The range it was routed to.
    pub range: RangeId,
    /// The descriptor epoch it was routed by; refused with the newer descriptor when stale.
    pub epoch: u64,
    /// The transaction on whose behalf it runs, if any: its own locks and intents do not block it.
    pub txn: Option<TxnId>,
    /// How long the caller will wait, in milliseconds; lock waits end by then.
    pub timeout_ms: u64,
    /// What to do.
    pub body: RangeOp,
}

/// What to do in a range.
#[derive(Clone, Debug, Encode, Decode)]
pub enum RangeOp {
    Get(get::GetRequest),
    Scan(scan::ScanRequest),
    Lock(lock::LockRequest),
    Unlock(lock::UnlockRequest),
    Commit1Pc(commit_1pc::Commit1PcRequest),
    Prewrite(prewrite::PrewriteRequest),
    EndTxn(end_txn::EndTxnRequest),
    Resolve(resolve::ResolveRequest),
    Push(push::PushRequest),
    QueryIntent(query_intent::QueryIntentRequest),
    Recover(recover::RecoverRequest),
    Refresh(refresh::RefreshRequest),
    Increment(increment::IncrementRequest),
    Gc(gc::GcRequest),
    Split(admin::SplitRequest),
    ChangeReplicas(admin::ChangeReplicasRequest),
    TransferLeader(admin::TransferLeaderRequest),
    Snapshot(snapshot::SnapshotRequest),
    Ingest(snapshot::IngestRequest),
    Stats(stats::StatsRequest),
}

/// The answers, in the order of [`RangeOp`].
#[derive(Clone, Debug, Encode, Decode)]
pub enum RangeResponse {
    Get(get::GetResponse),
    Scan(scan::ScanResponse),
    Lock(lock::LockResponse),
    Commit1Pc(commit_1pc::Commit1PcResponse),
    Prewrite(prewrite::PrewriteResponse),
    EndTxn(end_txn::EndTxnResponse),
    Push(push::PushResponse),
    QueryIntent(query_intent::QueryIntentResponse),
    Recover(recover::RecoverResponse),
    Increment(increment::IncrementResponse),
    Split(admin::SplitResponse),
    /// The descriptor after a change of replicas.
    Descriptor(RangeDescriptor),
    Snapshot(snapshot::SnapshotResponse),
    Stats(stats::StatsResponse),
    /// Done; nothing to report (Unlock, Resolve, Refresh, Gc, TransferLeader, Ingest).
    Done,
}

/// The timestamp of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ReadAt {
    /// At this snapshot.
    Snapshot(Timestamp),
    /// A stand-alone read of one range: the leader reads at the highest timestamp it has seen.
    /// Every intent found is asked about, and the read moves up to any commit it learns of, so all
    /// that was acknowledged before the request is seen.
    Leader,
    /// At this snapshot, on any replica that has applied far enough to know it (follower read).
    Follower(Timestamp),
}

/// Where a transaction's record lives and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TxnAnchor {
    /// The transaction.
    pub txn: TxnId,
    /// The first key it wrote: the record lives in this key's range, beside the key.
    pub anchor: Key,
}

/// State of a transaction record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum TxnStatus {
    /// Running: intents are visible to nobody else. Also the state of a transaction without record.
    Pending,
    /// All writes are on their way at this timestamp; committed if and only if all declared
    /// intents are present at or below it.
    Staging(Timestamp),
    /// Committed at this timestamp.
    Committed(Timestamp),
    /// Aborted: its intents are void.
    Aborted,
}
