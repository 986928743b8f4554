//! The write buffer: what a transaction will write, by key, and how to take it back.
//!
//! Each key holds its latest change. While savepoints exist, a change first notes what it replaces
//! in an undo log; rolling back pops the log down to the savepoint's mark.

use base::api::{Write, WriteCondition, WriteOp};
use base::{Key, Span, Timestamp};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Bytes that an entry costs besides key and value.
const ENTRY_OVERHEAD: usize = 64;

/// What a key will hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Put(Bytes),
    Delete,
}

impl Change {
    /// The value a reader in this transaction sees.
    pub(crate) fn value(&self) -> Option<&Bytes> {
        match self {
            Change::Put(value) => Some(value),
            Change::Delete => None,
        }
    }
}

/// Under which condition the change is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// What the transaction saw.
    Seen(WriteCondition),
    /// An insert: no live version. `is_checked` once the key was locked and found absent.
    Absent { is_checked: bool },
    /// None: another key's lock guards it.
    Free,
}

/// A key's latest change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) change: Change,
    pub(crate) guard: Guard,
}

impl Slot {
    fn size(&self) -> usize {
        ENTRY_OVERHEAD + self.change.value().map_or(0, Bytes::len)
    }

    fn to_write(&self, key: &Key) -> Write {
        let condition = match self.guard {
            Guard::Seen(condition) => condition,
            Guard::Absent { .. } => WriteCondition::Absent,
            Guard::Free => WriteCondition::NotNewerThan(Timestamp::MAX),
        };
        let op = match &self.change {
            Change::Put(value) => WriteOp::Put(value.clone().into()),
            // Inserted and deleted again: there is nothing to remove.
            Change::Delete if matches!(self.guard, Guard::Absent { .. }) => WriteOp::Check,
            Change::Delete => WriteOp::Delete,
        };
        Write { key: key.clone(), op, condition }
    }
}

/// What an undo restores.
#[derive(Debug)]
enum Undo {
    Slot { key: Key, before: Option<Slot> },
    Duplicate,
}

/// All changes of a transaction.
#[derive(Debug, Default)]
pub(crate) struct WriteBuffer {
    slots: BTreeMap<Key, Slot>,
    bytes: usize,
    undo: Vec<Undo>,
    keeps_undo: bool,
    /// Keys inserted although the transaction itself had put a row there.
    duplicates: Vec<Key>,
}

impl WriteBuffer {
    /// The changes as they are now, for somebody who only reads.
    pub(crate) fn to_read(&self) -> WriteBuffer {
        WriteBuffer { slots: self.slots.clone(), bytes: self.bytes, ..WriteBuffer::default() }
    }

