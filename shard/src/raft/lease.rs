//! Changes of leadership, as the rest of the node learns of them.
//!
//! The lease itself is kept by `consensus` and published with [`Slot::publish`] before any message
//! that rests on it leaves.

use crate::raft::events::ApplyTask;
use crate::raft::group::Slot;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::stats::StatsBoard;
use base::{MonoTime, RangeId};

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

    /// Tells evaluation to begin in the groups whose older leases have run out since.
    pub(crate) fn announce_leads(&mut self, now: MonoTime) {
        for range in self.settling.clone() {
            self.announce_lead(range, now);
        }
    }

    /// Tells evaluation to begin: the first entry of the own term has been handed over, and no older
    /// leader can serve any more. What evaluation prepares, above all the timestamp below which it
    /// takes every key as read, rests on both.
    pub(crate) fn announce_lead(&mut self, range: RangeId, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else {
            self.settling.remove(&range);
            return;
        };
        let term = slot.group.term();
        if !slot.group.is_leader() || slot.begun != term || slot.announced == term {
            self.settling.remove(&range);
            return;
        }
        if now < slot.group.settled_at() {
            return;
        }
        self.settling.remove(&range);
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

impl RaftLoop {
    /// When the first group that waits for older leases may be announced.
    pub(crate) fn next_settled(&self) -> Option<MonoTime> {
        let waiting = self.settling.iter().filter_map(|range| self.slots.get(range));
        waiting.map(|slot| slot.group.settled_at()).min()
    }
}

/// A group that does not lead owes nobody a read, and its open proposals an answer soon.
fn retire(slot: &mut Slot, ticks: u64) {
    let shared = slot.shared.clone();
    slot.refuse_waiting(|| shared.not_leader());
    slot.sends.clear();
    if !slot.proposals.is_empty() && slot.lost_at.is_none() {
        slot.lost_at = Some(ticks);
    }
}
