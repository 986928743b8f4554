//! Collects versions that no snapshot needs, range by range.

use base::api::RangeOp;
use base::api::gc::GcRequest;
use base::{Clock, NodeId, Timestamp};
use shard::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use txn::TxnClient;

/// Time between two rounds over the ranges led here.
const INTERVAL: Duration = Duration::from_secs(30);

/// Below this no process of the cluster reads.
#[derive(Default)]
pub(crate) struct SafePoint(AtomicU64);

impl SafePoint {
    /// Never goes back.
    pub(crate) fn raise(&self, to: Timestamp) {
        self.0.fetch_max(to.0, Ordering::AcqRel);
    }

    /// The newest one heard of; zero before the first.
    pub(crate) fn get(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }
}

/// Collects until the process ends.
pub(crate) async fn collect(
    node: NodeId,
    store: Arc<Store>,
    client: TxnClient,
    clock: Arc<dyn Clock>,
    safe_point: Arc<SafePoint>,
) {
    loop {
        clock.sleep(INTERVAL).await;
        let safe_point = safe_point.get();
        for range in store.ranges() {
            let is_led_here = range.leader.is_some_and(|leader| leader.node == node);
            if !is_led_here || range.safe_point >= safe_point || range.writes == 0 {
                continue;
            }
            let op = RangeOp::Gc(GcRequest { safe_point });
            if let Err(error) = client.admin(range.descriptor.range, op).await {
                // The next round tries again.
                tracing::debug!(%error, range = %range.descriptor.range, "garbage collection");
            }
        }
    }
}