    /// True when nothing would be written or checked.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.duplicates.is_empty()
    }

    /// Rough size in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The latest change under a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    /// True when the transaction itself has put something under a key that was empty.
    pub(crate) fn is_own_insert(&self, key: &Key) -> bool {
        self.slots.get(key).is_some_and(|slot| matches!(slot.guard, Guard::Absent { .. }))
    }

    /// True when the key is going to be written or checked.
    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.slots.contains_key(key)
    }

    /// Changes in a span, in key order.
    pub(crate) fn range(&self, span: &Span) -> impl DoubleEndedIterator<Item = (&Key, &Change)> {
        let bounds = (Bound::Included(&span.start), Bound::Excluded(&span.end));
        let range = (!span.is_empty()).then(|| self.slots.range::<Key, _>(bounds));
        range.into_iter().flatten().map(|(key, slot)| (key, &slot.change))
    }

    /// Changes a key; a guard from an earlier change of the key stays.
    pub(crate) fn change(&mut self, key: Key, change: Change, guard: Guard) {
        let guard = self.slots.get(&key).map_or(guard, |slot| slot.guard);
        self.set(key, Slot { change, guard });
    }

    /// Inserts; the key must be absent.
    pub(crate) fn insert(&mut self, key: Key, value: Bytes) {
        if self.slots.get(&key).is_some_and(|slot| slot.change.value().is_some()) {
            self.duplicates.push(key);
            if self.keeps_undo {
                self.undo.push(Undo::Duplicate);
            }
            return;
        }
        self.change(key, Change::Put(value), Guard::Absent { is_checked: false });
    }

    /// Keys of inserts that nobody has checked yet.
    pub(crate) fn unchecked(&self) -> Vec<Key> {
        let is_unchecked = |slot: &Slot| slot.guard == Guard::Absent { is_checked: false };
        self.slots
            .iter()
            .filter(|(_, slot)| is_unchecked(slot))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The insert's key was locked and found absent.
    pub(crate) fn set_checked(&mut self, key: &Key) {
        if let Some(slot) = self.slots.get_mut(key)
            && matches!(slot.guard, Guard::Absent { .. })
        {
            slot.guard = Guard::Absent { is_checked: true };
        }
    }

    /// A key that was inserted twice by the transaction itself.
    pub(crate) fn duplicate(&self) -> Option<&Key> {
        self.duplicates.first()
    }

    /// From now on changes can be undone down to the answer.
    pub(crate) fn mark(&mut self) -> usize {
        self.keeps_undo = true;
        self.undo.len()
    }

    /// No savepoint is left.
    pub(crate) fn forget_undo(&mut self) {
        self.keeps_undo = false;
        self.undo.clear();
    }

    /// Undoes everything since the mark.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Slot { key, before: Some(slot) }) => self.replace(key, slot),
                Some(Undo::Slot { key, before: None }) => self.remove(&key),
                Some(Undo::Duplicate) => drop(self.duplicates.pop()),
                None => return,
            }
        }
    }

    /// True when COMMIT will write something, and not only check.
    pub(crate) fn has_effect(&self) -> bool {
        let removes = |slot: &Slot| !matches!(slot.guard, Guard::Absent { .. });
        self.slots.values().any(|slot| slot.change.value().is_some() || removes(slot))
    }

    /// All writes in key order, as COMMIT sends them.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.slots.iter().map(|(key, slot)| slot.to_write(key)).collect()
    }

    fn set(&mut self, key: Key, slot: Slot) {
        if self.keeps_undo {
            let before = self.slots.get(&key).cloned();
            self.undo.push(Undo::Slot { key: key.clone(), before });
        }
        self.replace(key, slot);
    }

    fn replace(&mut self, key: Key, slot: Slot) {
        self.bytes += key.len() + slot.size();
        let key_bytes = key.len();
        if let Some(before) = self.slots.insert(key, slot) {
            self.bytes -= key_bytes + before.size();
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(before) = self.slots.remove(key) {
            self.bytes -= key.len() + before.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::copy_from(name.as_bytes())
    }

    fn put(buffer: &mut WriteBuffer, name: &str, value: &'static str) {
        let guard = Guard::Seen(WriteCondition::Unchanged(Timestamp(7)));
        buffer.change(key(name), Change::Put(Bytes::from_static(value.as_bytes())), guard);
    }

    #[test]
    fn undo_restores_what_was_there_and_the_byte_count() {
        let mut buffer = WriteBuffer::default();
        put(&mut buffer, "a", "1");
        let (before, bytes) = (buffer.writes(), buffer.bytes());
        let outer = buffer.mark();
        put(&mut buffer, "a", "22");
        buffer.change(key("b"), Change::Delete, Guard::Free);
        let inner = buffer.mark();
        buffer.insert(key("a"), Bytes::from_static(b"3"));
        assert_eq!(buffer.duplicate(), Some(&key("a")));
        buffer.undo_to(inner);
        assert_eq!(buffer.duplicate(), None);
        assert_eq!(buffer.writes().len(), 2);
        buffer.undo_to(outer);
        assert_eq!((buffer.writes(), buffer.bytes()), (before, bytes));
    }

    #[test]
    fn the_first_guard_of_a_key_stays() {
        let mut buffer = WriteBuffer::default();
        put(&mut buffer, "a", "1");
        buffer.change(key("a"), Change::Delete, Guard::Free);
        buffer.insert(key("a"), Bytes::from_static(b"2"));
        let writes = buffer.writes();
        assert_eq!(writes[0].condition, WriteCondition::Unchanged(Timestamp(7)));
        assert!(buffer.unchecked().is_empty());
    }

    #[test]
    fn an_insert_that_is_deleted_again_only_checks() {
        let mut buffer = WriteBuffer::default();
        buffer.insert(key("a"), Bytes::from_static(b"1"));
        assert_eq!(buffer.unchecked(), vec![key("a")]);
        buffer.change(key("a"), Change::Delete, Guard::Free);
        assert_eq!(buffer.writes()[0].op, WriteOp::Check);
        assert_eq!(buffer.writes()[0].condition, WriteCondition::Absent);
    }
}
