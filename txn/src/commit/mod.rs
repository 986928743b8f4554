//! COMMIT: everything the transaction wrote, at once.
//!
//! ```text
//! nothing written ──────────────► locks are released, no timestamp
//! one range, one command ───────► one_phase: no intents
//! otherwise ────────────────────► two_phase: intents and a STAGING record in parallel;
//!                                 cleanup resolves them behind the client's back
//! ```
//!
//! SERIALIZABLE first proves that everything it read still reads the same at the commit timestamp
//! and then commits at exactly that timestamp, or moves up and tries again.
//!
//! **A commit that has begun runs to its end**, in the background if its caller goes away: until
//! then it is nobody's to take back.

mod cleanup;
mod one_phase;
mod two_phase;

use crate::client::Core;
use crate::locks::LockSet;
use crate::patience::Patience;
use crate::read_set::ReadSet;
use crate::refresh;
use crate::release::{self, Release};
use crate::run_to_end::RunToEnd;
use crate::scatter::Routed;
use crate::sender::Sending;
use crate::txn::{Isolation, Txn};
use base::api::lock::{LockStrength, LockWait};
use base::api::{Write, WriteOp};
use base::{Key, KvError, KvResult, Timestamp, TxnId};
use futures::future::{Either, select};
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// A commit waits this long for somebody's lock before it goes back to its caller, who can be
/// cancelled, to wait there.
const COMMIT_LOCK_WAIT: Duration = Duration::from_millis(500);

impl Txn {
    /// Commits. Once polled it runs to its end even if the future is dropped. `None` for a
    /// transaction that wrote nothing.
    pub async fn commit(self) -> KvResult<Option<Timestamp>> {
        self.commit_unless(pending()).await
    }

    /// Commits; gives up with `Cancelled` when `interrupt` ends while somebody's lock is waited for.
    pub async fn commit_unless(
        mut self,
        interrupt: impl Future<Output = ()>,
    ) -> KvResult<Option<Timestamp>> {
        let mut interrupt = pin!(interrupt);
        if let Some(key) = self.buffer.duplicate().cloned() {
            self.rollback().await;
            return Err(KvError::KeyExists { key });
        }
        if !self.buffer.has_effect() {
            self.rollback().await;
            return Ok(None);
        }
        let mut txn = self.ensure_id().await?;
        let begun = self.core.env.clock.now();
        loop {
            let done = self.run_commit(txn).await;
            self.locks = done.locks;
            let key = match done.result {
                Err(KvError::LockNotAvailable { key }) if done.may_wait => key,
                // What stood of it is given up; under a new id it has not begun yet.
                Err(KvError::LockNotAvailable { key }) if done.may_begin_again => {
                    (self.id, self.kept) = (None, None);
                    txn = self.ensure_id().await?;
                    key
                }
                result => return result.map(Some),
            };
            if self.core.env.clock.now().since(begun) >= self.lock_wait() {
                return Err(KvError::LockNotAvailable { key });
            }
            // The wait for the lock can be cancelled, unlike the commit.
            let lock = self.lock_newest(vec![key], LockStrength::Exclusive, LockWait::Block);
            match select(pin!(lock), interrupt.as_mut()).await {
                Either::Left((locked, _)) => drop(locked?),
                Either::Right(_) => return Err(KvError::Cancelled),
            }
        }
    }

    async fn run_commit(&mut self, txn: TxnId) -> Done {
        self.read_snapshot();
        let locks = std::mem::take(&mut self.locks);
        let is_exact = self.isolation == Isolation::Serializable && !self.reads.is_empty();
        let job = CommitJob {
            core: self.core.clone(),
            txn,
            writes: locks.add_checks(self.buffer.writes()),
            reads: if is_exact { self.reads.clone() } else { ReadSet::default() },
            read_ts: self.view.ts().unwrap_or(Timestamp::ZERO),
            is_exact,
            locks,
            wait: self.lock_wait(),
            has_intents: false,
        };
        RunToEnd::new(self.core.env.clock.clone(), Box::pin(job.run())).await
    }
}

