//! One replica as evaluation sees it.

use crate::command::{Command, Trigger};
use crate::raft::events::{LoopInput, MachineSlot};
use crate::raft::handle::HandleCore;
use crate::raft::shared::ReplicaShared;
use crate::raft::waiter::{ProposalWaiter, failed, reply};
use crate::replication::Replication;
use base::{BoxFuture, KvError, KvResult, MonoTime, NodeId, RangeDescriptor};
use base::{RangeId, ReplicaDescriptor, Timestamp};
use bytes::Bytes;
use consensus::MetaGroup;
use std::sync::Arc;
use storage::Room;

/// A replica of a range.
pub(crate) struct RangeReplica {
    pub(crate) core: Arc<HandleCore>,
    pub(crate) shared: Arc<ReplicaShared>,
}

impl Replication for RangeReplica {
    fn descriptor(&self) -> Arc<RangeDescriptor> {
        self.shared.descriptor()
    }

    fn lead(&self, now: MonoTime) -> KvResult<u64> {
        self.shared.lead(now)
    }

    fn leader(&self) -> Option<ReplicaDescriptor> {
        self.shared.leader()
    }

    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>> {
        self.core.read_index(&self.shared)
    }

    fn propose(&self, command: Command) -> BoxFuture<'static, KvResult<()>> {
        let suspends = matches!(command.trigger, Some(Trigger::Split { .. }));
        let bytes = Bytes::from(command.encode());
        let term = command.term;
        let answer = self.core.propose(&self.shared, term, bytes, suspends, Some(command));
        Box::pin(async move { answer.await.map(drop) })
    }

    fn change_replicas(
        &self,
        add: Vec<NodeId>,
        remove: Vec<NodeId>,
    ) -> BoxFuture<'static, KvResult<RangeDescriptor>> {
        let (reply, future) = reply();
        self.core.inbox.push(LoopInput::ChangeReplicas {
            range: self.shared.range,
            add,
            remove,
            reply,
        });
        future
    }

    fn transfer_leader(&self, target: NodeId) -> BoxFuture<'static, KvResult<()>> {
        let (reply, future) = reply();
        self.core.inbox.push(LoopInput::Transfer { range: self.shared.range, target, reply });
        future
    }

    fn progress(&self) -> (u64, u64) {
        (self.shared.raft_term(), self.shared.applied())
    }

    fn safe_point(&self) -> Timestamp {
        self.shared.safe_point()
    }
}

impl HandleCore {
    /// Hands a command to the loop. The future ends when the command is applied here, or when its
    /// fate is known or cannot be known.
    fn propose(
        &self,
        shared: &Arc<ReplicaShared>,
        term: u64,
        command: Bytes,
        suspends: bool,
        decoded: Option<Command>,
    ) -> BoxFuture<'static, KvResult<Bytes>> {
        // What grows was refused before it was evaluated; the rest stops short of the end. Meta goes
        // on to it: without fresh timestamps there would be no reads either.
        if shared.range != RangeId::META
            && let Err(full) = self.engine.check_room(Room::CleanUp)
        {
            return failed(full.into());
        }
        let limits = (self.proposals_max, self.proposal_bytes_max);
        match ProposalWaiter::register(shared, command.len(), suspends, limits) {
            Ok((mut waiter, answer)) => {
                if let Some(decoded) = decoded {
                    waiter.keep(decoded);
                }
                let range = shared.range;
                self.inbox.push(LoopInput::Propose { range, term, command, waiter });
                Box::pin(async move {
                    // Dropped without an answer: the process is going down with the entry on its way.
                    let lost = || KvError::Ambiguous("the node is going down".to_string());
                    answer.await.unwrap_or_else(|_| Err(lost()))
                })
            }
            Err(refused) => failed(refused),
        }
    }

    fn read_index(&self, shared: &Arc<ReplicaShared>) -> BoxFuture<'static, KvResult<u64>> {
        if shared.lead_term() == 0 {
            return failed(shared.not_leader());
        }
        let (reply, future) = reply();
        self.inbox.push(LoopInput::ReadIndex { range: shared.range, reply });
        future
    }
}

/// A replica of a group with a state machine. Does nothing until the loop has opened it.
pub(crate) struct MachineReplica {
    pub(crate) core: Arc<HandleCore>,
    pub(crate) slot: MachineSlot,
}

impl MachineReplica {
    fn shared(&self) -> KvResult<Arc<ReplicaShared>> {
        self.slot.read().clone().ok_or(KvError::MetaNotLeader { leader: None })
    }
}

impl MetaGroup for MachineReplica {
    fn propose(&self, command: Bytes) -> BoxFuture<'static, KvResult<Bytes>> {
        match self.shared() {
            Ok(shared) => match shared.serving_term() {
                Some(term) => self.core.propose(&shared, term, command, false, None),
                None => failed(shared.not_leader()),
            },
            Err(not_open) => failed(not_open),
        }
    }

    fn lead(&self, now: MonoTime) -> KvResult<u64> {
        self.shared()?.lead(now)
    }

    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>> {
        match self.shared() {
            Ok(shared) => self.core.read_index(&shared),
            Err(not_open) => failed(not_open),
        }
    }

    fn leader(&self) -> Option<NodeId> {
        self.slot.read().as_ref()?.leader().map(|replica| replica.node)
    }
}
