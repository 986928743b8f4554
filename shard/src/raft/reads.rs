//! Reads that confirm leadership with a quorum, for leaders without a lease.
//!
//! Everybody who asks within one poll shares an attempt. Attempts get lost (messages, changes of
//! leader); each new one has a context of its own, so that a late answer never confirms a later
//! question.

use crate::raft::events::ApplyTask;
use crate::raft::raft_loop::RaftLoop;
use crate::raft::waiter::Reply;
use base::{KvError, MonoTime, RangeId};
use consensus::ConsensusError;
use std::collections::BTreeMap;

/// One group's reads.
#[derive(Default)]
pub(crate) struct Reads {
    /// Not part of an attempt yet.
    waiting: Vec<Reply<u64>>,
    /// Attempts by context, with the tick at which they began.
    attempts: BTreeMap<u64, (u64, Vec<Reply<u64>>)>,
}

impl Reads {
    pub(crate) fn push(&mut self, reply: Reply<u64>) {
        self.waiting.push(reply);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.attempts.is_empty()
    }

    /// Ends all waits.
    pub(crate) fn fail(&mut self, error: impl Fn() -> KvError) {
        let attempts = std::mem::take(&mut self.attempts).into_values().flat_map(|(_, r)| r);
        for reply in self.waiting.drain(..).chain(attempts) {
            let _ = reply.send(Err(error()));
        }
    }

    /// An attempt was confirmed. Earlier ones are confirmed with it.
    fn confirmed(&mut self, context: u64) -> Vec<Reply<u64>> {
        let later = self.attempts.split_off(&(context + 1));
        let confirmed = std::mem::replace(&mut self.attempts, later);
        confirmed.into_values().flat_map(|(_, replies)| replies).collect()
    }

    /// Attempts that began before this tick are given up; who still cares waits for the next.
    fn retry(&mut self, before: u64) {
        let (lost, going) = std::mem::take(&mut self.attempts)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, (tick, _))| *tick < before);
        self.attempts = going;
        self.waiting.extend(lost.into_values().flat_map(|(_, replies)| replies));
        self.waiting.retain(|reply| !reply.is_canceled());
    }
}

impl RaftLoop {
    /// Somebody wants to read without a lease.
    pub(crate) fn on_read_index(&mut self, range: RangeId, reply: Reply<u64>) {
        match self.slots.get_mut(&range) {
            Some(slot) if slot.group.is_leader() => {
                slot.reads.push(reply);
                self.asked.insert(range);
            }
            Some(slot) => drop(reply.send(Err(slot.shared.not_leader()))),
            None => drop(reply.send(Err(KvError::RangeNotFound(range)))),
        }
    }

    /// Begins an attempt for everybody who has asked since the last one.
    pub(crate) fn start_reads(&mut self, range: RangeId, now: MonoTime) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        if slot.reads.waiting.is_empty() {
            return;
        }
        self.last_context += 1;
        let context = self.last_context;
        match slot.group.read_index(context, now) {
            Ok(()) => {
                let replies = std::mem::take(&mut slot.reads.waiting);
                slot.reads.attempts.insert(context, (self.ticks, replies));
            }
            Err(ConsensusError::NotLeader) => {
                let shared = slot.shared.clone();
                slot.reads.fail(|| shared.not_leader());
            }
            // No entry of the own term is committed yet: the next tick asks again.
            Err(_) => {}
        }
        self.touch(range);
    }

    /// Repeats attempts that have taken too long.
    pub(crate) fn retry_reads(&mut self, range: RangeId, now: MonoTime) {
        let patience = self.config.heartbeat_ticks as u64;
        let ticks = self.ticks;
        if let Some(slot) = self.slots.get_mut(&range)
            && !slot.reads.is_empty()
        {
            slot.reads.retry((ticks + 1).saturating_sub(patience));
            self.start_reads(range, now);
        }
    }

    /// Attempts were confirmed: the rest is the applier's.
    pub(crate) fn on_reads(&mut self, range: RangeId, reads: Vec<(u64, u64)>) {
        let Some(slot) = self.slots.get_mut(&range) else { return };
        let term = slot.group.term();
        for (context, index) in reads {
            let replies = slot.reads.confirmed(context);
            if !replies.is_empty() {
                self.tasks.push(ApplyTask::Read { range, index, term, replies });
            }
        }
    }
}
