//! The process-wide side of the coordinator: begins transactions and reaches meta and the ranges.

use crate::config::TxnConfig;
use crate::ids::{TxnIds, allocate};
use crate::keeper::Keeper;
use crate::meta_client::{MetaClient, mismatch};
use crate::oracle::Oracle;
use crate::patience::Patience;
use crate::router::Router;
use crate::sender::{Failed, Sending};
use crate::snapshots::{ActiveSnapshots, PinnedSnapshot};
use crate::txn::{Isolation, Txn};
use base::api::admin::{SplitRequest, SplitResponse};
use base::api::get::GetRequest;
use base::api::increment::{IncrementOp, IncrementRequest, IncrementResponse};
use base::api::stats::{StatsRequest, StatsResponse};
use base::api::{RangeOp, RangeRequest, RangeResponse, ReadAt};
use base::meta_api::{IdKind, MetaRequest, MetaResponse, RangeReport};
use base::{
    Clock, Key, KvError, KvResult, NodeId, Pushdown, RangeDescriptor, RangeId, Timestamp, Transport,
};
use bytes::Bytes;
use std::sync::Arc;

/// What the coordinator needs from its process.
pub struct TxnEnv {
    /// The way to other nodes, and to this one.
    pub transport: Arc<dyn Transport>,
    /// Time, and tasks in the background.
    pub clock: Arc<dyn Clock>,
    /// Runs fragments here when own unwritten changes have to be merged in.
    pub pushdown: Arc<dyn Pushdown>,
    /// Limits.
    pub config: TxnConfig,
}

/// One per process; cheap to clone.
#[derive(Clone)]
pub struct TxnClient {
    pub(crate) core: Arc<Core>,
}

/// What all transactions of the process share.
pub(crate) struct Core {
    pub(crate) env: Arc<TxnEnv>,
    pub(crate) meta: Arc<MetaClient>,
    pub(crate) oracle: Oracle,
    pub(crate) router: Router,
    pub(crate) ids: TxnIds,
    pub(crate) snapshots: ActiveSnapshots,
    pub(crate) keeper: Keeper,
}

impl TxnClient {
    /// Nothing is sent until it is needed.
    pub fn new(env: TxnEnv) -> TxnClient {
        let env = Arc::new(env);
        let meta = Arc::new(MetaClient::new(env.clone()));
        let core = Core {
            oracle: Oracle::new(meta.clone()),
            router: Router::new(env.clone(), meta.clone()),
            ids: TxnIds::new(meta.clone(), env.config.id_block.max(1)),
            snapshots: ActiveSnapshots::default(),
            keeper: Keeper::default(),
            meta,
            env,
        };
        TxnClient { core: Arc::new(core) }
    }

    /// Begins a transaction. Costs nothing until it reads or writes.
    pub fn begin(&self, isolation: Isolation, read_only: bool) -> Txn {
        Txn::new(self.core.clone(), isolation, read_only)
    }

    /// A stand-alone read of one key, if its range is led by this node and nobody is in the way:
    /// what was acknowledged before the call is seen, as for [`base::api::ReadAt::Leader`]. `None`
    /// says nothing about the key: a transaction has to read it.
    pub fn read_now(&self, key: &Key) -> Option<Option<Bytes>> {
        let transport = &self.core.env.transport;
        let own = transport.local_node();
        let route = self.core.router.cached(key).filter(|route| route.leader == Some(own))?;
        let request = RangeRequest {
            range: route.descriptor.range,
            epoch: route.descriptor.epoch,
            txn: None,
            timeout_ms: 0,
            body: RangeOp::Get(GetRequest { keys: vec![key.clone()], at: ReadAt::Leader }),
        };
        match transport.answer_now(own, &request)? {
            Ok(RangeResponse::Get(mut response)) => {
                response.values.pop().map(|value| value.map(|blob| blob.0))
            }
            _ => None,
        }
    }

    /// Draws a timestamp from the oracle: greater than every timestamp used before the call.
    pub async fn now(&self) -> KvResult<Timestamp> {
        self.core.oracle.now().await
    }

    /// Allocates `count` consecutive ids; answers the first.
    pub async fn next_ids(&self, kind: IdKind, count: u64) -> KvResult<u64> {
        allocate(&self.core.meta, kind, count).await
    }

    /// Advances or sets a counter (sequences), outside any transaction. An advance whose answer is
    /// lost is made again: sequences may have gaps. A counter is set once.
    pub async fn increment(&self, key: Key, op: IncrementOp) -> KvResult<IncrementResponse> {
        let ts = self.now().await?;
        let make = || RangeOp::Increment(IncrementRequest { key: key.clone(), op, ts });
        match self.at_key(&key, make).await? {
            RangeResponse::Increment(response) => Ok(response),
            _ => Err(mismatch("an increment")),
        }
    }

    /// The cached RangeMap.
    pub fn router(&self) -> &Router {
        &self.core.router
    }

