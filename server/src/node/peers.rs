//! The other processes: where they are, and how they are called.

use super::control::ControlRequest;
use super::local_state::LocalState;
use base::api::{RangeRequest, RangeResponse};
use base::codec::to_message;
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{BoxFuture, KvError, KvResult, NodeDescriptor, NodeId};
use parking_lot::RwLock;
use rpc::{Pool, RpcError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Meta answers within this, or the caller tries another node.
const META_TIMEOUT: Duration = Duration::from_secs(3);

/// Known processes of the cluster.
pub(crate) struct Peers {
    node: NodeId,
    pool: Arc<Pool>,
    local: LocalState,
    book: RwLock<Book>,
}

#[derive(Default)]
struct Book {
    addresses: BTreeMap<NodeId, String>,
    meta: Vec<NodeId>,
}

impl Peers {
    /// Starts with what the process remembered; `meta` are the voters of the meta group.
    pub(crate) fn new(
        node: NodeId,
        pool: Arc<Pool>,
        local: LocalState,
        addresses: BTreeMap<NodeId, String>,
        meta: Vec<NodeId>,
    ) -> Peers {
        for (peer, address) in &addresses {
            if *peer != node {
                pool.set_address(*peer, address);
            }
        }
        let book = RwLock::new(Book { addresses, meta });
        Peers { node, pool, local, book }
    }

    /// Takes in what meta says about the cluster's nodes. Changes are remembered for the next start.
    pub(crate) fn update<'a>(&self, nodes: impl Iterator<Item = &'a NodeDescriptor>) {
        let mut book = self.book.write();
        let mut is_new = false;
        for node in nodes {
            if book.addresses.get(&node.node) != Some(&node.rpc_addr) {
                book.addresses.insert(node.node, node.rpc_addr.clone());
                is_new = true;
                if node.node != self.node {
                    self.pool.set_address(node.node, &node.rpc_addr);
                }
            }
            if node.is_meta && !book.meta.contains(&node.node) {
                book.meta.push(node.node);
            }
        }
        if is_new && let Err(error) = self.local.set_addresses(&book.addresses) {
            // Only the next start would miss it, and it asks the others anyway.
            tracing::warn!(%error, "cannot remember addresses");
        }
    }

    /// Everybody's address.
    pub(crate) fn addresses(&self) -> Vec<(NodeId, String)> {
        self.book.read().addresses.iter().map(|(node, address)| (*node, address.clone())).collect()
    }

    /// Nodes that may hold meta replicas, the own one first.
    pub(crate) fn meta_nodes(&self) -> Vec<NodeId> {
        let mut nodes = self.book.read().meta.clone();
        nodes.sort_by_key(|node| *node != self.node);
        nodes
    }

    /// A request to a range on another node.
    pub(crate) fn call_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        match self.pool.peer(node) {
            Some(peer) => Box::pin(async move { peer.call_range(&request).await }),
            None => Box::pin(std::future::ready(Err(unknown(node)))),
        }
    }

    /// A request to meta on another node.
    pub(crate) fn call_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        match self.pool.peer(node) {
            Some(peer) => Box::pin(async move { peer.call_meta(&request, META_TIMEOUT).await }),
            None => Box::pin(std::future::ready(Err(unknown(node)))),
        }
    }

    /// Opaque bytes for another node.
    pub(crate) async fn call_control(
        &self,
        node: NodeId,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, String> {
        self.pool.call_control(node, payload, timeout).await.map_err(|e| e.to_string())
    }

    /// An address of another meta node where another cluster answers, if one does at all of them.
    pub(crate) async fn refused_by_stranger(&self) -> Option<String> {
        let hello = to_message(&ControlRequest::Hello);
        let mut stranger = None;
        for node in self.meta_nodes().into_iter().filter(|node| *node != self.node) {
            match self.pool.call_control(node, &hello, META_TIMEOUT).await {
                Err(RpcError::Stranger { address, .. }) => stranger = Some(address),
                _ => return None,
            }
        }
        stranger
    }

    /// Whom to tell that a node's process is gone.
    pub(crate) fn on_gone(&self, on_gone: rpc::OnGone) {
        self.pool.on_gone(on_gone);
    }

    /// Raft traffic; false when it was dropped because the peer cannot be reached.
    pub(crate) fn send_peer(&self, node: NodeId, messages: &[PeerMessage]) -> bool {
        self.pool.send_peer(node, messages)
    }
}

fn unknown(node: NodeId) -> KvError {
    KvError::Unreachable { node, maybe_sent: false }
}
