//! Idle groups sleep, and nodes watch each other instead.
//!
//! Every node that shares a group with this one gets a sign of life every heartbeat. When a node
//! falls silent, or comes back with its memory gone, the groups that it led wake up and elect.

use crate::raft::raft_loop::RaftLoop;
use base::peer_api::{NodeAlive, PeerMessage};
use base::{MonoTime, NodeId, RangeDescriptor, RangeId, ReplicaKind};
use std::collections::BTreeMap;

/// The other nodes that matter to this one.
#[derive(Default)]
pub(crate) struct Peers {
    nodes: BTreeMap<NodeId, Peer>,
    sequence: u64,
    /// Descriptors have changed: the list is out of date.
    pub(crate) is_stale: bool,
}

struct Peer {
    heard: MonoTime,
    sequence: u64,
    is_gone: bool,
}

impl Peers {
    pub(crate) fn is_any(&self) -> bool {
        !self.nodes.is_empty() || self.is_stale
    }

    pub(crate) fn is_gone(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|peer| peer.is_gone)
    }
}

/// Ticks between the campaigns of two replicas that have lost their leader.
const TURN_TICKS: usize = 3;

/// The place of a node in the order in which a range's replicas campaign when one node is lost, and
/// how many places there are. It differs from range to range, so that not one node inherits all of
/// them.
fn turn(descriptor: &RangeDescriptor, own: NodeId, lost: NodeId) -> (usize, usize) {
    let voters = descriptor.replicas.iter().filter(|r| r.kind == ReplicaKind::Voter);
    let left: Vec<NodeId> = voters.map(|r| r.node).filter(|node| *node != lost).collect();
    let place = left.iter().position(|node| *node == own).unwrap_or(left.len());
    let turns = left.len().max(1);
    ((place + descriptor.range.0 as usize) % turns, turns)
}

impl RaftLoop {
    /// Signs of life out, silence noticed.
    pub(crate) fn tick_peers(&mut self, now: MonoTime) {
        if self.peers.is_stale {
            self.relist_peers(now);
        }
        if self.ticks.is_multiple_of(self.config.heartbeat_ticks as u64) {
            self.peers.sequence += 1;
            let (node, sequence) = (self.config.node, self.peers.sequence);
            for to in self.peers.nodes.keys().copied().collect::<Vec<_>>() {
                let alive = NodeAlive { node, sequence, is_reply: false };
                self.send(to, PeerMessage::Alive(alive));
            }
        }
        let patience = self.config.silence_max();
        let mut lost = Vec::new();
        for (node, peer) in &mut self.peers.nodes {
            if !peer.is_gone && now.since(peer.heard) >= patience {
                peer.is_gone = true;
                lost.push(*node);
            }
        }
        lost.into_iter().for_each(|node| self.lose_node(node, now));
    }

    fn relist_peers(&mut self, now: MonoTime) {
        self.peers.is_stale = false;
        let mut nodes = BTreeMap::new();
        for slot in self.slots.values() {
            for replica in &slot.shared.descriptor().replicas {
                if replica.node != self.config.node && !nodes.contains_key(&replica.node) {
                    let new = || Peer { heard: now, sequence: 0, is_gone: false };
                    let peer = self.peers.nodes.remove(&replica.node).unwrap_or_else(new);
                    nodes.insert(replica.node, peer);
                }
            }
        }
        self.peers.nodes = nodes;
    }

    /// Anything from a node is a sign of life.
    pub(crate) fn heard(&mut self, node: NodeId, now: MonoTime) {
        let Some(peer) = self.peers.nodes.get_mut(&node) else { return };
        peer.heard = now;
        if std::mem::take(&mut peer.is_gone) {
            self.node_returned(node, now);
        }
    }

    pub(crate) fn on_alive(&mut self, alive: &NodeAlive, now: MonoTime) {
        let Some(peer) = self.peers.nodes.get_mut(&alive.node) else { return };
        let has_restarted = alive.sequence < peer.sequence;
        peer.sequence = alive.sequence;
        if has_restarted {
            self.lose_node(alive.node, now);
        }
    }

    /// Nobody listens any more where the node was: it need not be waited for until its silence is
    /// long enough.
    pub(crate) fn on_gone(&mut self, node: NodeId, now: MonoTime) {
        let Some(peer) = self.peers.nodes.get_mut(&node) else { return };
        if !std::mem::replace(&mut peer.is_gone, true) {
            self.lose_node(node, now);
        }
    }

    /// Groups led by the node look for another leader. Their replicas notice at about the same
    /// time, so they take turns, or they would split the votes.
    fn lose_node(&mut self, node: NodeId, now: MonoTime) {
        tracing::info!(%node, "node is gone, silent or has restarted");
        for range in self.slots.keys().copied().collect::<Vec<_>>() {
            let Some(slot) = self.slots.get_mut(&range) else { continue };
            if slot.shared.leader().is_none_or(|leader| leader.node != node) {
                continue;
            }
            let (turn, turns) = turn(&slot.shared.descriptor(), self.config.node, node);
            slot.group.lose_leader(1 + turn * TURN_TICKS, turns * TURN_TICKS, now);
            self.touch(range);
        }
    }

    /// Groups that went to sleep without the node catch it up.
    fn node_returned(&mut self, node: NodeId, now: MonoTime) {
        for (range, slot) in &mut self.slots {
            let shares = slot.shared.descriptor().replica_on(node).is_some();
            if shares && slot.group.is_leader() && slot.group.is_hibernating() {
                slot.group.wake(now);
                self.awake.insert(*range);
                self.dirty.insert(*range);
            }
        }
    }

    /// Sends an idle group to sleep; takes one that sleeps off the clock.
    pub(crate) fn maybe_hibernate(&mut self, range: RangeId) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let is_calm = slot.is_calm();
        if slot.group.is_hibernating() {
            if is_calm {
                self.awake.remove(&range);
            }
            return;
        }
        let descriptor = slot.shared.descriptor();
        let peers = &self.peers;
        let is_away = |replica: u64| {
            descriptor.node_of(base::ReplicaId(replica)).is_some_and(|node| peers.is_gone(node))
        };
        if !is_calm || !slot.group.is_idle(is_away) {
            slot.idle_ticks = 0;
            return;
        }
        slot.idle_ticks += 1;
        let is_lone = slot.group.membership().is_lone(slot.shared.replica.0)
            && slot.group.membership().learners.is_empty();
        // A heartbeat that is about to leave would arrive behind the good night and wake everybody.
        let is_time = is_lone || slot.idle_ticks >= self.config.hibernate_ticks;
        if is_time && !slot.group.has_ready() {
            slot.idle_ticks = 0;
            let messages = slot.group.hibernate();
            self.awake.remove(&range);
            self.send_all(range, messages);
        }
    }
}
