//! Signs of life to meta, and what comes back: who else is there, whose catalog lease goes on,
//! which versions nobody reads any more.

use super::broadcast::CATALOG_LEASE;
use super::gc::Horizon;
use super::peers::Peers;
use base::meta_api::{MetaRequest, MetaResponse, NodeHeartbeat, RangeReport};
use base::{Clock, NodeId, RangeId, Timestamp};
use shard::Store;
use shard::raft::RaftHandle;
use sql::Engine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::Engine as Disk;
use txn::TxnClient;

/// Time between two heartbeats.
const INTERVAL: Duration = Duration::from_millis(1000);

/// Time between two looks for a change of leadership.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The same while the process comes up, when others wait for what it has to say.
const INTERVAL_AT_START: Duration = Duration::from_millis(20);

/// How many heartbeats are sent at that pace.
const ROUNDS_AT_START: u64 = 100;

/// A report that was not changed is repeated after so many heartbeats, should meta have lost it.
const REPEAT_EVERY: u64 = 30;

/// What a heartbeat is made of.
pub(crate) struct Heart {
    pub(crate) node: NodeId,
    pub(crate) client: TxnClient,
    pub(crate) store: Arc<Store>,
    pub(crate) raft: RaftHandle,
    pub(crate) disk: Disk,
    pub(crate) engine: Option<Arc<Engine>>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) horizon: Arc<Horizon>,
}

/// What was last reported of each range led here.
type Reported = BTreeMap<RangeId, (u64, u64)>;

impl Heart {
    /// Beats until the process ends.
    pub(crate) async fn beat(self) {
        let mut reported = Reported::new();
        for round in 0u64.. {
            if round.is_multiple_of(REPEAT_EVERY) {
                reported.clear();
            }
            let begun = self.clock.now();
            self.once(&mut reported).await;
            if round < ROUNDS_AT_START {
                self.clock.sleep(INTERVAL_AT_START).await;
            } else if self.clock.now().since(begun) < INTERVAL {
                self.pause().await;
            }
        }
    }

    /// Waits for the next heartbeat, which comes early when this node has begun or ceased to lead a
    /// range: others look for its leader.
    async fn pause(&self) {
        let before = self.led();
        for _ in 0..INTERVAL.as_millis() / LOOK_EVERY.as_millis() {
            self.clock.sleep(LOOK_EVERY).await;
            if self.led() != before {
                return;
            }
        }
    }

    /// The ranges led here.
    fn led(&self) -> Vec<RangeId> {
        let groups = self.raft.groups();
        groups.iter().filter(|group| group.is_leader).map(|group| group.range).collect()
    }

    async fn once(&self, reported: &mut Reported) {
        let sent = self.clock.now();
        let heartbeat = self.measure(reported);
        match self.client.meta(MetaRequest::Heartbeat(heartbeat)).await {
            Ok(MetaResponse::Heartbeat {
                nodes,
                safe_point,
                catalog_version,
                drawn,
                gc_retention_ms,
            }) => {
                self.peers.update(nodes.iter().map(|n| &n.descriptor));
                self.horizon.update(safe_point, drawn, gc_retention_ms);
                let alone = nodes.iter().filter(|n| n.descriptor.is_proxy).count() <= 1;
                self.renew_lease(Timestamp(catalog_version), sent, alone).await;
            }
            Ok(_) => tracing::error!("meta gave an unexpected answer to a heartbeat"),
            Err(error) => {
                reported.clear();
                tracing::debug!(%error, "heartbeat failed");
            }
        }
    }

    /// The catalog lease is renewed only under the newest version.
    async fn renew_lease(&self, version: Timestamp, sent: base::MonoTime, alone: bool) {
        let Some(engine) = &self.engine else { return };
        if alone {
            // Nobody else can change the catalog.
            return engine.catalog().set_lease(base::MonoTime(u64::MAX));
        }
        match engine.catalog().adopt(version, None).await {
            Ok(()) => engine.catalog().set_lease(sent + CATALOG_LEASE),
            Err(error) => tracing::warn!(%error, "cannot load the catalog"),
        }
    }

    fn measure(&self, reported: &mut Reported) -> NodeHeartbeat {
        let usage = self.disk.disk();
        let stats = self.store.ranges();
        let mut leads = Vec::new();
        let mut leaders = 0;
        for range in &stats {
            if range.leader.is_none_or(|leader| leader.node != self.node) {
                reported.remove(&range.descriptor.range);
                continue;
            }
            leaders += 1;
            let seen = (range.descriptor.epoch, range.term);
            if reported.insert(range.descriptor.range, seen) != Some(seen) {
                leads.push(RangeReport {
                    descriptor: range.descriptor.clone(),
                    leader: self.node,
                    term: range.term,
                    bytes: range.bytes,
                });
            }
        }
        NodeHeartbeat {
            node: self.node,
            replicas: stats.len() as u64,
            bytes: usage.used_bytes,
            free_bytes: usage.free_bytes,
            // What begins to read after this reads at a later draw than the last answer's.
            min_snapshot: self.client.oldest_snapshot().min(self.horizon.drawn()),
            leads,
            leaders,
        }
    }
}
