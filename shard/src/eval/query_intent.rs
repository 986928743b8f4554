//! Query of intents: does every key carry an intent of the transaction, or a version that it left?
//! Touches the keys, as a read at the staged timestamp: so where nothing stands, nothing of that
//! timestamp ever will.

use crate::call::Call;
use crate::latches::Touch;
use base::api::query_intent::{QueryIntentRequest, QueryIntentResponse};
use base::{Key, KvResult};
use storage::{Snapshot, mvcc};

pub(super) async fn run(call: &Call, request: QueryIntentRequest) -> KvResult<QueryIntentResponse> {
    let term = call.leading().await?;
    call.replica.sequencer.read(Touch::keys(&request.keys), request.ts, None).await;
    let view = call.pin(term).await?;
    view.check_keys(&request.keys)?;
    for key in &request.keys {
        if !is_present(&view.snapshot, key, &request)? {
            return Ok(QueryIntentResponse { all_present: false });
        }
    }
    Ok(QueryIntentResponse { all_present: true })
}

fn is_present(snapshot: &Snapshot, key: &Key, request: &QueryIntentRequest) -> KvResult<bool> {
    if let Some(intent) = mvcc::intent(snapshot, key)?
        && intent.anchor.txn == request.txn
    {
        return Ok(intent.ts <= request.ts);
    }
    // Timestamps are unique: a version there can only be this transaction's.
    Ok(mvcc::get(snapshot, key, request.ts)?.is_some_and(|version| version.ts == request.ts))
}
