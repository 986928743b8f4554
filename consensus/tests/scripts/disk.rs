//! A disk for one replica: what was synced survives a crash.

use consensus::{ConsensusError, Entry, GroupState, HardState, LogReader, Membership};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What a replica keeps.
#[derive(Clone, Default)]
pub(crate) struct Content {
    pub(crate) hard_state: HardState,
    pub(crate) truncated: (u64, u64),
    pub(crate) entries: BTreeMap<u64, (u64, Entry)>,
    pub(crate) membership: Membership,
    pub(crate) applied: u64,
    /// The state machine: commands in order.
    pub(crate) machine: Vec<String>,
}

/// A disk with a cache that a crash empties.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    now: Arc<Mutex<Content>>,
    synced: RefCell<Content>,
}

impl Disk {
    pub(crate) fn new(content: Content) -> Disk {
        Disk { now: Arc::new(Mutex::new(content.clone())), synced: RefCell::new(content) }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Content) -> T) -> T {
        act(&mut self.now.lock().unwrap())
    }

    pub(crate) fn sync(&self) {
        *self.synced.borrow_mut() = self.now.lock().unwrap().clone();
    }

    pub(crate) fn crash(&self) {
        *self.now.lock().unwrap() = self.synced.borrow().clone();
    }

    pub(crate) fn reader(&self) -> Box<dyn LogReader> {
        Box::new(Reader(self.now.clone()))
    }

    pub(crate) fn state(&self) -> GroupState {
        self.with(|content| {
            let last = content.entries.last_key_value();
            GroupState {
                hard_state: content.hard_state,
                truncated: content.truncated,
                last: last.map_or(content.truncated, |(index, (term, _))| (*index, *term)),
                membership: content.membership.clone(),
                applied: content.applied,
            }
        })
    }
}

struct Reader(Arc<Mutex<Content>>);

impl LogReader for Reader {
    fn entries(&self, low: u64, high: u64, _max: u64) -> Result<Vec<Entry>, ConsensusError> {
        let content = self.0.lock().unwrap();
        Ok(content.entries.range(low..high).map(|(_, (_, entry))| entry.clone()).collect())
    }

    fn term(&self, index: u64) -> Result<Option<u64>, ConsensusError> {
        Ok(self.0.lock().unwrap().entries.get(&index).map(|(term, _)| *term))
    }
}
