//! Asks, on behalf of somebody blocked by an intent, what became of its transaction. Sent to the
//! range of the transaction's anchor.

use super::*;

/// Asks for the state of a transaction, and may change it.
#[derive(Clone, Debug, Encode, Decode)]
pub struct PushRequest {
    /// The transaction whose intent is in the way.
    pub anchor: TxnAnchor,
    /// A reader at this timestamp is waiting: a PENDING transaction is told to commit above it
    /// (`Timestamp::ZERO`: nobody is).
    pub push_above: Timestamp,
    /// A fresh oracle timestamp of the pusher: a PENDING transaction whose last sign of life is
    /// [`TXN_EXPIRY_MS`] older, or which left no record although its intent has been standing
    /// that long, is aborted.
    pub now: Timestamp,
    /// The timestamp of the intent that was met.
    pub intent_ts: Timestamp,
}

/// A transaction without a sign of life for this long may be aborted by anybody it blocks. Only
/// liveness depends on it: a commit checks the record.
pub const TXN_EXPIRY_MS: u64 = 5_000;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PushResponse {
    /// Committed, or aborted: resolve the intent.
    Finished(TxnStatus),
    /// PENDING, and it will commit above `push_above` if at all: a reader there may pass; a writer
    /// has to wait.
    Pushed,
    /// STAGING or otherwise alive: wait a little and ask again.
    Alive,
    /// STAGING and without a sign of life: run [`super::recover`] with this record.
    Recover(super::prewrite::Staging),
}
