//! The HTTP endpoints of a real node, and rows that leave it below SQL and come back.

use crate::common::{Cluster, eventually, http};

/// Status and body of one request.
pub(crate) fn ask(port: u16, head: &str, body: &str) -> (u16, String) {
    http(port, head, body).expect("the node answers")
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

/// The endpoints are there before the node is: it is healthy, and ready only while it can serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_ready_while_it_hears_from_the_cluster() {
    let mut cluster = Cluster::plan(&[None; 3]);
    cluster.restart(0);
    let port = cluster.nodes[0].http;
    let status = |path: &str| http(port, path, "").map_or(0, |(status, _)| status);
    let becomes = async |expected: u16| {
        eventually("readiness changes", async || {
            assert!([0, 200].contains(&status("GET /health")), "it is healthy all the time");
            status("GET /ready") == expected
        })
        .await;
    };
    becomes(503).await;
    assert_eq!(status("GET /health"), 200);
    assert!(ask(port, "GET /metrics", "").1.contains("sharddb_ranges"));
    assert_eq!(ask(port, "GET /route?key=00", "").0, 503);
    cluster.restart(1);
    cluster.restart(2);
    becomes(200).await;
    cluster.kill(1);
    cluster.kill(2);
    becomes(503).await;
    cluster.restart(1);
    becomes(200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lock_waits_are_counted() {
    let cluster = Cluster::start(1).await;
    let (first, second) = (cluster.client(0).await, cluster.client(0).await);
    let port = cluster.nodes[0].http;
    first.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n int)").await.expect("creates");
    first.batch_execute("INSERT INTO t VALUES (1, 0)").await.expect("inserts");
    let waits = metric(port, "sharddb_lock_waits_total");
    let ended = metric(port, "sharddb_lock_wait_seconds_count");
    first.batch_execute("BEGIN; UPDATE t SET n = 1").await.expect("updates");
    let update = tokio::spawn(async move { second.batch_execute("UPDATE t SET n = 2").await });
    eventually("one waits", async || metric(port, "sharddb_lock_waiting") >= 1.0).await;
    first.batch_execute("COMMIT").await.expect("commits");
    update.await.expect("no panic").expect("updates");
    assert!(metric(port, "sharddb_lock_waits_total") > waits);
    assert!(metric(port, "sharddb_lock_wait_seconds_count") > ended);
    assert!(metric(port, "sharddb_lock_wait_seconds_sum") > 0.0);
}
