//! Everything at and below Raft: the life of replicas, their logs, their members.
//!
//! ```text
//!  callers ──propose──►┌────────┐   entries of all ready groups   ┌────────┐
//!  peers ──messages───►│  Raft  │──► one synced write ──► disk    │        │
//!  Applier ──events───►│  Loop  │──► messages (Outbox)            │ engine │
//!                      └───┬────┘                                 │        │
//!                          │ committed entries, in log order      │        │
//!                      ┌───▼────┐   effects and applied index     │        │
//!  callers ◄──answers──│Applier │──► one batch for all groups ───►│        │
//!                      └────────┘                                 └────────┘
//! ```
//!
//! [`RaftLoop`] and [`Applier`] are polled values, each owned by one thread of the server or both by
//! the simulator; neither reads a clock, draws a random number or waits for anything but the disk.
//!
//! * The loop alone touches the Raft groups and their logs; the applier alone touches the state
//!   machines. They talk through two queues.
//! * **The applied state is the authority.** Splits and snapshots are first carried out by the
//!   applier, in one batch with the applied index; the loop then builds the group anew from what is
//!   on disk ([`start`]), which is also all that a restart does.
//! * **Apply is deterministic**: no clock, no randomness, no order of a hash map.
//! * A sync that fails ends the process: both `poll`s return an error and must not be called again.

mod applier;
mod apply_change;
mod apply_command;
mod committed;
mod config;
mod destroy;
mod dispatch;
mod engine_log;
mod error;
mod events;
mod farewell;
mod group;
mod handle;
mod hibernate;
mod inbox;
mod install;
mod lease;
mod local;
mod machine;
mod membership;
mod outbox;
mod proposals;
mod raft_loop;
mod reads;
mod ready;
mod replica;
mod shared;
mod snapshot_recv;
mod snapshot_send;
mod snapshot_stream;
mod split;
mod start;
mod stats;
mod transfer;
mod truncate;
mod waiter;

pub use applier::Applier;
pub use config::RaftStoreConfig;
pub use error::RaftError;
pub use handle::RaftHandle;
pub use outbox::{Outbox, RaftNotify};
pub use raft_loop::{Poll, RaftLoop};
pub use start::open;
pub use stats::{GroupView, RaftStats};
