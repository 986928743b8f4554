//! The log as the `raft` crate reads it: the recent part in memory, the rest through [`LogReader`].
//!
//! **Every entry that is not yet applied is in memory**, so the library, which panics when such a
//! read fails, never has to go to the disk for one. Only a follower that lags makes it read older
//! entries; a failure there is kept and reported to the replication loop.

use crate::log::{Entry, GroupState, HardState, LogReader, SnapshotMeta};
use crate::{ConsensusError, Membership};
use protobuf::Message as _;
use raft::eraftpb;
use raft::{GetEntriesContext, RaftState, StorageError};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Storage of one group for the `raft` crate.
pub(crate) struct LogCache {
    reader: Box<dyn LogReader>,
    hard_state: HardState,
    membership: Membership,
    truncated: (u64, u64),
    last: (u64, u64),
    /// A gapless run of entries that ends at `last`.
    recent: VecDeque<eraftpb::Entry>,
    recent_bytes: usize,
    /// Snapshots that are ready to be announced, by receiver.
    prepared: BTreeMap<u64, SnapshotMeta>,
    /// Receivers for which the library would like to have one.
    wanted: RefCell<BTreeSet<u64>>,
    failure: RefCell<Option<ConsensusError>>,
}

impl LogCache {
    /// Opens the log and loads what is not applied.
    pub(crate) fn open(
        state: GroupState,
        reader: Box<dyn LogReader>,
    ) -> Result<LogCache, ConsensusError> {
        let mut cache = LogCache {
            reader,
            hard_state: state.hard_state,
            membership: state.membership,
            truncated: state.truncated,
            last: state.last,
            recent: VecDeque::new(),
            recent_bytes: 0,
            prepared: BTreeMap::new(),
            wanted: RefCell::default(),
            failure: RefCell::default(),
        };
        let mut next = state.applied + 1;
        while next <= state.last.0 {
            let entries = cache.reader.entries(next, state.last.0 + 1, u64::MAX)?;
            if entries.first().is_none_or(|e| e.index != next) {
                return Err(ConsensusError::Corrupt(format!("entry {next} is missing")));
            }
            next += entries.len() as u64;
            entries.into_iter().for_each(|e| cache.push(e.into_raft()));
        }
        Ok(cache)
    }

    /// Takes entries that are about to be written to disk, replacing what they contradict.
    pub(crate) fn append(&mut self, entries: &[eraftpb::Entry]) {
        let Some(first) = entries.first() else { return };
        assert!(
            self.truncated.0 < first.index && first.index <= self.last.0 + 1,
            "append leaves a gap in the log"
        );
        while self.recent.back().is_some_and(|e| e.index >= first.index) {
            let gone = self.recent.pop_back();
            self.recent_bytes -= gone.map_or(0, |e| e.data.len());
        }
        entries.iter().for_each(|e| self.push(e.clone()));
        let last = &entries[entries.len() - 1];
        self.last = (last.index, last.term);
    }

    fn push(&mut self, entry: eraftpb::Entry) {
        self.recent_bytes += entry.data.len();
        self.recent.push_back(entry);
    }

    /// Frees memory: applied entries go, oldest first, until the rest fits.
    pub(crate) fn evict(&mut self, applied: u64, bytes_max: usize) {
        while self.recent_bytes > bytes_max || self.recent.len() > RECENT_ENTRIES_MAX {
            match self.recent.front() {
                Some(first) if first.index <= applied => {
                    self.recent_bytes -= first.data.len();
                    self.recent.pop_front();
                }
                _ => return,
            }
        }
    }

    /// Forgets everything that is applied.
    pub(crate) fn evict_all(&mut self, applied: u64) {
        self.evict(applied, 0);
        while self.recent.front().is_some_and(|e| e.index <= applied) {
            self.recent.pop_front();
        }
        if self.recent.is_empty() {
            self.recent = VecDeque::new();
            self.recent_bytes = 0;
        }
    }

    /// The log now begins behind this entry.
    pub(crate) fn compact(&mut self, index: u64) -> Result<(u64, u64), ConsensusError> {
        let term = self.term_of(index)?;
        self.truncated = (index, term);
        while self.recent.front().is_some_and(|e| e.index <= index) {
            let gone = self.recent.pop_front();
            self.recent_bytes -= gone.map_or(0, |e| e.data.len());
        }
        Ok(self.truncated)
    }

