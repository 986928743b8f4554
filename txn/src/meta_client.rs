//! Finds the leader of the meta group and talks to it.

use crate::client::TxnEnv;
use crate::patience::{Patience, within};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{KvError, KvResult, NodeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One per process. Every meta request may be sent twice: timestamps and ids are drawn anew, the
/// rest is idempotent.
pub(crate) struct MetaClient {
    env: Arc<TxnEnv>,
    /// The node that led when last asked; 0 when unknown.
    leader: AtomicU64,
}

impl MetaClient {
    pub(crate) fn new(env: Arc<TxnEnv>) -> MetaClient {
        MetaClient { env, leader: AtomicU64::new(0) }
    }

    /// Sends a request to the leader, wherever it is by now.
    pub(crate) async fn call(&self, request: MetaRequest) -> KvResult<MetaResponse> {
        let mut patience = Patience::default();
        let mut turn = 0;
        loop {
            let Some(node) = self.target(&mut turn) else {
                let why = KvError::Unavailable("no meta node is known".into());
                patience.wait(&self.env, false, &why).await?;
                continue;
            };
            let attempt = self.env.transport.send_meta(node, request.clone());
            let limit = self.env.config.meta_attempt;
            let error = match within(&*self.env.clock, limit, attempt).await {
                Some(Ok(response)) => {
                    self.leader.store(node.0, Ordering::Relaxed);
                    return Ok(response);
                }
                Some(Err(error)) => error,
                None => KvError::Unreachable { node, maybe_sent: true },
            };
            let quick = self.learn(node, &error)?;
            patience.wait(&self.env, quick, &error).await?;
        }
    }

    /// The known leader, else every meta node in turn.
    fn target(&self, turn: &mut usize) -> Option<NodeId> {
        let leader = self.leader.load(Ordering::Relaxed);
        if leader != 0 {
            return Some(NodeId(leader));
        }
        let nodes = self.env.transport.meta_nodes();
        let node = nodes.get(*turn % nodes.len().max(1)).copied();
        *turn += 1;
        node
    }

    /// Notes what a failed attempt says about the leader. `Ok(true)` when it named another node;
    /// an error that retrying cannot help is passed on.
    fn learn(&self, asked: NodeId, error: &KvError) -> KvResult<bool> {
        let hint = match error {
            KvError::MetaNotLeader { leader } => leader.filter(|leader| *leader != asked),
            error if error.is_reroute() || error.is_ambiguous() => None,
            error => return Err(error.clone()),
        };
        self.leader.store(hint.map_or(0, |node| node.0), Ordering::Relaxed);
        Ok(hint.is_some())
    }
}

/// The answer was not of the kind that belongs to the request.
pub(crate) fn mismatch(what: &str) -> KvError {
    KvError::Fatal(format!("unexpected answer to {what}"))
}
