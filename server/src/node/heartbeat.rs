//! Signs of life to meta, and what comes back: who else is there and in which life, whose catalog
//! lease goes on, which versions nobody reads any more.

use super::broadcast::CATALOG_LEASE;
use super::gc::Horizon;
use super::peers::Peers;
use base::meta_api::{MetaRequest, MetaResponse, NodeHeartbeat, NodeStatus, RangeReport};
use base::{Clock, MonoTime, NodeId, RangeId, Timestamp};
use shard::Store;
use shard::raft::RaftHandle;
use sql::Engine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    pub(crate) pulse: Arc<Pulse>,
}

/// What a heart remembers from one beat to the next.
#[derive(Default)]
struct Memory {
    /// What was last reported of each range led here.
    reported: BTreeMap<RangeId, (u64, u64)>,
    /// The life of each node.
    lives: BTreeMap<NodeId, u64>,
}

/// When meta last answered.
#[derive(Default)]
pub(crate) struct Pulse(AtomicU64);

impl Pulse {
    fn beat(&self, at: MonoTime) {
        self.0.store(at.0.max(1), Ordering::Release);
    }

    /// Meta has answered a moment ago.
    pub(crate) fn is_felt(&self, now: MonoTime) -> bool {
        let last = self.0.load(Ordering::Acquire);
        last > 0 && now.since(MonoTime(last)) < CATALOG_LEASE
    }
}

impl Heart {
    /// Beats until the process ends.
    pub(crate) async fn beat(self) {
        let mut memory = Memory::default();
        for round in 0u64.. {
            if round.is_multiple_of(REPEAT_EVERY) {
                memory.reported.clear();
            }
            let begun = self.clock.now();
            self.once(&mut memory).await;
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

    async fn once(&self, memory: &mut Memory) {
        let sent = self.clock.now();
        let heartbeat = self.measure(memory);
        match self.client.meta(MetaRequest::Heartbeat(heartbeat)).await {
            Ok(MetaResponse::Heartbeat {
                nodes,
                safe_point,
                catalog_version,
                drawn,
                gc_retention_ms,
            }) => {
                self.pulse.beat(sent);
                self.peers.update(nodes.iter().map(|n| &n.descriptor));
                self.horizon.update(safe_point, drawn, gc_retention_ms);
                self.bury_earlier_lives(memory, &nodes);
                self.renew_lease(Timestamp(catalog_version), sent).await;
            }
            Ok(_) => tracing::error!("meta gave an unexpected answer to a heartbeat"),
            Err(error) => {
                memory.reported.clear();
                tracing::debug!(%error, "heartbeat failed");
            }
        }
    }

    /// A node that has begun a new life has forgotten the transactions of its earlier ones: their
    /// locks here are nobody's.
    fn bury_earlier_lives(&self, memory: &mut Memory, nodes: &[NodeStatus]) {
        for node in nodes.iter().map(|status| &status.descriptor) {
            if memory.lives.insert(node.node, node.life) != Some(node.life) {
                self.store.release_locks_of(node.node, node.life);
            }
        }
    }

    /// The catalog lease is renewed only under the newest version, and never without a bound: a
    /// process that is the only one to serve SQL now may be cut off when the next one joins.
    async fn renew_lease(&self, version: Timestamp, sent: MonoTime) {
        let Some(engine) = &self.engine else { return };
        match engine.catalog().adopt(version, None).await {
            Ok(()) => engine.catalog().set_lease(sent + CATALOG_LEASE),
            Err(error) => tracing::warn!(%error, "cannot load the catalog"),
        }
    }

    fn measure(&self, memory: &mut Memory) -> NodeHeartbeat {
        let reported = &mut memory.reported;
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
