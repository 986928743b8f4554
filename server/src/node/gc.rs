//! Collects versions that no snapshot needs, range by range.

use base::api::RangeOp;
use base::api::gc::GcRequest;
use base::api::stats::StatsResponse;
use base::{Clock, NodeId, RangeId, Timestamp};
use shard::Store;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use txn::TxnClient;

/// Shortest and longest time between two rounds over the ranges led here. In between, a version
/// outlives its retention by half of it at the most.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(30);

/// What meta says of the collection: below which timestamp no process of the cluster reads, and how
/// long versions are kept anyway.
#[derive(Default)]
pub(crate) struct Horizon {
    safe_point: AtomicU64,
    drawn: AtomicU64,
    retention_ms: AtomicU64,
}

impl Horizon {
    /// News from meta. Timestamps never go back.
    pub(crate) fn update(&self, safe_point: Timestamp, drawn: Timestamp, retention_ms: u64) {
        self.safe_point.fetch_max(safe_point.0, Ordering::AcqRel);
        self.drawn.fetch_max(drawn.0, Ordering::AcqRel);
        self.retention_ms.store(retention_ms, Ordering::Release);
    }

    /// Zero before the first news.
    fn safe_point(&self) -> Timestamp {
        Timestamp(self.safe_point.load(Ordering::Acquire))
    }

    /// At or below every timestamp that is drawn from now on.
    pub(crate) fn drawn(&self) -> Timestamp {
        Timestamp(self.drawn.load(Ordering::Acquire))
    }

    fn interval(&self) -> Duration {
        let retention = Duration::from_millis(self.retention_ms.load(Ordering::Acquire));
        (retention / 2).clamp(INTERVAL_MIN, INTERVAL_MAX)
    }
}

/// Collects until the process ends.
pub(crate) async fn collect(
    node: NodeId,
    store: Arc<Store>,
    client: TxnClient,
    clock: Arc<dyn Clock>,
    horizon: Arc<Horizon>,
) {
    // Ranges in which a collection was begun and not finished.
    let mut unfinished = BTreeSet::new();
    loop {
        pause(&*clock, &horizon).await;
        let safe_point = horizon.safe_point();
        for range in store.ranges() {
            let is_led_here = range.leader.is_some_and(|leader| leader.node == node);
            let id = range.descriptor.range;
            if !is_led_here || !(unfinished.contains(&id) || is_due(&range, safe_point)) {
                continue;
            }
            let op = RangeOp::Gc(GcRequest { safe_point });
            match client.admin(id, op).await {
                Ok(_) => drop(unfinished.remove(&id)),
                Err(error) => {
                    tracing::debug!(%error, range = %id, "garbage collection");
                    unfinished.insert(id);
                }
            }
        }
        let held: BTreeSet<RangeId> = store.ranges().iter().map(|r| r.descriptor.range).collect();
        unfinished.retain(|range| held.contains(range));
    }
}

/// Waits for the next round. A retention that is made shorter meanwhile is heeded.
async fn pause(clock: &dyn Clock, horizon: &Horizon) {
    let begun = clock.now();
    while clock.now().since(begun) < horizon.interval() {
        clock.sleep(INTERVAL_MIN).await;
    }
}

/// True when something may have become superfluous since the last collection: something was written
/// at or above its safe point, or transactions have left intents. A range in which nothing happens
/// is collected once more after its last write, and then left asleep.
fn is_due(range: &StatsResponse, safe_point: Timestamp) -> bool {
    let has_news = range.written >= range.safe_point || range.has_intents;
    safe_point > range.safe_point && has_news
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::RangeDescriptor;

    fn range(written: u64, safe_point: u64, has_intents: bool) -> StatsResponse {
        StatsResponse {
            descriptor: RangeDescriptor::first(&[NodeId(1)]),
            leader: None,
            term: 1,
            applied: 1,
            bytes: 0,
            reads: 0,
            writes: 0,
            written: Timestamp(written),
            has_intents,
            safe_point: Timestamp(safe_point),
            split_hint: None,
            counts: None,
        }
    }

    #[test]
    fn a_range_is_collected_once_after_its_last_write() {
        assert!(is_due(&range(50, 0, false), Timestamp(40)), "written since");
        assert!(is_due(&range(50, 40, false), Timestamp(60)), "written since, seen only now");
        assert!(!is_due(&range(50, 60, false), Timestamp(70)), "nothing since");
        assert!(is_due(&range(50, 60, true), Timestamp(70)), "intents may be abandoned");
        assert!(!is_due(&range(50, 40, true), Timestamp(40)), "the safe point stands still");
    }

    #[test]
    fn rounds_follow_the_retention() {
        let horizon = Horizon::default();
        let interval = |ms| {
            horizon.update(Timestamp::ZERO, Timestamp::ZERO, ms);
            horizon.interval()
        };
        assert_eq!(interval(0), Duration::from_secs(1));
        assert_eq!(interval(10_000), Duration::from_secs(5));
        assert_eq!(interval(3_600_000), Duration::from_secs(30));
    }
}
