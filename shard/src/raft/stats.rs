//! What replication counts, for metrics and views.

use base::{RangeId, ReplicaId};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since start, and the present number of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RaftStats {
    /// Commands proposed.
    pub proposals: u64,
    /// Entries applied.
    pub applied: u64,
    /// Synced writes of the log.
    pub syncs: u64,
    /// Groups that took part in them.
    pub groups_synced: u64,
    /// Raft messages sent.
    pub messages_sent: u64,
    /// Raft messages received.
    pub messages_received: u64,
    /// Snapshots sent.
    pub snapshots_sent: u64,
    /// Snapshots installed.
    pub snapshots_installed: u64,
    /// Elections won.
    pub elections_won: u64,
    /// Groups on this node.
    pub groups: u64,
    /// Groups led here.
    pub leaders: u64,
    /// Groups asleep.
    pub hibernating: u64,
}

/// One group on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// The group.
    pub range: RangeId,
    /// The replica here.
    pub replica: ReplicaId,
    /// It leads.
    pub is_leader: bool,
    /// It sleeps.
    pub is_hibernating: bool,
    /// Its term.
    pub term: u64,
    /// Its last committed entry.
    pub commit: u64,
    /// Its last applied entry.
    pub applied: u64,
    /// Its last entry.
    pub last: u64,
}

/// Where the loop and the applier count.
#[derive(Default)]
pub(crate) struct StatsBoard {
    pub(crate) proposals: AtomicU64,
    pub(crate) applied: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) groups_synced: AtomicU64,
    pub(crate) messages_sent: AtomicU64,
    pub(crate) messages_received: AtomicU64,
    pub(crate) snapshots_sent: AtomicU64,
    pub(crate) snapshots_installed: AtomicU64,
    pub(crate) elections_won: AtomicU64,
    groups: Mutex<Vec<GroupView>>,
}

impl StatsBoard {
    /// Adds to a counter.
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Publishes the list of groups.
    pub(crate) fn set_groups(&self, groups: Vec<GroupView>) {
        *self.groups.lock() = groups;
    }

    pub(crate) fn groups(&self) -> Vec<GroupView> {
        self.groups.lock().clone()
    }

    pub(crate) fn counters(&self) -> RaftStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let groups = self.groups.lock();
        RaftStats {
            proposals: load(&self.proposals),
            applied: load(&self.applied),
            syncs: load(&self.syncs),
            groups_synced: load(&self.groups_synced),
            messages_sent: load(&self.messages_sent),
            messages_received: load(&self.messages_received),
            snapshots_sent: load(&self.snapshots_sent),
            snapshots_installed: load(&self.snapshots_installed),
            elections_won: load(&self.elections_won),
            groups: groups.len() as u64,
            leaders: groups.iter().filter(|g| g.is_leader).count() as u64,
            hibernating: groups.iter().filter(|g| g.is_hibernating).count() as u64,
        }
    }
}
