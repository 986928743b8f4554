//! HTTP endpoints for people, load balancers and Prometheus.
//!
//! | path | answers |
//! |---|---|
//! | `/metrics` | metrics in Prometheus' text format |
//! | `/health` | 200 while the process works, 500 once it cannot (the disk failed) |
//! | `/ready` | 200 while it can serve: started, not stopping, in touch with the cluster; else 503 |
//! | `/route?key=HEX` | the range that holds a key (meta nodes) |
//! | `/debug/export?start=HEX&end=HEX` | the rows of a key range at one snapshot (shards) |
//! | `/debug/ingest` | writes what export has written (shards) |
//!
//! The debug endpoints are open to loopback; others need the bearer token of the settings.

mod debug;
mod guard;
mod hex;
mod route;
mod rows;
#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::api::snapshot::SnapshotResponse;
use base::codec::Blob;
use base::meta_api::RangeStatus;
use base::{BoxFuture, Key, KvError, KvResult, NodeId, Span, Timestamp};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What the endpoints need of the process.
pub(crate) trait HttpState: Send + Sync + 'static {
    /// The process's node, 0 while it has none.
    fn node(&self) -> NodeId;
    /// The text of `/metrics`.
    fn metrics(&self) -> String;
    /// Whether the process works; the error is one line.
    fn health(&self) -> Result<(), String>;
    /// Whether it can serve; the error is one line.
    fn ready(&self) -> Result<(), String>;
    /// The process has the meta role: `/route` is served.
    fn is_meta(&self) -> bool;
    /// The process has the shard role: `/debug/…` is served.
    fn is_shard(&self) -> bool;
    /// The bearer token that opens `/debug/…` to other than loopback; `None` leaves it closed.
    fn token(&self) -> Option<String>;
    /// The range that holds a key, from the meta leader.
    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<RangeStatus>>;
    /// A fresh snapshot, which can be read for as long as what comes with it is kept.
    fn pin(&self) -> BoxFuture<'static, KvResult<(Timestamp, Held)>>;
    /// Rows from the start of a span on, of one range at most, at this snapshot; `resume` is what
    /// is left of the whole span.
    fn export(&self, span: Span, at: Timestamp) -> BoxFuture<'static, KvResult<SnapshotResponse>>;
    /// Writes rows, sorted by key, as new versions, whichever ranges they fall into.
    fn ingest(&self, rows: Vec<(Key, Blob)>) -> BoxFuture<'static, KvResult<()>>;
}

/// Keeps a snapshot from garbage collection until it is dropped.
pub(crate) type Held = Box<dyn std::any::Any + Send + Sync>;

/// The process as the handlers see it.
type Node = State<Arc<dyn HttpState>>;

/// Serves until dropped.
pub(crate) async fn serve(listener: TcpListener, state: Arc<dyn HttpState>) -> std::io::Result<()> {
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}

fn router(state: Arc<dyn HttpState>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/route", get(route::route))
        .route("/debug/export", get(debug::export))
        .route("/debug/ingest", post(debug::ingest))
        .with_state(state)
}

async fn metrics(State(node): Node) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], node.metrics())
}

async fn health(State(node): Node) -> Response {
    state_of(&*node, node.health(), StatusCode::INTERNAL_SERVER_ERROR)
}

async fn ready(State(node): Node) -> Response {
    state_of(&*node, node.ready(), StatusCode::SERVICE_UNAVAILABLE)
}

fn state_of(node: &dyn HttpState, state: Result<(), String>, failure: StatusCode) -> Response {
    match state {
        Ok(()) => Json(json!({ "status": "ok", "node": node.node().0 })).into_response(),
        Err(reason) => Refusal(failure, reason).into_response(),
    }
}

/// An answer that says why there is no other.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "status": "error", "reason": self.1 }))).into_response()
    }
}

impl From<KvError> for Refusal {
    fn from(error: KvError) -> Refusal {
        let status = match &error {
            KvError::SnapshotTooOld { .. } => StatusCode::GONE,
            KvError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            KvError::Fatal(_) | KvError::Ambiguous(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Refusal(status, error.to_string())
    }
}

impl Refusal {
    fn bad_request(reason: impl Into<String>) -> Refusal {
        Refusal(StatusCode::BAD_REQUEST, reason.into())
    }

    /// This process does not have the role.
    fn other_role(role: &str) -> Refusal {
        Refusal(StatusCode::NOT_FOUND, format!("this node does not have the role {role}"))
    }
}
