//! Garbage collection: raises the safe point, then removes what no snapshot above it can see, in the
//! range's own log, so that replicas stay alike. What it removes is invisible to every request, so it
//! touches nothing.
//!
//! It also looks after transactions that nobody has asked about for as long: their intents are
//! resolved and their records forgotten.

use crate::call::Call;
use crate::command::Trigger;
use crate::conflict::{Conflicts, Purpose, recover};
use crate::dispatch::Dispatch;
use crate::effects::Effects;
use crate::proposal::{Plan, replicate};
use base::api::end_txn::{EndTxnAction, EndTxnRequest};
use base::api::gc::GcRequest;
use base::api::prewrite::Staging;
use base::api::{RangeOp, TxnAnchor, TxnStatus};
use base::{KvResult, Timestamp};
use std::task::{Context, Poll};
use storage::mvcc::{self, TxnRecord};

/// Abandoned intents and records that one collection looks after.
const ABANDONED_MAX: usize = 1_024;

pub(super) async fn run(call: &Call, request: GcRequest) -> KvResult<()> {
    let safe_point = request.safe_point;
    raise_safe_point(call, safe_point).await?;
    settle_intents(call, safe_point).await?;
    settle_records(call, safe_point).await?;
    remove_versions(call, safe_point).await
}

async fn raise_safe_point(call: &Call, safe_point: Timestamp) -> KvResult<()> {
    let term = call.leading().await?;
    let view = call.pin(term).await?;
    if safe_point <= call.replica.replication.safe_point() {
        return Ok(());
    }
    let plan = Plan { trigger: Some(Trigger::SafePoint(safe_point)), ..Plan::default() };
    replicate(&call.replica, &view, (), plan).await?;
    call.replica.raise_safe_point(safe_point);
    Ok(())
}

async fn remove_versions(call: &Call, safe_point: Timestamp) -> KvResult<()> {
    let mut resume = None;
    loop {
        let term = call.leading().await?;
        let view = call.pin(term).await?;
        let limit = call.config().gc_versions_max;
        let span = &view.descriptor.span;
        let (batch, next) = mvcc::gc::collect(&view.snapshot, span, safe_point, resume, limit)?;
        if !batch.is_empty() {
            let mut effects = Effects::with_capacity(batch.len());
            effects.append(&batch);
            replicate(&call.replica, &view, (), Plan { effects, ..Plan::default() }).await?;
        }
        if next.is_none() {
            return Ok(());
        }
        resume = next;
        pass().await;
    }
}

/// Lets the thread's other tasks run: a range with nothing to remove is walked without any wait.
async fn pass() {
    let mut has_passed = false;
    let once = |cx: &mut Context<'_>| match std::mem::replace(&mut has_passed, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    };
    std::future::poll_fn(once).await;
}

/// Intents older than the safe point belong to transactions that are over or silent.
async fn settle_intents(call: &Call, safe_point: Timestamp) -> KvResult<()> {
    let term = call.leading().await?;
    let view = call.pin(term).await?;
    if view.is_free_of_intents {
        return Ok(());
    }
    let intents = mvcc::intents(&view.snapshot, &view.descriptor.span, ABANDONED_MAX)?;
    drop(view);
    let old = intents.into_iter().filter(|(_, intent)| intent.ts < safe_point).collect();
    // Who is alive is left alone.
    Conflicts::default().ask(call, old, Purpose::Write).await.map(|_| ())
}

async fn settle_records(call: &Call, safe_point: Timestamp) -> KvResult<()> {
    let term = call.leading().await?;
    let view = call.pin(term).await?;
    let records = mvcc::records(&view.snapshot, &view.descriptor.span, ABANDONED_MAX)?;
    drop(view);
    for (anchor, record) in records {
        if last_sign(&record) < safe_point {
            settle_record(call, anchor, record).await?;
        }
    }
    Ok(())
}

fn last_sign(record: &TxnRecord) -> Timestamp {
    match record.status {
        TxnStatus::Staging(ts) | TxnStatus::Committed(ts) => record.heartbeat.max(ts),
        TxnStatus::Pending | TxnStatus::Aborted => record.heartbeat,
    }
}

/// Decides a transaction if need be, resolves its intents, and only then forgets it.
async fn settle_record(call: &Call, anchor: TxnAnchor, record: TxnRecord) -> KvResult<()> {
    let dispatch = Dispatch::of(call);
    let keys = record.keys.clone();
    let status = match record.status {
        TxnStatus::Staging(ts) => {
            recover(&dispatch, &anchor, Staging { ts, keys: record.keys }).await?
        }
        status => status,
    };
    let action = match status {
        TxnStatus::Committed(_) | TxnStatus::Aborted => {
            dispatch.resolve(anchor.txn, status, keys).await?;
            for span in record.spans {
                dispatch.resolve_span(anchor.txn, status, span).await?;
            }
            EndTxnAction::Forget
        }
        TxnStatus::Pending => EndTxnAction::Abort,
        TxnStatus::Staging(_) => return Ok(()),
    };
    let request = EndTxnRequest { anchor: anchor.clone(), action };
    dispatch.send(&anchor.anchor, RangeOp::EndTxn(request)).await.map(|_| ())
}
