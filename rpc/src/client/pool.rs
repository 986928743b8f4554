//! All peers of a process, by node.

use super::peer::Peer;
use super::watch::{OnGone, Watch};
use crate::config::RpcConfig;
use crate::error::RpcError;
use crate::identity::LocalIdentity;
use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{KvError, KvResult, NodeId};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Peers by node id. Addresses are told by meta and may change.
#[derive(Debug)]
pub struct Pool {
    local: Arc<LocalIdentity>,
    config: Arc<RpcConfig>,
    peers: RwLock<BTreeMap<NodeId, Arc<Peer>>>,
    watch: Arc<Watch>,
}

impl Pool {
    /// Knows nobody.
    pub fn new(local: Arc<LocalIdentity>, config: RpcConfig) -> Pool {
        Pool { local, config: Arc::new(config), peers: RwLock::default(), watch: Arc::default() }
    }

    /// Who this process is.
    pub fn local(&self) -> &Arc<LocalIdentity> {
        &self.local
    }

    /// Whom to tell when nobody listens at a node's address any more: its process is gone, or not
    /// back yet. Told again with every attempt; only of nodes that Raft traffic is sent to.
    pub fn on_gone(&self, on_gone: OnGone) {
        self.watch.set(on_gone);
    }

    /// A node's address; a changed one replaces the connection.
    pub fn set_address(&self, node: NodeId, address: &str) {
        if self.peer(node).is_some_and(|peer| peer.address() == address) {
            return;
        }
        let (local, config) = (self.local.clone(), self.config.clone());
        let peer = Peer::watched(node, address, local, config, Some(self.watch.clone()));
        self.peers.write().insert(node, Arc::new(peer));
    }

    /// Forgets nodes for which the closure says no.
    pub fn retain(&self, mut keep: impl FnMut(NodeId) -> bool) {
        self.peers.write().retain(|node, _| keep(*node));
    }

    /// The peer of a node whose address is known.
    pub fn peer(&self, node: NodeId) -> Option<Arc<Peer>> {
        self.peers.read().get(&node).cloned()
    }

    /// All nodes with a known address.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.peers.read().keys().copied().collect()
    }

    /// A peer by address, whoever answers there; its connection ends with it.
    pub fn at(&self, address: &str) -> Peer {
        Peer::anybody(address, self.local.clone(), self.config.clone())
    }

    /// A request to a range's replica on a node.
    pub async fn call_range(&self, node: NodeId, request: RangeRequest) -> KvResult<RangeResponse> {
        self.known(node)?.call_range(&request).await
    }

    /// A request to the meta replica on a node.
    pub async fn call_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
        timeout: Duration,
    ) -> KvResult<MetaResponse> {
        self.known(node)?.call_meta(&request, timeout).await
    }

    /// Opaque bytes for a node's control handler.
    pub async fn call_control(
        &self,
        node: NodeId,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, RpcError> {
        match self.peer(node) {
            Some(peer) => peer.call_control(payload, timeout).await,
            None => Err(RpcError::Unreachable {
                address: node.to_string(),
                reason: "its address is not known".into(),
            }),
        }
    }

    /// Raft traffic for a node; false when it was dropped.
    pub fn send_peer(&self, node: NodeId, messages: &[PeerMessage]) -> bool {
        self.peer(node).is_some_and(|peer| peer.send_peer(messages))
    }

    fn known(&self, node: NodeId) -> KvResult<Arc<Peer>> {
        self.peer(node).ok_or(KvError::Unreachable { node, maybe_sent: false })
    }
}
