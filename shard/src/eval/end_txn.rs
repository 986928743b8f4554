//! End of a transaction: writes or removes its record. Touches the record's slot, and with a commit
//! the written keys in the record's range, whose intents are resolved by the same command.
//!
//! An explicit commit needs no look at the timestamp cache once the record is STAGING: since then no
//! reader was told that it may pass. Without STAGING it must be above all readers who were told; if
//! it is not, the answer is `Pending`: nothing was done, and the coordinator may try again higher.

use super::resolve;
use crate::call::Call;
use crate::latches::Touch;
use crate::proposal::{Plan, Unlock, replicate};
use crate::replica::record_slot;
use base::api::TxnStatus;
use base::api::end_txn::{EndTxnAction, EndTxnRequest, EndTxnResponse};
use base::{Key, KvResult, Span, Timestamp};
use storage::mvcc::{self, TxnRecord};

/// Intents that are resolved together with the decision; the rest is left to others.
const RESOLVED_MAX: usize = 256;

pub(super) async fn run(call: &Call, request: EndTxnRequest) -> KvResult<EndTxnResponse> {
    let beside = keys_beside(call, &request)?;
    let slot = record_slot(&request.anchor);
    let mut touched = beside.clone();
    touched.push(slot.clone());
    let term = call.leading().await?;
    let latch = call.replica.sequencer.write(Touch::keys(&touched), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys([&request.anchor.anchor])?;
    let known = mvcc::record(&view.snapshot, &request.anchor)?;
    let step = match &request.action {
        EndTxnAction::Heartbeat { now } => heartbeat(call, &request, known, *now),
        EndTxnAction::Commit { ts, keys, spans } => {
            commit(call, &slot, known, *ts, keys).with_spans(spans)
        }
        EndTxnAction::Abort => abort(call, known),
        EndTxnAction::Forget => forget(call, &request, known),
    };
    let mut plan = Plan::default();
    let status = match step {
        Step::Stay(status) => return Ok(EndTxnResponse { status }),
        Step::Write(record) => {
            plan.effects.put_record(&request.anchor, &record);
            record.status
        }
        Step::Remove(status) => {
            plan.effects.remove_record(&request.anchor);
            status
        }
    };
    if matches!(status, TxnStatus::Committed(_)) && !beside.is_empty() {
        let txn = request.anchor.txn;
        let found = resolve::standing(&view, txn, &beside)?;
        resolve::add(call, &mut plan, status, &found)?;
        plan.unlock = Unlock::Keys(txn, beside);
    }
    replicate(&call.replica, &view, latch, plan).await?;
    Ok(EndTxnResponse { status })
}

/// The written keys in the record's own range: their intents are resolved by the command that
/// commits, which saves one.
fn keys_beside(call: &Call, request: &EndTxnRequest) -> KvResult<Vec<Key>> {
    let EndTxnAction::Commit { keys, .. } = &request.action else { return Ok(Vec::new()) };
    let descriptor = call.descriptor()?;
    let mut beside: Vec<Key> =
        keys.iter().filter(|key| descriptor.contains(key)).take(RESOLVED_MAX).cloned().collect();
    beside.sort_unstable();
    beside.dedup();
    Ok(beside)
}

enum Step {
    Stay(TxnStatus),
    Write(TxnRecord),
    Remove(TxnStatus),
}

impl Step {
    fn with_spans(self, spans: &[Span]) -> Step {
        match self {
            Step::Write(record) => Step::Write(TxnRecord { spans: spans.to_vec(), ..record }),
            other => other,
        }
    }
}

fn record(status: TxnStatus, heartbeat: Timestamp, keys: Vec<Key>) -> TxnRecord {
    TxnRecord { status, heartbeat, min_commit_ts: Timestamp::ZERO, keys, spans: Vec::new() }
}

/// The coordinator is alive.
fn heartbeat(
    call: &Call,
    request: &EndTxnRequest,
    known: Option<TxnRecord>,
    now: Timestamp,
) -> Step {
    match known {
        Some(known) => match known.status {
            TxnStatus::Pending | TxnStatus::Staging(_) if known.heartbeat < now => {
                Step::Write(TxnRecord { heartbeat: now, ..known })
            }
            status => Step::Stay(status),
        },
        None if call.replica.finished.contains(request.anchor.txn) => {
            Step::Stay(TxnStatus::Aborted)
        }
        None => Step::Write(record(TxnStatus::Pending, now, Vec::new())),
    }
}

fn commit(call: &Call, slot: &Key, known: Option<TxnRecord>, ts: Timestamp, keys: &[Key]) -> Step {
    let status = known.as_ref().map_or(TxnStatus::Pending, |record| record.status);
    match status {
        TxnStatus::Committed(_) | TxnStatus::Aborted => return Step::Stay(status),
        TxnStatus::Pending if ts <= call.replica.sequencer.floor([slot], None) => {
            return Step::Stay(TxnStatus::Pending);
        }
        TxnStatus::Pending | TxnStatus::Staging(_) => {}
    }
    let keys = match known {
        Some(known) if keys.is_empty() => known.keys,
        _ => keys.to_vec(),
    };
    Step::Write(record(TxnStatus::Committed(ts), ts, keys))
}

fn abort(call: &Call, known: Option<TxnRecord>) -> Step {
    match known {
        Some(known) => match known.status {
            TxnStatus::Committed(_) | TxnStatus::Aborted => Step::Stay(known.status),
            TxnStatus::Pending | TxnStatus::Staging(_) => {
                Step::Write(TxnRecord { status: TxnStatus::Aborted, ..known })
            }
        },
        // Written even where nothing was: a prewrite that is still on its way must find it.
        None => Step::Write(record(TxnStatus::Aborted, call.replica.seen(), Vec::new())),
    }
}

fn forget(call: &Call, request: &EndTxnRequest, known: Option<TxnRecord>) -> Step {
    let status = known.map_or(TxnStatus::Aborted, |record| record.status);
    match status {
        TxnStatus::Pending | TxnStatus::Staging(_) => Step::Stay(status),
        TxnStatus::Committed(_) | TxnStatus::Aborted => {
            call.replica.finished.insert(request.anchor.txn);
            Step::Remove(status)
        }
    }
}
