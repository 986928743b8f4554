//! How many intents stand in a range: a read of a range without any skips looking for them.
//!
//! Never too low. It is raised before a command with intents is proposed and lowered after one that
//! removes some is applied; a reader looks *before* it pins its snapshot. Belongs to one term: what
//! an earlier term's commands report late is ignored.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits for the count; above them stands the term.
const COUNT_BITS: u32 = 32;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// Counts at or above this stay: they mean "unknown".
const UNKNOWN: u64 = 1 << (COUNT_BITS - 1);

/// The count, and the term it belongs to.
#[derive(Default)]
pub(crate) struct IntentCount(AtomicU64);

impl IntentCount {
    /// Where counting ends and "unknown" begins.
    pub(crate) const COUNTED_MAX: usize = 65_536;

    /// A term begins.
    pub(crate) fn set(&self, term: u64, count: Option<u64>) {
        let count = count.unwrap_or(UNKNOWN).min(UNKNOWN);
        self.0.store(tag(term) | count, Ordering::SeqCst);
    }

    /// True when none stands for certain.
    pub(crate) fn is_zero(&self, term: u64) -> bool {
        self.0.load(Ordering::SeqCst) == tag(term)
    }

    /// Some are about to be written.
    pub(crate) fn add(&self, term: u64, count: usize) {
        self.update(term, |known| known.saturating_add(count as u64).min(UNKNOWN));
    }

    /// Some are gone.
    pub(crate) fn remove(&self, term: u64, count: usize) {
        self.update(term, |known| match known {
            UNKNOWN.. => known,
            _ => known.saturating_sub(count as u64),
        });
    }

    fn update(&self, term: u64, f: impl Fn(u64) -> u64) {
        // Refused when another term has begun: nothing to do then.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| {
            (word & !COUNT_MASK == tag(term)).then(|| tag(term) | f(word & COUNT_MASK))
        });
    }
}

fn tag(term: u64) -> u64 {
    term << COUNT_BITS
}
