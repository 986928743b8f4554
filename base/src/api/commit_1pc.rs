//! Commits a transaction whose writes all lie in one range: one command, no intents.

use super::*;

/// Checks all conditions, then writes all versions at one timestamp and releases the
/// transaction's locks in the range.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Commit1PcRequest {
    /// The writes, sorted by key, one per key.
    pub writes: Vec<Write>,
    /// The timestamp drawn for the commit. When the timestamp cache forbids it the leader draws a
    /// higher one (unless `exact`) and remembers `commit_ts` in the versions.
    pub commit_ts: Timestamp,
    /// SERIALIZABLE: commit at exactly `commit_ts` or fail with
    /// [`Commit1PcResponse::TooLate`]: reads were refreshed up to it and no further.
    pub exact: bool,
    /// The request may have been applied before: an existing version that carries this
    /// `commit_ts` answers [`Commit1PcResponse::Committed`] without writing.
    pub is_retry: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Commit1PcResponse {
    /// Durable and visible at this timestamp.
    Committed(Timestamp),
    /// Only with `exact`: a read at this timestamp is in the way. Nothing was done.
    TooLate(Timestamp),
}
