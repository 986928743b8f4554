//! Adds to a counter at once, outside any transaction: sequences.

use super::*;

/// Advances the [`Counter`] under the key (absent counts as `start`, not called) and writes it as a
/// new version.
#[derive(Clone, Debug, Encode, Decode)]
pub struct IncrementRequest {
    /// The counter.
    pub key: Key,
    /// What to do with it.
    pub op: IncrementOp,
    /// Fresh oracle timestamp for the version; the same when the request is sent again, by which
    /// a counter that was set already is recognised.
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

/// A counter as it lies under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The last value, or the next one as long as it was not called.
    pub value: i64,
    /// False: `value` itself is the next one to be handed out.
    pub is_called: bool,
}

/// First byte of a counter that was called.
const CALLED: u8 = 1;
/// First byte of a counter that was not.
const NOT_CALLED: u8 = 2;

impl Counter {
    /// A version byte, which also says whether it was called; then 8 bytes, little endian.
    pub fn encode(&self) -> [u8; 9] {
        let mut out = [0; 9];
        out[0] = if self.is_called { CALLED } else { NOT_CALLED };
        out[1..].copy_from_slice(&self.value.to_le_bytes());
        out
    }

    /// Reads what [`Counter::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Counter, crate::codec::CodecError> {
        let malformed = crate::codec::CodecError("counter");
        let (first, value) = bytes.split_first().ok_or(malformed.clone())?;
        let is_called = match *first {
            CALLED => true,
            NOT_CALLED => false,
            _ => return Err(malformed),
        };
        let value = i64::from_le_bytes(value.try_into().map_err(|_| malformed)?);
        Ok(Counter { value, is_called })
    }
}
