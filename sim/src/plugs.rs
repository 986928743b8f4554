//! Where crates that do not know each other meet, as in the server.

use crate::network::Network;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{
    BoxFuture, FragmentRun, Key, KvError, KvResult, NodeId, Pushdown, Timestamp, Transport,
};
use meta::MetaService;
use shard::raft::Outbox;
use shard::{Lookup, Oracle, Route, Store};
use std::sync::{Arc, OnceLock};
use txn::TxnClient;

/// One life's way to the ranges and to meta.
pub(crate) struct SimTransport {
    pub(crate) node: NodeId,
    pub(crate) members: Vec<NodeId>,
    pub(crate) network: Network,
    pub(crate) store: OnceLock<Arc<Store>>,
    pub(crate) meta: OnceLock<Arc<MetaService>>,
}

impl Transport for SimTransport {
    fn local_node(&self) -> NodeId {
        self.node
    }

    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        let (own, executor) = (self.node, self.network.executor().clone());
        let what = format!("{}/{} {}", request.range, request.epoch, name(&request.body));
        executor.detail(|| {
            format!(
                "{own} -> {node} {:?} {}/{} {:?}",
                request.txn, request.range, request.epoch, request.body
            )
        });
        let txn = request.txn;
        let answer = match self.store.get() {
            Some(store) if node == self.node => store.execute(request),
            _ => self.network.call_range(self.node, node, request),
        };
        Box::pin(async move {
            let answer = answer.await;
            executor.detail(|| format!("{own} <- {node} {txn:?} {what} {answer:?}"));
            if let Err(error) = &answer {
                executor.note(|| format!("{own} -> {node} {what}: {error}"));
            }
            answer
        })
    }

    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let (own, executor) = (self.node, self.network.executor().clone());
        executor.detail(|| format!("{own} -> {node} meta {request:?}"));
        let answer = match self.meta.get() {
            Some(meta) if node == self.node => {
                let meta = meta.clone();
                Box::pin(async move { meta.execute(request).await })
            }
            _ => self.network.call_meta(self.node, node, request),
        };
        Box::pin(async move {
            let answer = answer.await;
            executor.detail(|| format!("{own} <- {node} meta {answer:?}"));
            answer
        })
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        self.members.clone()
    }
}

/// The kind of a request, for the trace.
fn name(op: &RangeOp) -> String {
    let all = format!("{op:?}");
    all.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

/// Raft's way to other nodes.
pub(crate) struct SimOutbox {
    pub(crate) node: NodeId,
    pub(crate) network: Network,
}

impl Outbox for SimOutbox {
    fn send(&self, to: NodeId, messages: Vec<PeerMessage>) -> Result<(), Vec<PeerMessage>> {
        self.network.send_peer(self.node, to, messages);
        Ok(())
    }
}

/// The coordinator's client, as the shard sees it.
pub(crate) struct FromTxn(pub(crate) TxnClient);

impl Oracle for FromTxn {
    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>> {
        let client = self.0.clone();
        Box::pin(async move { client.now().await })
    }
}

impl Lookup for FromTxn {
    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<Route>> {
        let client = self.0.clone();
        Box::pin(async move {
            let route = client.router().lookup(&key).await?;
            Ok(Route {
                range: route.descriptor.range,
                epoch: route.descriptor.epoch,
                span: route.descriptor.span.clone(),
                leader: route.first_target(client.node()).unwrap_or(NodeId(0)),
            })
        })
    }

    fn refused(&self, route: &Route, error: &KvError) {
        let client = self.0.clone();
        let (start, error) = (route.span.start.clone(), error.clone());
        let clock = client.clock().clone();
        clock.spawn(Box::pin(async move {
            match error {
                KvError::StaleEpoch { current } => client.router().insert(current, None),
                // Asked again it will be refused again.
                _ => drop(client.router().refresh(&start).await),
            }
        }));
    }
}

/// The simulation runs no SQL.
pub(crate) struct NoFragments;

impl Pushdown for NoFragments {
    fn start(&self, _: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        Err(KvError::Fatal("the simulation runs no fragments".into()))
    }
}
