//! A group's log as `consensus` reads it, from the engine.

use base::RangeId;
use consensus::{ConsensusError, Entry, LogReader};
use storage::{Engine, StorageError, WriteBatch, raft_log};

/// Reads one group's log.
pub(crate) struct EngineLog {
    pub(crate) engine: Engine,
    pub(crate) range: RangeId,
}

impl LogReader for EngineLog {
    fn entries(&self, low: u64, high: u64, bytes_max: u64) -> Result<Vec<Entry>, ConsensusError> {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        raft_log::entries(&self.engine, self.range, low..high, bytes_max)
            .map_err(failure)?
            .into_iter()
            .map(|entry| Entry::decode_body(entry.index, entry.term, &entry.data))
            .collect()
    }

    fn term(&self, index: u64) -> Result<Option<u64>, ConsensusError> {
        raft_log::term(&self.engine, self.range, index).map_err(failure)
    }
}

fn failure(error: StorageError) -> ConsensusError {
    match error {
        StorageError::Corrupt(why) => ConsensusError::Corrupt(why),
        other => ConsensusError::Log(other.to_string()),
    }
}

/// Adds entries to a batch; they replace everything from the first one's index up to `old_last`.
pub(crate) fn append(batch: &mut WriteBatch, range: RangeId, entries: &[Entry], old_last: u64) {
    let Some(first) = entries.first() else { return };
    let entries: Vec<raft_log::LogEntry> = entries
        .iter()
        .map(|e| raft_log::LogEntry { index: e.index, term: e.term, data: e.encode_body() })
        .collect();
    let replaced = (first.index <= old_last).then_some(first.index);
    raft_log::append(batch, range, &entries, replaced);
}
