//! A sudden end in the middle of a commit, for tests: what a crash of the coordinator at exactly that
//! moment leaves behind has to be put right by the others. `SHARDDB_FAILPOINT` names the moment; a
//! process that is not told to die has no trace of this in its path.

use base::api::end_txn::EndTxnAction;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, KvResult, NodeId, Transport};
use std::sync::Arc;

/// Moments of a commit over several ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failpoint {
    /// The STAGING record stands with the intents of its range; those of the others do not.
    StagingOnly,
    /// Intents stand in the other ranges; in that of the record nothing does.
    IntentsOnly,
    /// Everything stands, and the decision is about to be recorded.
    BeforeDecision,
}

impl Failpoint {
    /// By the name that settings use.
    pub(crate) fn named(name: &str) -> Option<Failpoint> {
        match name {
            "commit-staging-only" => Some(Failpoint::StagingOnly),
            "commit-intents-only" => Some(Failpoint::IntentsOnly),
            "commit-before-decision" => Some(Failpoint::BeforeDecision),
            _ => None,
        }
    }
}

/// The coordinator's transport of a process that is to die.
pub(crate) struct FailingTransport {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) at: Failpoint,
}

impl Transport for FailingTransport {
    fn local_node(&self) -> NodeId {
        self.inner.local_node()
    }

    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        let is_staged = match &request.body {
            RangeOp::Prewrite(prewrite) => prewrite.staging.is_some(),
            RangeOp::EndTxn(end) if self.at == Failpoint::BeforeDecision => match end.action {
                EndTxnAction::Commit { .. } => std::process::abort(),
                _ => return self.inner.send_range(node, request),
            },
            _ => return self.inner.send_range(node, request),
        };
        match (self.at, is_staged) {
            (Failpoint::BeforeDecision, _) => self.inner.send_range(node, request),
            (Failpoint::StagingOnly, true) | (Failpoint::IntentsOnly, false) => {
                let answer = self.inner.send_range(node, request);
                Box::pin(async move {
                    let answer = answer.await;
                    if answer.is_ok() {
                        std::process::abort();
                    }
                    answer
                })
            }
            // Not sent before the end.
            (Failpoint::StagingOnly, false) | (Failpoint::IntentsOnly, true) => {
                Box::pin(std::future::pending())
            }
        }
    }

    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        self.inner.send_meta(node, request)
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        self.inner.meta_nodes()
    }
}
