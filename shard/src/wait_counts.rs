//! How often and for how long requests waited for locks: for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the classes of waits; one more class is for those above.
const BOUNDS: [Duration; 12] = [
    Duration::from_micros(100),
    Duration::from_millis(1),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Lock waits since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockWaits {
    /// How many have begun.
    pub begun: u64,
    /// How many have ended, by the upper bound of their duration; `Duration::MAX` closes the list.
    pub ended: Vec<(Duration, u64)>,
    /// What they lasted together.
    pub total: Duration,
}

/// Where requests count.
#[derive(Debug, Default)]
pub(crate) struct WaitCounts {
    begun: AtomicU64,
    ended: [AtomicU64; BOUNDS.len() + 1],
    total_nanos: AtomicU64,
}

impl WaitCounts {
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, lasted: Duration) {
        let class = BOUNDS.iter().position(|bound| lasted <= *bound).unwrap_or(BOUNDS.len());
        self.ended[class].fetch_add(1, Ordering::Relaxed);
        self.total_nanos.fetch_add(lasted.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> LockWaits {
        let bounds = BOUNDS.into_iter().chain([Duration::MAX]);
        LockWaits {
            begun: self.begun.load(Ordering::Relaxed),
            ended: bounds.zip(self.ended.iter().map(|n| n.load(Ordering::Relaxed))).collect(),
            total: Duration::from_nanos(self.total_nanos.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fall_into_classes() {
        let counts = WaitCounts::default();
        for millis in [1, 2, 3_600_000] {
            counts.begin();
            counts.end(Duration::from_millis(millis));
        }
        counts.begin();
        let waits = counts.read();
        assert_eq!((waits.begun, waits.total), (4, Duration::from_millis(3_600_003)));
        let some: Vec<_> = waits.ended.into_iter().filter(|(_, count)| *count > 0).collect();
        let classes = [Duration::from_millis(1), Duration::from_millis(5), Duration::MAX];
        assert_eq!(some, classes.map(|bound| (bound, 1)));
    }
}
