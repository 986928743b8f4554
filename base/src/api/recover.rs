//! Decides an abandoned STAGING transaction after its intents were counted. Sent to the anchor's
//! range.

use super::*;

/// Applies the verdict if the record still is STAGING at `staged_ts`.
#[derive(Clone, Debug, Encode, Decode)]
pub struct RecoverRequest {
    /// The transaction.
    pub anchor: TxnAnchor,
    /// The timestamp of the STAGING record that was examined.
    pub staged_ts: Timestamp,
    /// Were all declared intents present?
    pub all_present: bool,
}

/// The record's state afterwards, whoever decided it. An absent record answers `Aborted` only if
/// the transaction can no longer commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RecoverResponse {
    /// Its state.
    pub status: TxnStatus,
}
