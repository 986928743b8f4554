//! What a group wants done, in the order in which it must be done:
//!
//! 1. send `messages`;
//! 2. write `entries` (replacing everything from the first one's index on) and `hard_state`, in one
//!    batch, synced if `must_sync`;
//! 3. send `messages_after`; call [`crate::Group::persisted`];
//! 4. hand `committed` of both to the state machine, in order.
//!
//! Between [`crate::Group::ready`] and [`crate::Group::persisted`] the group is not touched.

use crate::log::{Entry, HardState};

/// Work of one round; see the module for the order.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    /// To send at once.
    pub messages: Vec<Message>,
    /// To write.
    pub entries: Vec<Entry>,
    /// To write with the entries.
    pub hard_state: Option<HardState>,
    /// The write must be on disk before anything else is done.
    pub must_sync: bool,
    /// To send once the write is on disk.
    pub messages_after: Vec<Message>,
    /// Committed and on disk.
    pub committed: Vec<Entry>,
    /// Reads that are confirmed: context, and the index that must be applied first.
    pub reads: Vec<(u64, u64)>,
}

/// A message for another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The receiver.
    pub to: u64,
    /// Encoded [`crate::Envelope`].
    pub bytes: Vec<u8>,
    /// Set when this announces a snapshot: its data goes first.
    pub snapshot: Option<u64>,
}

/// The part that a replica plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows, or looks for somebody to follow.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
}
