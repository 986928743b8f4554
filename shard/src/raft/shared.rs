//! What is known about a replica outside the threads that own it: atomics, and the descriptor.

use crate::raft::local::AppliedState;
use base::{KvError, KvResult, MonoTime, NodeId, RangeDescriptor, RangeId, ReplicaDescriptor};
use base::{ReplicaId, ReplicaKind, Timestamp};
use consensus::LeaseView;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// The public face of one replica.
pub(crate) struct ReplicaShared {
    pub(crate) node: NodeId,
    pub(crate) range: RangeId,
    pub(crate) replica: ReplicaId,
    /// Term that this replica leads, 0 for none. Written by the loop.
    lead_term: AtomicU64,
    /// Term in which everything of earlier terms is applied and evaluation has been told. Written
    /// by the applier.
    ready_term: AtomicU64,
    lease_from: AtomicU64,
    lease_until: AtomicU64,
    /// Proposals under way that take keys from this range: no read by lease meanwhile.
    suspensions: AtomicU64,
    /// Replica id of the leader, 0 for unknown.
    leader: AtomicU64,
    raft_term: AtomicU64,
    applied: AtomicU64,
    safe_point: AtomicU64,
    descriptor: RwLock<Arc<RangeDescriptor>>,
    /// Proposals that have not ended.
    pub(crate) waiting: AtomicUsize,
    pub(crate) waiting_bytes: AtomicUsize,
    destroyed: AtomicBool,
}

impl ReplicaShared {
    pub(crate) fn new(
        node: NodeId,
        replica: ReplicaId,
        descriptor: RangeDescriptor,
        applied: &AppliedState,
    ) -> Arc<ReplicaShared> {
        Arc::new(ReplicaShared {
            node,
            range: descriptor.range,
            replica,
            lead_term: AtomicU64::new(0),
            ready_term: AtomicU64::new(0),
            lease_from: AtomicU64::new(0),
            lease_until: AtomicU64::new(0),
            suspensions: AtomicU64::new(0),
            leader: AtomicU64::new(0),
            raft_term: AtomicU64::new(0),
            applied: AtomicU64::new(applied.index),
            safe_point: AtomicU64::new(applied.safe_point.0),
            descriptor: RwLock::new(Arc::new(descriptor)),
            waiting: AtomicUsize::new(0),
            waiting_bytes: AtomicUsize::new(0),
            destroyed: AtomicBool::new(false),
        })
    }

    /// See [`crate::replication::Replication::lead`].
    pub(crate) fn lead(&self, now: MonoTime) -> KvResult<u64> {
        let term = self.serving_term().ok_or_else(|| self.not_serving())?;
        if self.suspensions.load(Ordering::SeqCst) > 0 {
            return Err(KvError::Unavailable(format!("{} is being split", self.range)));
        }
        let from = self.lease_from.load(Ordering::Acquire);
        let until = self.lease_until.load(Ordering::Acquire);
        if from <= now.0 && now.0 < until {
            Ok(term)
        } else {
            Err(KvError::Unavailable(format!("{} has no lease", self.range)))
        }
    }

    /// The term that this replica leads and evaluation has been told of.
    pub(crate) fn serving_term(&self) -> Option<u64> {
        let ready = self.ready_term.load(Ordering::Acquire);
        let lead = self.lead_term.load(Ordering::Acquire);
        (ready != 0 && ready == lead).then_some(ready)
    }

    /// Why this replica does not serve: it does not lead, or not for long enough yet.
    fn not_serving(&self) -> KvError {
        match self.lead_term() {
            0 => self.not_leader(),
            _ => KvError::Unavailable(format!("{} begins a term", self.range)),
        }
    }

    /// The error that sends a client elsewhere.
    pub(crate) fn not_leader(&self) -> KvError {
        if self.destroyed.load(Ordering::Acquire) {
            return KvError::RangeNotFound(self.range);
        }
        let leader = self.leader();
        if self.range == RangeId::META {
            return KvError::MetaNotLeader { leader: leader.map(|r| r.node) };
        }
        KvError::NotLeader { range: self.range, leader }
    }

    pub(crate) fn leader(&self) -> Option<ReplicaDescriptor> {
        let replica = ReplicaId(self.leader.load(Ordering::Acquire));
        if replica == self.replica {
            let kind = ReplicaKind::Voter;
            return Some(ReplicaDescriptor { node: self.node, replica, kind });
        }
        self.descriptor.read().replicas.iter().find(|r| r.replica == replica).copied()
    }

    pub(crate) fn descriptor(&self) -> Arc<RangeDescriptor> {
        self.descriptor.read().clone()
    }

    pub(crate) fn set_descriptor(&self, descriptor: Arc<RangeDescriptor>) {
        *self.descriptor.write() = descriptor;
    }

    pub(crate) fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    pub(crate) fn set_applied(&self, state: &AppliedState) {
        self.safe_point.store(state.safe_point.0, Ordering::Release);
        self.applied.store(state.index, Ordering::Release);
    }

    pub(crate) fn safe_point(&self) -> Timestamp {
        Timestamp(self.safe_point.load(Ordering::Acquire))
    }

    pub(crate) fn raft_term(&self) -> u64 {
        self.raft_term.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready_term(&self, term: u64) {
        self.ready_term.store(term, Ordering::Release);
    }

    /// The term that this replica leads, 0 for none.
    pub(crate) fn lead_term(&self) -> u64 {
        self.lead_term.load(Ordering::Acquire)
    }

    /// Publishes what the group says of itself.
    pub(crate) fn publish(&self, term: u64, is_leader: bool, leader: u64, lease: LeaseView) {
        self.leader.store(leader, Ordering::Release);
        self.raft_term.store(term, Ordering::Release);
        if is_leader {
            // The start first: a reader may see an old end with it, never a new end without it.
            self.lease_from.store(lease.from.0, Ordering::Release);
            self.lease_until.store(lease.until.0, Ordering::Release);
            self.lead_term.store(term, Ordering::Release);
        } else {
            self.lead_term.store(0, Ordering::Release);
            self.lease_until.store(0, Ordering::Release);
        }
    }

    pub(crate) fn suspend(&self) {
        self.suspensions.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn resume(&self) {
        self.suspensions.fetch_sub(1, Ordering::SeqCst);
    }

    /// The replica is gone; its handle may live on for a while.
    pub(crate) fn set_destroyed(&self) {
        self.destroyed.store(true, Ordering::Release);
        self.lead_term.store(0, Ordering::Release);
        self.leader.store(0, Ordering::Release);
    }

    pub(crate) fn is_destroyed(&self) -> bool {
        self.destroyed.load(Ordering::Acquire)
    }
}
