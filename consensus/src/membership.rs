//! Who takes part in a group, and how that may change.

use crate::ConsensusError;
use bincode::{Decode, Encode};
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState,
};
use std::collections::BTreeSet;

/// The members of a group. While `outgoing` is not empty the group is between two sets of voters
/// and needs a majority of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Membership {
    /// Voters.
    pub voters: BTreeSet<u64>,
    /// The voters of before, during a joint change.
    pub outgoing: BTreeSet<u64>,
    /// Receive the log, do not vote.
    pub learners: BTreeSet<u64>,
}

/// One change, as one log entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// A new replica starts as a learner.
    AddLearner(u64),
    /// A learner that gave up.
    RemoveLearner(u64),
    /// Enters the joint state: learners become voters, voters leave.
    Replace { promote: Vec<u64>, remove: Vec<u64> },
    /// Leaves the joint state.
    Leave,
}

impl Membership {
    /// A group with these voters.
    pub fn of_voters(voters: impl IntoIterator<Item = u64>) -> Membership {
        Membership { voters: voters.into_iter().collect(), ..Membership::default() }
    }

    /// True when the replica takes part in any way.
    pub fn contains(&self, replica: u64) -> bool {
        self.voters.contains(&replica)
            || self.outgoing.contains(&replica)
            || self.learners.contains(&replica)
    }

    /// True between two sets of voters.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// True when nobody has been told yet: a replica that waits for its first snapshot.
    pub fn is_empty(&self) -> bool {
        self.voters.is_empty()
    }

    /// Every member once, in order.
    pub fn all(&self) -> BTreeSet<u64> {
        self.voters.iter().chain(&self.outgoing).chain(&self.learners).copied().collect()
    }

    /// True when the own vote alone decides.
    pub fn is_lone(&self, replica: u64) -> bool {
        self.voters.len() == 1 && self.voters.contains(&replica) && self.outgoing.is_empty()
    }

    /// The members after a change; refuses one that does not fit.
    pub fn after(&self, change: &Change) -> Result<Membership, ConsensusError> {
        let refused = |why: &str| Err(ConsensusError::BadChange(why.to_string()));
        let mut next = self.clone();
        match change {
            Change::Leave if !self.is_joint() => return refused("not in a joint state"),
            Change::Leave => next.outgoing.clear(),
            _ if self.is_joint() => return refused("another change is under way"),
            Change::AddLearner(id) if self.contains(*id) => return refused("is a member already"),
            Change::AddLearner(id) => drop(next.learners.insert(*id)),
            Change::RemoveLearner(id) if !self.learners.contains(id) => {
                return refused("is no learner");
            }
            Change::RemoveLearner(id) => drop(next.learners.remove(id)),
            Change::Replace { promote, remove } => {
                next.outgoing = self.voters.clone();
                for id in promote {
                    if !next.learners.remove(id) {
                        return refused("only learners become voters");
                    }
                    next.voters.insert(*id);
                }
                for id in remove {
                    if !next.voters.remove(id) {
                        return refused("only voters leave");
                    }
                }
                if next.voters.is_empty() {
                    return refused("no voter would be left");
                }
            }
        }
        Ok(next)
    }

    pub(crate) fn to_conf_state(&self) -> ConfState {
        let mut state = ConfState::default();
        state.set_voters(self.voters.iter().copied().collect());
        state.set_voters_outgoing(self.outgoing.iter().copied().collect());
        state.set_learners(self.learners.iter().copied().collect());
        state
    }

    pub(crate) fn from_conf_state(state: &ConfState) -> Membership {
        Membership {
            voters: state.get_voters().iter().copied().collect(),
            outgoing: state.get_voters_outgoing().iter().copied().collect(),
            learners: state.get_learners().iter().copied().collect(),
        }
    }
}

impl Change {
    pub(crate) fn to_raft(&self) -> ConfChangeV2 {
        let mut change = ConfChangeV2::default();
        let mut steps = Vec::new();
        match self {
            Change::AddLearner(id) => steps.push(step(ConfChangeType::AddLearnerNode, *id)),
            Change::RemoveLearner(id) => steps.push(step(ConfChangeType::RemoveNode, *id)),
            Change::Replace { promote, remove } => {
                change.set_transition(ConfChangeTransition::Explicit);
                steps.extend(promote.iter().map(|id| step(ConfChangeType::AddNode, *id)));
                steps.extend(remove.iter().map(|id| step(ConfChangeType::RemoveNode, *id)));
            }
            Change::Leave => {}
        }
        change.set_changes(steps.into());
        change
    }
}

fn step(kind: ConfChangeType, replica: u64) -> ConfChangeSingle {
    let mut step = ConfChangeSingle::default();
    step.set_change_type(kind);
    step.node_id = replica;
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_goes_through_both_majorities() {
        let start = Membership::of_voters([1, 2, 3]);
        let learner = start.after(&Change::AddLearner(4)).unwrap();
        let joint = learner.after(&Change::Replace { promote: vec![4], remove: vec![1] }).unwrap();
        assert_eq!(joint.voters, BTreeSet::from([2, 3, 4]));
        assert_eq!(joint.outgoing, BTreeSet::from([1, 2, 3]));
        assert!(joint.after(&Change::AddLearner(5)).is_err());
        let end = joint.after(&Change::Leave).unwrap();
        assert_eq!(end, Membership::of_voters([2, 3, 4]));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let start = Membership::of_voters([1]);
        for change in [
            Change::Leave,
            Change::AddLearner(1),
            Change::RemoveLearner(1),
            Change::Replace { promote: vec![2], remove: vec![] },
            Change::Replace { promote: vec![], remove: vec![1] },
        ] {
            assert!(start.after(&change).is_err(), "{change:?}");
        }
    }
}
