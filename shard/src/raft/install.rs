//! Both ends of a snapshot, at the state machine: pinning a state, and exchanging one for another.
//!
//! The exchange is one batch: a crash leaves the old state or the new one.

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
use storage::{WriteBatch, chunks, mvcc};

impl Applier {
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
        if !is_refused && is_newer {
            self.write_parts(&install)?;
            shared = self.put_records(&install);
        }
        local::clear_staged(&mut self.batch, range, install.stage, install.parts);
        let install = Box::new(install);
        self.after.push(After::Tell(ApplyEvent::Installed { install, is_refused, shared }));
        self.flush()?;
        if !is_refused && is_newer {
            self.restore_machine(range)?;
        }
        Ok(())
    }

    /// A snapshot that was given up meanwhile, that does not name this replica, or whose keys another
    /// replica here still owns, must not be installed.
    fn may_install(&self, install: &InstallSnapshot) -> Result<bool, RaftError> {
        let descriptor = &install.known.descriptor;
        let overlaps = |(id, other): (&RangeId, &crate::raft::applier::ApplyState)| {
            *id != install.range
                && matches!(other.service, Service::Range(_))
                && other.known.descriptor.span.overlaps(&descriptor.span)
        };
        let is_range = install.range != RangeId::META;
        let is_there = local::staged(&self.engine, install.range, (install.stage, 0))?.is_some();
        Ok(is_there
            && descriptor.range == install.range
            && descriptor.replica_on(self.node).is_some_and(|r| r.replica == install.replica)
            && install.known.membership.contains(install.replica.0)
            && !(is_range && self.states.iter().any(overlaps)))
    }

    /// The data. All of it and the records in one batch, if it is not too large.
    fn write_parts(&mut self, install: &InstallSnapshot) -> Result<(), RaftError> {
        let range = install.range;
        let span = &install.known.descriptor.span;
        if let Some(old) = self.states.get(&range) {
            mvcc::clear(&mut self.batch, &old.known.descriptor.span);
        }
        let is_machine = range == RangeId::META;
        if is_machine {
            local::clear_pairs(&mut self.batch, range);
        } else {
            mvcc::clear(&mut self.batch, span);
        }
        for part in 0..install.parts {
            let bytes = local::staged(&self.engine, range, (install.stage, part))?
                .ok_or_else(|| RaftError::Corrupt(format!("{range}: part {part} is missing")))?;
            if bytes.is_empty() {
                continue;
            }
            if is_machine {
                put_pairs(&mut self.batch, range, &bytes)?;
            } else {
                chunks::ingest(&mut self.batch, span, &bytes)?;
            }
        }
        Ok(())
    }

    /// Applied state and descriptor; a replica that was empty comes into being.
    fn put_records(&mut self, install: &InstallSnapshot) -> Option<Arc<ReplicaShared>> {
        let range = install.range;
        local::put_applied(&mut self.batch, range, &install.applied);
        let known = install.known.clone();
        let record = ReplicaState { replica: install.replica, known: Some(known.clone()) };
        local::put_replica(&mut self.batch, range, &record);
        if let Some(state) = self.states.get_mut(&range) {
            state.applied = install.applied;
            state.known = known;
            let descriptor = Arc::new(install.known.descriptor.clone());
            self.after.push(After::Descriptor { range, descriptor });
            self.after.push(After::Applied { range, applied: install.applied });
            return None;
        }
        let descriptor = install.known.descriptor.clone();
        let shared = ReplicaShared::new(self.node, install.replica, descriptor, &install.applied);
        let applied = install.applied;
        let open = OpenReplica { shared: shared.clone(), known, applied, machine: None };
        self.after.push(After::Open(Box::new(open)));
        Some(shared)
    }

    fn restore_machine(&mut self, range: RangeId) -> Result<(), RaftError> {
        let pairs = match self.states.get(&range) {
            Some(state) if matches!(state.service, Service::Machine(_)) => {
                local::pairs(&self.engine, range)?
            }
            _ => return Ok(()),
        };
        match self.states.get_mut(&range).map(|state| &mut state.service) {
            Some(Service::Machine(machine)) => machine.restore(range, pairs),
            _ => Ok(()),
        }
    }
}

fn put_pairs(batch: &mut WriteBatch, range: RangeId, part: &Bytes) -> Result<(), RaftError> {
    let pairs: Vec<(Blob, Blob)> =
        from_message(part).map_err(|e| RaftError::Corrupt(format!("snapshot of {range}: {e}")))?;
    for (name, value) in &pairs {
        local::put_pair(batch, range, name, Some(value));
    }
    Ok(())
}
