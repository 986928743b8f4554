//! The cluster: nodes, network and what can be done to them.

use crate::executor::Executor;
use crate::network::{Network, Weather};
use crate::node::{Disks, Life, Node, Site};
use base::NodeId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// All nodes. Clones are the same cluster.
#[derive(Clone)]
pub struct Cluster {
    /// The world it lives in.
    pub executor: Executor,
    /// What connects its nodes.
    pub network: Network,
    site: Site,
    nodes: Arc<Mutex<BTreeMap<NodeId, Node>>>,
}

impl Cluster {
    /// A cluster of so many nodes, all of them started; it is born on the first `founders`.
    pub fn start(
        executor: &Executor,
        (count, founders): (u64, u64),
        weather: Weather,
        log_entries_max: u64,
        disks: Disks,
    ) -> Cluster {
        let members: Vec<NodeId> = (1..=founders).map(NodeId).collect();
        let network = Network::new(executor.clone(), weather);
        let nodes: Arc<Mutex<BTreeMap<NodeId, Node>>> = Arc::default();
        let failed = Arc::downgrade(&nodes);
        let mut site = Site {
            executor: executor.clone(),
            network: network.clone(),
            members,
            log_entries_max,
            on_failure: Arc::new(|_, _| {}),
        };
        let world = site.clone();
        site.on_failure = Arc::new(move |id, owner| {
            let (failed, world) = (failed.clone(), world.clone());
            let executor = world.executor.clone();
            // Not from within the task that has failed.
            executor.after(Duration::ZERO, move || {
                let Some(nodes) = failed.upgrade() else { return };
                if let Some(node) = nodes.lock().get_mut(&id)
                    && node.life().is_some_and(|life| life.owner == owner)
                {
                    node.crash(&world);
                }
            });
        });
        let cluster = Cluster { executor: executor.clone(), network, site, nodes };
        for id in (1..=count).map(NodeId) {
            cluster.nodes.lock().insert(id, Node::new(id, disks));
            cluster.restart(id);
        }
        cluster
    }

    /// All node ids.
    pub fn ids(&self) -> Vec<NodeId> {
        self.nodes.lock().keys().copied().collect()
    }

    /// The present life of a node.
    pub fn life(&self, id: NodeId) -> Option<Life> {
        self.nodes.lock().get(&id).and_then(|node| node.life().cloned())
    }

    /// Nodes that are up.
    pub fn alive(&self) -> Vec<NodeId> {
        let nodes = self.nodes.lock();
        nodes.values().filter(|node| node.life().is_some()).map(|node| node.id).collect()
    }

    /// Kills a node.
    pub fn crash(&self, id: NodeId) {
        if let Some(node) = self.nodes.lock().get_mut(&id) {
            node.crash(&self.site);
        }
    }

    /// Starts a node that is down.
    pub fn restart(&self, id: NodeId) {
        if let Some(node) = self.nodes.lock().get_mut(&id)
            && node.life().is_none()
        {
            node.start(&self.site);
        }
    }

    /// Makes a node's next sync fail, which ends it.
    pub fn fail_next_sync(&self, id: NodeId) {
        if let Some(node) = self.nodes.lock().get(&id) {
            node.fail_next_sync();
        }
    }

    /// Moves a node's wall clock.
    pub fn jump_clock(&self, id: NodeId, millis: i64) {
        if let Some(node) = self.nodes.lock().get(&id) {
            node.jump_clock(millis);
        }
    }

    /// Cuts one node off from all others, in both directions or in one.
    pub fn isolate(&self, id: NodeId, inbound: bool, outbound: bool) {
        for other in self.ids().into_iter().filter(|other| *other != id) {
            if inbound {
                self.network.block(other, id);
            }
            if outbound {
                self.network.block(id, other);
            }
        }
    }

    /// Everything is well again.
    pub fn heal(&self) {
        self.network.heal();
        self.network.set_weather(Weather { loss: 0.0, slow: 0.0, zombie: 0.0 });
        for id in self.ids() {
            self.restart(id);
        }
    }
}