    /// The term of an entry that must be there.
    pub(crate) fn term_of(&self, index: u64) -> Result<u64, ConsensusError> {
        match self.known_term(index) {
            Some(term) => Ok(term),
            None => self
                .reader
                .term(index)?
                .ok_or_else(|| ConsensusError::Corrupt(format!("entry {index} is missing"))),
        }
    }

    fn known_term(&self, index: u64) -> Option<u64> {
        if index == self.truncated.0 {
            return Some(self.truncated.1);
        }
        if index == self.last.0 {
            return Some(self.last.1);
        }
        let first = self.recent.front()?.index;
        self.recent.get(index.checked_sub(first)? as usize).map(|e| e.term)
    }

    pub(crate) fn truncated(&self) -> (u64, u64) {
        self.truncated
    }

    /// A snapshot for `to` is pinned and may be announced.
    pub(crate) fn prepare(&mut self, to: u64, snapshot: SnapshotMeta) {
        self.prepared.insert(to, snapshot);
    }

    /// Takes back what was prepared for a receiver, once it is announced or void.
    pub(crate) fn take_prepared(&mut self, to: u64) -> Option<SnapshotMeta> {
        self.prepared.remove(&to)
    }

    /// Receivers that need a snapshot that is not prepared.
    pub(crate) fn take_wanted(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.wanted.borrow_mut())
    }

    /// A read that failed while the library was at work.
    pub(crate) fn take_failure(&mut self) -> Option<ConsensusError> {
        self.failure.borrow_mut().take()
    }

    fn read(&self, low: u64, high: u64, bytes_max: u64) -> raft::Result<Vec<eraftpb::Entry>> {
        let entries = self.reader.entries(low, high, bytes_max).and_then(|entries| {
            if entries.is_empty() || entries.iter().zip(low..).any(|(e, i)| e.index != i) {
                return Err(ConsensusError::Corrupt(format!("entry {low} is missing")));
            }
            Ok(entries)
        });
        match entries {
            Ok(entries) => Ok(entries.into_iter().map(Entry::into_raft).collect()),
            Err(error) => {
                *self.failure.borrow_mut() = Some(error);
                Err(raft::Error::Store(StorageError::LogTemporarilyUnavailable))
            }
        }
    }
}

/// However small they are, no more entries than this are kept in memory once applied.
const RECENT_ENTRIES_MAX: usize = 4096;

impl raft::Storage for LogCache {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(self.hard_state.to_raft(), self.membership.to_conf_state()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<eraftpb::Entry>> {
        let bytes_max = max_size.into().unwrap_or(u64::MAX);
        if low <= self.truncated.0 {
            return Err(raft::Error::Store(StorageError::Compacted));
        }
        let first = self.recent.front().map_or(self.last.0 + 1, |e| e.index);
        if low < first {
            return self.read(low, high.min(first), bytes_max);
        }
        let mut bytes = 0u64;
        let fits = |e: &&eraftpb::Entry| {
            bytes += u64::from(e.compute_size());
            bytes <= bytes_max || e.index == low
        };
        let run = self.recent.range((low - first) as usize..(high - first) as usize);
        Ok(run.take_while(fits).cloned().collect())
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index < self.truncated.0 {
            return Err(raft::Error::Store(StorageError::Compacted));
        }
        if index > self.last.0 {
            return Err(raft::Error::Store(StorageError::Unavailable));
        }
        self.term_of(index).map_err(|error| {
            *self.failure.borrow_mut() = Some(error);
            raft::Error::Store(StorageError::Unavailable)
        })
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.truncated.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last.0)
    }

    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<eraftpb::Snapshot> {
        match self.prepared.get(&to) {
            Some(meta) if meta.index >= request_index => {
                let mut snapshot = eraftpb::Snapshot::default();
                let metadata = snapshot.mut_metadata();
                metadata.index = meta.index;
                metadata.term = meta.term;
                metadata.set_conf_state(meta.membership.to_conf_state());
                Ok(snapshot)
            }
            _ => {
                self.wanted.borrow_mut().insert(to);
                Err(raft::Error::Store(StorageError::SnapshotTemporarilyUnavailable))
            }
        }
    }
}
