//! The way to the ranges and to meta: a plain call when they live in this process, `rpc` otherwise.

use super::peers::Peers;
use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, KvError, KvResult, NodeId, Transport};
use meta::MetaService;
use shard::Store;
use std::sync::{Arc, OnceLock};

/// The process's transport. The local services are set once, after they have been built upon it.
pub(crate) struct NodeTransport {
    node: NodeId,
    peers: Arc<Peers>,
    store: OnceLock<Arc<Store>>,
    meta: OnceLock<Arc<MetaService>>,
}

impl NodeTransport {
    pub(crate) fn new(node: NodeId, peers: Arc<Peers>) -> NodeTransport {
        NodeTransport { node, peers, store: OnceLock::new(), meta: OnceLock::new() }
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
                let store = store.clone();
                Box::pin(async move { store.execute(request).await })
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
                let meta = meta.clone();
                Box::pin(async move { meta.execute(request).await })
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
