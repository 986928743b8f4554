//! Raft groups as values that are stepped: bytes, ticks and the time go in, a [`Ready`] comes out.
//!
//! ```text
//!  propose ─┐                    ┌─► messages        to followers, before the local sync
//!  step ────┤   ┌───────────┐    ├─► entries,        to disk, one batch with the hard state,
//!  tick ────┼──►│   Group   │────┤   hard state      synced once for all groups that are ready
//!  applied ─┘   └───────────┘    ├─► messages_after  answers that promise what is now on disk
//!                                └─► committed       to the state machine
//! ```
//!
//! The algorithm is the `raft` crate's; this crate keeps its facade closed: peers' messages are
//! checked before they reach it, its random election timeout is replaced by a seeded one, and a
//! leader's lease is our own, measured on monotonic time.
//!
//! **No socket, no clock, no randomness, no disk in here.** Time is an argument, the seed is given,
//! the log is read through [`LogReader`].

mod config;
mod election;
mod envelope;
mod error;
mod group;
mod lease;
mod log;
mod log_cache;
mod membership;
mod meta_group;
mod ready;
mod state_machine;
mod validate;

pub use config::GroupConfig;
pub use envelope::{Envelope, Payload};
pub use error::ConsensusError;
pub use group::{Group, GroupStatus, PeerProgress};
pub use lease::LeaseView;
pub use log::{Entry, EntryKind, GroupState, HardState, LogReader, SnapshotMeta};
pub use membership::{Change, Membership};
pub use meta_group::MetaGroup;
pub use ready::{Message, Ready, Role};
pub use state_machine::StateMachine;
