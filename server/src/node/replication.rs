//! Replication in this process: the Raft loop and the applier on their threads, the first range,
//! the meta group.

use super::control::Identity;
use super::outbox::PeerOutbox;
use super::peers::Peers;
use super::threads::{Bell, Poller, Round};
use crate::exit::Failure;
use base::{Clock, RangeDescriptor, RangeId};
use meta::{MetaConfig, MetaMachine, MetaService};
use shard::Store;
use shard::raft::{Applier, RaftHandle, RaftLoop, RaftNotify, RaftStoreConfig};
use std::sync::Arc;
use std::time::Duration;
use storage::Engine;

/// Ranges have this many replicas where there are as many nodes.
const REPLICATION_FACTOR: usize = 3;

/// How long a stopping node tries to hand its leaders over.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What replication is built of.
pub(super) struct Parts<'a> {
    pub(super) disk: Engine,
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) peers: Arc<Peers>,
    pub(super) identity: &'a Identity,
    pub(super) is_meta: bool,
}

/// The running threads.
pub(crate) struct Replication {
    /// The way in.
    pub(crate) handle: RaftHandle,
    /// The meta replica, if this node has one.
    pub(crate) meta: Option<Arc<MetaService>>,
    threads: Vec<Poller>,
}

impl Replication {
    pub(super) fn start(parts: Parts<'_>) -> Result<Replication, Failure> {
        let (raft_bell, apply_bell) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let config = RaftStoreConfig::new(parts.identity.node, rand::random());
        let (handle, raft_loop, applier) = shard::raft::open(
            parts.disk,
            parts.store,
            parts.clock.now(),
            config,
            Arc::new(PeerOutbox(parts.peers.clone())),
            notify(&raft_bell, &apply_bell),
        )
        .map_err(|e| Failure::new(e.to_string()))?;
        let raft = handle.clone();
        parts.peers.on_gone(Arc::new(move |node| raft.gone(node)));
        let meta = is_meta_voter(parts.identity, parts.is_meta).then(|| {
            let members = parts.identity.member_ids();
            let descriptor = RangeDescriptor::bootstrap(RangeId::META, &members);
            let machine = MetaMachine::new();
            let view = machine.view();
            let group = handle.add_state_machine(RangeId::META, descriptor, Box::new(machine));
            let first_nodes = members.iter().map(|node| node.0).max().unwrap_or(0);
            let config = MetaConfig { first_nodes, ..MetaConfig::new(parts.identity.cluster) };
            MetaService::new(group, view, parts.clock.clone(), config)
        });
        let first = first_range(parts.identity);
        if first.replica_on(parts.identity.node).is_some() {
            handle.bootstrap(first);
        }
        let threads = start_threads(raft_loop, applier, raft_bell, apply_bell, &parts.clock)?;
        Ok(Replication { handle, meta, threads })
    }

    /// Hands leadership to other nodes, as far as they take it.
    pub(super) async fn drain(&self) {
        // A node that is alone, or whose peers are gone, stops without.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, self.handle.drain()).await;
    }

    /// Ends the threads.
    pub(super) fn stop(&mut self) {
        self.threads.iter_mut().for_each(Poller::stop);
    }
}

/// The first range has its replicas on the first members.
fn first_range(identity: &Identity) -> RangeDescriptor {
    let mut nodes = identity.member_ids();
    nodes.truncate(REPLICATION_FACTOR);
    RangeDescriptor::first(&nodes)
}

fn is_meta_voter(identity: &Identity, is_meta: bool) -> bool {
    is_meta && identity.is_initial()
}

fn notify(raft: &Arc<Bell>, apply: &Arc<Bell>) -> RaftNotify {
    let (raft, apply) = (raft.clone(), apply.clone());
    RaftNotify { raft: Arc::new(move || raft.ring()), apply: Arc::new(move || apply.ring()) }
}

fn start_threads(
    mut raft_loop: RaftLoop,
    mut applier: Applier,
    raft_bell: Arc<Bell>,
    apply_bell: Arc<Bell>,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Poller>, Failure> {
    let raft = Poller::start("raft", raft_bell, clock.clone(), move |now| {
        let poll = raft_loop.poll(now).map_err(|e| e.to_string())?;
        Ok(Round { did_work: poll.did_work, next_wake: poll.next_wake })
    });
    let apply = Poller::start("apply", apply_bell, clock.clone(), move |_| {
        let did_work = applier.poll().map_err(|e| e.to_string())?;
        Ok(Round { did_work, next_wake: None })
    });
    [raft, apply]
        .into_iter()
        .map(|thread| thread.map_err(|e| Failure::new(format!("cannot start threads: {e}"))))
        .collect()
}
