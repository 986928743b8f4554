//! Replicas from what is on disk: at the start of the process, at their first start, and whenever
//! the applier has given one a new state.

use crate::raft::applier::Applier;
use crate::raft::config::RaftStoreConfig;
use crate::raft::engine_log::EngineLog;
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyTask, LoopInput, MachineSlot, OpenReplica};
use crate::raft::group::{Slot, group_config};
use crate::raft::handle::{HandleCore, RaftHandle};
use crate::raft::inbox::Inbox;
use crate::raft::install::finish_installs;
use crate::raft::local::{self, AppliedState, KnownState, ReplicaState};
use crate::raft::outbox::{Outbox, RaftNotify};
use crate::raft::raft_loop::RaftLoop;
use crate::raft::shared::ReplicaShared;
use crate::replication::ReplicaHost;
use base::{MonoTime, RangeDescriptor, RangeId, ReplicaId, ReplicaKind, Span};
use consensus::{Group, GroupState, HardState, Membership, StateMachine};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use storage::{Durability, Engine, StorageResult, WriteBatch, raft_log};

/// Starts replication on a node: all replicas that its engine holds. The host learns of them from
/// the first poll of the [`Applier`].
pub fn open(
    engine: Engine,
    host: Arc<dyn ReplicaHost>,
    now: MonoTime,
    config: RaftStoreConfig,
    outbox: Arc<dyn Outbox>,
    notify: RaftNotify,
) -> Result<(RaftHandle, RaftLoop, Applier), RaftError> {
    config.validate()?;
    let core = Arc::new(HandleCore {
        engine: engine.clone(),
        inbox: Inbox::<LoopInput>::new(notify.raft),
        stats: Arc::default(),
        proposals_max: config.proposals_max,
        proposal_bytes_max: config.proposal_bytes_max,
        applier_stalled: AtomicBool::new(false),
    });
    let tasks = Inbox::new(notify.apply);
    finish_installs(&engine, config.install_batch_bytes)?;
    let mut batch = WriteBatch::new();
    local::clear_all_staged(&mut batch);
    engine.write(batch, Durability::Buffered)?;
    let applier = Applier::new(engine.clone(), host, core.clone(), tasks.clone(), &config);
    let mut raft_loop = RaftLoop::new(engine.clone(), config, core.clone(), outbox, tasks);
    for range in local::ranges(&engine)? {
        // A group with a state machine starts once it is given one.
        if range != RangeId::META {
            raft_loop.start_from_disk(range, None, now)?;
        }
    }
    raft_loop.peers.is_stale = true;
    Ok((RaftHandle { core }, raft_loop, applier))
}

/// A replica as it is on disk.
struct Stored {
    replica: ReplicaId,
    known: Option<KnownState>,
    applied: AppliedState,
    state: GroupState,
}

impl RaftLoop {
    /// Starts a replica that is on disk; false when there is none.
    fn start_from_disk(
        &mut self,
        range: RangeId,
        machine: Option<Box<dyn StateMachine>>,
        now: MonoTime,
    ) -> Result<bool, RaftError> {
        let Some(stored) = load(&self.engine, range)? else { return Ok(false) };
        let descriptor =
            stored.known.as_ref().map_or_else(|| unknown(range), |k| k.descriptor.clone());
        let shared =
            ReplicaShared::new(self.config.node, stored.replica, descriptor, &stored.applied);
        if let Some(known) = stored.known.clone() {
            let (shared, applied) = (shared.clone(), stored.applied);
            self.tasks.push(ApplyTask::Open(OpenReplica { shared, known, applied, machine }));
        }
        self.insert_slot(stored, shared, now)?;
        Ok(true)
    }

