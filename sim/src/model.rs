//! What the clients know: what they were promised, what they asked for, and what they saw. The
//! checkers compare it with what the database answers.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an operation ended, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Acknowledged.
    Done,
    /// Certainly without effect.
    Failed,
    /// The answer was lost.
    Unknown,
}

/// A counter: increments that were acknowledged, and those that may have happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter {
    /// Acknowledged increments.
    pub acked: i64,
    /// Under way, or of unknown fate.
    pub maybe: i64,
}

/// Everything the clients know.
#[derive(Default)]
pub struct Knowledge {
    /// Ledger entries, by id.
    pub ledger: BTreeMap<u64, Fate>,
    /// Counters, by number.
    pub counters: BTreeMap<u32, Counter>,
    /// How often what ended how.
    pub tally: BTreeMap<(&'static str, &'static str), u64>,
    /// What should not have been.
    pub violations: Vec<String>,
}

/// Shared by all clients.
#[derive(Clone, Default)]
pub struct Model(Arc<Mutex<Knowledge>>);

impl Model {
    /// Looks at it, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut Knowledge) -> T) -> T {
        f(&mut self.0.lock())
    }

    /// Something happened that must never happen.
    pub fn violation(&self, what: String) {
        self.with(|known| known.violations.push(what));
    }

    /// Counts the end of an operation.
    pub fn count(&self, operation: &'static str, fate: Fate) {
        let how = match fate {
            Fate::Done => "done",
            Fate::Failed => "failed",
            Fate::Unknown => "unknown",
        };
        self.with(|known| *known.tally.entry((operation, how)).or_default() += 1);
    }

    /// How many operations of a kind were acknowledged.
    pub fn done(&self, operation: &'static str) -> u64 {
        self.with(|known| known.tally.get(&(operation, "done")).copied().unwrap_or_default())
    }

    /// An increment begins.
    pub fn begin_increment(&self, counter: u32) {
        self.with(|known| known.counters.entry(counter).or_default().maybe += 1);
    }

    /// An increment has ended.
    pub fn end_increment(&self, counter: u32, fate: Fate) {
        self.with(|known| {
            let counter = known.counters.entry(counter).or_default();
            match fate {
                Fate::Done => {
                    counter.maybe -= 1;
                    counter.acked += 1;
                }
                Fate::Failed => counter.maybe -= 1,
                Fate::Unknown => {}
            }
        });
    }

    /// Acknowledged increments, and the most that may have happened.
    pub fn bounds(&self, counter: u32) -> (i64, i64) {
        self.with(|known| {
            let counter = known.counters.entry(counter).or_default();
            (counter.acked, counter.acked + counter.maybe)
        })
    }
}
