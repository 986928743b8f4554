//! The locks a transaction holds, and what it saw when it took them.

use base::api::lock::LockStrength;
use base::api::{Write, WriteCondition, WriteOp};
use base::{Key, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldLock {
    /// Timestamp of the newest version when the lock was first taken. It stays the oldest one
    /// seen: had the lock been lost in between, COMMIT finds out by it.
    pub(crate) observed: Timestamp,
    /// A value was seen then.
    pub(crate) is_live: bool,
    pub(crate) strength: LockStrength,
    /// COMMIT rests on the lock itself: it must not have been lost in between, whatever the key
    /// holds.
    pub(crate) is_needed: bool,
}

impl HeldLock {
    /// What must be true of the key at COMMIT.
    pub(crate) fn condition(&self) -> WriteCondition {
        match (self.is_needed, self.is_live) {
            (true, _) => WriteCondition::Held(self.observed),
            (false, true) => WriteCondition::Unchanged(self.observed),
            (false, false) => WriteCondition::NotNewerThan(self.observed),
        }
    }
}

/// All locks of a transaction.
#[derive(Debug, Default)]
pub(crate) struct LockSet {
    held: BTreeMap<Key, HeldLock>,
    /// In the order of taking, so that a savepoint can release what came later.
    order: Vec<Key>,
    /// Keys that a failed request may have locked.
    stray: BTreeSet<Key>,
}

impl LockSet {
    /// True when there is nothing to release.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.stray.is_empty()
    }

    /// The lock on a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&HeldLock> {
        self.held.get(key)
    }

    /// Notes a lock that was granted.
    pub(crate) fn grant(&mut self, key: Key, lock: HeldLock) {
        match self.held.get_mut(&key) {
            Some(held) => {
                if lock.observed < held.observed {
                    (held.observed, held.is_live) = (lock.observed, lock.is_live);
                }
                held.strength = held.strength.max(lock.strength);
            }
            None => {
                self.order.push(key.clone());
                self.held.insert(key, lock);
            }
        }
    }

    /// From now on COMMIT rests on the key's lock.
    pub(crate) fn need(&mut self, key: &Key) {
        if let Some(held) = self.held.get_mut(key) {
            held.is_needed = true;
        }
    }

    /// Notes keys that a request may have locked before it failed.
    pub(crate) fn suspect(&mut self, keys: impl IntoIterator<Item = Key>) {
        let held = &self.held;
        self.stray.extend(keys.into_iter().filter(|key| !held.contains_key(key)));
    }

    /// The request has told what became of a suspected key.
    pub(crate) fn settle(&mut self, key: &Key) {
        self.stray.remove(key);
    }

    /// Where a savepoint stands.
    pub(crate) fn mark(&self) -> usize {
        self.order.len()
    }

    /// Forgets the locks taken since the mark, and strays; answers their keys, to be released.
    pub(crate) fn undo_to(&mut self, mark: usize) -> Vec<Key> {
        let mut keys: BTreeSet<Key> = std::mem::take(&mut self.stray);
        for key in self.order.drain(mark..) {
            self.held.remove(&key);
            keys.insert(key);
        }
        keys.into_iter().collect()
    }

    /// Every key that may be locked, sorted.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let held: BTreeSet<&Key> = self.held.keys().chain(&self.stray).collect();
        held.into_iter().cloned().collect()
    }

    /// Makes sorted writes depend on the locks that are needed, and adds a check for every lock
    /// whose key is not written: had the lock been lost, COMMIT must not rest on it.
    pub(crate) fn add_checks(&self, mut writes: Vec<Write>) -> Vec<Write> {
        for write in &mut writes {
            if let Some(held) = self.held.get(&write.key).filter(|held| held.is_needed) {
                write.condition = held.condition();
            }
        }
        let is_written = |key: &Key| writes.binary_search_by(|write| write.key.cmp(key)).is_ok();
        let checks: Vec<Write> = self
            .held
            .iter()
            .filter(|(key, _)| !is_written(key))
            .map(|(key, lock)| Write {
                key: key.clone(),
                op: WriteOp::Check,
                condition: lock.condition(),
            })
            .collect();
        if checks.is_empty() {
            return writes;
        }
        let mut all = writes;
        all.extend(checks);
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::copy_from(name.as_bytes())
    }

    fn lock(observed: u64) -> HeldLock {
        HeldLock {
            observed: Timestamp(observed),
            is_live: true,
            strength: LockStrength::Exclusive,
            is_needed: false,
        }
    }

    #[test]
    fn a_lock_taken_again_keeps_the_older_sight() {
        let mut locks = LockSet::default();
        locks.grant(key("a"), lock(5));
        locks.grant(key("a"), lock(9));
        assert_eq!(locks.get(&key("a")), Some(&lock(5)));
    }

    #[test]
    fn undo_answers_later_locks_and_strays() {
        let mut locks = LockSet::default();
        locks.grant(key("a"), lock(1));
        let mark = locks.mark();
        locks.grant(key("c"), lock(1));
        locks.grant(key("a"), lock(1));
        locks.suspect([key("a"), key("b")]);
        assert_eq!(locks.undo_to(mark), vec![key("b"), key("c")]);
        assert_eq!(locks.keys(), vec![key("a")]);
    }

    #[test]
    fn locked_keys_that_are_not_written_are_checked() {
        let mut locks = LockSet::default();
        locks.grant(key("a"), lock(1));
        locks.grant(key("b"), lock(2));
        let write = Write {
            key: key("b"),
            op: WriteOp::Delete,
            condition: WriteCondition::NotNewerThan(Timestamp(2)),
        };
        let all = locks.add_checks(vec![write.clone()]);
        assert_eq!(all.len(), 2);
        assert_eq!((&all[0].key, &all[0].op), (&key("a"), &WriteOp::Check));
        assert_eq!(all[1], write);
    }

    #[test]
    fn a_write_rests_on_the_lock_it_needs() {
        let mut locks = LockSet::default();
        locks.grant(key("a"), lock(1));
        locks.need(&key("a"));
        let condition = WriteCondition::NotNewerThan(Timestamp::MAX);
        let write = Write { key: key("a"), op: WriteOp::Delete, condition };
        let all = locks.add_checks(vec![write]);
        assert_eq!(all[0].condition, WriteCondition::Held(Timestamp(1)));
    }
}
