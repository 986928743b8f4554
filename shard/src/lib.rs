//! The replicated key space: replica life, evaluation, latches, locks.

mod call;
pub mod command;
mod conflict;
mod dispatch;
mod effects;
mod env;
mod eval;
mod intent_count;
pub mod latches;
mod leadership;
mod lock_table;
mod lock_wait;
mod probe;
mod proposal;
pub mod raft;
mod recent;
mod replica;
pub mod replication;
mod sequencer;
mod store;
pub mod ts_cache;
mod wait_counts;
mod wait_watch;
mod waits;

pub use env::{Lookup, Oracle, Route, StoreConfig, StoreEnv, WaitReporter};
pub use store::Store;
pub use wait_counts::LockWaits;
