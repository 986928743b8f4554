//! Asks whether an intent stands, and makes sure that it never will if it does not.

use super::*;

/// For recovery of an abandoned STAGING transaction: per key, is there an intent of `txn` at or
/// below `ts` (or a version that it left)? Where there is none, the leader's timestamp cache is
/// raised to `ts` so that a delayed prewrite at `ts` cannot succeed later.
#[derive(Clone, Debug, Encode, Decode)]
pub struct QueryIntentRequest {
    /// The transaction.
    pub txn: TxnId,
    /// Its staged timestamp.
    pub ts: Timestamp,
    /// Keys in this range.
    pub keys: Vec<Key>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct QueryIntentResponse {
    /// True when all are there.
    pub all_present: bool,
}
