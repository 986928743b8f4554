//! The meta group: what a cluster knows about itself.
//!
//! ```text
//!   MetaService     requests in, answers out; only the leader answers
//!     ├─ Oracle         timestamps, from a window whose end is replicated
//!     ├─ Liveness       who is alive, who still reads what        leader's memory
//!     ├─ Detector       who waits for whom                        leader's memory
//!     └─ MetaGroup ───► MetaMachine ───► MetaState                replicated
//!                                         nodes, RangeMap, ids, settings, end of the window
//! ```
//!
//! * **No timestamp and no id is ever given out twice**, and a timestamp drawn after another one is
//!   greater, over leader changes, restarts and whatever the wall clock does.
//! * **The RangeMap is a hint**: it is kept from leaders' reports, newer epochs win. The ranges
//!   themselves know better.
//! * The state machine reads no clock and draws no random number; the service is given both.

mod command;
mod config;
mod deadlock;
mod liveness;
mod machine;
mod oracle;
mod pace;
mod placement;
mod range_map;
mod service;
mod state;

pub use config::MetaConfig;
pub use deadlock::Detector;
pub use machine::{MetaMachine, MetaView};
pub use placement::{Repair, choose_nodes};
pub use range_map::{Changes, RangeEntry, RangeMap};
pub use service::{MetaCounts, MetaService};
pub use state::MetaState;
