//! One group as the loop keeps it: the Raft replica and everything that waits for it.

use crate::raft::config::RaftStoreConfig;
use crate::raft::farewell::Farewell;
use crate::raft::membership::ChangeJob;
use crate::raft::proposals::Proposals;
use crate::raft::reads::Reads;
use crate::raft::shared::ReplicaShared;
use crate::raft::snapshot_send::SnapshotSend;
use crate::raft::stats::GroupView;
use crate::raft::transfer::TransferJob;
use crate::raft::waiter::ProposalWaiter;
use base::{KvError, NodeId, ReplicaId};
use bytes::Bytes;
use consensus::{Group, GroupConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A replica's place in the loop.
pub(crate) struct Slot {
    pub(crate) shared: Arc<ReplicaShared>,
    pub(crate) group: Group,
    /// It has a descriptor and a state machine; not so before its first snapshot.
    pub(crate) is_known: bool,
    /// Commands taken from the inbox and not yet appended.
    pub(crate) inbound: Vec<(u64, Bytes, ProposalWaiter)>,
    pub(crate) proposals: Proposals,
    pub(crate) reads: Reads,
    pub(crate) change: Option<ChangeJob>,
    pub(crate) farewell: Farewell,
    pub(crate) transfer: Option<TransferJob>,
    /// Snapshots on their way from here.
    pub(crate) sends: BTreeMap<ReplicaId, SnapshotSend>,
    /// Where replicas live that the descriptor does not name, learned from their messages.
    pub(crate) addresses: BTreeMap<u64, NodeId>,
    /// Changes of members that the applier has and the group has not applied yet.
    pub(crate) open_changes: BTreeSet<u64>,
    /// The term whose first entry was handed to the applier by this replica as its leader, 0 for
    /// none.
    pub(crate) begun: u64,
    /// The term in which evaluation was told to begin, 0 for none.
    pub(crate) announced: u64,
    /// Last entry on disk.
    pub(crate) last_written: u64,
    /// Bytes of entries written since the log was last cut.
    pub(crate) log_bytes: u64,
    /// Ticks without anything to do.
    pub(crate) idle_ticks: u64,
    /// Campaign on each of so many ticks, as long as there is no leader.
    pub(crate) eager_ticks: u64,
    /// Until this tick followers are expected to come by themselves to what a snapshot would give
    /// them: the group was born in a split that they have not applied yet.
    pub(crate) young_until: u64,
    /// Tick of the last message of another replica.
    pub(crate) heard_at: u64,
    /// Tick at which leadership was lost with proposals open.
    pub(crate) lost_at: Option<u64>,
}

impl Slot {
    pub(crate) fn new(shared: Arc<ReplicaShared>, group: Group, is_known: bool) -> Slot {
        let last_written = group.status().last;
        let mut slot = Slot {
            shared,
            group,
            is_known,
            inbound: Vec::new(),
            proposals: Proposals::default(),
            reads: Reads::default(),
            change: None,
            farewell: Farewell::default(),
            transfer: None,
            sends: BTreeMap::new(),
            addresses: BTreeMap::new(),
            open_changes: BTreeSet::new(),
            begun: 0,
            announced: 0,
            last_written,
            log_bytes: 0,
            idle_ticks: 0,
            eager_ticks: 0,
            young_until: 0,
            heard_at: 0,
            lost_at: None,
        };
        slot.remember_addresses();
        slot
    }

    /// Keeps the addresses of the present descriptor for the time when it names them no more.
    pub(crate) fn remember_addresses(&mut self) {
        for replica in &self.shared.descriptor().replicas {
            self.addresses.insert(replica.replica.0, replica.node);
        }
    }

    /// The node of a replica of this group.
    pub(crate) fn node_of(&self, replica: u64) -> Option<NodeId> {
        let descriptor = self.shared.descriptor();
        descriptor.node_of(ReplicaId(replica)).or_else(|| self.addresses.get(&replica).copied())
    }

    /// Tells the readers of [`ReplicaShared`] what has changed.
    pub(crate) fn publish(&self) {
        let status = self.group.status();
        self.shared.publish(
            status.term,
            self.group.is_leader(),
            status.leader.unwrap_or(0),
            self.group.lease(),
        );
    }

    /// Tells the group how far the state machine is, but not of a change of members before the group
    /// has carried it out: it must not campaign with members of the past.
    pub(crate) fn sync_applied(&mut self) {
        let before_change = self.open_changes.first().map_or(u64::MAX, |index| index - 1);
        self.group.applied(self.shared.applied().min(before_change));
    }

    /// Leads a term of which no entry was handed to the applier yet.
    pub(crate) fn is_beginning(&self) -> bool {
        self.group.is_leader() && self.begun != self.group.term()
    }

    /// Refuses everybody who asked for something that has not begun: reads, and commands that are not
    /// in the log.
    pub(crate) fn refuse_waiting(&mut self, error: impl Fn() -> KvError) {
        self.reads.fail(&error);
        for (_, _, waiter) in self.inbound.drain(..) {
            waiter.finish(Err(error()));
        }
    }

    /// True when nobody waits for anything here.
    pub(crate) fn is_calm(&self) -> bool {
        self.proposals.is_empty()
            && self.inbound.is_empty()
            && self.reads.is_empty()
            && self.change.is_none()
            && self.farewell.is_empty()
            && !self.leads_from_outside()
            && self.transfer.is_none()
            && self.sends.is_empty()
            && self.eager_ticks == 0
    }

    pub(crate) fn view(&self) -> GroupView {
        let status = self.group.status();
        GroupView {
            range: self.shared.range,
            replica: self.shared.replica,
            is_leader: self.group.is_leader(),
            is_hibernating: self.group.is_hibernating(),
            term: status.term,
            commit: status.commit,
            applied: self.shared.applied(),
            last: status.last,
        }
    }
}

/// Settings of one group: its seed differs from that of every other replica.
pub(crate) fn group_config(
    config: &RaftStoreConfig,
    range: base::RangeId,
    replica: ReplicaId,
) -> GroupConfig {
    let spread = |n: u64, by: u64| n.wrapping_mul(by).rotate_left(23);
    let seed = config.seed
        ^ spread(config.node.0, 0x9e37_79b9_7f4a_7c15)
        ^ spread(range.0, 0xc2b2_ae3d_27d4_eb4f)
        ^ spread(replica.0, 0x1656_67b1_9e37_79f9);
    GroupConfig {
        election_ticks: config.election_ticks,
        heartbeat_ticks: config.heartbeat_ticks,
        lease: config.lease,
        ..GroupConfig::new(replica.0, seed)
    }
}
