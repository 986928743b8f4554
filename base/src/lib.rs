//! The vocabulary that every other crate shares: ids, keys, timestamps, range descriptors, the
//! request API between transaction coordinators and ranges, the traits through which the outside
//! world (clock, network) enters, and the error kinds that cross crate borders.
//!
//! **Nothing in here does IO, reads a clock or draws a random number.**

pub mod api;
mod clock;
pub mod codec;
mod descriptor;
mod error;
mod ids;
mod key;
pub mod layout;
pub mod meta_api;
pub mod peer_api;
mod pushdown;
mod span;
mod timestamp;
mod transport;

pub use clock::{Clock, MonoTime};
pub use descriptor::{NodeDescriptor, RangeDescriptor, ReplicaDescriptor, ReplicaKind};
pub use error::{KvError, KvResult};
pub use ids::{ClusterId, NodeId, RangeId, ReplicaId, TxnId};
pub use key::Key;
pub use pushdown::{FragmentRun, Pushdown, RowFlow};
pub use span::Span;
pub use timestamp::Timestamp;
pub use transport::{BoxFuture, Transport};