/// How a commit ended.
struct Done {
    result: KvResult<Timestamp>,
    /// Locks that are still held.
    locks: LockSet,
    /// Nothing was begun that would forbid another attempt.
    may_wait: bool,
    /// It is aborted, and no lock is lost with its id.
    may_begin_again: bool,
}

/// How one attempt ended.
enum Step {
    Committed(Timestamp),
    /// SERIALIZABLE: the timestamp is taken by a later reader; nothing is committed yet.
    TooLate,
}

/// A commit under way. Owns all it needs.
struct CommitJob {
    core: Arc<Core>,
    txn: TxnId,
    /// Sorted, with the checks of locked keys.
    writes: Vec<Write>,
    /// SERIALIZABLE: what was read, and when.
    reads: ReadSet,
    read_ts: Timestamp,
    is_exact: bool,
    locks: LockSet,
    /// How long others' locks are waited for.
    wait: Duration,
    /// Intents may stand: from here on only a record decides.
    has_intents: bool,
}

impl CommitJob {
    async fn run(mut self) -> Done {
        let result = self.attempts().await;
        let may_wait = !self.has_intents;
        if may_wait && matches!(result, Err(KvError::LockNotAvailable { .. })) {
            return Done { result, locks: self.locks, may_wait, may_begin_again: false };
        }
        if result.is_err() && !self.has_intents {
            self.release_in_background(self.locks.keys());
        }
        let may_begin_again = self.locks.is_empty();
        Done { result, locks: LockSet::default(), may_wait: false, may_begin_again }
    }

    /// Draws commit timestamps until one fits.
    async fn attempts(&mut self) -> KvResult<Timestamp> {
        for _ in 0..=self.core.env.config.refresh_attempts {
            let ts = match self.draw_and_refresh().await {
                Ok(ts) => ts,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            };
            match self.attempt(ts).await? {
                Step::Committed(ts) => return Ok(ts),
                Step::TooLate => {}
            }
        }
        self.abandon();
        Err(KvError::WriteConflict { key: self.anchor_key(), newer: self.read_ts })
    }

    /// A fresh commit timestamp, up to which all reads hold.
    async fn draw_and_refresh(&mut self) -> KvResult<Timestamp> {
        let ts = self.core.oracle.now().await?;
        if !self.reads.is_empty() {
            let sending = Sending::new(Some(self.txn), self.core.env.config.outage);
            refresh::run(&self.core, sending, self.reads.spans(), self.read_ts, ts).await?;
            self.read_ts = ts;
        }
        Ok(ts)
    }

    /// One attempt at one timestamp. An error is final, and the transaction is abandoned.
    async fn attempt(&mut self, ts: Timestamp) -> KvResult<Step> {
        let mut patience = Patience::default();
        while !self.has_intents && self.fits_one_command() {
            let route = self.core.router.lookup(&self.writes[0].key).await?;
            let last = &self.writes[self.writes.len() - 1].key;
            if !route.descriptor.contains(last) {
                break;
            }
            if let Some(step) = self.one_phase(route, ts).await? {
                return Ok(step);
            }
            patience.recut(&self.core.env).await?;
        }
        self.two_phase(ts).await
    }

    fn fits_one_command(&self) -> bool {
        let bytes: usize = self.writes.iter().map(|write| write.size()).sum();
        bytes <= self.core.env.config.command_bytes_max
    }

    /// The key beside which the record lives: the first one that is really written.
    fn anchor_key(&self) -> Key {
        let written = self.writes.iter().find(|write| write.op != WriteOp::Check);
        written.or(self.writes.first()).map(|write| write.key.clone()).unwrap_or_default()
    }

    fn release_in_background(&self, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let (core, txn) = (self.core.clone(), self.txn);
        let task = async move { release::run(&core, Release { txn, keys }).await };
        self.core.env.clock.spawn(Box::pin(task));
    }
}
