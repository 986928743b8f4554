//! Handing leadership to another node: one range on request, all of them before the process ends.

use crate::raft::group::Slot;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::waiter::Reply;
use base::{KvError, MonoTime, NodeId, RangeId, ReplicaKind};

/// A hand-over that somebody waits for.
pub(crate) struct TransferJob {
    target: NodeId,
    reply: Reply<()>,
    /// The target was asked to take over at least once.
    was_started: bool,
    /// Given up at this tick.
    deadline: u64,
}

/// Everything is to be handed over.
pub(crate) struct Drain {
    reply: Option<Reply<()>>,
    /// Whoever waits is answered at this tick at the latest.
    deadline: u64,
}

impl RaftLoop {
    pub(crate) fn start_transfer(
        &mut self,
        range: RangeId,
        target: NodeId,
        reply: Reply<()>,
        now: MonoTime,
    ) {
        let deadline = self.ticks + 3 * self.config.election_ticks as u64;
        let Some(slot) = self.slots.get_mut(&range) else {
            let _ = reply.send(Err(KvError::RangeNotFound(range)));
            return;
        };
        if let Some(refusal) = refusal(slot, target) {
            let _ = reply.send(refusal);
            return;
        }
        slot.transfer = Some(TransferJob { target, reply, was_started: false, deadline });
        slot.group.wake(now);
        self.try_transfer(range, now);
        self.touch(range);
    }

    fn try_transfer(&mut self, range: RangeId, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let Some(job) = &mut slot.transfer else { return };
        let descriptor = slot.shared.descriptor();
        if let Some(replica) = descriptor.replica_on(job.target) {
            job.was_started |= slot.group.transfer(replica.replica.0, now).is_ok();
        }
    }

    /// Ends a hand-over that has happened or failed.
    pub(crate) fn watch_transfer(&mut self, range: RangeId) {
        let ticks = self.ticks;
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let Some(job) = &slot.transfer else { return };
        let leads_there = slot.shared.leader().is_some_and(|leader| leader.node == job.target)
            && !slot.group.is_leader();
        let has_failed = slot.group.is_leader() && slot.group.status().transferee.is_none();
        let result = if leads_there {
            Ok(())
        } else if ticks >= job.deadline || (has_failed && job.was_started) {
            Err(KvError::Unavailable(format!("{} did not take over {range}", job.target)))
        } else {
            return;
        };
        if let Some(job) = slot.transfer.take() {
            let _ = job.reply.send(result);
        }
    }

    pub(crate) fn start_drain(&mut self, reply: Reply<()>, now: MonoTime) {
        let deadline = self.ticks + 2 * self.config.election_ticks as u64;
        self.drain = Some(Drain { reply: Some(reply), deadline });
        self.drain_leaders(now);
        self.finish_drain();
    }

    pub(crate) fn tick_drain(&mut self, now: MonoTime) {
        if self.drain.is_some() {
            self.drain_leaders(now);
            self.finish_drain();
        }
    }

    /// Asks the best follower of every group that is led here to take over.
    fn drain_leaders(&mut self, now: MonoTime) {
        for (range, slot) in &mut self.slots {
            if !can_be_handed_over(slot) || slot.group.status().transferee.is_some() {
                continue;
            }
            slot.group.wake(now);
            let voters = &slot.group.membership().voters;
            let progress = slot.group.progress();
            let fit = progress.iter().filter(|p| voters.contains(&p.replica) && p.is_active);
            if let Some(best) = fit.max_by_key(|p| p.matched).map(|p| p.replica) {
                // Refused while another hand-over or change is under way; the next tick tries again.
                let _ = slot.group.transfer(best, now);
            }
            self.awake.insert(*range);
            self.dirty.insert(*range);
        }
    }

    fn finish_drain(&mut self) {
        let is_done = !self.slots.values().any(can_be_handed_over);
        let Some(drain) = &mut self.drain else { return };
        if (is_done || self.ticks >= drain.deadline)
            && let Some(reply) = drain.reply.take()
        {
            let left = || KvError::Unavailable("nobody takes over the remaining ranges".into());
            let _ = reply.send(if is_done { Ok(()) } else { Err(left()) });
        }
    }
}

fn can_be_handed_over(slot: &Slot) -> bool {
    slot.group.is_leader() && slot.group.membership().voters.len() > 1
}

/// Why a hand-over is pointless, or that it has happened already.
fn refusal(slot: &Slot, target: NodeId) -> Option<Result<(), KvError>> {
    let descriptor = slot.shared.descriptor();
    if !slot.group.is_leader() {
        return Some(Err(slot.shared.not_leader()));
    }
    if target == slot.shared.node {
        return Some(Ok(()));
    }
    let is_voter =
        descriptor.replica_on(target).is_some_and(|replica| replica.kind == ReplicaKind::Voter);
    if !is_voter {
        return Some(Err(KvError::Fatal(format!("{target} has no voting replica"))));
    }
    slot.transfer
        .is_some()
        .then(|| Err(KvError::Unavailable(format!("{} is being handed over", slot.shared.range))))
}
