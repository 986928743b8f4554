//! Half-open spans of keys.

use crate::Key;
use bincode::{Decode, Encode};
use std::fmt;

/// All keys `k` with `start <= k < end`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Span {
    /// Inclusive.
    pub start: Key,
    /// Exclusive.
    pub end: Key,
}

impl Span {
    /// From a start (inclusive) to an end (exclusive).
    pub fn new(start: Key, end: Key) -> Span {
        Span { start, end }
    }

    /// The whole key space.
    pub fn all() -> Span {
        Span::new(Key::MIN, Key::max())
    }

    /// Just this key.
    pub fn point(key: Key) -> Span {
        let end = key.after();
        Span::new(key, end)
    }

    /// Every key that starts with these bytes.
    pub fn prefix(prefix: Key) -> Span {
        Span::point(prefix)
    }

    /// True when no key can lie inside.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// True when the key lies inside.
    pub fn contains(&self, key: &[u8]) -> bool {
        &self.start[..] <= key && key < &self.end[..]
    }

    /// True when the other span lies inside entirely.
    pub fn covers(&self, other: &Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// True when some key could lie in both.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// What lies in both; empty when they are apart.
    pub fn intersect(&self, other: &Span) -> Span {
        Span::new(
            self.start.clone().max(other.start.clone()),
            self.end.clone().min(other.end.clone()),
        )
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start, self.end)
    }
}
