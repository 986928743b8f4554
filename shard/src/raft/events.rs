//! What the loop and the applier are told: closed sets, so that each has one place that decides.

use crate::raft::committed::Committed;
use crate::raft::local::{AppliedState, KnownState, Tombstone};
use crate::raft::shared::ReplicaShared;
use crate::raft::snapshot_send::PinnedState;
use crate::raft::waiter::{ProposalWaiter, Reply};
use base::codec::Blob;
use base::peer_api::PeerMessage;
use base::{NodeId, RangeDescriptor, RangeId, ReplicaDescriptor, ReplicaId};
use bincode::{Decode, Encode};
use bytes::Bytes;
use consensus::{Change, StateMachine};
use std::sync::Arc;

/// Input of the loop.
pub(crate) enum LoopInput {
    /// A command for the log of a group that this node leads in `term`.
    Propose {
        range: RangeId,
        term: u64,
        command: Bytes,
        waiter: ProposalWaiter,
    },
    /// Messages of another node.
    Peer {
        from: NodeId,
        messages: Vec<PeerMessage>,
    },
    /// No process is left where this node was.
    Gone(NodeId),
    /// Start of a group that may not exist yet.
    Bootstrap(RangeDescriptor),
    /// Start of a group with a state machine.
    AddMachine {
        descriptor: RangeDescriptor,
        machine: Box<dyn StateMachine>,
        slot: MachineSlot,
    },
    ReadIndex {
        range: RangeId,
        reply: Reply<u64>,
    },
    ChangeReplicas {
        range: RangeId,
        add: Vec<NodeId>,
        remove: Vec<NodeId>,
        reply: Reply<RangeDescriptor>,
    },
    Transfer {
        range: RangeId,
        target: NodeId,
        reply: Reply<()>,
    },
    /// Hand over everything that is led here.
    Drain {
        reply: Reply<()>,
    },
    /// Something that the applier has done.
    Done(ApplyEvent),
}

/// Filled once the loop has opened the group; empty before.
pub(crate) type MachineSlot = Arc<parking_lot::RwLock<Option<Arc<ReplicaShared>>>>;

/// Input of the applier. Tasks of one range are carried out in order.
pub(crate) enum ApplyTask {
    /// A replica has come into being.
    Open(OpenReplica),
    /// Committed entries, in log order.
    Entries { range: RangeId, entries: Vec<Committed> },
    /// All entries of earlier terms were handed over: evaluation may begin.
    Lead { range: RangeId, term: u64 },
    /// Leadership is lost.
    Follow { range: RangeId, leader: Option<ReplicaDescriptor> },
    /// A read is confirmed as of `index`: answer once that is applied.
    Read { range: RangeId, index: u64, term: u64, replies: Vec<Reply<u64>> },
    /// Pin the state for a snapshot to replica `to`.
    Pin { range: RangeId, to: ReplicaId },
    /// All parts of a snapshot have arrived.
    Install(InstallSnapshot),
    /// Make an empty replica, which waits for a snapshot, if there is none.
    Create { range: RangeId, replica: ReplicaId },
    /// The replica goes.
    Destroy { range: RangeId, tombstone: Tombstone },
}

impl ApplyTask {
    /// True for what looks at the engine, or tells others of its state: everything before it must have
    /// been written.
    pub(crate) fn follows_writes(&self) -> bool {
        match self {
            ApplyTask::Lead { .. }
            | ApplyTask::Follow { .. }
            | ApplyTask::Pin { .. }
            | ApplyTask::Install(_)
            | ApplyTask::Create { .. } => true,
            ApplyTask::Open(_)
            | ApplyTask::Entries { .. }
            | ApplyTask::Read { .. }
            | ApplyTask::Destroy { .. } => false,
        }
    }
}

/// A replica as the applier starts it.
pub(crate) struct OpenReplica {
    pub(crate) shared: Arc<ReplicaShared>,
    pub(crate) known: KnownState,
    pub(crate) applied: AppliedState,
    /// Set for groups with a state machine.
    pub(crate) machine: Option<Box<dyn StateMachine>>,
}

/// A snapshot, its parts staged in the engine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct InstallSnapshot {
    pub(crate) range: RangeId,
    pub(crate) replica: ReplicaId,
    pub(crate) from: ReplicaId,
    pub(crate) from_node: NodeId,
    pub(crate) known: KnownState,
    pub(crate) applied: AppliedState,
    /// Where the parts are staged, and how many there are.
    pub(crate) stage: u64,
    pub(crate) parts: u64,
    /// Bytes of all parts.
    pub(crate) bytes: u64,
    /// The Raft message to step once the data is there.
    pub(crate) message: Blob,
}

/// What the applier has done that concerns the loop.
pub(crate) enum ApplyEvent {
    /// A change of members was applied (or refused, then `change` is empty).
    Changed { range: RangeId, index: u64, change: Option<Change> },
    /// The replica was split; `campaign`: its other half should be led from here. Without `right`
    /// there is no replica of the other half here any more.
    Split { left: RangeId, right: Option<Arc<ReplicaShared>>, campaign: bool },
    /// A log entry asks to cut the log.
    Truncate { range: RangeId, index: u64 },
    /// The state for a snapshot is pinned.
    Pinned { range: RangeId, to: ReplicaId, state: Box<PinnedState> },
    /// A snapshot's data is in place, or was refused.
    Installed {
        install: Box<InstallSnapshot>,
        is_refused: bool,
        shared: Option<Arc<ReplicaShared>>,
    },
    /// A replica of the range is there; `is_new`: the empty one that was asked for.
    Created { range: RangeId, replica: ReplicaId, is_new: bool },
    /// Everything of the replica is gone.
    Destroyed { range: RangeId },
}
