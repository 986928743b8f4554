//! The owner of all state machines of a node: carries out what is committed.
//!
//! Entries of all groups that have come in are gathered into one batch, together with each group's
//! applied state; what others must be told is kept back until the batch is written, so whoever is
//! told can see it.

use crate::command::Command;
use crate::raft::committed::Committed;
use crate::raft::config::RaftStoreConfig;
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, ApplyTask, LoopInput, OpenReplica};
use crate::raft::handle::HandleCore;
use crate::raft::inbox::Inbox;
use crate::raft::local::{self, AppliedState, KnownState};
use crate::raft::machine::Machine;
use crate::raft::replica::RangeReplica;
use crate::raft::shared::ReplicaShared;
use crate::raft::stats::StatsBoard;
use crate::raft::waiter::{ProposalWaiter, Reply};
use crate::replication::{ReplicaHost, ReplicaObserver};
use base::{KvError, KvResult, NodeId, RangeDescriptor, RangeId, ReplicaDescriptor};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use storage::{Durability, Engine, Room, StorageError, WriteBatch};

/// Carries out committed entries. Owned by one thread.
pub struct Applier {
    pub(crate) engine: Engine,
    pub(crate) node: NodeId,
    pub(crate) states: BTreeMap<RangeId, ApplyState>,
    pub(crate) batch: WriteBatch,
    /// What follows once the batch is written, in order.
    pub(crate) after: Vec<After>,
    /// What follows when all that is done: others are told.
    pub(crate) told: Vec<Told>,
    /// Groups whose applied state the batch must carry.
    pub(crate) dirty: BTreeSet<RangeId>,
    /// A snapshot larger than this is installed in several batches.
    pub(crate) install_batch_bytes: u64,
    host: Arc<dyn ReplicaHost>,
    core: Arc<HandleCore>,
    tasks: Inbox<ApplyTask>,
    scratch: Vec<ApplyTask>,
    events: Vec<LoopInput>,
    /// A batch that found the disk full.
    stalled: Option<WriteBatch>,
}

/// One replica's state machine.
pub(crate) struct ApplyState {
    pub(crate) shared: Arc<ReplicaShared>,
    pub(crate) known: KnownState,
    pub(crate) applied: AppliedState,
    pub(crate) service: Service,
    /// Confirmed reads that wait for an entry: index, term, who.
    reads: Vec<(u64, u64, Vec<Reply<u64>>)>,
}

/// Whom a replica serves.
pub(crate) enum Service {
    Range(Arc<dyn ReplicaObserver>),
    Machine(Machine),
}

/// What is done once a batch is written.
pub(crate) enum After {
    /// Entries up to this one are applied.
    Applied { range: RangeId, applied: AppliedState },
    /// The descriptor has changed.
    Descriptor { range: RangeId, descriptor: Arc<RangeDescriptor> },
    /// A replica has come into being.
    Open(Box<OpenReplica>),
    /// The loop must know.
    Tell(ApplyEvent),
    /// Everything of a replica is gone.
    Destroyed { state: Option<Box<ApplyState>> },
}

/// Who is told of a batch. Whoever is told can see all of it, how far the replica is included: a reader
/// on another node asks for that and must not be sent away with less than what was acknowledged.
pub(crate) enum Told {
    /// A command has taken effect.
    Command { range: RangeId, command: Box<Command> },
    /// A proposal has ended.
    Answer { waiter: ProposalWaiter, result: KvResult<Bytes> },
}

/// A batch is written at the latest when it has so many bytes.
const BATCH_BYTES_MAX: usize = 4 << 20;

