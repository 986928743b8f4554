//! The disk below everything: one store a process, four keyspaces, one log.
//!
//! ```text
//!   mvcc   raft_log   chunks   identity        what the bytes mean
//!      └──────┴─────────┴─────────┘
//!   Engine · Snapshot · Iter · WriteBatch       what can be done with bytes
//!      ┌──────────────┴──────────────┐
//!   RocksDB                       memory        two engines, one contract
//! ```
//!
//! * **A batch is atomic over all keyspaces**, and batches become durable in the order in which
//!   they were written: a crash loses a tail of them, never one from the middle.
//! * **An iterator error is never the end of the data**: every step returns a `Result`.
//! * **Storage knows no Raft, no transaction protocol, no clock.** It stores logs, versions, intents
//!   and records for those that do.
//! * After [`StorageError::SyncFailed`] the process ends: what the disk holds is unknown, and asking
//!   again would lie.

mod batch;
pub mod chunks;
mod directory;
mod engine;
mod error;
mod identity;
mod iter;
mod keyspace;
mod memory;
pub mod mvcc;
mod options;
pub mod raft_log;
mod rocks;
mod snapshot;

pub use batch::{BatchOp, WriteBatch};
pub use directory::FORMAT_VERSION;
pub use engine::Engine;
pub use error::{StorageError, StorageResult};
pub use identity::Identity;
pub use iter::Iter;
pub use keyspace::Keyspace;
pub use memory::MemDisk;
pub use options::{DiskUsage, Durability, EngineOptions, Room};
pub use snapshot::Snapshot;
