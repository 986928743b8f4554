//! First half of a commit over several ranges: intents, and on the anchor's range the record.

use super::*;

/// Checks all conditions, then leaves an intent under every key.
#[derive(Clone, Debug, Encode, Decode)]
pub struct PrewriteRequest {
    /// Where the transaction's record lives.
    pub anchor: TxnAnchor,
    /// The writes in this range, sorted by key, one per key. Intents of the same transaction are
    /// replaced.
    pub writes: Vec<Write>,
    /// The timestamp of the intents; the leader takes a higher one when its timestamp cache forbids
    /// it (unless `exact`).
    pub ts: Timestamp,
    /// Take `ts` or answer `TooLate`.
    pub exact: bool,
    /// Set on the anchor's range only, and only for the commit itself: also write the STAGING
    /// record with all keys of the transaction. Not set when a large transaction spills: then the
    /// record, if any, stays PENDING.
    pub staging: Option<Staging>,
}

/// The record of a transaction that is about to be committed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Staging {
    /// Commit timestamp, if all declared intents stand at or below it.
    pub ts: Timestamp,
    /// Every key the transaction writes, in all ranges.
    pub keys: Vec<Key>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PrewriteResponse {
    /// All intents stand at this timestamp (at or above the requested one).
    Written(Timestamp),
    /// Only with `exact`: a read at this timestamp is in the way. Nothing was done.
    TooLate(Timestamp),
}
