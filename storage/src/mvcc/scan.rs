//! Reads of spans at one timestamp, both ways: live rows only.
//!
//! Forward, a key's versions come newest first, so the first one at or below the timestamp is the
//! row. Backward they come oldest first, so the row is the last one at or below it. A few unwanted
//! versions are stepped over, many are jumped over with a seek.

use super::layout::{TIMESTAMP_LEN, split_version_key, version_key};
use super::point::next_key;
use super::version::{RawVersion, Version};
use crate::{Iter, Keyspace, Snapshot, StorageResult};
use base::{Key, Span, Timestamp};
use std::ops::ControlFlow;

/// Unwanted versions that are stepped over before a seek is cheaper.
pub(super) const STEPS_BEFORE_SEEK: usize = 6;

/// Takes the key and value of a row, and says whether to go on.
pub type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A running scan.
pub struct Scan {
    iter: Iter,
    at: Timestamp,
    reverse: bool,
    state: State,
    /// Forward: scratch for seeks. Backward: the row's key.
    key: Vec<u8>,
    /// Backward only: the row's stored value and timestamp.
    entry: Vec<u8>,
    entry_ts: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Has not moved yet.
    Start,
    /// Forward: the iterator stands on the row. Backward: it stands before the row's versions, and
    /// the row is in the buffers.
    OnRow,
    /// No more rows.
    End,
}

impl Scan {
    /// Starts before the first row of the span, or behind the last one if `reverse`.
    pub fn new(snapshot: &Snapshot, span: &Span, at: Timestamp, reverse: bool) -> Scan {
        let state = if span.is_empty() { State::End } else { State::Start };
        Scan {
            iter: snapshot.iter(Keyspace::Data, &span.start, &span.end),
            at,
            reverse,
            state,
            key: Vec::new(),
            entry: Vec::new(),
            entry_ts: Timestamp::ZERO,
        }
    }

    /// The next row, copied out.
    #[expect(clippy::should_implement_trait, reason = "a step can fail")]
    pub fn next(&mut self) -> StorageResult<Option<(Key, Version)>> {
        if !self.advance()? {
            return Ok(None);
        }
        if self.reverse {
            let version = RawVersion::parse(&self.entry)?.to_version(self.entry_ts);
            return Ok(Some((Key::copy_from(&self.key), version)));
        }
        let (key, ts) = split_version_key(self.iter.key())?;
        let version = RawVersion::parse(self.iter.value())?.to_version(ts);
        Ok(Some((Key::copy_from(key), version)))
    }

    /// Calls `f` with the key and value of each row, uncopied, until it breaks or the rows end
    /// (`Continue`). The row that broke counts as read: a later call goes on behind it.
    pub fn visit(&mut self, f: &mut Visitor<'_>) -> StorageResult<ControlFlow<()>> {
        while self.advance()? {
            let (key, entry) = if self.reverse {
                (&self.key[..], &self.entry[..])
            } else {
                (split_version_key(self.iter.key())?.0, self.iter.value())
            };
            let value = RawVersion::parse(entry)?.value.unwrap_or_default();
            if f(key, value).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Goes to the next live row; false at the end.
    fn advance(&mut self) -> StorageResult<bool> {
        let found = match (self.state, self.reverse) {
            (State::End, _) => false,
            (State::Start, false) => {
                let is_valid = self.iter.seek_to_first()?;
                self.settle_forward(is_valid)?
            }
            (State::OnRow, false) => {
                let is_valid = next_key(&mut self.iter, &mut self.key)?;
                self.settle_forward(is_valid)?
            }
            (State::Start, true) => {
                self.iter.seek_to_last()?;
                self.settle_backward()?
            }
            (State::OnRow, true) => self.settle_backward()?,
        };
        self.state = if found { State::OnRow } else { State::End };
        Ok(found)
    }

    /// From the first version of a key, finds the next live row at or behind it.
    fn settle_forward(&mut self, mut is_valid: bool) -> StorageResult<bool> {
        let mut steps = 0;
        while is_valid {
            let (key, ts) = split_version_key(self.iter.key())?;
            if ts > self.at {
                steps += 1;
                is_valid = if steps < STEPS_BEFORE_SEEK {
                    self.iter.next()?
                } else {
                    steps = 0;
                    version_key(&mut self.key, key, self.at);
                    self.iter.seek(&self.key)?
                };
                continue;
            }
            steps = 0;
            if RawVersion::parse(self.iter.value())?.value.is_some() {
                return Ok(true);
            }
            is_valid = next_key(&mut self.iter, &mut self.key)?;
        }
        Ok(false)
    }

    /// From the last (oldest) version of a key, finds the nearest live row at or before it, copies
    /// it, and leaves the iterator before all versions of its key.
    fn settle_backward(&mut self) -> StorageResult<bool> {
        while self.iter.valid() {
            let (key, ts) = split_version_key(self.iter.key())?;
            self.key.clear();
            self.key.extend_from_slice(key);
            let is_visible = ts <= self.at;
            if is_visible {
                self.take_newest_visible()?;
            }
            self.leave_key_backward()?;
            if is_visible && RawVersion::parse(&self.entry)?.value.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The iterator stands on a visible version of `self.key`: walks to the newest visible one.
    fn take_newest_visible(&mut self) -> StorageResult<()> {
        for _ in 0..STEPS_BEFORE_SEEK {
            self.take_entry()?;
            if !self.iter.prev()? {
                return Ok(());
            }
            let (key, ts) = split_version_key(self.iter.key())?;
            if key != &self.key[..] || ts > self.at {
                return Ok(());
            }
        }
        let mut target = Vec::new();
        version_key(&mut target, &self.key, self.at);
        self.iter.seek(&target)?;
        self.take_entry()
    }

    fn take_entry(&mut self) -> StorageResult<()> {
        self.entry_ts = split_version_key(self.iter.key())?.1;
        self.entry.clear();
        self.entry.extend_from_slice(self.iter.value());
        Ok(())
    }

    /// Leaves the versions of `self.key`, towards smaller keys.
    fn leave_key_backward(&mut self) -> StorageResult<()> {
        for _ in 0..STEPS_BEFORE_SEEK {
            if !self.iter.valid() || split_version_key(self.iter.key())?.0 != &self.key[..] {
                return Ok(());
            }
            self.iter.prev()?;
        }
        // Before the key's newest possible version; keys are prefix-free, so nothing else of
        // interest lies between the bare key and its versions.
        let mut target = std::mem::take(&mut self.key);
        let length = target.len();
        target.extend_from_slice(&[0; TIMESTAMP_LEN]);
        let mut result = self.iter.seek_for_prev(&target);
        if result == Ok(true) && self.iter.key() == &target[..] {
            result = self.iter.prev();
        }
        target.truncate(length);
        self.key = target;
        result.map(|_| ())
    }
}