impl Applier {
    pub(crate) fn new(
        engine: Engine,
        host: Arc<dyn ReplicaHost>,
        core: Arc<HandleCore>,
        tasks: Inbox<ApplyTask>,
        config: &RaftStoreConfig,
    ) -> Applier {
        Applier {
            engine,
            node: config.node,
            install_batch_bytes: config.install_batch_bytes,
            states: BTreeMap::new(),
            batch: WriteBatch::new(),
            after: Vec::new(),
            told: Vec::new(),
            dirty: BTreeSet::new(),
            host,
            core,
            tasks,
            scratch: Vec::new(),
            events: Vec::new(),
            stalled: None,
        }
    }

    /// Does what there is to do; true if there was anything. After an error the process ends.
    pub fn poll(&mut self) -> Result<bool, RaftError> {
        if let Some(batch) = self.stalled.take() {
            self.write(batch)?;
            if self.stalled.is_some() {
                return Ok(false);
            }
            self.set_stalled(false);
        }
        let mut tasks = std::mem::take(&mut self.scratch);
        self.tasks.drain_into(&mut tasks);
        let did_work = !tasks.is_empty();
        let mut rest = tasks.drain(..);
        while let Some(task) = rest.next() {
            if task.follows_writes() {
                self.flush()?;
            }
            if self.stalled.is_some() {
                // The disk is full, and what the task rests on is not there.
                self.tasks.put_back(std::iter::once(task).chain(rest.by_ref()).collect());
                break;
            }
            self.carry_out(task)?;
        }
        drop(rest);
        self.scratch = tasks;
        self.flush()?;
        self.core.inbox.append(&mut self.events);
        Ok(did_work)
    }

    /// The loop's ticks see to it that a stalled applier is polled again.
    fn set_stalled(&mut self, is_stalled: bool) {
        self.core.applier_stalled.store(is_stalled, Ordering::Relaxed);
        self.core.inbox.notify();
    }

    fn carry_out(&mut self, task: ApplyTask) -> Result<(), RaftError> {
        match task {
            ApplyTask::Open(open) => self.open(open)?,
            ApplyTask::Entries { range, entries } => self.apply_entries(range, entries)?,
            ApplyTask::Lead { range, term } => self.on_lead(range, term),
            ApplyTask::Follow { range, leader } => self.on_follow(range, leader),
            ApplyTask::Read { range, index, term, replies } => {
                if let Some(state) = self.states.get_mut(&range) {
                    state.reads.push((index, term, replies));
                    self.after.push(After::Applied { range, applied: state.applied });
                }
            }
            ApplyTask::Pin { range, to } => self.pin(range, to)?,
            ApplyTask::Install(install) => self.install(install)?,
            ApplyTask::Create { range, replica } => self.create(range, replica)?,
            ApplyTask::Destroy { range, tombstone } => self.destroy(range, tombstone)?,
        }
        if self.batch.bytes() >= BATCH_BYTES_MAX { self.flush() } else { Ok(()) }
    }

    fn apply_entries(&mut self, range: RangeId, entries: Vec<Committed>) -> Result<(), RaftError> {
        let count = entries.len() as u64;
        for committed in entries {
            self.apply_entry(range, committed)?;
        }
        if let Some(state) = self.states.get(&range) {
            self.dirty.insert(range);
            self.after.push(After::Applied { range, applied: state.applied });
        }
        StatsBoard::add(&self.core.stats.applied, count);
        Ok(())
    }

    fn on_lead(&mut self, range: RangeId, term: u64) {
        let Some(state) = self.states.get_mut(&range) else { return };
        match &mut state.service {
            Service::Range(observer) => observer.on_lead(term),
            Service::Machine(machine) => machine.on_lead(term),
        }
        state.shared.set_ready_term(term);
    }

    fn on_follow(&mut self, range: RangeId, leader: Option<ReplicaDescriptor>) {
        let Some(state) = self.states.get_mut(&range) else { return };
        state.shared.set_ready_term(0);
        match &mut state.service {
            Service::Range(observer) => observer.on_follow(leader),
            Service::Machine(machine) => machine.on_follow(),
        }
    }

