//! Prewrite: checks conditions and leaves intents; on the anchor's range, for the commit itself, also
//! the STAGING record. Touches the written keys at or above the requested timestamp, and with the
//! record its slot.
//!
//! **An intent that stands is never moved by a retry**: somebody may have counted it and committed
//! the transaction already. A retry answers what the first attempt did.

use super::write::{self, Chosen};
use crate::call::{Call, View};
use crate::conflict::{Conflicts, Purpose};
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use crate::replica::record_slot;
use base::api::prewrite::{PrewriteRequest, PrewriteResponse, Staging};
use base::api::{TxnStatus, Write};
use base::{Key, KvError, KvResult, Timestamp};
use storage::Snapshot;
use storage::mvcc::{self, Intent, TxnRecord, Version};

pub(super) async fn run(call: &Call, request: PrewriteRequest) -> KvResult<PrewriteResponse> {
    write::check_disk(call, &request.writes)?;
    let mut keys: Vec<Key> = request.writes.iter().map(|write| write.key.clone()).collect();
    keys.extend(request.staging.as_ref().map(|_| record_slot(&request.anchor)));
    let mut conflicts = Conflicts::default();
    let mut foreign = write::foreign_locks(call, &request.writes);
    if !foreign.is_empty() {
        let snapshot = call.replica.env.engine.snapshot();
        check_alive(&snapshot, &request)?;
        // Those who lock a key on which this transaction's intent stands wait for it themselves.
        let own = |key: &Key| mvcc::intent(&snapshot, key).map(|i| i.map(|i| i.anchor.txn));
        foreign.retain(|(key, _)| own(key) != Ok(Some(request.anchor.txn)));
    }
    let taken = write::wait_for_locks(call, &request.writes, foreign).await?;
    loop {
        let term = call.leading().await?;
        let latch = call.replica.sequencer.write(Touch::keys(&keys), request.ts).await;
        let view = call.pin(term).await?;
        match evaluate(call, &view, &request)? {
            Evaluated::Blocked(intents) => {
                drop((latch, view));
                conflicts.settle(call, intents, Purpose::Write).await?;
            }
            Evaluated::Written(ts) => return Ok(PrewriteResponse::Written(ts)),
            Evaluated::Allowed(allowed) => {
                let floor = allowed.floor;
                let ts = match write::choose(call, request.ts, floor, request.exact).await? {
                    Chosen::Take(ts) => ts,
                    Chosen::TooLate(ts) => return Ok(PrewriteResponse::TooLate(ts)),
                };
                let at = ts.max(allowed.standing_ts);
                replicate(&call.replica, &view, latch, plan(&request, allowed, ts)).await?;
                // The locks that were taken on the way stay until the intents are resolved.
                taken.into_iter().for_each(|taken| taken.keep());
                return Ok(PrewriteResponse::Written(at));
            }
        }
    }
}

/// Saves a transaction that was aborted by others from waiting for their locks.
fn check_alive(snapshot: &Snapshot, request: &PrewriteRequest) -> KvResult<()> {
    let record = mvcc::record(snapshot, &request.anchor)?;
    match record.map(|record| record.status) {
        Some(TxnStatus::Aborted) => Err(KvError::TxnAborted { txn: request.anchor.txn }),
        _ => Ok(()),
    }
}

enum Evaluated {
    /// Intents of others are in the way.
    Blocked(Vec<(Key, Intent)>),
    /// An earlier attempt has done it all.
    Written(Timestamp),
    Allowed(Allowed),
}

/// All conditions hold.
struct Allowed {
    /// New intents must be above.
    floor: Timestamp,
    /// The highest timestamp of the own intents that stay as they are.
    standing_ts: Timestamp,
    /// Per write: does its intent stand already?
    stands: Vec<bool>,
    /// Intents to be laid where none was.
    added: usize,
    /// The record, if there was one.
    record: Option<TxnRecord>,
}

