//! Ids for transactions, taken from blocks that meta allocates.

use crate::meta_client::{MetaClient, mismatch};
use base::meta_api::{IdKind, MetaRequest, MetaResponse};
use base::{KvResult, NodeId, TxnId};
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;

/// One per process.
pub(crate) struct TxnIds {
    meta: Arc<MetaClient>,
    block_size: u64,
    block: Mutex<Range<u64>>,
    /// Held by the one caller that fetches the next block.
    refill: futures::lock::Mutex<()>,
}

impl TxnIds {
    pub(crate) fn new(meta: Arc<MetaClient>, block_size: u64) -> TxnIds {
        TxnIds { meta, block_size, block: Mutex::new(0..0), refill: Default::default() }
    }

    /// An id that no transaction has had.
    pub(crate) async fn next(&self, coordinator: NodeId) -> KvResult<TxnId> {
        loop {
            if let Some(unique) = self.block.lock().next() {
                return Ok(TxnId::new(coordinator, unique));
            }
            let _refill = self.refill.lock().await;
            if self.block.lock().is_empty() {
                let first = allocate(&self.meta, IdKind::Txn, self.block_size).await?;
                *self.block.lock() = first..first + self.block_size;
            }
        }
    }
}

/// Allocates consecutive ids; answers the first.
pub(crate) async fn allocate(meta: &MetaClient, kind: IdKind, count: u64) -> KvResult<u64> {
    match meta.call(MetaRequest::AllocateIds { kind, count }).await? {
        MetaResponse::Ids { first } => Ok(first),
        _ => Err(mismatch("an allocation of ids")),
    }
}
