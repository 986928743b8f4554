//! Hybrid timestamps: 46 bits of milliseconds since 1970, then an 18-bit logical counter.
//!
//! **Every timestamp in the system was drawn from the oracle, and every draw is unique.** Two
//! consequences carry the transaction protocol: a draw made after an event is greater than every
//! timestamp used before that event, and a version at a given timestamp belongs to one transaction.

use bincode::{Decode, Encode};
use std::fmt;

/// A point in the cluster's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Timestamp(pub u64);

/// Bits of the logical counter.
const LOGICAL_BITS: u32 = 18;

impl Timestamp {
    /// Before every version.
    pub const ZERO: Timestamp = Timestamp(0);
    /// After every version.
    pub const MAX: Timestamp = Timestamp(u64::MAX);

    /// Builds a timestamp from milliseconds since 1970 and a logical counter.
    pub fn new(millis: u64, logical: u32) -> Self {
        assert!(logical < 1 << LOGICAL_BITS, "logical counter overflow");
        Self((millis << LOGICAL_BITS) | u64::from(logical))
    }

    /// Milliseconds since 1970. For people and for garbage collection; no ordering rule uses it.
    pub fn millis(self) -> u64 {
        self.0 >> LOGICAL_BITS
    }

    /// The logical counter within the millisecond.
    pub fn logical(self) -> u32 {
        (self.0 & ((1 << LOGICAL_BITS) - 1)) as u32
    }

    /// The timestamp just below.
    pub fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The timestamp just above.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis(), self.logical())
    }
}
