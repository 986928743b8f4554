//! The deadlock detector: a graph of who waits for whom, in the leader's memory.
//!
//! It is told of waits that last, again and again while they last; what is not repeated expires. A
//! stale edge can cost a needless retry, never an anomaly. Of every cycle exactly one transaction is
//! told, the one that began to wait last.

use base::meta_api::WaitEdge;
use base::{Key, MonoTime, RangeId, TxnId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Waits kept at most; more are not watched until some end.
const WAITS_MAX: usize = 100_000;

/// The graph.
#[derive(Debug)]
pub struct Detector {
    waits: BTreeMap<TxnId, Wait>,
    expiry: Duration,
    /// Counts beginnings of waits.
    clock: u64,
}

#[derive(Debug)]
struct Wait {
    range: RangeId,
    key: Key,
    holders: Vec<TxnId>,
    /// When it began, by the detector's count.
    began: u64,
    expires: MonoTime,
}

impl Detector {
    /// An empty graph whose edges live this long.
    pub fn new(expiry: Duration) -> Detector {
        Detector { waits: BTreeMap::new(), expiry, clock: 0 }
    }

    /// A transaction waits, or still waits. Returns the cycle, waiter first, if there is one and
    /// this transaction is the one to give way; else nothing.
    pub fn wait(&mut self, edge: WaitEdge, now: MonoTime) -> Vec<TxnId> {
        self.waits.retain(|_, wait| wait.expires > now);
        let waiter = edge.waiter;
        let known = self.waits.get(&waiter);
        let is_same = known.is_some_and(|wait| wait.range == edge.range && wait.key == edge.key);
        let began = match known {
            Some(wait) if is_same => wait.began,
            _ if self.waits.len() >= WAITS_MAX => return Vec::new(),
            _ => {
                self.clock += 1;
                self.clock
            }
        };
        let expires = now + self.expiry;
        let WaitEdge { holders, key, range, .. } = edge;
        self.waits.insert(waiter, Wait { range, key, holders, began, expires });
        let Some(cycle) = self.cycle(waiter) else { return Vec::new() };
        let began = |txn: &TxnId| self.waits.get(txn).map_or(0, |wait| wait.began);
        let is_youngest = cycle.iter().all(|txn| began(txn) <= began(&waiter));
        if is_youngest { cycle } else { Vec::new() }
    }

    /// A wait is over.
    pub fn done(&mut self, waiter: TxnId) {
        self.waits.remove(&waiter);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// True when nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// A way along the edges from the transaction back to itself. Every transaction is entered
    /// once; without recursion, as chains can be long.
    fn cycle(&self, start: TxnId) -> Option<Vec<TxnId>> {
        let mut path = vec![(start, 0)];
        let mut entered = BTreeSet::from([start]);
        while let Some((txn, next)) = path.last_mut() {
            let holders = self.waits.get(txn).map_or(&[][..], |wait| &wait.holders);
            let Some(holder) = holders.get(*next).copied() else {
                path.pop();
                continue;
            };
            *next += 1;
            // A transaction never waits for itself; a request of its own in the queue is no cycle.
            if holder == *txn {
                continue;
            }
            if holder == start {
                return Some(path.into_iter().map(|(txn, _)| txn).collect());
            }
            if entered.insert(holder) {
                path.push((holder, 0));
            }
        }
        None
    }
}
