//! The border between evaluation (above Raft) and replication (below it): what each side may ask
//! of the other, and nothing else.

use crate::command::Command;
use base::{BoxFuture, KvResult, MonoTime, NodeId, RangeDescriptor, RangeId};
use base::{ReplicaDescriptor, Timestamp};
use std::sync::Arc;

/// What evaluation asks of one replica's replication. Implemented below Raft.
pub trait Replication: Send + Sync {
    /// The descriptor as last applied. Take it *after* pinning the engine snapshot when a decision
    /// rests on both.
    fn descriptor(&self) -> Arc<RangeDescriptor>;
    /// `Ok(term)` when this replica leads, has applied an entry of its own term, and its lease
    /// holds at `now`. Otherwise the reason, as the error for the client: `NotLeader`, or
    /// `Unavailable` when it leads without a lease for now (the group was idle, the previous
    /// leader's lease may still run, a split is under way): then `read_index` helps. Cheap: atomics.
    fn lead(&self, now: MonoTime) -> KvResult<u64>;
    /// The replica believed to lead.
    fn leader(&self) -> Option<ReplicaDescriptor>;
    /// Leads without a lease: confirm leadership with a quorum and wait until everything committed
    /// before the call is applied (ReadIndex). `Ok(term)` as in `lead`.
    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>>;
    /// Proposes a command. Ends when it is applied on this replica and its effects are visible to
    /// new engine snapshots. `NotLeader`/`StaleEpoch`/`Unavailable` mean that it never will be;
    /// `Ambiguous` that it may: this replica has lost its leadership meanwhile. While it leads it
    /// knows, so the future must not end earlier: the caller's latches protect what is in flight.
    fn propose(&self, command: Command) -> BoxFuture<'static, KvResult<()>>;
    /// Adds and removes replicas step by step; ends when the change is complete.
    fn change_replicas(
        &self,
        add: Vec<NodeId>,
        remove: Vec<NodeId>,
    ) -> BoxFuture<'static, KvResult<RangeDescriptor>>;
    /// Hands leadership to the voter on `target`; ends when it has happened or failed.
    fn transfer_leader(&self, target: NodeId) -> BoxFuture<'static, KvResult<()>>;
    /// Raft term, applied index (for views).
    fn progress(&self) -> (u64, u64);
    /// The highest [`crate::command::Trigger::SafePoint`] applied; part of the replicated state,
    /// so it survives restarts and travels with snapshots. `Timestamp::ZERO` at first. The
    /// versions that it frees are removed by later commands, so replicas stay alike.
    fn safe_point(&self) -> Timestamp;
}

/// What replication tells evaluation. Called from the apply path, in log order, never
/// concurrently for one range.
pub trait ReplicaObserver: Send + Sync {
    /// This replica has become leader and has applied everything of earlier terms. Its lease
    /// is valid from now on; requests may arrive once this returns.
    fn on_lead(&self, term: u64);
    /// This replica leads no more: waiters in queues must be told to go elsewhere.
    fn on_follow(&self, leader: Option<ReplicaDescriptor>);
    /// A command has been applied (on leaders and followers).
    fn on_apply(&self, command: &Command);
    /// The descriptor has changed (split, membership).
    fn on_descriptor(&self, descriptor: &Arc<RangeDescriptor>);
    /// The replica is being destroyed.
    fn on_destroy(&self);
}

/// Where replicas are served from: the store's front end.
pub trait ReplicaHost: Send + Sync {
    /// A replica has come into being on this node, by start, bootstrap, split or snapshot. Called
    /// from the apply path. [`ReplicaObserver::on_destroy`] takes it back.
    fn add_replica(
        &self,
        range: RangeId,
        replication: Arc<dyn Replication>,
    ) -> Arc<dyn ReplicaObserver>;
}
