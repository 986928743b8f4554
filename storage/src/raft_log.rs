//! Raft logs of all groups, in [`Keyspace::Raft`]. Storage knows no Raft: entries and hard states
//! are bytes with an index and a term.
//!
//! ```text
//! group (u64 BE) ++ 01               hard state
//! group (u64 BE) ++ 02               where the log was cut off: index, term
//! group (u64 BE) ++ 03 ++ index BE   entry: version byte, term (u64 LE), data
//! ```

use crate::{Engine, Iter, Keyspace, StorageError, StorageResult, WriteBatch};
use base::RangeId;
use bytes::Bytes;
use std::ops::Range;

const HARD_STATE: u8 = 0x01;
const TRUNCATED: u8 = 0x02;
const ENTRY: u8 = 0x03;
/// Behind everything of a group.
const END: u8 = 0x04;
const LAYOUT: u8 = 1;

/// An entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place.
    pub index: u64,
    /// The term in which it was proposed.
    pub term: u64,
    /// What it carries.
    pub data: Bytes,
}

/// A group's log as found on start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// The hard state as it was stored; `None` for a group that never stored one.
    pub hard_state: Option<Bytes>,
    /// Everything up to this index is gone; 0 when nothing is.
    pub truncated_index: u64,
    /// Term of the entry at `truncated_index`.
    pub truncated_term: u64,
    /// Index of the last entry; `truncated_index` when there is none.
    pub last_index: u64,
    /// Term of the last entry.
    pub last_term: u64,
}

/// Adds entries. With `truncate_from` everything from that index on goes first: the leader has
/// overruled it.
pub fn append(
    batch: &mut WriteBatch,
    range: RangeId,
    entries: &[LogEntry],
    truncate_from: Option<u64>,
) {
    if let Some(from) = truncate_from {
        batch.delete_range(Keyspace::Raft, &entry_key(range, from), &group_key(range, END));
    }
    let mut value = Vec::new();
    for entry in entries {
        value.clear();
        value.push(LAYOUT);
        value.extend_from_slice(&entry.term.to_le_bytes());
        value.extend_from_slice(&entry.data);
        batch.put(Keyspace::Raft, &entry_key(range, entry.index), &value);
    }
}

/// Stores the hard state.
pub fn set_hard_state(batch: &mut WriteBatch, range: RangeId, hard_state: &[u8]) {
    batch.put(Keyspace::Raft, &group_key(range, HARD_STATE), hard_state);
}

/// Removes the entries from `first` (the log's present first index) through `through`, whose term
/// is `term`.
pub fn truncate(batch: &mut WriteBatch, range: RangeId, first: u64, through: u64, term: u64) {
    // One by one: range deletions would slow down every later read of the log.
    for index in first..=through {
        batch.delete(Keyspace::Raft, &entry_key(range, index));
    }
    set_truncated(batch, range, through, term);
}

/// Replaces the whole log by an empty one that goes on behind `index`: a snapshot was installed.
pub fn reset(batch: &mut WriteBatch, range: RangeId, index: u64, term: u64) {
    batch.delete_range(Keyspace::Raft, &group_key(range, ENTRY), &group_key(range, END));
    set_truncated(batch, range, index, term);
}

/// Removes everything of a group.
pub fn destroy(batch: &mut WriteBatch, range: RangeId) {
    batch.delete_range(Keyspace::Raft, &group_key(range, 0), &group_key(range, END));
}

/// The entries with indexes in `indexes`, until about `max_bytes` are gathered (one at least, if
/// there is one). A gap is damage.
pub fn entries(
    engine: &Engine,
    range: RangeId,
    indexes: Range<u64>,
    max_bytes: usize,
) -> StorageResult<Vec<LogEntry>> {
    let mut out: Vec<LogEntry> = Vec::new();
    let (lower, upper) = (entry_key(range, indexes.start), entry_key(range, indexes.end));
    let mut iter = engine.iter(Keyspace::Raft, &lower, &upper);
    let (mut bytes, mut expected) = (0, indexes.start);
    let mut is_valid = !indexes.is_empty() && iter.seek_to_first()?;
    while is_valid {
        let entry = decode(&iter)?;
        if entry.index != expected {
            return Err(StorageError::Corrupt(format!("{range}: log entry {expected} is missing")));
        }
        bytes += entry.data.len();
        if bytes > max_bytes && !out.is_empty() {
            break;
        }
        out.push(entry);
        expected += 1;
        is_valid = iter.next()?;
    }
    Ok(out)
}

