//! Changes of leadership, as the rest of the node learns of them.
//!
//! The lease itself is kept by `consensus` and published with [`Slot::publish`] before any message
//! that rests on it leaves.

use crate::raft::events::ApplyTask;
use crate::raft::group::Slot;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::stats::StatsBoard;
use base::RangeId;

impl RaftLoop {
    /// Tells evaluation about lost leadership.
    pub(crate) fn observe_role(&mut self, range: RangeId) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let leads = if slot.group.is_leader() { slot.group.term() } else { 0 };
        if slot.announced != 0 && slot.announced != leads {
            slot.announced = 0;
            self.views_stale = true;
            let leader = slot.shared.leader();
            self.tasks.push(ApplyTask::Follow { range, leader });
        }
        if leads == 0 {
            retire(slot, self.ticks);
        }
    }

    /// Tells evaluation to begin: the first entry of the own term has been handed over.
    pub(crate) fn announce_lead(&mut self, range: RangeId, term: u64) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        slot.announced = term;
        self.views_stale = true;
        slot.eager_ticks = 0;
        slot.lost_at = None;
        StatsBoard::add(&self.core.stats.elections_won, 1);
        self.tasks.push(ApplyTask::Lead { range, term });
    }

    /// Proposals of a former leader end as unknown when the next leader has not settled them in an
    /// election timeout.
    pub(crate) fn expire_proposals(&mut self, range: RangeId) {
        let patience = self.config.election_ticks as u64;
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if slot.lost_at.is_some_and(|since| self.ticks >= since + patience) {
            slot.proposals.give_up("leadership was lost before the outcome was known");
            slot.lost_at = None;
        }
    }
}

/// A group that does not lead owes nobody a read, and its open proposals an answer soon.
fn retire(slot: &mut Slot, ticks: u64) {
    let shared = slot.shared.clone();
    slot.reads.fail(|| shared.not_leader());
    for (_, _, waiter) in slot.inbound.drain(..) {
        waiter.finish(Err(shared.not_leader()));
    }
    slot.sends.clear();
    if !slot.proposals.is_empty() && slot.lost_at.is_none() {
        slot.lost_at = Some(ticks);
    }
}
