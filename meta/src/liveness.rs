//! Who is alive, and which snapshots are still read. In the leader's memory: a new leader waits one
//! timeout before it calls anybody dead.

use base::meta_api::NodeHeartbeat;
use base::{MonoTime, NodeId, RangeId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// What heartbeats have told the leader of one term.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    since: MonoTime,
    heard: BTreeMap<NodeId, (MonoTime, NodeHeartbeat)>,
    /// Sizes from reports that brought nothing else.
    bytes: BTreeMap<RangeId, u64>,
    /// The highest safe point announced; it never goes back.
    safe_point: Timestamp,
}

impl Liveness {
    /// Starts to listen.
    pub(crate) fn start(now: MonoTime) -> Liveness {
        Liveness { since: now, ..Liveness::default() }
    }

    /// A heartbeat has arrived.
    pub(crate) fn hear(&mut self, heartbeat: &NodeHeartbeat, now: MonoTime) {
        for report in &heartbeat.leads {
            self.bytes.insert(report.descriptor.range, report.bytes);
        }
        let mut heartbeat = heartbeat.clone();
        heartbeat.leads = Vec::new();
        self.heard.insert(heartbeat.node, (now, heartbeat));
    }

    /// A range's size as last reported in this term.
    pub(crate) fn bytes(&self, range: RangeId) -> Option<u64> {
        self.bytes.get(&range).copied()
    }

    /// True when the node has been heard of lately, or this leader is too young to judge.
    pub(crate) fn is_live(&self, node: NodeId, now: MonoTime, timeout: Duration) -> bool {
        let last = self.heard.get(&node).map_or(self.since, |(at, _)| *at);
        now.since(last) < timeout
    }

    /// The node's last heartbeat.
    pub(crate) fn last(&self, node: NodeId) -> Option<&NodeHeartbeat> {
        self.heard.get(&node).map(|(_, heartbeat)| heartbeat)
    }

    /// The lowest snapshot that may still be needed: nothing newer than `limit`, nothing that a
    /// live node reads, and nothing at all before every node had time to say what it reads.
    pub(crate) fn safe_point(
        &mut self,
        nodes: impl Iterator<Item = NodeId>,
        limit: Timestamp,
        now: MonoTime,
        timeout: Duration,
    ) -> Timestamp {
        let mut lowest = limit;
        for node in nodes {
            match self.heard.get(&node) {
                Some((_, heartbeat)) if self.is_live(node, now, timeout) => {
                    lowest = lowest.min(heartbeat.min_snapshot);
                }
                // Whoever is cut off finds its snapshot refused when it returns.
                _ if now.since(self.since) >= timeout => {}
                _ => return self.safe_point,
            }
        }
        self.safe_point = self.safe_point.max(lowest);
        self.safe_point
    }
}
