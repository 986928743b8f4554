//! Transaction coordinator and router: what a SQL process uses to reach the ranges.
//!
//! ```text
//!  sql ── Txn ──┬─ write buffer, locks, view               (one transaction)
//!               ├─ Oracle, TxnIds, MetaClient ── meta leader  (one process)
//!               └─ Router, send, scatter ── range leaders     (one process)
//! ```
//!
//! A [`Txn`] reads at snapshots, buffers its writes and sends them all at COMMIT; `base::api` holds
//! the protocol on one page. What this crate adds to it are the retries: a request that certainly
//! did nothing is sent again to whoever leads by now, a request of unknown fate is sent again in a
//! way that cannot apply twice, and only when neither gives an answer within the deadline does the
//! caller see [`base::KvError::Unavailable`] or [`base::KvError::Ambiguous`].
//!
//! **No wait in here is without a deadline, and no correctness rests on a cache**: the RangeMap is
//! a hint, locks are a courtesy, every condition travels with the write it guards.

mod buffer;
mod client;
mod commit;
mod config;
mod ids;
mod keeper;
mod lock;
mod locks;
mod merge;
mod meta_client;
mod moves;
mod oracle;
mod patience;
mod range_map;
mod read;
mod read_set;
mod refresh;
mod release;
mod router;
mod run_to_end;
mod scan;
mod scan_types;
mod scatter;
mod sender;
mod snapshots;
mod txn;
mod view;

pub use client::{TxnClient, TxnEnv};
pub use config::TxnConfig;
pub use moves::MoveError;
pub use router::{Route, Router};
pub use scan_types::{TxnScan, TxnScanPage};
pub use snapshots::PinnedSnapshot;
pub use txn::{Isolation, SavepointId, TouchLog, Txn, TxnLocked};