/// The term of one entry that is still in the log.
pub fn term(engine: &Engine, range: RangeId, index: u64) -> StorageResult<Option<u64>> {
    let entry = engine.get(Keyspace::Raft, &entry_key(range, index))?;
    entry.map(|bytes| split_value(&bytes).map(|(term, _)| term)).transpose()
}

/// What a group left behind.
pub fn load(engine: &Engine, range: RangeId) -> StorageResult<LogState> {
    let hard_state = engine.get(Keyspace::Raft, &group_key(range, HARD_STATE))?;
    let (truncated_index, truncated_term) = truncated(engine, range)?;
    let (lower, upper) = (group_key(range, ENTRY), group_key(range, END));
    let mut iter = engine.iter(Keyspace::Raft, &lower, &upper);
    let (mut last_index, mut last_term) = (truncated_index, truncated_term);
    if iter.seek_to_last()? {
        let last = decode(&iter)?;
        iter.seek_to_first()?;
        if decode(&iter)?.index != truncated_index + 1 {
            return Err(StorageError::Corrupt(format!(
                "{range}: log entry {} is missing",
                truncated_index + 1
            )));
        }
        (last_index, last_term) = (last.index, last.term);
    }
    Ok(LogState { hard_state, truncated_index, truncated_term, last_index, last_term })
}

/// Every group that has something stored.
pub fn groups(engine: &Engine) -> StorageResult<Vec<RangeId>> {
    let mut out = Vec::new();
    let mut iter = engine.iter(Keyspace::Raft, &[], &[]);
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        let range = iter.key().first_chunk::<8>().map(|id| RangeId(u64::from_be_bytes(*id)));
        let range = range.ok_or_else(|| StorageError::Corrupt("raft key".into()))?;
        out.push(range);
        is_valid = iter.seek(&group_key(range, END))?;
    }
    Ok(out)
}

fn set_truncated(batch: &mut WriteBatch, range: RangeId, index: u64, term: u64) {
    let mut value = vec![LAYOUT];
    value.extend_from_slice(&index.to_le_bytes());
    value.extend_from_slice(&term.to_le_bytes());
    batch.put(Keyspace::Raft, &group_key(range, TRUNCATED), &value);
}

fn truncated(engine: &Engine, range: RangeId) -> StorageResult<(u64, u64)> {
    let Some(bytes) = engine.get(Keyspace::Raft, &group_key(range, TRUNCATED))? else {
        return Ok((0, 0));
    };
    let malformed = || StorageError::Corrupt(format!("{range}: malformed truncation mark"));
    let body = bytes.strip_prefix(&[LAYOUT]).ok_or_else(malformed)?;
    let (index, term) = body.split_first_chunk::<8>().ok_or_else(malformed)?;
    let term: [u8; 8] = term.try_into().map_err(|_| malformed())?;
    Ok((u64::from_le_bytes(*index), u64::from_le_bytes(term)))
}

fn decode(iter: &Iter) -> StorageResult<LogEntry> {
    let index = iter.key().last_chunk::<8>().map(|index| u64::from_be_bytes(*index));
    let index = index.ok_or_else(|| StorageError::Corrupt("raft key".into()))?;
    let (term, data) = split_value(iter.value())?;
    Ok(LogEntry { index, term, data: Bytes::copy_from_slice(data) })
}

fn split_value(value: &[u8]) -> StorageResult<(u64, &[u8])> {
    let body = value.strip_prefix(&[LAYOUT]);
    let (term, data) = body
        .and_then(|body| body.split_first_chunk::<8>())
        .ok_or_else(|| StorageError::Corrupt("malformed log entry".into()))?;
    Ok((u64::from_le_bytes(*term), data))
}

fn group_key(range: RangeId, part: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(17);
    key.extend_from_slice(&range.0.to_be_bytes());
    key.push(part);
    key
}

fn entry_key(range: RangeId, index: u64) -> Vec<u8> {
    let mut key = group_key(range, ENTRY);
    key.extend_from_slice(&index.to_be_bytes());
    key
}
