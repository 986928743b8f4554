//! Reads the live rows of a span at a snapshot, in key order, optionally through a plan fragment.

use super::*;
use crate::Span;
use crate::codec::Blob;

/// Reads one page of a span. The span may reach beyond the range: the range reads its own part.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ScanRequest {
    /// Where.
    pub span: Span,
    /// From the end of the span backward.
    pub reverse: bool,
    /// Snapshot.
    pub at: ReadAt,
    /// Most rows to return (raw scans) or to read (fragments); 0 is no limit.
    pub limit_rows: u64,
    /// A page ends after about this many bytes of result.
    pub limit_bytes: u64,
    /// A plan fragment to run over the rows instead of returning them.
    pub fragment: Option<Blob>,
}

/// One page.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ScanResponse {
    /// Rows in scan order; empty when a fragment ran.
    pub rows: Vec<(Key, Blob)>,
    /// The fragment's output.
    pub output: Option<Blob>,
    /// What of the span is still unread, `None` at the end. Covers the part of the span beyond this
    /// range as well; empty-handed pages are possible.
    pub resume: Option<Span>,
    /// True when the fragment needs no more rows although `resume` may be set.
    pub done: bool,
    /// The timestamp that was read at.
    pub read_ts: Timestamp,
    /// Rows looked at, for EXPLAIN ANALYZE.
    pub rows_read: u64,
}
