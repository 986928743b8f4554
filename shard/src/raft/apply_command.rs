//! One entry's effects, deterministically: the same on every replica, whoever leads.

use crate::command::{Command, Effect, Trigger};
use crate::raft::applier::{After, Applier, ApplyState, Service, Told};
use crate::raft::committed::Committed;
use crate::raft::error::RaftError;
use crate::raft::events::ApplyEvent;
use crate::raft::local::{self, ReplicaState};
use base::{KvError, KvResult, RangeDescriptor, RangeId, Span};
use bytes::Bytes;
use consensus::{Entry, EntryKind};
use std::sync::Arc;
use storage::{Keyspace, WriteBatch, mvcc};

impl Applier {
    /// Adds one entry to the batch. Entries that the state already holds (because it came as a
    /// snapshot) are skipped.
    pub(crate) fn apply_entry(
        &mut self,
        range: RangeId,
        committed: Committed,
    ) -> Result<(), RaftError> {
        let Committed { entry, mut waiter } = committed;
        let state = self.states.get_mut(&range);
        let Some(state) = state.filter(|state| entry.index > state.applied.index) else {
            if let Some(waiter) = waiter {
                let result = Err(KvError::Ambiguous("its outcome came with a snapshot".into()));
                self.told.push(Told::Answer { waiter, result });
            }
            return Ok(());
        };
        if entry.index != state.applied.index + 1 {
            return Err(RaftError::Corrupt(format!(
                "{range}: entry {} follows entry {}",
                entry.index, state.applied.index
            )));
        }
        state.applied.index = entry.index;
        state.applied.term = entry.term;
        let result = match &entry.kind {
            EntryKind::Change(_) => {
                self.apply_change(range, &entry)?;
                Ok(Bytes::new())
            }
            // The entry with which a leader begins its term.
            EntryKind::Normal if entry.data.is_empty() => Ok(Bytes::new()),
            EntryKind::Normal => {
                let decoded = waiter.as_mut().and_then(|waiter| waiter.take_command());
                self.apply_normal(range, &entry, decoded)?
            }
        };
        if let Some(waiter) = waiter {
            self.told.push(Told::Answer { waiter, result });
        }
        Ok(())
    }

    fn apply_normal(
        &mut self,
        range: RangeId,
        entry: &Entry,
        decoded: Option<Box<Command>>,
    ) -> Result<KvResult<Bytes>, RaftError> {
        let Some(state) = self.states.get_mut(&range) else { return Ok(Ok(Bytes::new())) };
        if let Service::Machine(machine) = &mut state.service {
            return Ok(Ok(machine.apply(&mut self.batch, range, entry)));
        }
        let command = match decoded {
            Some(command) => command,
            None => Box::new(decode(range, entry)?),
        };
        if let Err(refused) = check(state, entry, &command) {
            return Ok(Err(refused));
        }
        put_effects(&mut self.batch, range, &command.effects)?;
        state.applied.max_ts = state.applied.max_ts.max(command.max_ts);
        if let Some(trigger) = command.trigger.clone() {
            self.pull(range, trigger, entry.term)?;
        }
        self.told.push(Told::Command { range, command });
        Ok(Ok(Bytes::new()))
    }

    fn pull(&mut self, range: RangeId, trigger: Trigger, term: u64) -> Result<(), RaftError> {
        let Some(state) = self.states.get_mut(&range) else { return Ok(()) };
        match trigger {
            Trigger::Split { left, right } => {
                let campaign = state.shared.lead_term() == term;
                let floor = state.applied;
                self.set_descriptor(range, left);
                self.split_right(range, right, floor, campaign)?;
            }
            Trigger::SafePoint(ts) => state.applied.safe_point = state.applied.safe_point.max(ts),
            Trigger::TruncateLog { index } => {
                self.after.push(After::Tell(ApplyEvent::Truncate { range, index }));
            }
            Trigger::Clear { start, end } => {
                let span = Span::new(start, end).intersect(&state.known.descriptor.span);
                if !span.is_empty() {
                    mvcc::clear(&mut self.batch, &span);
                }
            }
        }
        Ok(())
    }

    /// The range has a new descriptor: on disk with the batch, visible after it.
    pub(crate) fn set_descriptor(&mut self, range: RangeId, descriptor: RangeDescriptor) {
        let Some(state) = self.states.get_mut(&range) else { return };
        state.known.descriptor = descriptor.clone();
        let record =
            ReplicaState { replica: state.shared.replica, known: Some(state.known.clone()) };
        local::put_replica(&mut self.batch, range, &record);
        self.after.push(After::Descriptor { range, descriptor: Arc::new(descriptor) });
    }
}

fn decode(range: RangeId, entry: &Entry) -> Result<Command, RaftError> {
    Command::decode(&entry.data)
        .map_err(|e| RaftError::Corrupt(format!("{range}: entry {}: {e}", entry.index)))
}

/// A command takes effect only in the term and under the descriptor in which it was evaluated.
fn check(state: &ApplyState, entry: &Entry, command: &Command) -> KvResult<()> {
    if command.term != entry.term {
        return Err(KvError::NotLeader { range: state.shared.range, leader: None });
    }
    if command.epoch != state.known.descriptor.epoch {
        return Err(state.stale());
    }
    match &command.trigger {
        Some(Trigger::Split { left, right }) => Applier::check_split(&state.known, left, right),
        _ => Ok(()),
    }
}

fn put_effects(
    batch: &mut WriteBatch,
    range: RangeId,
    effects: &[Effect],
) -> Result<(), RaftError> {
    for effect in effects {
        let keyspace = match Keyspace::try_from(effect.keyspace) {
            Ok(keyspace @ (Keyspace::Data | Keyspace::Locks)) => keyspace,
            _ => return Err(RaftError::Corrupt(format!("{range}: command writes elsewhere"))),
        };
        match &effect.value {
            Some(value) => batch.put(keyspace, &effect.key, value),
            None => batch.delete(keyspace, &effect.key),
        }
    }
    Ok(())
}