    /// Builds the group anew from what is on disk. The applier has changed the state under it and
    /// says with which public face, if not the present one, the replica goes on.
    pub(crate) fn reload(
        &mut self,
        range: RangeId,
        shared: Option<Arc<ReplicaShared>>,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        // What the loop has gathered for the old state, like a cut of its log, comes before the new one.
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.engine.write(batch, Durability::Buffered)?;
        }
        let Some(stored) = load(&self.engine, range)? else { return Ok(()) };
        let old = self.slots.remove(&range);
        let Some(shared) = shared.or_else(|| old.as_ref().map(|slot| slot.shared.clone())) else {
            return Ok(());
        };
        if let Some(mut old) = old {
            old.proposals.give_up("the replica was brought up to date by a snapshot");
            old.refuse_waiting(|| shared.not_leader());
        }
        self.insert_slot(stored, shared, now)
    }

    fn insert_slot(
        &mut self,
        stored: Stored,
        shared: Arc<ReplicaShared>,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let range = shared.range;
        let is_lone = stored.state.membership.is_lone(stored.replica.0);
        let group =
            new_group(&self.engine, &self.config, range, stored.replica, stored.state, now)?;
        let mut slot = Slot::new(shared, group, stored.known.is_some());
        if is_lone {
            slot.group.campaign(now);
        }
        slot.publish();
        self.slots.insert(range, slot);
        self.peers.is_stale = true;
        self.views_stale = true;
        self.touch(range);
        Ok(())
    }

    /// A replica that waits for its first snapshot.
    pub(crate) fn empty_slot(
        &self,
        range: RangeId,
        replica: ReplicaId,
        now: MonoTime,
    ) -> Result<Slot, RaftError> {
        let applied = AppliedState::default();
        let shared = ReplicaShared::new(self.config.node, replica, unknown(range), &applied);
        let state = GroupState::default();
        let group = new_group(&self.engine, &self.config, range, replica, state, now)?;
        Ok(Slot::new(shared, group, false))
    }

    /// First start of a range, unless the node has or had a replica of it.
    pub(crate) fn bootstrap(
        &mut self,
        descriptor: RangeDescriptor,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let range = descriptor.range;
        let is_taken = self.slots.contains_key(&range)
            || self.destroying.contains_key(&range)
            || self.damaged.contains_key(&range)
            || self.creating.contains(&range);
        if is_taken {
            return Ok(());
        }
        if self.write_first(&descriptor)? {
            self.start_from_disk(range, None, now)?;
            self.be_eager(&descriptor, now);
        }
        Ok(())
    }

    /// Start of a group with a state machine, from disk or for the first time.
    pub(crate) fn add_machine(
        &mut self,
        descriptor: RangeDescriptor,
        machine: Box<dyn StateMachine>,
        slot: MachineSlot,
        now: MonoTime,
    ) -> Result<(), RaftError> {
        let range = descriptor.range;
        let is_first = local::replica(&self.engine.snapshot(), range)?.is_none();
        if is_first && !self.write_first(&descriptor)? {
            tracing::error!(%range, "this node is no member of the group");
            return Ok(());
        }
        if self.start_from_disk(range, Some(machine), now)? {
            *slot.write() = self.slots.get(&range).map(|slot| slot.shared.clone());
        }
        if is_first {
            self.be_eager(&descriptor, now);
        }
        Ok(())
    }

    /// The state in which every member of a new group starts.
    fn write_first(&mut self, descriptor: &RangeDescriptor) -> Result<bool, RaftError> {
        let range = descriptor.range;
        let Some(own) = descriptor.replica_on(self.config.node) else { return Ok(false) };
        if own.replica <= local::tombstone(&self.engine, range)?.replica
            || local::replica(&self.engine.snapshot(), range)?.is_some()
        {
            return Ok(false);
        }
        let membership = members_of(descriptor);
        let known = KnownState { descriptor: descriptor.clone(), membership };
        let mut batch = WriteBatch::new();
        let floor = AppliedState::default();
        put_initial(&mut batch, own.replica, known, floor);
        self.engine.write(batch, Durability::Synced)?;
        Ok(true)
    }

    /// Of the members of a new group one need not wait for an election timeout.
    fn be_eager(&mut self, descriptor: &RangeDescriptor, now: MonoTime) {
        let is_first = descriptor.replicas.first().is_some_and(|r| r.node == self.config.node);
        let eager_ticks = 3 * self.config.election_ticks as u64;
        if let Some(slot) = self.slots.get_mut(&descriptor.range)
            && is_first
            && !slot.group.is_leader()
        {
            slot.eager_ticks = eager_ticks;
            slot.group.campaign(now);
        }
    }
}

