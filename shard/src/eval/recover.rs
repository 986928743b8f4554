//! Recovery: the verdict over an abandoned STAGING transaction. Touches the record's slot.

use crate::call::Call;
use crate::effects::Effects;
use crate::latches::Touch;
use crate::proposal::{Plan, replicate};
use crate::replica::record_slot;
use base::api::TxnStatus;
use base::api::recover::{RecoverRequest, RecoverResponse};
use base::{KvResult, Timestamp};
use storage::mvcc::{self, TxnRecord};

pub(super) async fn run(call: &Call, request: RecoverRequest) -> KvResult<RecoverResponse> {
    let slot = [record_slot(&request.anchor)];
    let term = call.leading().await?;
    let latch = call.replica.sequencer.write(Touch::keys(&slot), Timestamp::MAX).await;
    let view = call.pin(term).await?;
    view.check_keys([&request.anchor.anchor])?;
    // Forgotten meanwhile: somebody has decided and resolved it all. Whoever asked looks again.
    let Some(known) = mvcc::record(&view.snapshot, &request.anchor)? else {
        return Ok(RecoverResponse { status: TxnStatus::Pending });
    };
    if known.status != TxnStatus::Staging(request.staged_ts) {
        return Ok(RecoverResponse { status: known.status });
    }
    let status = match request.all_present {
        true => TxnStatus::Committed(request.staged_ts),
        false => TxnStatus::Aborted,
    };
    let mut effects = Effects::default();
    effects.put_record(&request.anchor, &TxnRecord { status, ..known });
    replicate(&call.replica, &view, latch, Plan { effects, ..Plan::default() }).await?;
    Ok(RecoverResponse { status })
}
