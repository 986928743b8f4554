//! The simulated cluster: meta, shard and txn as they are, on one thread, from one seed.
//!
//! ```text
//!   clients, nemesis, checks          what happens to the cluster, and what must hold
//!   Cluster of Nodes                  storage in memory that forgets unsynced writes at a crash,
//!     │                               shard, meta and txn as in the server
//!   Network, SimClock                 base::Transport, shard::Outbox, base::Clock
//!     │
//!   Executor                          virtual time, tasks in an order drawn from the seed
//! ```
//!
//! **The same seed and the same code make the same run**, step by step: whatever is found can be
//! replayed. `SIM_SEED=n` runs one seed, `SIM_TRACE=1` prints what happens in it.

mod bell;
mod checks;
mod clients;
mod clock;
mod cluster;
mod executor;
mod model;
mod nemesis;
mod network;
mod node;
mod plugs;
mod run;
mod trace;
pub mod workload;

pub use clients::Clients;
pub use clock::SimClock;
pub use cluster::Cluster;
pub use executor::{Executor, Owner};
pub use model::{Counter, Fate, Knowledge, Model};
pub use nemesis::{Fault, Trouble};
pub use network::{Network, Weather};
pub use node::{Disks, Life, Node};
pub use run::{Outcome, run, run_on};
