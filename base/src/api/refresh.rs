//! Proves that what was read at one timestamp would read the same at a later one.

use super::*;
use crate::Span;

/// Succeeds when no version of another transaction lies in `(from, to]` inside the spans (and no
/// intent that may commit there); the timestamp cache is raised to `to` over them. Fails with
/// [`crate::KvError::WriteConflict`], or with [`crate::KvError::SnapshotTooOld`] when `from` is so
/// long ago that it cannot be told.
#[derive(Clone, Debug, Encode, Decode)]
pub struct RefreshRequest {
    /// What was read, cut to the range.
    pub spans: Vec<Span>,
    /// When it was read.
    pub from: Timestamp,
    /// When it must still hold.
    pub to: Timestamp,
}
