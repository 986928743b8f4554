//! The way in to replication, for every thread.

use crate::raft::events::LoopInput;
use crate::raft::inbox::Inbox;
use crate::raft::replica::MachineReplica;
use crate::raft::stats::{GroupView, RaftStats, StatsBoard};
use crate::raft::waiter::reply;
use base::peer_api::PeerMessage;
use base::{BoxFuture, KvResult, NodeId, RangeDescriptor, RangeId};
use consensus::{MetaGroup, StateMachine};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use storage::Engine;

/// What every handle shares.
pub(crate) struct HandleCore {
    pub(crate) engine: Engine,
    pub(crate) inbox: Inbox<LoopInput>,
    pub(crate) stats: Arc<StatsBoard>,
    pub(crate) proposals_max: usize,
    pub(crate) proposal_bytes_max: usize,
    /// The applier waits for space on the disk.
    pub(crate) applier_stalled: AtomicBool,
}

/// Talks to the [`crate::raft::RaftLoop`] of this node. Cheap to clone.
#[derive(Clone)]
pub struct RaftHandle {
    pub(crate) core: Arc<HandleCore>,
}

impl RaftHandle {
    /// First start of a cluster: creates this node's replica of the described range if the node has
    /// none and never had one. Every node of the descriptor is given the same descriptor.
    pub fn bootstrap(&self, descriptor: RangeDescriptor) {
        self.core.inbox.push(LoopInput::Bootstrap(descriptor));
    }

    /// Takes messages of another node.
    pub fn receive(&self, from: NodeId, messages: Vec<PeerMessage>) {
        self.core.inbox.push(LoopInput::Peer { from, messages });
    }

    /// The process of another node is certainly not there now (nobody listens at its address): what
    /// it leads is led by others sooner than its silence would tell.
    pub fn gone(&self, node: NodeId) {
        self.core.inbox.push(LoopInput::Gone(node));
    }

    /// Starts a group that replicates a state machine: with the given members when this node sees
    /// it for the first time, else from what is on disk.
    pub fn add_state_machine(
        &self,
        range: RangeId,
        mut descriptor: RangeDescriptor,
        machine: Box<dyn StateMachine>,
    ) -> Arc<dyn MetaGroup> {
        descriptor.range = range;
        let slot = Arc::default();
        let replica = MachineReplica { core: self.core.clone(), slot: Arc::clone(&slot) };
        self.core.inbox.push(LoopInput::AddMachine { descriptor, machine, slot });
        Arc::new(replica)
    }

    /// Hands over everything that is led here, and goes on doing so until the end of the process.
    /// Ends when nothing is left that another node could lead, or nobody takes it.
    pub fn drain(&self) -> BoxFuture<'static, KvResult<()>> {
        let (reply, future) = reply();
        self.core.inbox.push(LoopInput::Drain { reply });
        future
    }

    /// Counters since start, for metrics.
    pub fn stats(&self) -> RaftStats {
        self.core.stats.counters()
    }

    /// All groups of this node as of the last tick, for views.
    pub fn groups(&self) -> Vec<GroupView> {
        self.core.stats.groups()
    }
}