fn evaluate(call: &Call, view: &View, request: &PrewriteRequest) -> KvResult<Evaluated> {
    let writes = &request.writes;
    view.check_keys(writes.iter().map(|write| &write.key))?;
    let record = match &request.staging {
        Some(_) => mvcc::record(&view.snapshot, &request.anchor)?,
        None => None,
    };
    let txn = request.anchor.txn;
    match record.as_ref().map(|record| record.status) {
        Some(TxnStatus::Aborted) => return Err(KvError::TxnAborted { txn }),
        // Somebody has counted the intents of an earlier attempt.
        Some(TxnStatus::Committed(ts)) => return Ok(Evaluated::Written(ts)),
        Some(TxnStatus::Pending | TxnStatus::Staging(_)) => {}
        None if call.replica.finished.contains(txn) => return Err(KvError::TxnAborted { txn }),
        None => {}
    }
    let intents = write::intents(view, writes)?;
    let foreign = write::foreign(call, writes, &intents);
    if !foreign.is_empty() {
        return Ok(Evaluated::Blocked(foreign));
    }
    let newest = write::newest(view, writes)?;
    if was_resolved(request, &intents, &newest) {
        return Ok(Evaluated::Written(request.ts));
    }
    // What has its intent already is guarded by that.
    let bare = writes.iter().zip(&intents).filter(|(_, intent)| intent.is_none());
    write::check_held(call, bare.map(|(write, _)| write))?;
    for (write, newest) in writes.iter().zip(&newest) {
        write::check(write, newest.as_ref())?;
    }
    let allowed = allow(call, request, &intents, &newest, record);
    let is_complete = allowed.stands.iter().all(|stands| *stands);
    let is_staged = request.staging.as_ref().is_none_or(|staging| match &allowed.record {
        Some(record) => matches!(record.status, TxnStatus::Staging(ts) if ts >= staging.ts),
        None => false,
    });
    if is_complete && is_staged {
        return Ok(Evaluated::Written(request.ts.max(allowed.standing_ts)));
    }
    Ok(Evaluated::Allowed(allowed))
}

/// True when an earlier attempt was recovered, committed and resolved meanwhile.
fn was_resolved(
    request: &PrewriteRequest,
    intents: &[Option<Intent>],
    newest: &[Option<Version>],
) -> bool {
    let is_ours = |version: &Option<Version>| {
        version.as_ref().is_some_and(|version| version.ts == request.ts)
    };
    intents.iter().all(Option::is_none) && newest.iter().any(is_ours)
}

fn allow(
    call: &Call,
    request: &PrewriteRequest,
    intents: &[Option<Intent>],
    newest: &[Option<Version>],
    record: Option<TxnRecord>,
) -> Allowed {
    let writes = &request.writes;
    let same = |(write, intent): (&Write, &Option<Intent>)| {
        intent.as_ref().is_some_and(|intent| intent.op == write.op)
    };
    let stands: Vec<bool> = writes.iter().zip(intents).map(same).collect();
    let standing = intents.iter().zip(&stands).filter(|(_, stands)| **stands);
    let standing_ts = standing.filter_map(|(intent, _)| Some(intent.as_ref()?.ts)).max();
    let mut floor = Timestamp::ZERO;
    for ((write, newest), stands) in writes.iter().zip(newest).zip(&stands) {
        if !stands && write::leaves_version(write) {
            let newest = newest.as_ref().map(|newest| newest.ts).unwrap_or_default();
            floor = floor.max(newest);
            floor = floor.max(call.replica.sequencer.floor([&write.key], call.txn));
        }
    }
    // Readers may have been told that the transaction commits above them.
    let is_staging = matches!(&record, Some(r) if matches!(r.status, TxnStatus::Staging(_)));
    if request.staging.is_some() && !is_staging {
        floor = floor.max(call.replica.sequencer.floor([&record_slot(&request.anchor)], None));
    }
    Allowed {
        floor,
        standing_ts: standing_ts.unwrap_or_default(),
        stands,
        added: intents.iter().filter(|intent| intent.is_none()).count(),
        record,
    }
}

fn plan(request: &PrewriteRequest, allowed: Allowed, ts: Timestamp) -> Plan {
    let mut effects = Effects::with_capacity(request.writes.len() + 1);
    let fresh = request.writes.iter().zip(&allowed.stands).filter(|(_, stands)| !**stands);
    for (write, _) in fresh {
        let intent = Intent { anchor: request.anchor.clone(), ts, op: write.op.clone() };
        effects.put_intent(&write.key, &intent);
    }
    if let Some(staging) = &request.staging {
        let at = staging.ts.max(ts).max(allowed.standing_ts);
        effects.put_record(&request.anchor, &staged(staging, at, allowed.record));
    }
    Plan { effects, max_ts: ts, intents_added: allowed.added, ..Plan::default() }
}

fn staged(staging: &Staging, at: Timestamp, known: Option<TxnRecord>) -> TxnRecord {
    let heartbeat = known.map(|record| record.heartbeat).unwrap_or_default();
    TxnRecord {
        status: TxnStatus::Staging(at),
        heartbeat: heartbeat.max(at),
        min_commit_ts: Timestamp::ZERO,
        keys: staging.keys.clone(),
        spans: Vec::new(),
    }
}
