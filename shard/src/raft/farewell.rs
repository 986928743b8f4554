//! Telling replicas that they were taken out.
//!
//! Who leaves the joint state may forget it: a commit index is not synced by itself, and a voter that
//! restarts without it is back in the joint state, where it needs a majority of the old voters. So
//! those stay until nothing can bring the joint state back: the leader appends one more entry after it
//! has left that state, and once this is committed a majority of the new voters holds both on disk.
//!
//! **Only a leader says so**, and nobody destroys a replica without being told. Who is told nothing
//! asks, and followers pass the question on to the leader.

use crate::raft::dispatch::QUESTIONS_MAX;
use crate::raft::group::Slot;
use crate::raft::membership::successor;
use crate::raft::raft_loop::RaftLoop;
use base::peer_api::{PeerMessage, RaftEnvelope};
use base::{MonoTime, NodeId, RangeId, ReplicaId};
use bytes::Bytes;
use consensus::{Envelope, Payload};

/// Replicas that were taken out under this leader and have not been told.
#[derive(Default)]
pub(crate) struct Farewell {
    gone: Vec<(NodeId, ReplicaId)>,
    /// Term and index of the entry whose commit makes it safe to tell them.
    proof: Option<(u64, u64)>,
}

impl Farewell {
    pub(crate) fn is_empty(&self) -> bool {
        self.gone.is_empty()
    }

    /// More were taken out: what was appended before proves nothing about them.
    pub(crate) fn add(&mut self, gone: Vec<(NodeId, ReplicaId)>) {
        if !gone.is_empty() {
            self.gone.extend(gone);
            self.proof = None;
        }
    }
}

impl RaftLoop {
    /// Takes the next step if it is time for one.
    pub(crate) fn drive_farewell(&mut self, range: RangeId, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if !slot.group.is_leader() {
            slot.farewell = Farewell::default();
            return;
        }
        if slot.leads_from_outside() {
            let successor = successor(slot);
            if let Some(successor) = successor.filter(|_| slot.group.status().transferee.is_none())
            {
                // Repeated on the next tick if it comes to nothing.
                let _ = slot.group.transfer(successor, now);
            }
            return;
        }
        if slot.farewell.is_empty() {
            return;
        }
        let term = slot.group.term();
        match slot.farewell.proof {
            Some((proven, index)) if proven == term => {
                if slot.group.status().commit >= index {
                    let own = slot.shared.replica;
                    let gone = std::mem::take(&mut slot.farewell).gone;
                    gone.into_iter().for_each(|to| self.say_gone(range, to, own));
                }
            }
            _ => {
                // Refused while leadership is handed over; the next tick tries again.
                let appended = slot.group.propose(vec![Bytes::new()], now);
                slot.farewell.proof = appended.ok().map(|index| (term, index));
            }
        }
    }

    /// A replica that was taken out makes itself heard; the question has been passed on `asked` times.
    pub(crate) fn answer_removed(&mut self, range: RangeId, from: (NodeId, ReplicaId), asked: u64) {
        let Some(slot) = self.slots.get(&range) else { return };
        let own = slot.shared.replica;
        if slot.group.is_leader() {
            if slot.knows_members_are_settled() {
                self.say_gone(range, from, own);
            }
            return;
        }
        let Some(leader) = slot.shared.leader().filter(|leader| leader.replica != own) else {
            return;
        };
        if asked < QUESTIONS_MAX {
            let question = Envelope { stamp: asked + 1, payload: Payload::Present };
            let message = question.encode().into();
            let (from_node, from) = from;
            let envelope = RaftEnvelope { range, from_node, from, to: leader.replica, message };
            self.send(leader.node, PeerMessage::Raft(envelope));
        }
    }
}

impl Slot {
    /// Leads although it was taken out.
    pub(crate) fn leads_from_outside(&self) -> bool {
        self.group.is_leader() && !self.group.membership().contains(self.shared.replica.0)
    }

    /// The own term has begun after the last change of members, or an entry behind that is committed.
    fn knows_members_are_settled(&self) -> bool {
        self.announced == self.group.term() && self.farewell.is_empty()
    }
}
