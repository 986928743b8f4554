//! `/debug/export` and `/debug/ingest`: rows of a key range out of and into the cluster, below SQL.

use super::rows::{Line, LineReader};
use super::{Held, HttpState, Node, Refusal, guard, hex};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base::api::snapshot::SnapshotResponse;
use base::codec::Blob;
use base::{Key, KvError, Span, Timestamp};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

const CONTENT_TYPE: &str = "application/x-ndjson";
/// Bytes of rows that are written at once.
const INGEST_BATCH_BYTES: usize = 1 << 20;

#[derive(Debug, Deserialize)]
pub(super) struct ExportParams {
    start: String,
    end: String,
}

/// Streams the rows of `[start, end)` at one fresh snapshot.
pub(super) async fn export(
    State(node): Node,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(params): Query<ExportParams>,
) -> Result<Response, Refusal> {
    check(&*node, address, &headers)?;
    let span = Span::new(hex::key("start", &params.start)?, hex::key("end", &params.end)?);
    if span.is_empty() {
        return Err(Refusal::bad_request("the range is empty: start must be below end"));
    }
    let (at, held) = node.pin().await?;
    // The first page decides about the status; an error later can only cut the stream.
    let first = node.export(span, at).await?;
    let body = Body::from_stream(pages(node, at, held, first));
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response())
}

/// Where an export stands.
enum Cursor {
    Page(SnapshotResponse),
    Next(Span),
    End,
}

fn pages(
    node: Arc<dyn HttpState>,
    at: Timestamp,
    held: Held,
    first: SnapshotResponse,
) -> impl Stream<Item = Result<Bytes, KvError>> {
    let start = (node, held, Cursor::Page(first), 0_u64);
    stream::try_unfold(start, move |(node, held, cursor, mut rows)| async move {
        let page = match cursor {
            Cursor::Page(page) => page,
            Cursor::Next(span) => node.export(span, at).await?,
            Cursor::End => return Ok(None),
        };
        let mut out = Vec::new();
        rows += page.rows.len() as u64;
        page.rows.into_iter().for_each(|(key, value)| Line::Row(key, value).write(&mut out));
        let next = match page.resume {
            Some(span) => Cursor::Next(span),
            None => {
                Line::End { rows }.write(&mut out);
                Cursor::End
            }
        };
        Ok(Some((Bytes::from(out), (node, held, next, rows))))
    })
}

/// Writes the lines of an export as new versions. Rows are written as they arrive; the answer says
/// how many were, also when it is an error.
pub(super) async fn ingest(
    State(node): Node,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    check(&*node, address, &headers)?;
    // Pages of other sites can send forms without asking, but not this type.
    if headers.get(header::CONTENT_TYPE).is_none_or(|is| is.as_bytes() != CONTENT_TYPE.as_bytes()) {
        return Err(Refusal::bad_request(format!("the content type must be {CONTENT_TYPE}")));
    }
    let mut ingest = Ingest { node, batch: Vec::new(), bytes: 0, written: 0, last: None };
    match ingest.run(body).await {
        Ok(()) => Ok(Json(json!({ "rows": ingest.written }))),
        Err(Refusal(status, reason)) => {
            Err(Refusal(status, format!("{reason}; {} rows were written", ingest.written)))
        }
    }
}

fn check(node: &dyn HttpState, address: SocketAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    guard::check(node, address, headers)?;
    if node.is_shard() { Ok(()) } else { Err(Refusal::other_role("shard")) }
}

/// An ingest under way.
struct Ingest {
    node: Arc<dyn HttpState>,
    batch: Vec<(Key, Blob)>,
    bytes: usize,
    written: u64,
    last: Option<Key>,
}

impl Ingest {
    async fn run(&mut self, body: Body) -> Result<(), Refusal> {
        let mut pieces = body.into_data_stream();
        let mut reader = LineReader::default();
        let mut end = None;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| Refusal::bad_request(error.to_string()))?;
            for line in reader.feed(&piece).map_err(Refusal::bad_request)? {
                match line {
                    _ if end.is_some() => {
                        return Err(Refusal::bad_request("lines behind the last"));
                    }
                    Line::Row(key, value) => self.row(key, value).await?,
                    Line::End { rows } => end = Some(rows),
                }
            }
        }
        self.write().await?;
        match end {
            Some(rows) if rows == self.written && reader.is_done() => Ok(()),
            Some(rows) if reader.is_done() => {
                Err(Refusal::bad_request(format!("the last line announces {rows} rows")))
            }
            _ => Err(Refusal::bad_request("the input was cut: its last line is missing")),
        }
    }

    async fn row(&mut self, key: Key, value: Blob) -> Result<(), Refusal> {
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(Refusal::bad_request(format!("key {key} is not above the one before")));
        }
        self.last = Some(key.clone());
        self.bytes += key.len() + value.len();
        self.batch.push((key, value));
        if self.bytes >= INGEST_BATCH_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let rows = batch.len() as u64;
        if rows > 0 {
            self.node.ingest(batch).await?;
            self.written += rows;
        }
        Ok(())
    }
}
