//! Export and ingest of a key range as it was at one snapshot, in chunks.

use super::*;
use crate::Span;
use crate::codec::Blob;

/// Exports live rows, page by page.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SnapshotRequest {
    /// Where; the range exports its own part.
    pub span: Span,
    /// At this snapshot.
    pub at: Timestamp,
    /// About this many bytes a page.
    pub limit_bytes: u64,
}

/// One page: rows in key order.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SnapshotResponse {
    /// Rows.
    pub rows: Vec<(Key, Blob)>,
    /// What is left.
    pub resume: Option<Span>,
}

/// Writes rows as new versions, unconditionally, in one command.
#[derive(Clone, Debug, Encode, Decode)]
pub struct IngestRequest {
    /// Rows, sorted, all inside the range.
    pub rows: Vec<(Key, Blob)>,
    /// Fresh oracle timestamp.
    pub ts: Timestamp,
}
