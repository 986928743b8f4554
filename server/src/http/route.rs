//! `/route?key=HEX`: which range holds a key.

use super::{Node, Refusal, hex};
use axum::Json;
use axum::extract::{Query, State};
use base::ReplicaKind;
use base::meta_api::RangeStatus;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    key: String,
}

pub(super) async fn route(
    State(node): Node,
    Query(params): Query<Params>,
) -> Result<Json<Value>, Refusal> {
    if !node.is_meta() {
        return Err(Refusal::other_role("meta"));
    }
    let key = hex::key("key", &params.key)?;
    Ok(Json(describe(&node.lookup(key).await?)))
}

fn describe(status: &RangeStatus) -> Value {
    let descriptor = &status.descriptor;
    let replicas: Vec<Value> = descriptor
        .replicas
        .iter()
        .map(|replica| {
            let is_voter = replica.kind == ReplicaKind::Voter;
            json!({ "node": replica.node.0, "replica": replica.replica.0, "is_voter": is_voter })
        })
        .collect();
    json!({
        "range": descriptor.range.0,
        "start": descriptor.span.start.to_string(),
        "end": descriptor.span.end.to_string(),
        "epoch": descriptor.epoch,
        "leader": status.leader.map(|node| node.0),
        "replicas": replicas,
        "bytes": status.bytes,
    })
}
