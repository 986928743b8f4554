//! Both ends of a snapshot, at the state machine: pinning a state, and exchanging one for another.
//!
//! A small snapshot is exchanged for the old state in one batch. A large one goes in several, behind a
//! mark: after a crash in between, the exchange is done again from the parts, before anything else.

use crate::raft::applier::{After, Applier, Service};
use crate::raft::error::RaftError;
use crate::raft::events::{ApplyEvent, InstallSnapshot, OpenReplica};
use crate::raft::local::{self, ReplicaState};
use crate::raft::shared::ReplicaShared;
use crate::raft::snapshot_send::{PinnedData, PinnedState};
use base::codec::{Blob, from_message};
use base::{RangeId, ReplicaId};
use bytes::Bytes;
use std::sync::Arc;
use storage::{Durability, Engine, Room, WriteBatch, chunks, mvcc};

impl Applier {
    /// Makes an empty replica. The applier alone decides, because it alone knows what splits have
    /// made: the record of a replica that has a state must not be replaced by an empty one.
    pub(crate) fn create(&mut self, range: RangeId, replica: ReplicaId) -> Result<(), RaftError> {
        let is_new = local::replica(&self.engine.snapshot(), range)?.is_none()
            && replica > local::tombstone(&self.engine, range)?.replica;
        if is_new {
            local::put_replica(&mut self.batch, range, &ReplicaState { replica, known: None });
        }
        let event = ApplyEvent::Created { range, replica, is_new };
        self.after.push(After::Tell(event));
        Ok(())
    }

    /// Pins the present state for a snapshot. Everything applied has been written.
    pub(crate) fn pin(&mut self, range: RangeId, to: ReplicaId) -> Result<(), RaftError> {
        let Some(state) = self.states.get(&range) else { return Ok(()) };
        let data = match &state.service {
            Service::Range(_) => PinnedData::Range(self.engine.snapshot()),
            Service::Machine(machine) => PinnedData::Pairs(machine.pairs()),
        };
        let pinned = PinnedState { known: state.known.clone(), applied: state.applied, data };
        let event = ApplyEvent::Pinned { range, to, state: Box::new(pinned) };
        self.after.push(After::Tell(event));
        Ok(())
    }

    /// Exchanges the state for a snapshot's, whose parts are staged.
    pub(crate) fn install(&mut self, install: InstallSnapshot) -> Result<(), RaftError> {
        let range = install.range;
        let is_refused = !self.may_install(&install)?;
        let is_newer =
            self.states.get(&range).is_none_or(|s| s.applied.index < install.applied.index);
        let mut shared = None;
        if is_refused || !is_newer {
            local::clear_staged(&mut self.batch, range, install.stage, install.parts);
        } else if range == RangeId::META {
            self.exchange_pairs(&install)?;
        } else {
            self.exchange_data(&install)?;
            shared = self.put_state(&install);
        }
        let install = Box::new(install);
        self.after.push(After::Tell(ApplyEvent::Installed { install, is_refused, shared }));
        self.flush()
    }

    /// A snapshot that finds the disk full or was given up meanwhile, that does not name this
    /// replica, or whose keys another replica here still owns, must not be installed.
    fn may_install(&self, install: &InstallSnapshot) -> Result<bool, RaftError> {
        let descriptor = &install.known.descriptor;
        let overlaps = |(id, other): (&RangeId, &crate::raft::applier::ApplyState)| {
            *id != install.range
                && matches!(other.service, Service::Range(_))
                && other.known.descriptor.span.overlaps(&descriptor.span)
        };
        let is_range = install.range != RangeId::META;
        let is_there = local::staged(&self.engine, install.range, (install.stage, 0))?.is_some();
        // Once begun, an exchange of much data cannot wait for space.
        let has_room = self.engine.check_room(Room::Growth).is_ok();
        Ok(is_there
            && has_room
            && descriptor.range == install.range
            && descriptor.replica_on(self.node).is_some_and(|r| r.replica == install.replica)
            && install.known.membership.contains(install.replica.0)
            && !(is_range && self.states.iter().any(overlaps)))
    }

