//! Writes or removes a transaction's record. Sent to the anchor's range.

use super::*;
use crate::Span;

/// Decides or forgets a transaction.
#[derive(Clone, Debug, Encode, Decode)]
pub struct EndTxnRequest {
    /// The transaction.
    pub anchor: TxnAnchor,
    /// What to do.
    pub action: EndTxnAction,
}

/// What to do with the record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum EndTxnAction {
    /// The coordinator is alive: keep or create a PENDING record with this heartbeat (an oracle
    /// timestamp).
    Heartbeat { now: Timestamp },
    /// COMMITTED at this timestamp, unless it was ABORTED. `keys` are all written keys, kept in the
    /// record until the intents are resolved; where they are too many for a record, `spans` cover
    /// them instead.
    Commit { ts: Timestamp, keys: Vec<Key>, spans: Vec<Span> },
    /// ABORTED, unless it was committed. Also resolves nothing by itself.
    Abort,
    /// Removes the record once every intent is resolved.
    Forget,
}

/// The record's state afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EndTxnResponse {
    /// Its state. A commit that finds `Aborted` has failed.
    pub status: TxnStatus,
}
