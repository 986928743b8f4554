//! Resolve: turns a finished transaction's intents into versions, or removes them. Touches the keys;
//! readers may pass, as they find the intent or the version, never neither.

use crate::call::{Call, View, cut};
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, Unlock, replicate};
use base::api::resolve::ResolveRequest;
use base::api::{TxnStatus, WriteOp};
use base::{Key, KvError, KvResult, Span, Timestamp, TxnId};
use storage::mvcc::{self, Intent};

/// Intents of a span that are read at a time.
const SPAN_BATCH: usize = 1_024;

pub(super) async fn run(call: &Call, request: ResolveRequest) -> KvResult<()> {
    let ResolveRequest { txn, status, keys, spans } = request;
    if !keys.is_empty() {
        under(call, txn, status, keys).await?;
    }
    for span in spans {
        inside(call, txn, status, span).await?;
    }
    Ok(())
}

/// Resolves what stands in a span, some intents at a time.
async fn inside(call: &Call, txn: TxnId, status: TxnStatus, span: Span) -> KvResult<()> {
    let mut rest = cut(&*call.descriptor()?, &span)?;
    loop {
        let term = call.leading().await?;
        let view = call.pin(term).await?;
        if view.is_free_of_intents {
            return Ok(());
        }
        let found = mvcc::intents(&view.snapshot, &rest, SPAN_BATCH)?;
        drop(view);
        let last = found.last().filter(|_| found.len() == SPAN_BATCH);
        let next = last.map(|(key, _)| key.after());
        let own = found.into_iter().filter(|(_, intent)| intent.anchor.txn == txn);
        let keys: Vec<Key> = own.map(|(key, _)| key).collect();
        if !keys.is_empty() {
            under(call, txn, status, keys).await?;
        }
        match next {
            Some(next) => rest.start = next,
            None => return Ok(()),
        }
    }
}

async fn under(call: &Call, txn: TxnId, status: TxnStatus, mut keys: Vec<Key>) -> KvResult<()> {
    keys.sort_unstable();
    keys.dedup();
    let term = call.leading().await?;
    let latch = call.replica.sequencer.write(Touch::keys(&keys), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys(&keys)?;
    let found = standing(&view, txn, &keys)?;
    if found.is_empty() {
        // Resolved before; its locks on these keys are as superfluous.
        call.replica.with_locks(|locks| {
            ((), keys.iter().flat_map(|key| locks.release(txn, key)).collect())
        });
        call.replica.resolved(txn);
        return Ok(());
    }
    let mut plan = Plan { unlock: Unlock::Keys(txn, keys), ..Plan::default() };
    add(call, &mut plan, status, &found)?;
    replicate(&call.replica, &view, latch, plan).await
}

/// The intents of a transaction under these keys.
pub(super) fn standing(view: &View, txn: TxnId, keys: &[Key]) -> KvResult<Vec<(Key, Intent)>> {
    let mut found = Vec::new();
    if view.is_free_of_intents {
        return Ok(found);
    }
    let refs: Vec<&Key> = keys.iter().collect();
    for (key, intent) in keys.iter().zip(mvcc::intents_of(&view.snapshot, &refs)?) {
        found.extend(intent.filter(|i| i.anchor.txn == txn).map(|intent| (key.clone(), intent)));
    }
    Ok(found)
}

/// Adds to a command what becomes of these intents of a finished transaction.
pub(super) fn add(
    call: &Call,
    plan: &mut Plan,
    status: TxnStatus,
    found: &[(Key, Intent)],
) -> KvResult<()> {
    match status {
        TxnStatus::Committed(ts) => {
            plan.max_ts = plan.max_ts.max(ts);
            commit(call, &mut plan.effects, found, ts);
        }
        TxnStatus::Aborted => {}
        other => return Err(KvError::Fatal(format!("cannot resolve intents as {other:?}"))),
    }
    found.iter().for_each(|(key, _)| plan.effects.remove_intent(key));
    plan.intents_removed += found.len();
    Ok(())
}

fn commit(call: &Call, effects: &mut Effects, found: &[(Key, Intent)], ts: Timestamp) {
    for (key, intent) in found {
        match &intent.op {
            WriteOp::Put(value) => effects.put_version(key, ts, Some(value), None),
            WriteOp::Delete => effects.put_version(key, ts, None, None),
            // What was checked must go on to hold at the commit: nothing is written below it.
            WriteOp::Check => call.replica.sequencer.record([key], ts),
        }
    }
}
