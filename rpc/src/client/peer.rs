//! One other process, as this one calls it.

use super::channel::Channel;
use super::session::{ANY_NODE, Session};
use super::watch::Watch;
use crate::config::RpcConfig;
use crate::error::RpcError;
use crate::frame::Kind;
use crate::identity::LocalIdentity;
use base::api::{RangeRequest, RangeResponse};
use base::codec::{from_message, to_message};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{KvResult, NodeId};
use bincode::Decode;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Calls to one address. Connects when first used; dropping it closes the connections.
#[derive(Debug)]
pub struct Peer {
    address: String,
    node: NodeId,
    requests: Arc<Channel>,
    /// Raft traffic has a connection of its own.
    raft: Arc<Channel>,
    config: Arc<RpcConfig>,
}

impl Peer {
    /// A known node: whoever else answers at the address is refused.
    pub fn node(
        node: NodeId,
        address: &str,
        local: Arc<LocalIdentity>,
        config: Arc<RpcConfig>,
    ) -> Peer {
        Peer::watched(node, address, local, config, None)
    }

    /// The same, with somebody who wants to know when the process is gone.
    pub(crate) fn watched(
        node: NodeId,
        address: &str,
        local: Arc<LocalIdentity>,
        config: Arc<RpcConfig>,
        watch: Option<Arc<Watch>>,
    ) -> Peer {
        let channel =
            |watch| Arc::new(Channel::new(address, node, local.clone(), config.clone(), watch));
        let (requests, raft) = (channel(None), channel(watch));
        Peer { address: address.into(), node, requests, raft, config }
    }

    /// Whoever answers at an address: for discovery and for the command line.
    pub fn anybody(address: &str, local: Arc<LocalIdentity>, config: Arc<RpcConfig>) -> Peer {
        Peer::node(ANY_NODE, address, local, config)
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A request to a range. Waits a little longer than the request's own timeout.
    pub async fn call_range(&self, request: &RangeRequest) -> KvResult<RangeResponse> {
        let timeout = match request.timeout_ms {
            0 => self.config.default_timeout,
            ms => Duration::from_millis(ms) + self.config.answer_grace,
        };
        self.call_kv(Kind::Range, &to_message(request), timeout).await
    }

    /// A request to the meta replica.
    pub async fn call_meta(
        &self,
        request: &MetaRequest,
        timeout: Duration,
    ) -> KvResult<MetaResponse> {
        self.call_kv(Kind::Meta, &to_message(request), timeout).await
    }

    /// Opaque bytes for the other process's [`crate::Handler::control`].
    pub async fn call_control(
        &self,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Vec<u8>, RpcError> {
        self.call(Kind::Control, payload, timeout).await.map(|answer| answer.to_vec())
    }

    /// Raft traffic, in as many frames as it takes. Never blocks; false when some of it was dropped
    /// because there is no connection (one is being made) or its queue is full.
    pub fn send_peer(&self, messages: &[PeerMessage]) -> bool {
        self.raft.session_now().is_some_and(|session| self.post(&session, messages))
    }

    /// Too much for one frame is rare: then each half is tried.
    fn post(&self, session: &Session, messages: &[PeerMessage]) -> bool {
        let payload = to_message(&messages);
        if payload.len() <= self.config.payload_bytes_max || messages.len() < 2 {
            return session.post(Kind::Peer, &payload);
        }
        let (first, rest) = messages.split_at(messages.len() / 2);
        self.post(session, first) && self.post(session, rest)
    }

    async fn call_kv<T: Decode<()>>(
        &self,
        kind: Kind,
        payload: &[u8],
        timeout: Duration,
    ) -> KvResult<T> {
        let answer = self.call(kind, payload, timeout).await;
        let answer = answer.map_err(|error| error.into_kv(self.node))?;
        from_message::<KvResult<T>>(&answer)
            .map_err(|_| RpcError::Malformed { address: self.address.clone() }.into_kv(self.node))?
    }

    async fn call(&self, kind: Kind, payload: &[u8], timeout: Duration) -> Result<Bytes, RpcError> {
        let deadline = Instant::now() + timeout;
        self.requests.session(deadline).await?.call(kind, payload, deadline).await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.requests.close();
        self.raft.close();
    }
}
