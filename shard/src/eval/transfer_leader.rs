//! Transfer of leadership: carried out below, by the range's group. Touches no keys.

use crate::call::Call;
use base::KvResult;
use base::api::admin::TransferLeaderRequest;

pub(super) async fn run(call: &Call, request: TransferLeaderRequest) -> KvResult<()> {
    call.leading().await?;
    call.descriptor()?;
    call.replica.replication.transfer_leader(request.target).await
}
