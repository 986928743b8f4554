//! The way in to a replicated state machine: what the server of the meta group needs of
//! replication, and nothing else.

use base::{BoxFuture, KvResult, MonoTime, NodeId};
use bytes::Bytes;

/// One replica of a group that runs a [`crate::StateMachine`].
pub trait MetaGroup: Send + Sync {
    /// Proposes a command. Ends when it is applied on this replica, with the state machine's
    /// answer. `MetaNotLeader`/`Unavailable` mean that it never will be; `Ambiguous` that it may.
    fn propose(&self, command: Bytes) -> BoxFuture<'static, KvResult<Bytes>>;
    /// `Ok(term)` when this replica leads, has applied an entry of its own term, and its lease
    /// holds at `now`. Cheap: atomics.
    fn lead(&self, now: MonoTime) -> KvResult<u64>;
    /// Leads without a lease (the group was idle): confirms leadership with a quorum and waits
    /// until everything committed before the call is applied. `Ok(term)` as in `lead`.
    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>>;
    /// The node believed to lead.
    fn leader(&self) -> Option<NodeId>;
}
