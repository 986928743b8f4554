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
use base::api::{RangeOp, RangeResponse as Answer};
use base::{BoxFuture, KvResult};

/// Carries one request out. Every command has a future of its own size.
pub(crate) fn run(call: Call, body: RangeOp) -> BoxFuture<'static, KvResult<Answer>> {
    /// Runs a command and wraps what it answers.
    macro_rules! boxed {
        ($command:ident($request:ident) => $wrap:expr) => {
            Box::pin(async move { $command::run(&call, $request).await.map($wrap) })
        };
    }
    match body {
        RangeOp::Get(request) => boxed!(get(request) => Answer::Get),
        RangeOp::Scan(request) => boxed!(scan(request) => Answer::Scan),
        RangeOp::Lock(request) => boxed!(lock(request) => Answer::Lock),
        RangeOp::Unlock(request) => boxed!(unlock(request) => done),
        RangeOp::Commit1Pc(request) => boxed!(commit_1pc(request) => Answer::Commit1Pc),
        RangeOp::Prewrite(request) => boxed!(prewrite(request) => Answer::Prewrite),
        RangeOp::EndTxn(request) => boxed!(end_txn(request) => Answer::EndTxn),
        RangeOp::Resolve(request) => boxed!(resolve(request) => done),
        RangeOp::Push(request) => boxed!(push(request) => Answer::Push),
        RangeOp::QueryIntent(request) => boxed!(query_intent(request) => Answer::QueryIntent),
        RangeOp::Recover(request) => boxed!(recover(request) => Answer::Recover),
        RangeOp::Refresh(request) => boxed!(refresh(request) => done),
        RangeOp::Increment(request) => boxed!(increment(request) => Answer::Increment),
        RangeOp::Gc(request) => boxed!(gc(request) => done),
        RangeOp::Split(request) => boxed!(split(request) => Answer::Split),
        RangeOp::ChangeReplicas(request) => boxed!(change_replicas(request) => Answer::Descriptor),
        RangeOp::TransferLeader(request) => boxed!(transfer_leader(request) => done),
        RangeOp::Snapshot(request) => boxed!(snapshot(request) => Answer::Snapshot),
        RangeOp::Ingest(request) => boxed!(ingest(request) => done),
        RangeOp::Stats(request) => {
            let answer = stats::run(&call, request).map(Answer::Stats);
            Box::pin(std::future::ready(answer))
        }
    }
}

fn done(_nothing: ()) -> Answer {
    Answer::Done
}
