//! A group as others see it.

use super::*;
use crate::ready::Role;
use raft::ProgressState;

/// A group as views and the replication loop see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// The own role.
    pub role: Role,
    /// The term.
    pub term: u64,
    /// The leader of the term, if known.
    pub leader: Option<u64>,
    /// Last committed entry.
    pub commit: u64,
    /// Last entry that the state machine is known to hold.
    pub applied: u64,
    /// Last entry.
    pub last: u64,
    /// First entry that is still in the log.
    pub first: u64,
    /// A hand-over to this replica is under way.
    pub transferee: Option<u64>,
}

/// How far another replica is, as the leader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerProgress {
    /// The replica.
    pub replica: u64,
    /// It holds everything up to here.
    pub matched: u64,
    /// It is receiving a snapshot.
    pub is_in_snapshot: bool,
    /// It follows the log without gaps.
    pub is_replicating: bool,
    /// It has answered lately.
    pub is_active: bool,
}

impl Group {
    /// The lease, empty when this replica does not lead.
    pub fn lease(&self) -> LeaseView {
        if self.is_leader() {
            self.lease.view(self.config.replica, &self.membership)
        } else {
            LeaseView::default()
        }
    }

    /// When every lease of an earlier leader has run out; meaningful on the leader.
    pub fn settled_at(&self) -> MonoTime {
        self.lease.settled_at()
    }

    /// Leads the present term.
    pub fn is_leader(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }

    /// The present term.
    pub fn term(&self) -> u64 {
        self.node.raft.term
    }

    /// The own replica.
    pub fn replica(&self) -> u64 {
        self.config.replica
    }

    /// The members, as of the last applied change.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Everything at a glance.
    pub fn status(&self) -> GroupStatus {
        let raft = &self.node.raft;
        GroupStatus {
            role: match raft.state {
                StateRole::Leader => Role::Leader,
                StateRole::Follower => Role::Follower,
                StateRole::Candidate | StateRole::PreCandidate => Role::Candidate,
            },
            term: raft.term,
            leader: (raft.leader_id != 0).then_some(raft.leader_id),
            commit: raft.raft_log.committed,
            applied: raft.raft_log.applied(),
            last: raft.raft_log.last_index(),
            first: raft.raft_log.first_index(),
            transferee: raft.lead_transferee,
        }
    }

    /// The term of an entry of the log.
    pub fn term_of(&self, index: u64) -> Result<u64, ConsensusError> {
        self.node.store().term_of(index)
    }

    /// How far the others are, in order; meaningful on the leader.
    pub fn progress(&self) -> Vec<PeerProgress> {
        let mut peers: Vec<PeerProgress> = self
            .node
            .raft
            .prs()
            .iter()
            .filter(|(id, _)| **id != self.config.replica)
            .map(|(id, progress)| {
                assert!(
                    progress.matched < progress.next_idx
                        && progress.matched <= self.node.raft.raft_log.last_index(),
                    "progress of replica {id} is out of bounds: {progress:?}"
                );
                PeerProgress {
                    replica: *id,
                    matched: progress.matched,
                    is_in_snapshot: progress.state == ProgressState::Snapshot,
                    is_replicating: progress.state == ProgressState::Replicate,
                    is_active: progress.recent_active,
                }
            })
            .collect();
        peers.sort_unstable_by_key(|p| p.replica);
        peers
    }
}
