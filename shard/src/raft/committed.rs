//! A committed entry on its way to the state machine, and what its kinds of data look like.

use crate::raft::waiter::ProposalWaiter;
use base::RangeDescriptor;
use bincode::{Decode, Encode};
use consensus::{Change, Entry};

/// An entry, and whoever waits for it on this node.
pub(crate) struct Committed {
    pub(crate) entry: Entry,
    pub(crate) waiter: Option<ProposalWaiter>,
}

/// The command in an entry that changes members: the descriptor changes with them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct MembershipCommand {
    pub(crate) change: Change,
    /// The descriptor afterwards; its epoch is one more than before.
    pub(crate) descriptor: RangeDescriptor,
}
