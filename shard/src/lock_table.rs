//! The lock table: row locks of the transactions that work in one range, in its leader's memory.
//!
//! Every key has its holders and a queue in order of arrival. A request is granted at once when it is
//! compatible with the holders and with everybody who waits before it; a holder who asks for more
//! goes to the front. The table is a courtesy between transactions: a lost lock costs a retry, never
//! an anomaly, because every write is checked again at COMMIT.
//!
//! This module is a plain data structure; [`crate::lock_wait`] does the waiting.

use base::api::lock::LockStrength;
use base::{Key, KvError, KvResult, MonoTime, NodeId, Span, TxnId};
use futures::channel::oneshot;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tells a waiter that it holds the lock now, or why it never will.
pub(crate) type Waker = oneshot::Sender<KvResult<()>>;

/// Names one waiting request.
pub(crate) type Ticket = u64;

/// How a request for a lock went.
pub(crate) enum Requested {
    /// Held. `is_new` is false when the transaction held it already, as strongly.
    Held { is_new: bool },
    /// Queued; the receiver fires in time.
    Waiting(Ticket, oneshot::Receiver<KvResult<()>>),
}

/// All locks of one range.
#[derive(Default)]
pub(crate) struct LockTable {
    next: Ticket,
    locks: BTreeMap<Key, Lock>,
    txns: BTreeMap<TxnId, TxnLocks>,
}

/// One key's lock.
#[derive(Default)]
struct Lock {
    holders: SmallVec<[(TxnId, LockStrength); 1]>,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    ticket: Ticket,
    txn: TxnId,
    strength: LockStrength,
    /// When it was last heard of.
    seen: MonoTime,
    waker: Waker,
}

/// What one transaction holds.
struct TxnLocks {
    /// A set: a large transaction releases its keys one by one.
    keys: BTreeSet<Key>,
    /// When it was last heard of.
    seen: MonoTime,
}

impl LockTable {
    /// True when nobody holds anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// Number of locked keys.
    pub(crate) fn len(&self) -> usize {
        self.locks.len()
    }

