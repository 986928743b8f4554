//! Adds to a counter at once, outside any transaction: sequences.

use super::*;

/// Adds `by` to the counter under the key (8 bytes, little endian two's complement, version byte
/// in front; absent counts as `start - by`) and writes it as a new version.
#[derive(Clone, Debug, Encode, Decode)]
pub struct IncrementRequest {
    /// The counter.
    pub key: Key,
    /// What to do with it.
    pub op: IncrementOp,
    /// Fresh oracle timestamp for the version.
    pub ts: Timestamp,
}

/// What to do with a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum IncrementOp {
    /// Advance by `by * count` within `[min, max]`, and hand out up to `count` values. With `cycle`
    /// it starts again at the other bound.
    Next { by: i64, count: i64, min: i64, max: i64, start: i64, cycle: bool },
    /// setval: `is_called` false makes the next value `value` itself.
    Set { value: i64, is_called: bool },
}

/// The values handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IncrementResponse {
    /// First value, `None` when the bound is reached.
    pub first: Option<i64>,
    /// How many values, spaced by `by`, starting at `first`.
    pub count: i64,
}
