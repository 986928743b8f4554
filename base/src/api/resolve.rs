//! Turns a finished transaction's intents into versions, or removes them.

use super::*;
use crate::Span;

/// Resolves the intents of one transaction under these keys and in these spans; keys without such
/// an intent are skipped. Also releases the transaction's locks on them.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ResolveRequest {
    /// The finished transaction.
    pub txn: TxnId,
    /// `Committed` or `Aborted`.
    pub status: TxnStatus,
    /// Keys in this range.
    pub keys: Vec<Key>,
    /// Spans, cut to this range.
    pub spans: Vec<Span>,
}
