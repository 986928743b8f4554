//! What this process does with what others send it.

use super::admit::Admission;
use super::broadcast::DRAIN_TIMEOUT;
use super::control::{ControlRequest, ControlResponse};
use super::peers::Peers;
use super::transport::NodeTransport;
use base::api::{RangeRequest, RangeResponse};
use base::codec::{from_message, to_message};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{BoxFuture, Key, KvError, KvResult, NodeDescriptor, NodeId, RangeId};
use rpc::{Caller, Handler};
use shard::raft::RaftHandle;
use sql::Engine;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use txn::{MoveError, TxnClient};

/// How long another node gets for a request that is passed on to it.
const PROXY_TIMEOUT: Duration = Duration::from_secs(60);

/// The process as a server of the internal protocol. Until it belongs to a cluster it answers
/// questions of discovery only.
pub(crate) struct NodeHandler {
    pub(crate) admission: Arc<Admission>,
    services: Arc<OnceLock<Services>>,
}

/// What runs once the process belongs to a cluster.
pub(crate) struct Services {
    pub(crate) transport: Arc<NodeTransport>,
    pub(crate) raft: RaftHandle,
    pub(crate) client: TxnClient,
    pub(crate) engine: Option<Arc<Engine>>,
    pub(crate) peers: Arc<Peers>,
}

impl NodeHandler {
    pub(crate) fn new(admission: Arc<Admission>) -> NodeHandler {
        NodeHandler { admission, services: Arc::default() }
    }

    /// From now on everything is answered.
    pub(crate) fn open(&self, services: Services) {
        // Called once, while the process is put together.
        let _ = self.services.set(services);
    }
}

impl Handler for NodeHandler {
    fn range(&self, request: RangeRequest) -> BoxFuture<'static, KvResult<RangeResponse>> {
        match self.services.get() {
            Some(services) => services.transport.local_range(request),
            None => Box::pin(std::future::ready(Err(KvError::RangeNotFound(request.range)))),
        }
    }

    fn meta(&self, request: MetaRequest) -> BoxFuture<'static, KvResult<MetaResponse>> {
        match self.services.get() {
            Some(services) => services.transport.local_meta(request),
            None => Box::pin(std::future::ready(Err(KvError::MetaNotLeader { leader: None }))),
        }
    }

    fn peer(&self, from: NodeId, messages: Vec<PeerMessage>) {
        if let Some(services) = self.services.get() {
            services.raft.receive(from, messages);
        }
    }

    fn control(&self, caller: Caller, payload: Vec<u8>) -> BoxFuture<'static, Vec<u8>> {
        let (admission, services) = (self.admission.clone(), self.services.clone());
        Box::pin(async move {
            let response = match from_message::<ControlRequest>(&payload) {
                Ok(request) if caller.cluster.is_none() && !request.is_of_newcomer() => {
                    ControlResponse::Failed("the caller must name the cluster first".into())
                }
                Ok(request) => answer(request, &admission, services.get()).await,
                Err(_) => ControlResponse::Failed("the request is of another version".into()),
            };
            to_message(&response)
        })
    }
}

async fn answer(
    request: ControlRequest,
    admission: &Admission,
    services: Option<&Services>,
) -> ControlResponse {
    match (request, services) {
        (ControlRequest::Hello, _) => admission.hello(),
        (ControlRequest::Claim { address, instance }, _) => admission.claim(&address, instance),
        (request, Some(services)) => services.answer(request).await,
        (_, None) => ControlResponse::Failed("the node has not joined its cluster yet".into()),
    }
}

impl Services {
    async fn answer(&self, request: ControlRequest) -> ControlResponse {
        let outcome = match request {
            ControlRequest::Join { node } => self.join(node).await,
            ControlRequest::Catalog { at, drain } => self.adopt(at, drain).await,
            ControlRequest::Meta(request) => {
                self.client.meta(request).await.map(ControlResponse::Meta)
            }
            ControlRequest::Admin { range, op } => {
                let done = self.client.admin(range, op).await;
                done.map(|response| ControlResponse::Admin(Box::new(response)))
            }
            ControlRequest::Move { range, to, from } => {
                move_range(self.client.clone(), range, to, from).await
            }
            ControlRequest::SplitKey { key } => self.split_key(&key).await,
            ControlRequest::SplitTable { table, at } => self.split_table(table, at).await,
            ControlRequest::Hello | ControlRequest::Claim { .. } => Ok(ControlResponse::Done),
        };
        outcome.unwrap_or_else(|error| ControlResponse::Failed(error.to_string()))
    }