    /// Number of requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.locks.values().map(|lock| lock.queue.len()).sum()
    }

    /// Asks for a lock, and queues if it cannot be had.
    pub(crate) fn request(
        &mut self,
        key: &Key,
        txn: TxnId,
        strength: LockStrength,
        now: MonoTime,
    ) -> Requested {
        if let Some(is_new) = self.try_request(key, txn, strength, now) {
            return Requested::Held { is_new };
        }
        let ticket = self.next;
        self.next += 1;
        let (waker, receiver) = oneshot::channel();
        let lock = self.locks.entry(key.clone()).or_default();
        let waiter = Waiter { ticket, txn, strength, seen: now, waker };
        match lock.holds(txn) {
            Some(_) => lock.queue.push_front(waiter),
            None => lock.queue.push_back(waiter),
        }
        Requested::Waiting(ticket, receiver)
    }

    /// Asks for a lock without waiting. `Some(is_new)` when it is held.
    pub(crate) fn try_request(
        &mut self,
        key: &Key,
        txn: TxnId,
        strength: LockStrength,
        now: MonoTime,
    ) -> Option<bool> {
        let held = match self.locks.get_mut(key) {
            Some(lock) => {
                let held = lock.holds(txn);
                if held.is_some_and(|held| held >= strength) {
                    self.touch(txn, now);
                    return Some(false);
                }
                let must_queue = held.is_none() && !lock.queue.is_empty();
                if must_queue || !lock.admits(txn, strength) {
                    return None;
                }
                lock.hold(txn, strength);
                held
            }
            None => {
                let lock =
                    Lock { holders: smallvec::smallvec![(txn, strength)], ..Lock::default() };
                self.locks.insert(key.clone(), lock);
                None
            }
        };
        if held.is_none() {
            self.note(txn, key, now);
        }
        Some(held.is_none())
    }

    /// True when the transaction holds the key's lock, however strongly.
    pub(crate) fn holds(&self, key: &Key, txn: TxnId) -> bool {
        self.locks.get(key).is_some_and(|lock| lock.holds(txn).is_some())
    }

    /// True when the transaction holds the key's lock exclusively.
    pub(crate) fn holds_alone(&self, key: &Key, txn: TxnId) -> bool {
        let held = self.locks.get(key).and_then(|lock| lock.holds(txn));
        held == Some(LockStrength::Exclusive)
    }

    /// True when another transaction's lock is in the way of a write or, with `Shared`, of a check.
    pub(crate) fn is_foreign(&self, key: &Key, txn: Option<TxnId>, strength: LockStrength) -> bool {
        let is_other = |holder: TxnId| Some(holder) != txn;
        self.locks.get(key).is_some_and(|lock| {
            lock.holders.iter().any(|(holder, held)| {
                is_other(*holder) && (*held).max(strength) == LockStrength::Exclusive
            })
        })
    }

    /// The transactions that the holder of this ticket waits for: whoever holds the lock, and
    /// whoever comes before it in the queue. Empty when it waits no more.
    pub(crate) fn waits_for(&mut self, key: &Key, ticket: Ticket, now: MonoTime) -> Vec<TxnId> {
        let Some(lock) = self.locks.get_mut(key) else { return Vec::new() };
        let Some(place) = lock.queue.iter().position(|w| w.ticket == ticket) else {
            return Vec::new();
        };
        lock.queue[place].seen = now;
        let txn = lock.queue[place].txn;
        let holders = lock.holders.iter().map(|(holder, _)| *holder);
        let earlier = lock.queue.iter().take(place).map(|waiter| waiter.txn);
        let mut others: Vec<TxnId> = holders.chain(earlier).filter(|t| *t != txn).collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// Gives up waiting. False when it does not wait any more: it holds the lock, or the table was
    /// emptied.
    #[must_use]
    pub(crate) fn cancel(&mut self, key: &Key, ticket: Ticket) -> (bool, Vec<Waker>) {
        let Some(lock) = self.locks.get_mut(key) else { return (false, Vec::new()) };
        let before = lock.queue.len();
        lock.queue.retain(|waiter| waiter.ticket != ticket);
        let was_waiting = lock.queue.len() < before;
        (was_waiting, self.grant(key))
    }

    /// Releases one key.
    #[must_use]
    pub(crate) fn release(&mut self, txn: TxnId, key: &Key) -> Vec<Waker> {
        if let Some(held) = self.txns.get_mut(&txn) {
            held.keys.remove(key);
            if held.keys.is_empty() {
                self.txns.remove(&txn);
            }
        }
        self.release_key(txn, key)
    }

    /// Releases everything that the transaction holds.
    #[must_use]
    pub(crate) fn release_all(&mut self, txn: TxnId) -> Vec<Waker> {
        let Some(held) = self.txns.remove(&txn) else { return Vec::new() };
        held.keys.iter().flat_map(|key| self.release_key(txn, key)).collect()
    }

    /// The transactions of a node that hold something, up to this one.
    pub(crate) fn of_node(&self, node: NodeId, last: u64) -> Vec<TxnId> {
        let (first, last) = (TxnId::new(node, 0), TxnId::new(node, last));
        self.txns.range(first..=last).map(|(txn, _)| *txn).collect()
    }

    /// The transaction lives.
    pub(crate) fn touch(&mut self, txn: TxnId, now: MonoTime) {
        if let Some(held) = self.txns.get_mut(&txn) {
            held.seen = now;
        }
    }

    /// When the transaction was last heard of; `None` when it holds nothing.
    pub(crate) fn seen(&self, txn: TxnId) -> Option<MonoTime> {
        self.txns.get(&txn).map(|held| held.seen)
    }

    /// Forgets every lock outside the span and tells its waiters `error`.
    pub(crate) fn retain(&mut self, span: &Span, error: &KvError) {
        let gone: Vec<Key> = self.locks.keys().filter(|key| !span.contains(key)).cloned().collect();
        for key in gone {
            let Some(lock) = self.locks.remove(&key) else { continue };
            for (txn, _) in &lock.holders {
                if let Some(held) = self.txns.get_mut(txn) {
                    held.keys.remove(&key);
                }
            }
            for waiter in lock.queue {
                let _ = waiter.waker.send(Err(error.clone()));
            }
        }
        self.txns.retain(|_, held| !held.keys.is_empty());
    }

    fn note(&mut self, txn: TxnId, key: &Key, now: MonoTime) {
        let fresh = || TxnLocks { keys: BTreeSet::new(), seen: now };
        let held = self.txns.entry(txn).or_insert_with(fresh);
        held.seen = now;
        held.keys.insert(key.clone());
    }

    fn release_key(&mut self, txn: TxnId, key: &Key) -> Vec<Waker> {
        let Some(lock) = self.locks.get_mut(key) else { return Vec::new() };
        lock.holders.retain(|(holder, _)| *holder != txn);
        self.grant(key)
    }

    /// Hands the lock to those at the front of the queue who can have it.
    fn grant(&mut self, key: &Key) -> Vec<Waker> {
        let Some(lock) = self.locks.get_mut(key) else { return Vec::new() };
        let mut granted = SmallVec::<[(TxnId, MonoTime); 2]>::new();
        let mut wakers = Vec::new();
        while let Some(first) = lock.queue.front() {
            if !lock.admits(first.txn, first.strength) {
                break;
            }
            let Some(waiter) = lock.queue.pop_front() else { break };
            if lock.holds(waiter.txn).is_none() {
                granted.push((waiter.txn, waiter.seen));
            }
            lock.hold(waiter.txn, waiter.strength);
            wakers.push(waiter.waker);
        }
        if lock.holders.is_empty() && lock.queue.is_empty() {
            self.locks.remove(key);
        }
        for (txn, seen) in granted {
            let seen = self.seen(txn).map_or(seen, |other| other.max(seen));
            self.note(txn, key, seen);
        }
        wakers
    }
}

impl Lock {
    fn holds(&self, txn: TxnId) -> Option<LockStrength> {
        self.holders.iter().find(|(holder, _)| *holder == txn).map(|(_, strength)| *strength)
    }

    /// True when the other holders allow it.
    fn admits(&self, txn: TxnId, strength: LockStrength) -> bool {
        self.holders
            .iter()
            .filter(|(holder, _)| *holder != txn)
            .all(|(_, held)| *held == LockStrength::Shared && strength == LockStrength::Shared)
    }

    fn hold(&mut self, txn: TxnId, strength: LockStrength) {
        match self.holders.iter_mut().find(|(holder, _)| *holder == txn) {
            Some((_, held)) => *held = (*held).max(strength),
            None => self.holders.push((txn, strength)),
        }
    }
}

#[cfg(test)]
mod tests;
