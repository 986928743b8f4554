//! Handing leadership over.
//!
//! **The lease goes first.** From the moment a successor may be told to campaign, this leader serves
//! no read by lease in this term any more, because the message that tells it can arrive late.

use super::*;

impl Group {
    /// Hands leadership to a voter. It has happened when this replica no longer leads; it has failed
    /// when `status().transferee` is empty and it still does.
    pub fn transfer(&mut self, to: u64, now: MonoTime) -> Result<(), ConsensusError> {
        if !self.is_leader() {
            return Err(ConsensusError::NotLeader);
        }
        if to == self.config.replica || !self.membership.voters.contains(&to) {
            return Err(ConsensusError::BadChange("the successor must be another voter".into()));
        }
        self.wake(now);
        self.lease.forfeit(true);
        self.node.transfer_leader(to);
        if self.node.raft.lead_transferee.is_none() {
            self.lease.forfeit(false);
            return Err(ConsensusError::Busy);
        }
        Ok(())
    }

    /// After a hand-over that was given up: the lease may be taken back only if nobody was told to
    /// campaign. Otherwise this replica leads on in a new term.
    pub(super) fn finish_handover(&mut self, now: MonoTime) {
        if !self.is_leader() || self.node.raft.lead_transferee.is_some() {
            return;
        }
        if self.handed_over == Some(self.node.raft.term) || self.is_telling_successor() {
            let term = self.node.raft.term;
            self.node.raft.become_follower(term, raft::INVALID_ID);
            self.observe(now);
            self.node.raft.campaign(raft::CAMPAIGN_TRANSFER);
            self.observe(now);
        } else {
            self.lease.forfeit(false);
        }
    }

    /// The message that tells a successor is about to leave.
    fn is_telling_successor(&self) -> bool {
        self.node.raft.msgs.iter().any(|m| m.get_msg_type() == MessageType::MsgTimeoutNow)
    }
}
