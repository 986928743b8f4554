//! Is the node alive whose transaction holds a lock that somebody waits for?
//!
//! Locks are kept by the range's leader, not by the coordinator: if that dies, nobody gives them
//! back. So those who wait ask its node, about once a second, for anything at all. A node that cannot
//! be reached loses its locks here. If it was alive after all, its transactions are told at COMMIT.

use crate::replica::Replica;
use base::api::stats::StatsRequest;
use base::api::{RangeOp, RangeRequest};
use base::{KvError, MonoTime, NodeId, RangeId};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// No range has this id: any answer is a sign of life.
const NO_RANGE: RangeId = RangeId(u64::MAX);

/// When each node was asked last.
#[derive(Default)]
pub(crate) struct Probes(Mutex<BTreeMap<NodeId, MonoTime>>);

impl Probes {
    /// True when it is time to ask, which then counts as done.
    fn is_due(&self, node: NodeId, now: MonoTime, pause: std::time::Duration) -> bool {
        let mut asked = self.0.lock();
        if asked.get(&node).is_some_and(|last| now.since(*last) < pause) {
            return false;
        }
        asked.insert(node, now);
        true
    }
}

/// Asks in the background, unless that was done a moment ago.
pub(crate) fn probe(replica: &Arc<Replica>, node: NodeId) {
    let env = Arc::clone(&replica.env);
    let pause = env.config.report_wait_again;
    if node == env.node || !replica.probes.is_due(node, env.clock.now(), pause / 2) {
        return;
    }
    let request = RangeRequest {
        range: NO_RANGE,
        epoch: 0,
        txn: None,
        timeout_ms: pause.as_millis() as u64,
        body: RangeOp::Stats(StatsRequest::default()),
    };
    let answer = env.peers.send_range(node, request);
    let replica = Arc::clone(replica);
    env.clock.spawn(Box::pin(async move {
        if let Err(KvError::Unreachable { .. }) = answer.await {
            tracing::debug!(%node, range = %replica.range, "released the locks of a dead node");
            replica.release_locks_of(node, u64::MAX);
        }
    }));
}
