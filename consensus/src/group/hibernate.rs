//! Idle groups sleep: no ticks, no heartbeats, no lease.
//!
//! The leader sends everybody to sleep once all of them hold and know everything. Any message, any
//! proposal and any read wakes a replica; that a leader's node is gone is found out between nodes,
//! not per group, and told to [`Group::lose_leader`].

use super::*;
use crate::ready::Message;

/// How often a replica that has lost its leader asks again.
const RETRIES: u32 = 4;

impl Group {
    /// True when this leader has nothing to say to anybody. Replicas for which `is_away` holds need
    /// not be up to date: they are caught up when they return.
    pub fn is_idle(&self, is_away: impl Fn(u64) -> bool) -> bool {
        let raft = &self.node.raft;
        let last = raft.raft_log.last_index();
        self.is_leader()
            && self.pending.is_none()
            && raft.raft_log.committed == last
            && raft.raft_log.applied() == last
            && raft.lead_transferee.is_none()
            && raft.pending_read_count() == 0
            && !self.membership.is_joint()
            && self.progress().iter().all(|p| p.matched == last || is_away(p.replica))
    }

    /// Goes to sleep; returns what tells the others to.
    pub fn hibernate(&mut self) -> Vec<Message> {
        self.is_hibernating = true;
        let applied = self.node.raft.raft_log.applied();
        self.node.mut_store().evict_all(applied);
        let commit = self.node.raft.raft_log.committed;
        let term = self.node.raft.term;
        let bytes = Envelope::plain(Payload::Hibernate { term, commit }).encode();
        let others = self.membership.all().into_iter().filter(|id| *id != self.config.replica);
        others.map(|to| Message { to, bytes: bytes.clone(), snapshot: None }).collect()
    }

    /// The leader sleeps. Follow it, if this replica has and knows everything as well; otherwise the
    /// election timeout will wake the leader.
    pub(super) fn on_hibernate(&mut self, from: u64, term: u64, commit: u64) {
        let raft = &self.node.raft;
        if raft.state == StateRole::Follower
            && raft.term == term
            && raft.leader_id == from
            && raft.raft_log.committed == commit
            && raft.raft_log.last_index() == commit
        {
            self.is_hibernating = true;
            let applied = raft.raft_log.applied();
            self.node.mut_store().evict_all(applied);
        }
    }

    /// True while asleep.
    pub fn is_hibernating(&self) -> bool {
        self.is_hibernating
    }

    /// Wakes up; a leader makes itself heard, which wakes the others.
    pub fn wake(&mut self, _now: MonoTime) {
        if self.is_hibernating {
            self.is_hibernating = false;
            // The time asleep counts neither as silence of the leader nor of the followers.
            self.node.raft.election_elapsed = 0;
            self.node.ping();
        }
    }

    /// The leader's node is gone or has restarted: wake, do not defend the leader against other
    /// candidates, and campaign after so many ticks, at least one; and `again` after so many more
    /// when nobody has answered, a few times. Nothing rests on its being true: a leader that lives is
    /// defended by those who hear it, and its lease is waited out.
    pub fn lose_leader(&mut self, ticks: usize, again: usize, now: MonoTime) {
        self.wake(now);
        if self.node.raft.state == StateRole::Follower {
            self.node.raft.leader_id = raft::INVALID_ID;
            self.retry = Retry { every: again.max(1), left: RETRIES };
            self.campaign_in(ticks.max(1));
        }
    }

    /// The first question, which changes nobody's term, may be asked again at once: the others may
    /// not have been connected, or still have followed the leader.
    pub(super) fn try_again_soon(&mut self) {
        if self.node.raft.state == StateRole::PreCandidate && self.retry.left > 0 {
            self.retry.left -= 1;
            self.campaign_in(self.retry.every);
        }
    }

    fn campaign_in(&mut self, ticks: usize) {
        self.node.raft.election_elapsed = self.timeout.ticks().saturating_sub(ticks);
    }

    /// Answers to a sleeping leader that tell it nothing new are no reason to wake.
    pub(super) fn is_mere_answer(&self, message: &eraftpb::Message) -> bool {
        let is_answer = matches!(
            message.get_msg_type(),
            MessageType::MsgAppendResponse | MessageType::MsgHeartbeatResponse
        );
        is_answer && !message.reject && message.term == self.node.raft.term
    }
}