    /// The clock of the process.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.env.clock
    }

    /// The node this coordinator belongs to.
    pub fn node(&self) -> NodeId {
        self.core.env.transport.local_node()
    }

    /// The oldest snapshot that a transaction of this process reads; `Timestamp::MAX` for none.
    pub fn oldest_snapshot(&self) -> Timestamp {
        self.core.snapshots.oldest()
    }

    /// A fresh snapshot outside of any transaction, kept from garbage collection until dropped.
    pub async fn pin_now(&self) -> KvResult<PinnedSnapshot> {
        Ok(self.core.snapshots.pin(self.now().await?))
    }

    /// Sends a request to the leader of the meta group.
    pub async fn meta(&self, request: MetaRequest) -> KvResult<MetaResponse> {
        self.core.meta.call(request).await
    }

    /// Sends a cluster operation (move, transfer, gc…) to the leader of a range.
    pub async fn admin(&self, range: RangeId, op: RangeOp) -> KvResult<RangeResponse> {
        let mut patience = Patience::default();
        loop {
            let route = self.core.router.find(range).await?;
            match self.core.send(route, self.patient(), |_| op.clone()).await {
                Ok(sent) => {
                    self.note_change(&sent.response, sent.node).await;
                    return Ok(sent.response);
                }
                Err(Failed::Recut { .. }) => patience.recut(&self.core.env).await?,
                Err(Failed::Error { error, maybe_done }) => return Err(fate(error, maybe_done)),
            }
        }
    }

    /// Sends an operation to the leader of the range that holds a key.
    pub async fn admin_at(&self, key: &Key, op: RangeOp) -> KvResult<RangeResponse> {
        self.at_key(key, || op.clone()).await
    }

    /// Splits the range of a key there. A key that already starts a range changes nothing.
    pub async fn split(&self, key: &Key) -> KvResult<Option<SplitResponse>> {
        let new_range = RangeId(self.next_ids(IdKind::Range, 1).await?);
        let mut patience = Patience::default();
        loop {
            let route = self.core.router.lookup(key).await?;
            if route.descriptor.start() == key {
                return Ok(None);
            }
            let op = RangeOp::Split(SplitRequest { key: key.clone(), new_range });
            match self.core.send(route, self.patient(), |_| op.clone()).await {
                Ok(sent) => {
                    self.note_change(&sent.response, sent.node).await;
                    return match sent.response {
                        RangeResponse::Split(split) => Ok(Some(split)),
                        _ => Err(mismatch("a split")),
                    };
                }
                Err(Failed::Recut { .. }) => patience.recut(&self.core.env).await?,
                Err(Failed::Error { error, maybe_done }) => return Err(fate(error, maybe_done)),
            }
        }
    }

    /// What one node's replica of a range knows about it.
    pub async fn stats(
        &self,
        node: NodeId,
        range: RangeId,
        request: StatsRequest,
    ) -> KvResult<StatsResponse> {
        let config = &self.core.env.config;
        let timeout = if request.count { config.outage } else { config.meta_attempt };
        let request = RangeRequest {
            range,
            epoch: 0,
            txn: None,
            timeout_ms: timeout.as_millis() as u64,
            body: RangeOp::Stats(request),
        };
        match self.core.env.transport.send_range(node, request).await? {
            RangeResponse::Stats(stats) => Ok(stats),
            _ => Err(mismatch("a request for statistics")),
        }
    }

    async fn at_key(&self, key: &Key, make: impl Fn() -> RangeOp) -> KvResult<RangeResponse> {
        let mut patience = Patience::default();
        loop {
            let route = self.core.router.lookup(key).await?;
            match self.core.send(route, self.patient(), |_| make()).await {
                Ok(sent) => return Ok(sent.response),
                Err(Failed::Recut { .. }) => patience.recut(&self.core.env).await?,
                Err(Failed::Error { error, maybe_done }) => return Err(fate(error, maybe_done)),
            }
        }
    }

    /// Takes in changed descriptors and passes them on to meta, so that whoever asks next sees
    /// them; the leaders' own reports follow with the next heartbeat and correct the leader.
    async fn note_change(&self, response: &RangeResponse, leader: NodeId) {
        let report = |descriptor: &RangeDescriptor| {
            self.core.router.insert(descriptor.clone(), Some(leader));
            RangeReport { descriptor: descriptor.clone(), leader, term: 0, bytes: 0 }
        };
        let news = match response {
            RangeResponse::Split(split) => MetaRequest::ReportSplit {
                left: Box::new(report(&split.left)),
                right: Box::new(report(&split.right)),
            },
            RangeResponse::Descriptor(descriptor) => MetaRequest::ReportRange(report(descriptor)),
            _ => return,
        };
        // Only a hint: the operation itself is done.
        let _ = self.meta(news).await;
    }

    fn patient(&self) -> Sending {
        Sending::new(None, self.core.env.config.outage)
    }
}

/// A final error after an attempt that may have taken effect leaves the outcome unknown, unless the
/// error comes from looking at the data.
pub(crate) fn fate(error: KvError, maybe_done: bool) -> KvError {
    match error {
        KvError::WriteConflict { .. } | KvError::KeyExists { .. } | KvError::TxnAborted { .. } => {
            error
        }
        KvError::Unavailable(why) if maybe_done => KvError::Ambiguous(why),
        error if maybe_done => KvError::Ambiguous(error.to_string()),
        error => error,
    }
}
