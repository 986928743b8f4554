//! Tells the deadlock detector, which lives with the meta leader, about waits that last.

use crate::env::WaitReporter;
use base::meta_api::{MetaRequest, MetaResponse, WaitEdge};
use base::{BoxFuture, KvError, KvResult, NodeId, Transport, TxnId};
use parking_lot::Mutex;
use std::sync::Arc;

/// Reports to whoever leads meta.
pub(crate) struct MetaWaits {
    peers: Arc<dyn Transport>,
    /// The node that answered last.
    leader: Arc<Mutex<Option<NodeId>>>,
}

impl MetaWaits {
    /// Reports through this transport.
    pub(crate) fn new(peers: Arc<dyn Transport>) -> MetaWaits {
        MetaWaits { peers, leader: Arc::default() }
    }

    fn send(&self, request: MetaRequest) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let peers = Arc::clone(&self.peers);
        let leader = Arc::clone(&self.leader);
        Box::pin(async move {
            let mut candidates: Vec<NodeId> = leader.lock().iter().copied().collect();
            candidates.extend(peers.meta_nodes());
            let mut next = 0;
            let mut last = KvError::Unavailable("no meta node is known".into());
            // Every node once, and whom they point to.
            while let Some(&node) = candidates.get(next) {
                next += 1;
                if candidates[..next - 1].contains(&node) {
                    continue;
                }
                match peers.send_meta(node, request.clone()).await {
                    Ok(response) => {
                        *leader.lock() = Some(node);
                        return Ok(response);
                    }
                    Err(KvError::MetaNotLeader { leader: Some(hint) }) => {
                        candidates.insert(next, hint);
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }
}

impl WaitReporter for MetaWaits {
    fn wait(&self, edge: WaitEdge) -> BoxFuture<'static, KvResult<Vec<TxnId>>> {
        let answer = self.send(MetaRequest::Wait(edge));
        Box::pin(async move {
            match answer.await? {
                MetaResponse::Deadlock { cycle } => Ok(cycle),
                other => Err(KvError::Fatal(format!("unexpected answer to a wait: {other:?}"))),
            }
        })
    }

    fn done(&self, waiter: TxnId) -> BoxFuture<'static, ()> {
        let answer = self.send(MetaRequest::WaitDone { waiter });
        Box::pin(async move {
            // The detector forgets waits that are not reported again.
            let _ = answer.await;
        })
    }
}
