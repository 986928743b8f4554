//! The snapshots that this process still reads: garbage collection must keep what they see.

use base::Timestamp;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One per process.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveSnapshots {
    counts: Arc<Mutex<BTreeMap<Timestamp, usize>>>,
}

impl ActiveSnapshots {
    /// Registers a snapshot for as long as the answer lives.
    pub(crate) fn pin(&self, ts: Timestamp) -> PinnedSnapshot {
        *self.counts.lock().entry(ts).or_default() += 1;
        PinnedSnapshot { owner: self.clone(), ts }
    }

    /// The oldest one; `Timestamp::MAX` when there is none.
    pub(crate) fn oldest(&self) -> Timestamp {
        self.counts.lock().keys().next().copied().unwrap_or(Timestamp::MAX)
    }
}

/// A registered snapshot.
#[derive(Debug)]
pub struct PinnedSnapshot {
    owner: ActiveSnapshots,
    pub(crate) ts: Timestamp,
}

impl PinnedSnapshot {
    /// When it was taken.
    pub fn ts(&self) -> Timestamp {
        self.ts
    }
}

impl Drop for PinnedSnapshot {
    fn drop(&mut self) {
        let mut counts = self.owner.counts.lock();
        if let Some(count) = counts.get_mut(&self.ts) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ts);
            }
        }
    }
}