/// Adds the initial state of a replica to a batch: descriptor, applied state, an empty log. The
/// hard state is left alone: the replica may have voted before it knew anything.
pub(crate) fn put_initial(
    batch: &mut WriteBatch,
    replica: ReplicaId,
    known: KnownState,
    floor: AppliedState,
) -> AppliedState {
    let range = known.descriptor.range;
    let (index, term) = (GroupState::INITIAL_INDEX, GroupState::INITIAL_TERM);
    let applied = AppliedState { index, term, ..floor };
    local::put_applied(batch, range, &applied);
    local::put_replica(batch, range, &ReplicaState { replica, known: Some(known) });
    raft_log::truncate(batch, range, index + 1, index, term);
    applied
}

/// The members that a descriptor of a group at rest names.
pub(crate) fn members_of(descriptor: &RangeDescriptor) -> Membership {
    let of_kind = |kind: ReplicaKind| {
        let replicas = descriptor.replicas.iter().filter(move |r| r.kind == kind);
        replicas.map(|r| r.replica.0)
    };
    let mut members = Membership::of_voters(of_kind(ReplicaKind::Voter));
    members.learners = of_kind(ReplicaKind::Learner).collect();
    members
}

fn unknown(range: RangeId) -> RangeDescriptor {
    RangeDescriptor {
        range,
        span: Span::default(),
        replicas: Vec::new(),
        epoch: 0,
        next_replica: ReplicaId(0),
    }
}

fn new_group(
    engine: &Engine,
    config: &RaftStoreConfig,
    range: RangeId,
    replica: ReplicaId,
    state: GroupState,
    now: MonoTime,
) -> Result<Group, RaftError> {
    let log = EngineLog { engine: engine.clone(), range };
    Ok(Group::new(group_config(config, range, replica), state, Box::new(log), now)?)
}

/// Reads a replica, and makes its log agree with its applied state, which may have been replaced by
/// a snapshot's just before the process ended.
fn load(engine: &Engine, range: RangeId) -> Result<Option<Stored>, RaftError> {
    // One view: the applier may be at work on the replica, and members must not be older than what
    // is applied.
    let view = engine.snapshot();
    let Some(ReplicaState { replica, known }) = local::replica(&view, range)? else {
        return Ok(None);
    };
    let applied = local::applied(&view, range)?.unwrap_or_default();
    drop(view);
    if known.is_some() && !log_continues(engine, range, &applied)? {
        let mut batch = WriteBatch::new();
        raft_log::reset(&mut batch, range, applied.index, applied.term);
        engine.write(batch, Durability::Synced)?;
    }
    let log = raft_log::load(engine, range)?;
    let hard_state = log.hard_state.map(|bytes| HardState::decode(&bytes)).transpose()?;
    let mut hard_state = hard_state.unwrap_or_default();
    hard_state.term = hard_state.term.max(applied.term);
    let state = GroupState {
        hard_state,
        truncated: (log.truncated_index, log.truncated_term),
        last: (log.last_index, log.last_term),
        membership: known.as_ref().map(|k| k.membership.clone()).unwrap_or_default(),
        applied: applied.index,
    };
    Ok(Some(Stored { replica, known, applied, state }))
}

/// True when the log holds the applied entry, or begins right behind it.
fn log_continues(engine: &Engine, range: RangeId, applied: &AppliedState) -> StorageResult<bool> {
    let log = raft_log::load(engine, range)?;
    if log.truncated_index == applied.index {
        return Ok(log.truncated_term == applied.term);
    }
    if applied.index < log.truncated_index || applied.index > log.last_index {
        return Ok(false);
    }
    Ok(raft_log::term(engine, range, applied.index)? == Some(applied.term))
}
