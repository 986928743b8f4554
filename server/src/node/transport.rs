//! The way to the ranges and to meta: a plain call when they live in this process, `rpc` otherwise.

use super::peers::Peers;
use crate::metrics::{Metrics, meta_operation, range_operation};
use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, KvError, KvResult, NodeId, Transport};
use meta::MetaService;
use shard::Store;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The process's transport. The local services are set once, after they have been built upon it.
pub(crate) struct NodeTransport {
    node: NodeId,
    peers: Arc<Peers>,
    store: OnceLock<Arc<Store>>,
    meta: OnceLock<Arc<MetaService>>,
    metrics: Arc<Metrics>,
}

impl NodeTransport {
    pub(crate) fn new(node: NodeId, peers: Arc<Peers>, metrics: Arc<Metrics>) -> NodeTransport {
        NodeTransport { node, peers, store: OnceLock::new(), meta: OnceLock::new(), metrics }
    }

    /// Plugs in the ranges of this process.
    pub(crate) fn set_store(&self, store: Arc<Store>) {
        // Called once, while the process is put together.
        let _ = self.store.set(store);
    }

    /// Plugs in the meta replica of this process.
    pub(crate) fn set_meta(&self, meta: Arc<MetaService>) {
        // Called once, while the process is put together.
        let _ = self.meta.set(meta);
    }

    /// A request to a range of this process.
    pub(crate) fn local_range(
        &self,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        match self.store.get() {
            Some(store) => {
                let (store, metrics) = (store.clone(), self.metrics.clone());
                Box::pin(async move {
                    let (operation, start) = (range_operation(&request.body), Instant::now());
                    let answer = store.execute(request).await;
                    metrics.range(operation, start.elapsed(), answer.is_ok());
                    answer
                })
            }
            None => Box::pin(std::future::ready(Err(KvError::RangeNotFound(request.range)))),
        }
    }

    /// A request to the meta replica of this process.
    pub(crate) fn local_meta(
        &self,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        match self.meta.get() {
            Some(meta) => {
                let (meta, metrics) = (meta.clone(), self.metrics.clone());
                Box::pin(async move {
                    let (operation, start) = (meta_operation(&request), Instant::now());
                    let answer = meta.execute(request).await;
                    metrics.meta(operation, start.elapsed(), answer.is_ok());
                    answer
                })
            }
            None => Box::pin(std::future::ready(Err(KvError::MetaNotLeader { leader: None }))),
        }
    }
}

impl Transport for NodeTransport {
    fn local_node(&self) -> NodeId {
        self.node
    }

    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        if node == self.node {
            return self.local_range(request);
        }
        self.peers.call_range(node, request)
    }

    fn answer_now(&self, node: NodeId, request: &RangeRequest) -> Option<KvResult<RangeResponse>> {
        let store = self.store.get().filter(|_| node == self.node)?;
        let start = Instant::now();
        let answer = store.answer_now(request)?;
        let operation = range_operation(&request.body);
        self.metrics.range(operation, start.elapsed(), answer.is_ok());
        Some(answer)
    }

    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        if node == self.node {
            return self.local_meta(request);
        }
        self.peers.call_meta(node, request)
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        self.peers.meta_nodes()
    }
}
