//! A state machine kept in memory, its pairs in the engine.

use crate::raft::error::RaftError;
use crate::raft::local;
use base::RangeId;
use bytes::Bytes;
use consensus::{Entry, StateMachine};
use storage::{Engine, WriteBatch};

/// The machine of one group.
pub(crate) struct Machine {
    machine: Box<dyn StateMachine>,
    leads: bool,
}

impl Machine {
    /// Brings the machine to the state that is on disk.
    pub(crate) fn start(
        engine: &Engine,
        range: RangeId,
        machine: Box<dyn StateMachine>,
    ) -> Result<Machine, RaftError> {
        let mut machine = Machine { machine, leads: false };
        machine.restore(range, local::pairs(engine, range)?)?;
        Ok(machine)
    }

    /// Replaces the whole state.
    pub(crate) fn restore(
        &mut self,
        range: RangeId,
        pairs: Vec<(Bytes, Bytes)>,
    ) -> Result<(), RaftError> {
        self.machine
            .restore(pairs)
            .map_err(|e| RaftError::Corrupt(format!("state machine of {range}: {e}")))
    }

    /// Applies one command; its pairs join the batch.
    pub(crate) fn apply(&mut self, batch: &mut WriteBatch, range: RangeId, entry: &Entry) -> Bytes {
        let (answer, pairs) = self.machine.apply(entry.index, &entry.data);
        for (name, value) in pairs {
            local::put_pair(batch, range, &name, value.as_deref());
        }
        answer
    }

    /// All pairs, as of the last applied entry.
    pub(crate) fn pairs(&self) -> Vec<(Bytes, Bytes)> {
        self.machine.snapshot()
    }

    pub(crate) fn on_lead(&mut self, term: u64) {
        self.leads = true;
        self.machine.on_lead(term);
    }

    pub(crate) fn on_follow(&mut self) {
        if std::mem::take(&mut self.leads) {
            self.machine.on_follow();
        }
    }
}
