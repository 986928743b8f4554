//! Unlock: releases locks of a transaction. Touches the lock table only.

use crate::call::Call;
use base::KvResult;
use base::api::lock::UnlockRequest;

pub(super) async fn run(call: &Call, request: UnlockRequest) -> KvResult<()> {
    let txn = call.require_txn()?;
    call.replica.with_locks(|locks| {
        let wakers = match request.keys.is_empty() {
            true => locks.release_all(txn),
            false => request.keys.iter().flat_map(|key| locks.release(txn, key)).collect(),
        };
        ((), wakers)
    });
    Ok(())
}
