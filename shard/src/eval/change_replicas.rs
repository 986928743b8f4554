//! Change of replicas: carried out below, by the range's group. Touches no keys.

use crate::call::Call;
use base::api::admin::ChangeReplicasRequest;
use base::{KvResult, RangeDescriptor};

pub(super) async fn run(call: &Call, request: ChangeReplicasRequest) -> KvResult<RangeDescriptor> {
    call.leading().await?;
    call.descriptor()?;
    call.replica.replication.change_replicas(request.add, request.remove).await
}
