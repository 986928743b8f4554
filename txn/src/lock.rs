//! Locking reads, and the check of inserts at the end of a statement.

use crate::keeper::KeptLocks;
use crate::locks::HeldLock;
use crate::meta_client::mismatch;
use crate::sender::{Attempt, Sending};
use crate::txn::{Isolation, Txn, TxnLocked};
use crate::view::View;
use base::api::lock::{LockRequest, LockStrength, LockWait, LockedValue};
use base::api::{RangeOp, RangeResponse};
use base::{Key, KvError, KvResult, Span, Timestamp};
use std::collections::BTreeMap;

impl Txn {
    /// Locks keys; answers the newest committed values (or own writes) in the order of the keys.
    /// REPEATABLE READ and SERIALIZABLE fail with `WriteConflict` where a value is newer than the
    /// snapshot.
    pub async fn lock(
        &mut self,
        keys: Vec<Key>,
        strength: LockStrength,
        wait: LockWait,
    ) -> KvResult<Vec<TxnLocked>> {
        self.prepare_view(&keys).await?;
        let wanted: Vec<Key> =
            keys.iter().filter(|key| !self.buffer.contains(key)).cloned().collect();
        let locked = self.lock_newest(wanted, strength, wait).await?;
        let mut answers = Vec::with_capacity(keys.len());
        for key in &keys {
            answers.push(match (self.buffer.get(key), locked.get(key)) {
                (Some(slot), _) => {
                    TxnLocked::Held { value: slot.change.value().cloned(), changed: false }
                }
                (None, Some(LockedValue::Held { value, observed })) => TxnLocked::Held {
                    value: value.as_ref().map(|value| value.0.clone()),
                    changed: self.has_changed(key, *observed)?,
                },
                (None, _) => TxnLocked::Skipped,
            });
        }
        Ok(answers)
    }

    /// Makes COMMIT rest on exclusive locks of the keys; takes those that are not held. For writes
    /// that are right only as long as nobody has come near the keys, even without leaving a trace:
    /// who removes a row that others may reference has looked for them under its lock.
    pub async fn hold(&mut self, mut keys: Vec<Key>) -> KvResult<()> {
        keys.retain(|key| !self.buffer.is_own_insert(key));
        let is_held = |key: &Key| {
            let held = self.locks.get(key);
            held.is_some_and(|held| held.strength == LockStrength::Exclusive)
        };
        let missing = keys.iter().filter(|key| !is_held(key)).cloned().collect();
        self.lock_newest(missing, LockStrength::Exclusive, LockWait::Block).await?;
        keys.iter().for_each(|key| self.locks.need(key));
        Ok(())
    }

    /// Locks and checks the keys of inserts that were not checked yet: the end of a statement
    /// inside a transaction block. COMMIT checks whatever is left.
    pub async fn check_inserts(&mut self) -> KvResult<()> {
        if let Some(key) = self.buffer.duplicate() {
            return Err(KvError::KeyExists { key: key.clone() });
        }
        let keys = self.buffer.unchecked();
        if keys.is_empty() {
            return Ok(());
        }
        let locked = self.lock_newest(keys, LockStrength::Exclusive, LockWait::Block).await?;
        for (key, value) in locked {
            match value {
                LockedValue::Held { value: None, .. } => self.buffer.set_checked(&key),
                _ => {
                    // The client is going to learn of it, even if the insert is rolled back.
                    self.note_observed(std::slice::from_ref(&key)).await?;
                    return Err(KvError::KeyExists { key });
                }
            }
        }
        Ok(())
    }

    /// Locks that are given back have shown something: SERIALIZABLE counts it as read.
    pub(crate) async fn note_observed(&mut self, keys: &[Key]) -> KvResult<()> {
        let is_counted = self.isolation == Isolation::Serializable && !keys.is_empty();
        if is_counted && matches!(self.view, View::Open) {
            self.draw_view().await?;
        }
        self.note_keys(keys);
        Ok(())
    }

    /// Levels with one snapshot need it before the lock, so that whatever commits while the lock
    /// is waited for counts as newer. A snapshot that one range's leader picked tells nothing about
    /// the age of rows elsewhere, at any level.
    async fn prepare_view(&mut self, keys: &[Key]) -> KvResult<()> {
        if self.is_read_only {
            return Err(KvError::Fatal("a read-only transaction takes no locks".into()));
        }
        match &self.view {
            View::Open if self.isolation == Isolation::ReadCommitted => {}
            View::Open => drop(self.draw_view().await?),
            View::Drawn(_) => {}
            View::Picked { within, .. } => {
                if !keys.iter().all(|key| within.covers(&Span::point(key.clone()))) {
                    self.move_view_up().await?;
                }
            }
        }
        Ok(())
    }

    /// Is what the lock found newer than what the statement reads?
    fn has_changed(&self, key: &Key, observed: Timestamp) -> KvResult<bool> {
        let changed = self.view.ts().is_some_and(|ts| observed > ts);
        if changed && self.isolation != Isolation::ReadCommitted {
            return Err(KvError::WriteConflict { key: key.clone(), newer: observed });
        }
        Ok(changed)
    }

    /// Locks keys at their leaders; answers what they hold.
    pub(crate) async fn lock_newest(
        &mut self,
        mut keys: Vec<Key>,
        strength: LockStrength,
        wait: LockWait,
    ) -> KvResult<BTreeMap<Key, LockedValue>> {
        let mut locked = BTreeMap::new();
        if keys.is_empty() {
            return Ok(locked);
        }
        let id = self.ensure_id().await?;
        keys.sort();
        keys.dedup();
        // Should the caller go away in the middle, these may be locked.
        self.locks.suspect(keys.iter().cloned());
        let sending = Sending::new(Some(id), self.lock_wait());
        let make = |keys: &[Key], _: Attempt| {
            RangeOp::Lock(LockRequest { keys: keys.to_vec(), strength, wait })
        };
        let scattered = self.core.scatter(keys, sending, make).await;
        for (part, sent) in scattered.parts {
            self.touched.add(sent.range, sent.node);
            if let Some(key) = part.first() {
                let kept = self.kept.get_or_insert_with(|| KeptLocks::new(&self.core, id));
                kept.note(sent.range, key);
            }
            let RangeResponse::Lock(response) = sent.response else {
                return Err(mismatch("a locking read"));
            };
            for (key, value) in part.into_iter().zip(response.values) {
                self.locks.settle(&key);
                if let LockedValue::Held { value, observed } = &value {
                    let (observed, is_live) = (*observed, value.is_some());
                    let lock = HeldLock { observed, is_live, strength, is_needed: false };
                    self.locks.grant(key.clone(), lock);
                }
                locked.insert(key, value);
            }
        }
        match scattered.error {
            Some(error) => Err(error),
            None => Ok(locked),
        }
    }
}