    async fn join(&self, node: NodeDescriptor) -> KvResult<ControlResponse> {
        match self.client.meta(MetaRequest::Join { node, cluster: None }).await? {
            MetaResponse::Joined { node, cluster, nodes } => {
                Ok(ControlResponse::Joined { node, cluster, nodes })
            }
            other => Err(KvError::Fatal(format!("unexpected answer {other:?}"))),
        }
    }

    async fn adopt(&self, at: base::Timestamp, drain: Option<u32>) -> KvResult<ControlResponse> {
        if let Some(engine) = &self.engine {
            // Whoever asks gives up after as long, and asks again.
            let adopting = engine.catalog().adopt(at, drain);
            let adopted = tokio::time::timeout(DRAIN_TIMEOUT, adopting).await;
            let adopted = adopted
                .map_err(|_| KvError::Unavailable("transactions hold up the change".into()))?;
            adopted.map_err(|e| KvError::Unavailable(e.to_string()))?;
        }
        Ok(ControlResponse::Done)
    }

    async fn split_key(&self, key: &Key) -> KvResult<ControlResponse> {
        let split = self.client.split(key).await?;
        Ok(ControlResponse::Split(split.map(|split| (split.left.range, split.right.range))))
    }

    /// Runs the SQL function, so that names and values mean what they mean in SQL; a node that
    /// serves no SQL asks one that does.
    async fn split_table(&self, table: String, at: Vec<String>) -> KvResult<ControlResponse> {
        let Some(engine) = &self.engine else {
            return self.ask_proxy(&ControlRequest::SplitTable { table, at }).await;
        };
        let quote = |text: &String| format!("'{}'", text.replace('\'', "''"));
        let values: Vec<String> = at.iter().map(quote).collect();
        let sql = format!("SELECT sharddb.split_table({}, {})", quote(&table), values.join(", "));
        Ok(match super::own_session::run(engine, &sql).await {
            Ok(()) => ControlResponse::Done,
            Err(reason) => ControlResponse::Failed(reason),
        })
    }

    /// Passes a request on to the first live node with the role proxy that takes it.
    async fn ask_proxy(&self, request: &ControlRequest) -> KvResult<ControlResponse> {
        let nodes = self.client.nodes().await?;
        let proxies = nodes.iter().filter(|node| node.is_live && node.descriptor.is_proxy);
        let payload = to_message(request);
        for node in proxies.map(|node| node.descriptor.node).filter(|n| *n != self.client.node()) {
            match self.peers.call_control(node, &payload, PROXY_TIMEOUT).await {
                Ok(answer) => {
                    let wrong = |_| KvError::Fatal(format!("{node} speaks another version"));
                    return from_message(&answer).map_err(wrong);
                }
                Err(reason) => tracing::info!(%node, %reason, "a request was not passed on"),
            }
        }
        Err(KvError::Unavailable("no node with the role proxy answers".into()))
    }
}

/// In a task of its own: a move that has begun comes to its end, whether or not somebody still waits
/// for it.
async fn move_range(
    client: TxnClient,
    range: RangeId,
    to: NodeId,
    from: Option<NodeId>,
) -> KvResult<ControlResponse> {
    let moving = tokio::spawn(async move { client.move_range(range, to, from).await });
    match moving.await {
        Ok(Ok(from)) => Ok(ControlResponse::Moved { from }),
        Ok(Err(MoveError::Refused(reason))) => Ok(ControlResponse::Failed(reason)),
        Ok(Err(MoveError::Kv(error))) => Err(error),
        Err(_) => Err(KvError::Ambiguous("the move failed badly".into())),
    }
}
