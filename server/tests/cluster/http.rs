//! The HTTP endpoints of a real node, and rows that leave it below SQL and come back.

use crate::common::{Cluster, PATIENCE};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Status and body of one request.
pub(crate) fn ask(port: u16, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

/// A metric's value.
fn metric(port: u16, name: &str) -> f64 {
    let (status, text) = ask(port, "GET /metrics", "");
    assert_eq!(status, 200);
    let line = text.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("{name} is missing in\n{text}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_metrics_and_route() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    let port = cluster.nodes[0].http;
    assert_eq!(ask(port, "GET /health", "").0, 200);
    assert_eq!(ask(port, "GET /ready", "").0, 200);

    let before = metric(port, "sharddb_raft_applied_total");
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.expect("creates");
    client.batch_execute("INSERT INTO t VALUES (1)").await.expect("inserts");
    assert!(metric(port, "sharddb_raft_applied_total") > before, "a write is applied");
    assert!(metric(port, "sharddb_ranges") >= 1.0);
    assert!(metric(port, "sharddb_leaders") >= 1.0);
    assert!(metric(port, "sharddb_sql_connections") >= 1.0);
    assert!(metric(port, "sharddb_sql_requests_total{role=\"proxy\",protocol=\"simple\"}") >= 3.0);
    client.batch_execute("SELECT * FROM nowhere").await.expect_err("no such table");
    assert!(metric(port, "sharddb_sql_errors_total{role=\"proxy\",class=\"42\"}") >= 1.0);

    let (status, range) = ask(port, "GET /route?key=00", "");
    assert_eq!(status, 200, "{range}");
    assert!(range.contains("\"leader\":1"), "{range}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_exported_and_come_back() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    let port = cluster.nodes[0].http;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, v text)").await.expect("creates");
    let insert = "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 1000) i";
    client.batch_execute(insert).await.expect("inserts");
    let (status, rows) = ask(port, "GET /debug/export?start=&end=ff", "");
    assert_eq!(status, 200);
    assert!(rows.lines().count() > 1_000, "the rows, the catalog, the last line");

    client.batch_execute("UPDATE t SET v = 'changed'").await.expect("updates");
    client.batch_execute("DELETE FROM t WHERE id > 500").await.expect("deletes");
    let (status, answer) = ask(port, "POST /debug/ingest", &rows);
    assert_eq!(status, 200, "{answer}");
    let query = "SELECT count(*) FROM t WHERE v = 'row ' || id";
    let row = client.query_one(query, &[]).await.expect("answers");
    assert_eq!(row.get::<_, i64>(0), 1_000);

    let cut = rows.trim_end().rsplit_once('\n').expect("lines").0;
    assert_eq!(ask(port, "POST /debug/ingest", cut).0, 400, "a cut export is refused");
}
