//! The state machine as replication sees it, and the view that the service reads through.

use crate::command::{Applied, Command};
use crate::state::MetaState;
use base::codec::{from_message, to_message};
use base::{KvError, KvResult};
use bytes::Bytes;
use consensus::StateMachine;
use parking_lot::RwLock;
use std::sync::Arc;

/// Owned by replication.
#[derive(Default)]
pub struct MetaMachine {
    state: Arc<RwLock<MetaState>>,
}

/// A window on the state as applied so far, for the service of the same process.
#[derive(Clone)]
pub struct MetaView {
    state: Arc<RwLock<MetaState>>,
}

impl MetaMachine {
    /// An empty state.
    pub fn new() -> MetaMachine {
        MetaMachine::default()
    }

    /// The view for the service.
    pub fn view(&self) -> MetaView {
        MetaView { state: self.state.clone() }
    }
}

impl MetaView {
    /// Reads the state. Short and never across an await.
    pub fn read<T>(&self, f: impl FnOnce(&MetaState) -> T) -> T {
        f(&self.state.read())
    }
}

impl StateMachine for MetaMachine {
    fn apply(&mut self, _index: u64, command: &[u8]) -> (Bytes, Vec<(Bytes, Option<Bytes>)>) {
        let (applied, changes) = match from_message::<Command>(command) {
            Ok(command) => self.state.write().apply(command),
            // Every replica sees the same bytes and refuses them alike.
            Err(error) => (Applied::Refused(error.to_string()), Vec::new()),
        };
        (to_message(&applied).into(), changes)
    }

    fn snapshot(&self) -> Vec<(Bytes, Bytes)> {
        self.state.read().pairs()
    }

    fn restore(&mut self, pairs: Vec<(Bytes, Bytes)>) -> KvResult<()> {
        let state = MetaState::from_pairs(pairs)
            .map_err(|error| KvError::Fatal(format!("meta state: {error}")))?;
        *self.state.write() = state;
        Ok(())
    }

    /// The service notices by the term.
    fn on_lead(&mut self, _term: u64) {}

    fn on_follow(&mut self) {}
}