    /// Makes a replica known to those it serves.
    pub(crate) fn open(&mut self, open: OpenReplica) -> Result<(), RaftError> {
        let OpenReplica { shared, known, applied, machine } = open;
        let range = shared.range;
        let service = match machine {
            Some(machine) => Service::Machine(Machine::start(&self.engine, range, machine)?),
            None => {
                let replica = RangeReplica { core: self.core.clone(), shared: shared.clone() };
                Service::Range(self.host.add_replica(range, Arc::new(replica)))
            }
        };
        let state = ApplyState { shared, known, applied, service, reads: Vec::new() };
        self.states.insert(range, state);
        Ok(())
    }

    /// Writes what is gathered, then does what follows from it.
    pub(crate) fn flush(&mut self) -> Result<(), RaftError> {
        if self.stalled.is_some() {
            return Ok(());
        }
        for range in std::mem::take(&mut self.dirty) {
            if let Some(state) = self.states.get(&range) {
                local::put_applied(&mut self.batch, range, &state.applied);
            }
        }
        let batch = std::mem::take(&mut self.batch);
        self.write(batch)
    }

    fn write(&mut self, batch: WriteBatch) -> Result<(), RaftError> {
        if !batch.is_empty() {
            // Only when space is short may the write have to be repeated.
            let again = self.engine.check_room(Room::Growth).is_err().then(|| batch.clone());
            match self.engine.write(batch, Durability::Buffered) {
                Ok(()) => {}
                Err(StorageError::DiskFull) if again.is_some() => {
                    tracing::error!("disk full: apply waits for space");
                    self.stalled = again;
                    self.set_stalled(true);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        for after in std::mem::take(&mut self.after) {
            self.follow_up(after)?;
        }
        for told in std::mem::take(&mut self.told) {
            self.tell(told);
        }
        Ok(())
    }

    fn follow_up(&mut self, after: After) -> Result<(), RaftError> {
        match after {
            After::Applied { range, applied } => self.on_written(range, &applied),
            After::Descriptor { range, descriptor } => {
                if let Some(state) = self.states.get(&range) {
                    state.shared.set_descriptor(descriptor.clone());
                    if let Service::Range(observer) = &state.service {
                        observer.on_descriptor(&descriptor);
                    }
                }
            }
            After::Open(open) => self.open(*open)?,
            After::Tell(event) => self.events.push(LoopInput::Done(event)),
            After::Destroyed { state } => {
                if let Some(state) = state {
                    state.retire();
                }
            }
        }
        Ok(())
    }

    fn tell(&self, told: Told) {
        match told {
            Told::Command { range, command } => {
                let state = self.states.get(&range);
                if let Some(ApplyState { service: Service::Range(observer), .. }) = state {
                    observer.on_apply(&command);
                }
            }
            Told::Answer { waiter, result } => waiter.finish(result),
        }
    }

    /// Entries are applied and visible: readers that waited for them may go on.
    fn on_written(&mut self, range: RangeId, applied: &AppliedState) {
        let Some(state) = self.states.get_mut(&range) else { return };
        state.shared.set_applied(applied);
        let shared = &state.shared;
        let mut waiting = Vec::new();
        for (index, term, replies) in state.reads.drain(..) {
            if index > applied.index {
                waiting.push((index, term, replies));
                continue;
            }
            for reply in replies {
                // Leadership was confirmed after the question was asked, whatever came later.
                let _ = reply.send(Ok(term));
            }
        }
        state.reads = waiting;
        if shared.is_destroyed() {
            state.reads.clear();
        }
    }
}

impl ApplyState {
    /// Nobody is served by this replica any more.
    pub(crate) fn retire(&self) {
        self.shared.set_destroyed();
        if let Service::Range(observer) = &self.service {
            observer.on_destroy();
        }
    }

    /// The error for a command that was evaluated under another descriptor.
    pub(crate) fn stale(&self) -> KvError {
        KvError::StaleEpoch { current: self.known.descriptor.clone() }
    }
}
