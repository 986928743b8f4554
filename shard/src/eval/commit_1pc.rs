//! Commit in one range: checks all conditions, then writes all versions in one command. Touches the
//! written keys, at or above the commit timestamp.
//!
//! **A retried commit never applies twice.** Timestamps are unique, so a version at the requested
//! timestamp, or one that remembers it as the requested one, is the first attempt's. It is looked for
//! before any condition is checked, in every attempt, as the network may also deliver the first one
//! last. A retry that is refused bars the first attempt for good.

use super::write::{self, Chosen};
use crate::call::{Call, View};
use crate::conflict::{Conflicts, Purpose};
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, Unlock, replicate};
use base::api::Write;
use base::api::commit_1pc::{Commit1PcRequest, Commit1PcResponse};
use base::{Key, KvError, KvResult, Timestamp};
use storage::mvcc::{self, Intent, Version};

pub(super) async fn run(call: &Call, request: Commit1PcRequest) -> KvResult<Commit1PcResponse> {
    let result = commit(call, &request).await;
    let is_refused = matches!(
        result,
        Err(KvError::WriteConflict { .. } | KvError::KeyExists { .. } | KvError::TxnAborted { .. })
    );
    if request.is_retry
        && is_refused
        && let Some(txn) = call.txn
    {
        call.replica.finished.insert(txn);
    }
    result
}

async fn commit(call: &Call, request: &Commit1PcRequest) -> KvResult<Commit1PcResponse> {
    write::check_disk(call, &request.writes)?;
    let keys: Vec<Key> = request.writes.iter().map(|write| write.key.clone()).collect();
    let mut conflicts = Conflicts::default();
    let foreign = write::foreign_locks(call, &request.writes);
    if request.is_retry
        && !foreign.is_empty()
        && let Some(ts) = done_before(call, request, &keys).await?
    {
        // The locks that the first attempt gave up are no reason to wait.
        return Ok(Commit1PcResponse::Committed(ts));
    }
    let taken = write::wait_for_locks(call, &request.writes, foreign).await?;
    loop {
        let term = call.leading().await?;
        let latch = call.replica.sequencer.write(Touch::keys(&keys), request.commit_ts).await;
        let view = call.pin(term).await?;
        match evaluate(call, &view, request)? {
            Evaluated::Blocked(intents) => {
                drop((latch, view));
                conflicts.settle(call, intents, Purpose::Write).await?;
            }
            Evaluated::Committed(ts) => return Ok(Commit1PcResponse::Committed(ts)),
            Evaluated::Allowed { floor, own_intents } => {
                let ts = match write::choose(call, request.commit_ts, floor, request.exact).await? {
                    Chosen::Take(ts) => ts,
                    Chosen::TooLate(ts) => return Ok(Commit1PcResponse::TooLate(ts)),
                };
                let checked = request.writes.iter().filter(|write| !write::leaves_version(write));
                call.replica.sequencer.record(checked.map(|write| &write.key), ts);
                let plan = plan(call, request, ts, own_intents);
                replicate(&call.replica, &view, latch, plan).await?;
                taken.into_iter().for_each(|taken| taken.keep());
                return Ok(Commit1PcResponse::Committed(ts));
            }
        }
    }
}

async fn done_before(
    call: &Call,
    request: &Commit1PcRequest,
    keys: &[Key],
) -> KvResult<Option<Timestamp>> {
    let term = call.leading().await?;
    call.replica.sequencer.settle(Touch::keys(keys), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys(keys)?;
    let newest = write::newest(&view, &request.writes)?;
    earlier_attempt(call, &view, request, &newest)
}

enum Evaluated {
    /// Intents of others are in the way.
    Blocked(Vec<(Key, Intent)>),
    /// An earlier attempt has done it.
    Committed(Timestamp),
    /// All conditions hold; the versions must be above `floor`.
    Allowed { floor: Timestamp, own_intents: Vec<Key> },
}

fn evaluate(call: &Call, view: &View, request: &Commit1PcRequest) -> KvResult<Evaluated> {
    let writes = &request.writes;
    view.check_keys(writes.iter().map(|write| &write.key))?;
    let newest = write::newest(view, writes)?;
    if let Some(ts) = earlier_attempt(call, view, request, &newest)? {
        return Ok(Evaluated::Committed(ts));
    }
    if let Some(txn) = call.txn
        && call.replica.finished.contains(txn)
    {
        return Err(KvError::TxnAborted { txn });
    }
    let intents = write::intents(view, writes)?;
    let foreign = write::foreign(call, writes, &intents);
    if !foreign.is_empty() {
        return Ok(Evaluated::Blocked(foreign));
    }
    write::check_held(call, writes)?;
    for (write, newest) in writes.iter().zip(&newest) {
        write::check(write, newest.as_ref())?;
    }
    let written = writes.iter().zip(&newest).filter(|(write, _)| write::leaves_version(write));
    let newest = written.clone().filter_map(|(_, newest)| Some(newest.as_ref()?.ts)).max();
    let floor = call.replica.sequencer.floor(written.map(|(write, _)| &write.key), call.txn);
    let own = writes.iter().zip(&intents).filter(|(_, intent)| intent.is_some());
    Ok(Evaluated::Allowed {
        floor: floor.max(newest.unwrap_or_default()),
        own_intents: own.map(|(write, _)| write.key.clone()).collect(),
    })
}

/// The timestamp at which an earlier attempt of this very commit wrote, if there was one.
fn earlier_attempt(
    call: &Call,
    view: &View,
    request: &Commit1PcRequest,
    newest: &[Option<Version>],
) -> KvResult<Option<Timestamp>> {
    let wanted = request.commit_ts;
    if request.is_retry && wanted <= call.replica.safe_point() {
        return Err(KvError::Ambiguous("the first attempt is too long ago to be told".into()));
    }
    for (write, newest) in request.writes.iter().zip(newest) {
        // What was written at the wanted timestamp or instead of it is not older than it.
        if newest.as_ref().is_none_or(|newest| newest.ts < wanted) {
            continue;
        }
        let versions = mvcc::versions(&view.snapshot, &write.key, wanted.prev())?;
        let is_ours = |v: &&Version| v.ts == wanted || v.requested_ts == Some(wanted);
        if let Some(ours) = versions.iter().find(is_ours) {
            return Ok(Some(ours.ts));
        }
    }
    Ok(None)
}

fn plan(call: &Call, request: &Commit1PcRequest, ts: Timestamp, own_intents: Vec<Key>) -> Plan {
    let requested = (ts != request.commit_ts).then_some(request.commit_ts);
    let mut effects = Effects::with_capacity(request.writes.len());
    let written = request.writes.iter().filter(|write| write::leaves_version(write));
    written.for_each(|w: &Write| effects.put_version(&w.key, ts, write::value(&w.op), requested));
    own_intents.iter().for_each(|key| effects.remove_intent(key));
    Plan {
        effects,
        max_ts: ts,
        intents_removed: own_intents.len(),
        unlock: call.txn.map_or(Unlock::Nothing, Unlock::All),
        ..Plan::default()
    }
}
