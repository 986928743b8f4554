//! The endpoints over a socket, on a process that is a sorted map.

use super::*;
use base::{RangeDescriptor, RangeId};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Default)]
struct Fake {
    rows: Mutex<BTreeMap<Key, Blob>>,
    pinned: Arc<()>,
    not_ready: Option<String>,
    is_meta: bool,
    is_shard: bool,
}

impl HttpState for Fake {
    fn node(&self) -> NodeId {
        NodeId(4)
    }
    fn metrics(&self) -> String {
        "sharddb_ranges 1\n# EOF\n".into()
    }
    fn health(&self) -> Result<(), String> {
        Ok(())
    }
    fn ready(&self) -> Result<(), String> {
        self.not_ready.clone().map_or(Ok(()), Err)
    }
    fn is_meta(&self) -> bool {
        self.is_meta
    }
    fn is_shard(&self) -> bool {
        self.is_shard
    }
    fn token(&self) -> Option<String> {
        Some("secret".into())
    }
    fn lookup(&self, _: Key) -> BoxFuture<'static, KvResult<RangeStatus>> {
        let descriptor = RangeDescriptor::bootstrap(RangeId(7), &[NodeId(1), NodeId(2)]);
        let status = RangeStatus { descriptor, leader: Some(NodeId(2)), bytes: 5 };
        Box::pin(std::future::ready(Ok(status)))
    }
    fn pin(&self) -> BoxFuture<'static, KvResult<(Timestamp, Held)>> {
        let held: Held = Box::new(self.pinned.clone());
        Box::pin(std::future::ready(Ok((Timestamp(1), held))))
    }
    fn export(&self, span: Span, _: Timestamp) -> BoxFuture<'static, KvResult<SnapshotResponse>> {
        assert_eq!(Arc::strong_count(&self.pinned), 2, "the snapshot is held while it is read");
        let rows = self.rows.lock();
        let mut inside = rows.range(span.start..span.end.clone());
        let page: Vec<_> = inside.by_ref().take(2).map(|(k, v)| (k.clone(), v.clone())).collect();
        let resume = inside.next().map(|(key, _)| Span::new(key.clone(), span.end));
        Box::pin(std::future::ready(Ok(SnapshotResponse { rows: page, resume })))
    }
    fn ingest(&self, rows: Vec<(Key, Blob)>) -> BoxFuture<'static, KvResult<()>> {
        self.rows.lock().extend(rows);
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn serve_fake(fake: Fake) -> (Arc<Fake>, SocketAddr) {
    let fake = Arc::new(fake);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, fake.clone()));
    (fake, address)
}

fn shard(rows: &[&str]) -> Fake {
    let rows = rows.iter().map(|key| (Key::copy_from(key.as_bytes()), Blob::from(vec![1])));
    Fake { rows: Mutex::new(rows.collect()), is_shard: true, ..Fake::default() }
}

/// Status and body (chunks joined) of one request.
async fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!("{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    (status, if is_chunked { join_chunks(body) } else { body.into() })
}

fn join_chunks(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        out.push_str(&rest[..length]);
        body = &rest[(length + 2).min(rest.len())..];
    }
    out
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1"), "").await
}

async fn post(address: SocketAddr, body: &str) -> (u16, String) {
    let head = "POST /debug/ingest HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/x-ndjson";
    ask(address, head, body).await
}

#[tokio::test]
async fn state_and_metrics() {
    let (_, address) = serve_fake(Fake::default()).await;
    assert_eq!(get(address, "/health").await, (200, r#"{"status":"ok","node":4}"#.into()));
    assert_eq!(get(address, "/ready").await.0, 200);
    assert_eq!(get(address, "/metrics").await, (200, "sharddb_ranges 1\n# EOF\n".into()));
    assert_eq!(get(address, "/nothing").await.0, 404);

    let fake = Fake { not_ready: Some("no leader yet".into()), ..Fake::default() };
    let (_, address) = serve_fake(fake).await;
    let (status, body) = get(address, "/ready").await;
    assert_eq!(status, 503);
    assert!(body.contains("no leader yet"), "{body}");
}

#[tokio::test]
async fn route_names_the_range() {
    let (_, address) = serve_fake(Fake { is_meta: true, ..Fake::default() }).await;
    let (status, body) = get(address, "/route?key=0a0b").await;
    assert_eq!(status, 200);
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&answer["range"], &answer["leader"]), (&json!(7), &json!(2)));
    assert_eq!(answer["replicas"].as_array().unwrap().len(), 2);
    assert_eq!(get(address, "/route?key=0").await.0, 400);
    assert_eq!(get(address, "/route").await.0, 400);
    let (_, address) = serve_fake(Fake::default()).await;
    assert_eq!(get(address, "/route?key=0a").await.0, 404, "not a meta node");
}

#[tokio::test]
async fn an_export_can_be_ingested_elsewhere() {
    let (source, from) = serve_fake(shard(&["a", "b", "c", "d", "e"])).await;
    let (target, to) = serve_fake(shard(&[])).await;
    let (status, body) = get(from, "/debug/export?start=&end=ff").await;
    assert_eq!((status, body.lines().count()), (200, 6));
    assert_eq!(Arc::strong_count(&source.pinned), 1, "and not longer");
    assert_eq!(post(to, &body).await, (200, r#"{"rows":5}"#.into()));
    assert_eq!(*source.rows.lock(), *target.rows.lock());

    let (_, part) = get(from, "/debug/export?start=62&end=64").await;
    assert_eq!(part.lines().count(), 3, "b, c and the last line: {part}");
    assert_eq!(get(from, "/debug/export?start=64&end=62").await.0, 400);
}

#[tokio::test]
async fn a_cut_or_disordered_input_is_refused() {
    let (_, address) = serve_fake(shard(&[])).await;
    let row = |key: &str| format!("{{\"key\":\"{key}\",\"value\":\"\"}}\n");
    for (body, reason) in [
        (String::new(), "cut"),
        (row("61"), "cut"),
        (format!("{}{}", row("61"), "{\"rows\":1}"), "cut"),
        (format!("{}{}", row("61"), "{\"rows\":2}\n"), "announces 2"),
        (format!("{}{}{}", row("62"), row("61"), "{\"rows\":2}\n"), "not above"),
        (format!("{}{}", "{\"rows\":0}\n", row("61")), "behind the last"),
        ("{\"key\":1}\n".into(), "line 1"),
    ] {
        let (status, answer) = post(address, &body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer.contains(reason), "{answer}");
    }
}

#[tokio::test]
async fn debug_is_for_this_machine_and_bearers_of_the_token() {
    let (_, address) = serve_fake(shard(&["a"])).await;
    let path = "GET /debug/export?start=&end=ff HTTP/1.1\r\nHost: ";
    for (rest, expected) in [
        ("127.0.0.1", 200),
        ("evil.example", 403),
        ("127.0.0.1\r\nOrigin: http://evil.example", 403),
        ("evil.example\r\nAuthorization: Bearer secret", 200),
        ("evil.example\r\nAuthorization: Bearer secreT", 403),
    ] {
        assert_eq!(ask(address, &format!("{path}{rest}"), "").await.0, expected, "{rest}");
    }
    let form = "POST /debug/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain";
    assert_eq!(ask(address, form, "{\"rows\":0}\n").await.0, 400);
    let (_, address) = serve_fake(Fake::default()).await;
    assert_eq!(get(address, "/debug/export?start=&end=ff").await.0, 404, "not a shard");
}
