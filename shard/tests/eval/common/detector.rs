//! A deadlock detector as meta has one.

use base::TxnId;
use base::meta_api::WaitEdge;
use std::collections::BTreeMap;

/// Who waits for whom.
#[derive(Default)]
pub(crate) struct Detector {
    edges: BTreeMap<TxnId, Vec<TxnId>>,
}

impl Detector {
    /// Adds a wait; answers the cycle that it closes.
    pub(crate) fn wait(&mut self, edge: WaitEdge) -> Vec<TxnId> {
        self.edges.insert(edge.waiter, edge.holders);
        let mut path = vec![edge.waiter];
        let cycle =
            if self.leads_back(edge.waiter, edge.waiter, &mut path) { path } else { vec![] };
        if !cycle.is_empty() {
            self.edges.remove(&edge.waiter);
        }
        cycle
    }

    pub(crate) fn done(&mut self, waiter: TxnId) {
        self.edges.remove(&waiter);
    }

    fn leads_back(&self, from: TxnId, to: TxnId, path: &mut Vec<TxnId>) -> bool {
        for next in self.edges.get(&from).into_iter().flatten() {
            if *next == to {
                return true;
            }
            if !path.contains(next) {
                path.push(*next);
                if self.leads_back(*next, to, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
}
