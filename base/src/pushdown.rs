//! The door through which `shard` runs plan fragments that only `sql` understands.

use crate::KvResult;
use bytes::Bytes;

/// Compiles fragments. Implemented by `sql`, called by `shard` next to the data and by `txn` at
/// the coordinator when a transaction's own unwritten changes have to be merged in first.
pub trait Pushdown: Send + Sync {
    /// Prepares one run of a fragment over one stretch of rows.
    fn start(&self, fragment: &[u8]) -> KvResult<Box<dyn FragmentRun>>;
}

/// Whether a fragment wants more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFlow {
    /// Go on.
    Continue,
    /// The fragment has all it needs (a limit was reached): no row after this one matters.
    Done,
}

/// One run of a fragment: rows in key order go in, one encoded result comes out.
pub trait FragmentRun: Send {
    /// Takes the next row. `key` is the full key, `value` the row's value.
    fn push(&mut self, key: &[u8], value: &[u8]) -> KvResult<RowFlow>;
    /// Bytes of output gathered so far, so that the host can end a page.
    fn output_bytes(&self) -> usize;
    /// Ends the run.
    fn finish(self: Box<Self>) -> KvResult<Bytes>;
}
