//! Resolve: turns a finished transaction's intents into versions, or removes them. Touches the keys;
//! readers may pass, as they find the intent or the version, never neither.

use crate::call::Call;
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, Unlock, replicate};
use base::api::resolve::ResolveRequest;
use base::api::{TxnStatus, WriteOp};
use base::{Key, KvError, KvResult, Timestamp};
use storage::mvcc::{self, Intent};

pub(super) async fn run(call: &Call, request: ResolveRequest) -> KvResult<()> {
    let ResolveRequest { txn, status, mut keys } = request;
    keys.sort_unstable();
    keys.dedup();
    let term = call.leading().await?;
    let latch = call.replica.sequencer.write(Touch::keys(&keys), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys(&keys)?;
    let mut found = Vec::new();
    if !view.is_free_of_intents {
        for key in &keys {
            if let Some(intent) = mvcc::intent(&view.snapshot, key)?
                && intent.anchor.txn == txn
            {
                found.push((key.clone(), intent));
            }
        }
    }
    if found.is_empty() {
        // Resolved before; its locks on these keys are as superfluous.
        call.replica.with_locks(|locks| {
            ((), keys.iter().flat_map(|key| locks.release(txn, key)).collect())
        });
        call.replica.resolved(txn);
        return Ok(());
    }
    let unlock = Unlock::Keys(txn, keys);
    let mut plan = Plan { intents_removed: found.len(), unlock, ..Plan::default() };
    match status {
        TxnStatus::Committed(ts) => {
            plan.max_ts = ts;
            commit(call, &mut plan.effects, &found, ts);
        }
        TxnStatus::Aborted => {}
        other => return Err(KvError::Fatal(format!("cannot resolve {txn} as {other:?}"))),
    }
    found.iter().for_each(|(key, _)| plan.effects.remove_intent(key));
    replicate(&call.replica, &view, latch, plan).await
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
