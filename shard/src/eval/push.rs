//! Push: what became of a transaction whose intent is in somebody's way? Touches the record's slot.
//!
//! A transaction without record may be one that has not written it yet, or one that is over and
//! forgotten. The second kind has no intents left, so whoever asks looks again with a fresh snapshot
//! before it uses the answer; the answer is therefore always that of the first kind. If that one has
//! been silent for too long, an ABORTED record is written, which a late prewrite will find.

use crate::call::Call;
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use crate::replica::record_slot;
use base::api::TxnStatus;
use base::api::prewrite::Staging;
use base::api::push::{PushRequest, PushResponse, TXN_EXPIRY_MS};
use base::{KvResult, Timestamp};
use storage::mvcc::{self, TxnRecord};

pub(super) async fn run(call: &Call, request: PushRequest) -> KvResult<PushResponse> {
    let slot = [record_slot(&request.anchor)];
    let term = call.leading().await?;
    let latch = call.replica.sequencer.write(Touch::keys(&slot), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys([&request.anchor.anchor])?;
    let known = mvcc::record(&view.snapshot, &request.anchor)?;
    match decide(known, &request) {
        Decision::Answer(answer) => Ok(answer),
        Decision::Pass => {
            call.replica.sequencer.record(&slot, request.push_above);
            Ok(PushResponse::Pushed)
        }
        Decision::Abort(record) => {
            let mut effects = Effects::default();
            effects.put_record(&request.anchor, &record);
            replicate(&call.replica, &view, latch, Plan { effects, ..Plan::default() }).await?;
            Ok(PushResponse::Finished(TxnStatus::Aborted))
        }
    }
}

enum Decision {
    Answer(PushResponse),
    /// The reader may pass; from now on the transaction commits above it.
    Pass,
    Abort(TxnRecord),
}

fn decide(known: Option<TxnRecord>, request: &PushRequest) -> Decision {
    let record = known.unwrap_or_else(|| TxnRecord {
        status: TxnStatus::Pending,
        heartbeat: Timestamp::ZERO,
        min_commit_ts: Timestamp::ZERO,
        keys: Vec::new(),
        spans: Vec::new(),
    });
    let is_silent =
        |last: Timestamp| request.now.millis().saturating_sub(last.millis()) > TXN_EXPIRY_MS;
    match record.status {
        TxnStatus::Committed(_) | TxnStatus::Aborted => {
            Decision::Answer(PushResponse::Finished(record.status))
        }
        TxnStatus::Staging(ts) if is_silent(record.heartbeat.max(ts)) => {
            Decision::Answer(PushResponse::Recover(Staging { ts, keys: record.keys }))
        }
        TxnStatus::Staging(_) => Decision::Answer(PushResponse::Alive),
        TxnStatus::Pending if is_silent(record.heartbeat.max(request.intent_ts)) => {
            let heartbeat = record.heartbeat.max(request.intent_ts);
            Decision::Abort(TxnRecord { status: TxnStatus::Aborted, heartbeat, ..record })
        }
        TxnStatus::Pending if request.push_above > Timestamp::ZERO => Decision::Pass,
        TxnStatus::Pending => Decision::Answer(PushResponse::Alive),
    }
}
