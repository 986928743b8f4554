//! Turns a finished transaction's intents into versions, or removes them.

use super::*;

/// Resolves the intents of one transaction under these keys; keys without such an intent are
/// skipped. Also releases the transaction's locks on them.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ResolveRequest {
    /// The finished transaction.
    pub txn: TxnId,
    /// `Committed` or `Aborted`.
    pub status: TxnStatus,
    /// Keys in this range.
    pub keys: Vec<Key>,
}
