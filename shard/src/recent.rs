//! Transactions that are over, as long as late copies of their requests may still arrive.

use base::TxnId;
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

/// How many are remembered: at a thousand a second, the last four seconds' worth.
const CAPACITY: usize = 4_096;

/// A bounded set; the oldest are forgotten.
#[derive(Default)]
pub(crate) struct RecentTxns {
    is_used: AtomicBool,
    state: Mutex<(BTreeSet<TxnId>, VecDeque<TxnId>)>,
}

impl RecentTxns {
    /// Remembers one.
    pub(crate) fn insert(&self, txn: TxnId) {
        self.is_used.store(true, Ordering::Release);
        let (set, order) = &mut *self.state.lock();
        if !set.insert(txn) {
            return;
        }
        order.push_back(txn);
        if order.len() > CAPACITY
            && let Some(oldest) = order.pop_front()
        {
            set.remove(&oldest);
        }
    }

    /// True when it is remembered.
    pub(crate) fn contains(&self, txn: TxnId) -> bool {
        self.is_used.load(Ordering::Acquire) && self.state.lock().0.contains(&txn)
    }
}
