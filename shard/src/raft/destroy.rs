//! The end of a replica.
//!
//! Steps: the loop lets go of the group and answers whoever waits; the applier removes data, log and
//! records in one batch and leaves a tombstone with the replica's id, so that no late message brings
//! the replica back; then messages for the range are listened to again.

use crate::raft::applier::{After, Applier};
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, ApplyTask};
use crate::raft::local::{self, Tombstone};
use crate::raft::membership::end_job;
use crate::raft::raft_loop::RaftLoop;
use base::{KvError, NodeId, RangeId, ReplicaId};
use consensus::{Envelope, Message, Payload};
use storage::{mvcc, raft_log};

/// Election timeouts of silence after which a replica asks whether it is still a member.
const SILENCE_MAX: u64 = 5;

impl RaftLoop {
    /// This replica is no member any more; `teller` has said so.
    pub(crate) fn destroy(&mut self, range: RangeId, teller: (NodeId, ReplicaId)) {
        let Some(mut slot) = self.slots.remove(&range) else { return };
        let replica = slot.shared.replica;
        let mut descriptor = (*slot.shared.descriptor()).clone();
        slot.shared.set_destroyed();
        slot.proposals.give_up("the replica was removed before the outcome was known");
        slot.refuse_waiting(|| KvError::RangeNotFound(range));
        // A change that takes this replica out has come about. Its epoch is as the own log knew it:
        // one that was guessed too high would keep routers away from the range for good.
        descriptor.replicas.retain(|r| r.replica != replica);
        let heirs = vec![teller];
        end_job(&mut slot, Ok(descriptor));
        self.awake.remove(&range);
        self.drop_incoming(range);
        self.peers.is_stale = true;
        self.views_stale = true;
        self.bury(range, Tombstone { replica, heirs });
    }

    /// A replica that takes no part, because it is damaged, is no member any more either.
    pub(crate) fn destroy_damaged(&mut self, range: RangeId, teller: (NodeId, ReplicaId)) {
        if let Some(replica) = self.damaged.remove(&range) {
            self.bury(range, Tombstone { replica, heirs: vec![teller] });
        }
    }

    fn bury(&mut self, range: RangeId, tombstone: Tombstone) {
        self.destroying.insert(range, tombstone.replica);
        self.tasks.push(ApplyTask::Destroy { range, tombstone });
    }
}

impl RaftLoop {
    /// A replica that hears nothing asks whether it is still a member: the message that told it so
    /// may be lost, and a learner would never find out by an election.
    pub(crate) fn ask_membership(&mut self, range: RangeId) {
        let patience = SILENCE_MAX * self.config.election_ticks as u64;
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if slot.group.is_leader() || self.ticks < slot.heard_at + patience {
            return;
        }
        slot.heard_at = self.ticks;
        let bytes = Envelope::plain(Payload::Present).encode();
        let own = slot.shared.replica.0;
        let others = slot.addresses.keys().copied().filter(|replica| *replica != own);
        let ask = |to| Message { to, bytes: bytes.clone(), snapshot: None };
        let messages = others.map(ask).collect();
        self.send_all(range, messages);
    }
}

impl Applier {
    pub(crate) fn destroy(
        &mut self,
        range: RangeId,
        tombstone: Tombstone,
    ) -> Result<(), RaftError> {
        let state = self.states.remove(&range);
        if let Some(state) = &state {
            mvcc::clear(&mut self.batch, &state.known.descriptor.span);
        }
        local::remove_replica(&mut self.batch, range);
        local::clear_pairs(&mut self.batch, range);
        local::put_tombstone(&mut self.batch, range, &tombstone);
        raft_log::destroy(&mut self.batch, range);
        self.after.push(After::Destroyed { state: state.map(Box::new) });
        self.after.push(After::Tell(ApplyEvent::Destroyed { range }));
        self.flush()
    }
}
