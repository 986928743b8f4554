//! Sorted tables whose entries keep old values for pinned views.

use crate::{BatchOp, Keyspace, WriteBatch};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound::{self, Excluded, Included, Unbounded};

/// What stood under a key from some sequence on, oldest first; `None` is absence.
type History = Vec<(u64, Option<Bytes>)>;

/// All keyspaces.
#[derive(Default)]
pub(crate) struct Tables {
    tables: [BTreeMap<Bytes, History>; 4],
    /// Sequence of the newest batch.
    sequence: u64,
    /// Pinned sequences and how many pin each.
    pins: BTreeMap<u64, usize>,
    /// Keys with history to drop once no pin is at or below the sequence.
    stale: BTreeMap<u64, Vec<(Keyspace, Bytes)>>,
}

impl Tables {
    /// Applies a batch as the next sequence.
    pub(crate) fn apply(&mut self, batch: &WriteBatch) {
        self.sequence += 1;
        for (keyspace, op) in batch.iter() {
            match op {
                BatchOp::Put(key, value) => {
                    self.set(keyspace, Bytes::copy_from_slice(key), Some(value));
                }
                BatchOp::Delete(key) => self.set(keyspace, Bytes::copy_from_slice(key), None),
                BatchOp::DeleteRange(lower, upper) => {
                    let keys: Vec<Bytes> = self
                        .table(keyspace)
                        .range::<[u8], _>(stretch(lower, Some((upper.max(lower), false))))
                        .map(|(key, _)| key.clone())
                        .collect();
                    keys.into_iter().for_each(|key| self.set(keyspace, key, None));
                }
            }
        }
    }

    /// Everything present, as one batch.
    pub(crate) fn to_batch(&self) -> WriteBatch {
        let mut batch = WriteBatch::new();
        for keyspace in Keyspace::ALL {
            for (key, history) in self.table(keyspace) {
                if let Some(value) = visible(history, u64::MAX) {
                    batch.put(keyspace, key, &value);
                }
            }
        }
        batch
    }

    /// Keeps the present state for a view; returns its sequence.
    pub(crate) fn pin(&mut self) -> u64 {
        *self.pins.entry(self.sequence).or_default() += 1;
        self.sequence
    }

    /// Ends a view, and drops what only it needed.
    pub(crate) fn unpin(&mut self, sequence: u64) {
        if let Some(count) = self.pins.get_mut(&sequence) {
            *count -= 1;
            if *count == 0 {
                self.pins.remove(&sequence);
            }
        }
        let oldest = self.pins.keys().next().copied().unwrap_or(u64::MAX);
        while let Some(entry) = self.stale.first_entry().filter(|entry| *entry.key() <= oldest) {
            for (keyspace, key) in entry.remove() {
                self.trim(keyspace, key);
            }
        }
    }

    /// The value under a key at a sequence.
    pub(crate) fn get(&self, keyspace: Keyspace, key: &[u8], at: u64) -> Option<Bytes> {
        visible(self.table(keyspace).get(key)?, at)
    }

    /// The first entry behind the key, or at it.
    pub(crate) fn first_from(
        &self,
        keyspace: Keyspace,
        key: &[u8],
        or_at: bool,
        at: u64,
    ) -> Option<(Bytes, Bytes)> {
        let lower = if or_at { Included(key) } else { Excluded(key) };
        let mut range = self.table(keyspace).range::<[u8], _>((lower, Unbounded));
        range.find_map(|(key, history)| Some((key.clone(), visible(history, at)?)))
    }

    /// The last entry before the key (or at it, if the flag says so); of all without a key.
    pub(crate) fn last_to(
        &self,
        keyspace: Keyspace,
        key: Option<(&[u8], bool)>,
        at: u64,
    ) -> Option<(Bytes, Bytes)> {
        let mut range = self.table(keyspace).range::<[u8], _>(stretch(&[], key)).rev();
        range.find_map(|(key, history)| Some((key.clone(), visible(history, at)?)))
    }

    /// Bytes of keys and present values in `[lower, upper)`; an empty `upper` is no bound.
    pub(crate) fn bytes(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8]) -> usize {
        let end = (!upper.is_empty()).then_some((upper.max(lower), false));
        let range = self.table(keyspace).range::<[u8], _>(stretch(lower, end));
        range.filter_map(|(key, history)| Some(key.len() + visible(history, u64::MAX)?.len())).sum()
    }

    fn table(&self, keyspace: Keyspace) -> &BTreeMap<Bytes, History> {
        &self.tables[keyspace as usize - 1]
    }

    fn set(&mut self, keyspace: Keyspace, key: Bytes, value: Option<&[u8]>) {
        let sequence = self.sequence;
        let table = &mut self.tables[keyspace as usize - 1];
        let history = table.entry(key.clone()).or_default();
        let value = value.map(Bytes::copy_from_slice);
        match history.last_mut() {
            Some((newest, last)) if *newest == sequence => *last = value,
            _ => history.push((sequence, value)),
        }
        if self.pins.is_empty() {
            self.trim(keyspace, key);
        } else {
            self.stale.entry(sequence).or_default().push((keyspace, key));
        }
    }

    /// Drops what no pinned view sees.
    fn trim(&mut self, keyspace: Keyspace, key: Bytes) {
        let oldest = self.pins.keys().next().copied().unwrap_or(u64::MAX);
        let table = &mut self.tables[keyspace as usize - 1];
        let Some(history) = table.get_mut(&key) else { return };
        let seen = history.partition_point(|(from, _)| *from <= oldest);
        history.drain(..seen.saturating_sub(1));
        if let [(from, None)] = history[..]
            && from <= oldest
        {
            table.remove(&key);
        }
    }
}

fn visible(history: &History, at: u64) -> Option<Bytes> {
    history.iter().rev().find(|(from, _)| *from <= at)?.1.clone()
}

fn stretch<'a>(
    lower: &'a [u8],
    upper: Option<(&'a [u8], bool)>,
) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let upper = match upper {
        None => Unbounded,
        Some((key, true)) => Included(key),
        Some((key, false)) => Excluded(key),
    };
    (Included(lower), upper)
}
