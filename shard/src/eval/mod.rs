//! The commands, one a file. Each says beside its evaluation which keys it touches, so that nothing
//! is looked at that is not latched or recorded.

mod change_replicas;
mod commit_1pc;
mod end_txn;
mod follower;
mod gc;
pub(crate) mod get;
mod increment;
mod ingest;
mod lock;
mod overlay;
mod prewrite;
mod push;
mod query_intent;
mod read;
mod recover;
mod refresh;
mod resolve;
mod scan;
mod snapshot;
mod split;
pub(crate) mod stats;
mod transfer_leader;
mod unlock;
mod write;

use crate::call::Call;
use base::KvResult;
use base::api::{RangeOp, RangeResponse};

/// Carries one request out.
pub(crate) async fn run(call: Call, body: RangeOp) -> KvResult<RangeResponse> {
    match body {
        RangeOp::Get(request) => get::run(&call, request).await.map(RangeResponse::Get),
        RangeOp::Scan(request) => scan::run(&call, request).await.map(RangeResponse::Scan),
        RangeOp::Lock(request) => lock::run(&call, request).await.map(RangeResponse::Lock),
        RangeOp::Unlock(request) => done(unlock::run(&call, &request)),
        RangeOp::Commit1Pc(request) => {
            commit_1pc::run(&call, request).await.map(RangeResponse::Commit1Pc)
        }
        RangeOp::Prewrite(request) => {
            prewrite::run(&call, request).await.map(RangeResponse::Prewrite)
        }
        RangeOp::EndTxn(request) => end_txn::run(&call, request).await.map(RangeResponse::EndTxn),
        RangeOp::Resolve(request) => done(resolve::run(&call, request).await),
        RangeOp::Push(request) => push::run(&call, request).await.map(RangeResponse::Push),
        RangeOp::QueryIntent(request) => {
            query_intent::run(&call, request).await.map(RangeResponse::QueryIntent)
        }
        RangeOp::Recover(request) => recover::run(&call, request).await.map(RangeResponse::Recover),
        RangeOp::Refresh(request) => done(refresh::run(&call, request).await),
        RangeOp::Increment(request) => {
            increment::run(&call, request).await.map(RangeResponse::Increment)
        }
        RangeOp::Gc(request) => done(gc::run(&call, request).await),
        RangeOp::Split(request) => split::run(&call, request).await.map(RangeResponse::Split),
        RangeOp::ChangeReplicas(request) => {
            change_replicas::run(&call, request).await.map(RangeResponse::Descriptor)
        }
        RangeOp::TransferLeader(request) => done(transfer_leader::run(&call, request).await),
        RangeOp::Snapshot(request) => {
            snapshot::run(&call, request).await.map(RangeResponse::Snapshot)
        }
        RangeOp::Ingest(request) => done(ingest::run(&call, request).await),
        RangeOp::Stats(_) => Ok(RangeResponse::Stats(stats::stats(&call.replica))),
    }
}

fn done(result: KvResult<()>) -> KvResult<RangeResponse> {
    result.map(|()| RangeResponse::Done)
}
