//! What a scan of a transaction is asked and answers.

use base::{Key, NodeId, RangeId, Span};
use bytes::Bytes;

/// Reads a span, in key order or against it.
#[derive(Clone, Debug, Default)]
pub struct TxnScan {
    /// Where.
    pub span: Span,
    /// From the end of the span backward.
    pub reverse: bool,
    /// Most rows to return (raw) or to read (fragments); 0 is no limit.
    pub limit_rows: u64,
    /// A page ends after about this many bytes; 0 takes a default.
    pub limit_bytes: u64,
    /// A plan fragment to run next to the data instead of returning rows.
    pub fragment: Option<Bytes>,
    /// Ask many ranges at once for a page each, in whatever order: forward, no limit of rows.
    pub scatter: bool,
    /// With `scatter`: further spans to read from, apart from each other.
    pub also: Vec<Span>,
}

impl TxnScan {
    /// All rows of a span, forward, page by page.
    pub fn forward(span: Span) -> TxnScan {
        TxnScan { span, ..TxnScan::default() }
    }
}

/// One page.
#[derive(Clone, Debug, Default)]
pub struct TxnScanPage {
    /// Rows in scan order; empty when a fragment ran.
    pub rows: Vec<(Key, Bytes)>,
    /// The fragment's outputs in scan order, one for each stretch of rows that it ran over.
    pub outputs: Vec<Bytes>,
    /// What is still unread; `None` at the end. Ask again with this span.
    pub resume: Option<Span>,
    /// With `scatter`: what else is still unread.
    pub more: Vec<Span>,
    /// The ranges asked.
    pub ranges: Vec<RangeId>,
    /// The nodes asked.
    pub nodes: Vec<NodeId>,
    /// Rows looked at next to the data.
    pub rows_read: u64,
}
