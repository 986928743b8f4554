//! The process-wide side of the coordinator: begins transactions and reaches meta and the ranges.

use crate::config::TxnConfig;
use crate::router::Router;
use crate::txn::{Isolation, Txn};
use base::api::increment::{IncrementOp, IncrementResponse};
use base::api::{RangeOp, RangeResponse};
use base::meta_api::{IdKind, MetaRequest, MetaResponse};
use base::{Clock, Key, KvError, KvResult, Pushdown, RangeId, Timestamp, Transport};
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
    env: Arc<TxnEnv>,
    router: Arc<Router>,
}

impl TxnClient {
    /// Nothing is sent until it is needed.
    pub fn new(env: TxnEnv) -> TxnClient {
        TxnClient { env: Arc::new(env), router: Arc::new(Router {}) }
    }

    /// Begins a transaction. Costs nothing until it reads or writes.
    pub fn begin(&self, isolation: Isolation, read_only: bool) -> Txn {
        Txn::new(self.clone(), isolation, read_only)
    }

    /// Draws a timestamp from the oracle: greater than every timestamp used before the call.
    pub async fn now(&self) -> KvResult<Timestamp> {
        Err(unfinished())
    }

    /// Allocates `count` consecutive ids; answers the first.
    pub async fn next_ids(&self, kind: IdKind, count: u64) -> KvResult<u64> {
        let _ = (kind, count);
        Err(unfinished())
    }

    /// Advances or sets a counter (sequences), outside any transaction.
    pub async fn increment(&self, key: Key, op: IncrementOp) -> KvResult<IncrementResponse> {
        let _ = (key, op);
        Err(unfinished())
    }

    /// The cached RangeMap.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Sends a request to the leader of the meta group.
    pub async fn meta(&self, request: MetaRequest) -> KvResult<MetaResponse> {
        let _ = (request, &self.env);
        Err(unfinished())
    }

    /// Sends a cluster operation (split, move, transfer, stats, gc…) to the leader of a range.
    pub async fn admin(&self, range: RangeId, op: RangeOp) -> KvResult<RangeResponse> {
        let _ = (range, op);
        Err(unfinished())
    }
}

pub(crate) fn unfinished() -> KvError {
    KvError::Fatal("not connected".into())
}
