//! Signs of life for locks: a range takes the locks of a transaction that it has not heard of for
//! long, should somebody wait for them. One task a process speaks for all transactions that have
//! held locks for a while; short ones never need it.

use crate::client::Core;
use crate::sender::{Attempt, Sending};
use base::api::RangeOp;
use base::api::lock::{LockRequest, LockStrength, LockWait};
use base::{Key, MonoTime, RangeId, TxnId};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Pause between two signs of life; well below the patience of ranges.
const INTERVAL: Duration = Duration::from_secs(10);

/// Who holds locks where.
#[derive(Default)]
pub(crate) struct Keeper {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    txns: BTreeMap<TxnId, Held>,
    is_running: bool,
}

struct Held {
    since: MonoTime,
    /// A locked key in every range.
    ranges: BTreeMap<RangeId, Key>,
}

/// A transaction's entry; removed when dropped.
pub(crate) struct KeptLocks {
    core: Weak<Core>,
    txn: TxnId,
    ranges: Vec<RangeId>,
}

impl KeptLocks {
    pub(crate) fn new(core: &Arc<Core>, txn: TxnId) -> KeptLocks {
        KeptLocks { core: Arc::downgrade(core), txn, ranges: Vec::new() }
    }

    /// The transaction has locked a key of a range.
    pub(crate) fn note(&mut self, range: RangeId, key: &Key) {
        if self.ranges.contains(&range) {
            return;
        }
        self.ranges.push(range);
        if let Some(core) = self.core.upgrade() {
            core.keeper.add(&core, self.txn, range, key.clone());
        }
    }
}

impl Drop for KeptLocks {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            core.keeper.state.lock().txns.remove(&self.txn);
        }
    }
}

impl Keeper {
    fn add(&self, core: &Arc<Core>, txn: TxnId, range: RangeId, key: Key) {
        let since = core.env.clock.now();
        let must_start = {
            let mut state = self.state.lock();
            let fresh = || Held { since, ranges: BTreeMap::new() };
            state.txns.entry(txn).or_insert_with(fresh).ranges.insert(range, key);
            !std::mem::replace(&mut state.is_running, true)
        };
        if must_start {
            core.env.clock.spawn(Box::pin(run(Arc::downgrade(core))));
        }
    }

    /// Transactions that have held locks for an interval; `None`, and the end of the task, when
    /// nobody holds any.
    fn due(&self, now: MonoTime) -> Option<Vec<(TxnId, Vec<Key>)>> {
        let mut state = self.state.lock();
        state.is_running = !state.txns.is_empty();
        let is_due = |held: &Held| now.since(held.since) >= INTERVAL;
        let due = state.txns.iter().filter(|(_, held)| is_due(held));
        let keys = |held: &Held| held.ranges.values().cloned().collect();
        let due = due.map(|(txn, held)| (*txn, keys(held))).collect();
        state.is_running.then_some(due)
    }
}

async fn run(core: Weak<Core>) {
    loop {
        let Some(clock) = core.upgrade().map(|core| core.env.clock.clone()) else { return };
        clock.sleep(INTERVAL).await;
        let Some(core) = core.upgrade() else { return };
        let Some(due) = core.keeper.due(clock.now()) else { return };
        for (txn, mut keys) in due {
            keys.sort();
            let sending = Sending::new(Some(txn), core.env.config.meta_attempt);
            let make = |_: &[Key], _: Attempt| {
                RangeOp::Lock(LockRequest {
                    keys: Vec::new(),
                    strength: LockStrength::Shared,
                    wait: LockWait::Error,
                })
            };
            // A range that cannot be reached has lost its locks, or hears the next sign.
            let _ = core.scatter(keys, sending, make).await.error;
        }
    }
}
