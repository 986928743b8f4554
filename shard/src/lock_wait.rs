//! Waiting for locks.

use crate::call::Call;
use crate::lock_table::{Requested, Ticket};
use crate::probe;
use crate::replica::Replica;
use crate::wait_watch::WaitWatch;
use base::api::lock::{LockStrength, LockWait};
use base::{Key, KvError, KvResult, MonoTime, TxnId};
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::sync::Arc;

/// Locks that a request has taken for its transaction; given back when the request fails.
pub(crate) struct Taken {
    replica: Arc<Replica>,
    txn: TxnId,
    keys: Vec<Key>,
}

impl Taken {
    pub(crate) fn new(call: &Call, txn: TxnId) -> Taken {
        Taken { replica: Arc::clone(&call.replica), txn, keys: Vec::new() }
    }

    /// Takes one more lock. False when it is held by somebody else and `wait` says to skip it.
    pub(crate) async fn lock(
        &mut self,
        call: &Call,
        key: &Key,
        strength: LockStrength,
        wait: LockWait,
    ) -> KvResult<bool> {
        let now = call.now();
        if wait != LockWait::Block {
            let held = self.replica.locks().try_request(key, self.txn, strength, now);
            return match (held, wait) {
                (Some(is_new), _) => Ok(self.took(key, is_new)),
                (None, LockWait::Skip) => Ok(false),
                (None, _) => Err(KvError::LockNotAvailable { key: key.clone() }),
            };
        }
        let (was_held, requested) = {
            let mut locks = self.replica.locks();
            (locks.holds(key, self.txn), locks.request(key, self.txn, strength, now))
        };
        match requested {
            Requested::Held { is_new } => Ok(self.took(key, is_new)),
            Requested::Waiting(ticket, mut receiver) => {
                let replica = Arc::clone(&self.replica);
                replica.env.wait_counts.begin();
                let mut place = Place {
                    replica,
                    txn: self.txn,
                    key,
                    ticket,
                    since: now,
                    was_held,
                    is_waiting: true,
                };
                place.wait(call, &mut receiver).await?;
                Ok(self.took(key, !was_held))
            }
        }
    }

    /// Gives one lock back.
    pub(crate) fn give_back(&mut self, key: &Key) {
        if let Some(place) = self.keys.iter().position(|taken| taken == key) {
            self.keys.swap_remove(place);
            self.replica.with_locks(|locks| ((), locks.release(self.txn, key)));
        }
    }

    /// The request has succeeded: the transaction keeps its locks.
    pub(crate) fn keep(mut self) {
        self.keys.clear();
    }

    fn took(&mut self, key: &Key, is_new: bool) -> bool {
        if is_new {
            self.keys.push(key.clone());
        }
        true
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        if !keys.is_empty() {
            let release = |key| self.replica.with_locks(|l| ((), l.release(self.txn, key)));
            keys.iter().for_each(release);
        }
    }
}

/// A place in a key's queue; given up when dropped.
struct Place<'a> {
    replica: Arc<Replica>,
    txn: TxnId,
    key: &'a Key,
    ticket: Ticket,
    since: MonoTime,
    /// The transaction holds the lock already, less strongly.
    was_held: bool,
    is_waiting: bool,
}

impl Place<'_> {
    async fn wait(
        &mut self,
        call: &Call,
        granted: &mut oneshot::Receiver<KvResult<()>>,
    ) -> KvResult<()> {
        let mut watch = WaitWatch::new(call);
        loop {
            let now = call.now();
            if now >= call.deadline {
                return Err(KvError::LockNotAvailable { key: self.key.clone() });
            }
            let pause = watch.due_in(now).min(call.deadline.since(now));
            match select(&mut *granted, call.replica.env.clock.sleep(pause)).await {
                Either::Left((Ok(result), _)) => {
                    self.is_waiting = result.is_err();
                    return result;
                }
                Either::Left((Err(oneshot::Canceled), _)) => return Err(self.replica.not_leader()),
                Either::Right(_) => {}
            }
            self.break_dead(call);
            let holders = || self.replica.locks().waits_for(self.key, self.ticket, call.now());
            watch.report_if_due(call, self.key, holders).await?;
        }
    }

    /// Takes the locks from holders that nobody has heard of for long, and asks after the nodes of
    /// the others. Whoever loses its locks unjustly is told at COMMIT.
    fn break_dead(&self, call: &Call) {
        let now = call.now();
        let expiry = call.config().lock_expiry;
        let holders = self.replica.locks().waits_for(self.key, self.ticket, now);
        for holder in holders {
            let seen = self.replica.locks().seen(holder);
            if seen.is_some_and(|seen| now.since(seen) > expiry) {
                tracing::debug!(%holder, key = %self.key, "took the locks of a silent transaction");
                self.replica.with_locks(|locks| ((), locks.release_all(holder)));
            } else {
                probe::probe(&self.replica, holder.coordinator());
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let env = &self.replica.env;
        env.wait_counts.end(env.clock.now().since(self.since));
        if !self.is_waiting {
            return;
        }
        self.replica.with_locks(|locks| {
            let (was_waiting, wakers) = locks.cancel(self.key, self.ticket);
            if was_waiting || self.was_held {
                return ((), wakers);
            }
            // Granted in the last moment.
            ((), locks.release(self.txn, self.key))
        });
    }
}
