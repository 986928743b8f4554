//! The end of a replica.
//!
//! Steps: the loop lets go of the group and answers whoever waits; the applier removes data, log and
//! records in one batch and leaves a tombstone with the replica's id, so that no late message brings
//! the replica back; then messages for the range are listened to again.

use crate::raft::applier::{After, Applier};
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, ApplyTask};
use crate::raft::local;
use crate::raft::membership::end_job;
use crate::raft::raft_loop::RaftLoop;
use base::{KvError, RangeId, ReplicaId};
use storage::{mvcc, raft_log};

impl RaftLoop {
    /// This replica is no member any more.
    pub(crate) fn destroy(&mut self, range: RangeId) {
        let Some(mut slot) = self.slots.remove(&range) else { return };
        let replica = slot.shared.replica;
        let mut descriptor = (*slot.shared.descriptor()).clone();
        slot.shared.set_destroyed();
        slot.proposals.give_up("the replica was removed before the outcome was known");
        slot.reads.fail(|| KvError::RangeNotFound(range));
        // A change that takes this replica out has come about.
        descriptor.replicas.retain(|r| r.replica != replica);
        descriptor.epoch += 1;
        end_job(&mut slot, Ok(descriptor));
        for (_, _, waiter) in slot.inbound.drain(..) {
            waiter.finish(Err(KvError::RangeNotFound(range)));
        }
        self.awake.remove(&range);
        self.drop_incoming(range);
        self.destroying.insert(range, replica);
        self.peers.is_stale = true;
        self.tasks.push(ApplyTask::Destroy { range, replica });
    }
}

impl Applier {
    pub(crate) fn destroy(&mut self, range: RangeId, replica: ReplicaId) -> Result<(), RaftError> {
        let state = self.states.remove(&range);
        if let Some(state) = &state {
            mvcc::clear(&mut self.batch, &state.known.descriptor.span);
        }
        local::remove_replica(&mut self.batch, range);
        local::clear_pairs(&mut self.batch, range);
        local::put_tombstone(&mut self.batch, range, replica);
        raft_log::destroy(&mut self.batch, range);
        self.after.push(After::Destroyed { state: state.map(Box::new) });
        self.after.push(After::Tell(ApplyEvent::Destroyed { range }));
        self.flush()
    }
}