    /// A state machine's pairs: one batch.
    fn exchange_pairs(&mut self, install: &InstallSnapshot) -> Result<(), RaftError> {
        let range = install.range;
        let Some(state) = self.states.get_mut(&range) else { return Ok(()) };
        local::clear_pairs(&mut self.batch, range);
        let mut all = Vec::new();
        for part in 0..install.parts {
            let bytes = read_part(&self.engine, install, part)?;
            if !bytes.is_empty() {
                all.append(&mut decode_pairs(range, &bytes)?);
            }
        }
        for (name, value) in &all {
            local::put_pair(&mut self.batch, range, name, Some(value));
        }
        if let Service::Machine(machine) = &mut state.service {
            machine.restore(range, all)?;
        }
        put_records(&mut self.batch, install);
        self.put_state(install);
        Ok(())
    }

    /// A range's data: one batch, or several if there is much of it. In the latter case nobody is
    /// served until the last one is written.
    fn exchange_data(&mut self, install: &InstallSnapshot) -> Result<(), RaftError> {
        if install.bytes <= self.install_batch_bytes {
            return put_data(&self.engine, &mut self.batch, install, u64::MAX);
        }
        if let Some(state) = self.states.remove(&install.range) {
            state.retire();
        }
        let mut batch = WriteBatch::new();
        local::put_installing(&mut batch, install);
        self.engine.write(batch, Durability::Synced)?;
        put_data(&self.engine, &mut self.batch, install, self.install_batch_bytes)
    }

    /// The state in memory; a replica that was empty comes into being.
    fn put_state(&mut self, install: &InstallSnapshot) -> Option<Arc<ReplicaShared>> {
        let range = install.range;
        let (known, applied) = (install.known.clone(), install.applied);
        if let Some(state) = self.states.get_mut(&range) {
            state.applied = applied;
            state.known = known;
            let descriptor = Arc::new(install.known.descriptor.clone());
            self.after.push(After::Descriptor { range, descriptor });
            self.after.push(After::Applied { range, applied });
            return None;
        }
        let descriptor = known.descriptor.clone();
        let shared = ReplicaShared::new(self.node, install.replica, descriptor, &applied);
        let open = OpenReplica { shared: shared.clone(), known, applied, machine: None };
        self.after.push(After::Open(Box::new(open)));
        Some(shared)
    }
}

/// Finishes exchanges that the end of the process has interrupted.
pub(crate) fn finish_installs(engine: &Engine, batch_bytes: u64) -> Result<(), RaftError> {
    for install in local::installing(engine)? {
        let mut batch = WriteBatch::new();
        put_data(engine, &mut batch, &install, batch_bytes)?;
        engine.write(batch, Durability::Buffered)?;
    }
    Ok(())
}

/// Replaces a range's data by a snapshot's. Full batches are written on the way; the last one, with
/// the records, is left to the caller.
fn put_data(
    engine: &Engine,
    batch: &mut WriteBatch,
    install: &InstallSnapshot,
    batch_bytes: u64,
) -> Result<(), RaftError> {
    let span = &install.known.descriptor.span;
    if let Some(ReplicaState { known: Some(old), .. }) =
        local::replica(&engine.snapshot(), install.range)?
    {
        mvcc::clear(batch, &old.descriptor.span);
    }
    mvcc::clear(batch, span);
    for part in 0..install.parts {
        let bytes = read_part(engine, install, part)?;
        if !bytes.is_empty() {
            chunks::ingest(batch, span, &bytes)?;
        }
        if batch.bytes() as u64 > batch_bytes {
            engine.write(std::mem::take(batch), Durability::Buffered)?;
        }
    }
    put_records(batch, install);
    Ok(())
}

/// Who the replica is now; the parts have served.
fn put_records(batch: &mut WriteBatch, install: &InstallSnapshot) {
    let range = install.range;
    local::put_applied(batch, range, &install.applied);
    let record = ReplicaState { replica: install.replica, known: Some(install.known.clone()) };
    local::put_replica(batch, range, &record);
    local::clear_installing(batch, range);
    local::clear_staged(batch, range, install.stage, install.parts);
}

fn read_part(engine: &Engine, install: &InstallSnapshot, part: u64) -> Result<Bytes, RaftError> {
    let range = install.range;
    local::staged(engine, range, (install.stage, part))?
        .ok_or_else(|| RaftError::Corrupt(format!("{range}: part {part} of a snapshot is missing")))
}

fn decode_pairs(range: RangeId, part: &Bytes) -> Result<Vec<(Bytes, Bytes)>, RaftError> {
    let pairs: Vec<(Blob, Blob)> =
        from_message(part).map_err(|e| RaftError::Corrupt(format!("snapshot of {range}: {e}")))?;
    Ok(pairs.into_iter().map(|(name, value)| (name.0, value.0)).collect())
}
