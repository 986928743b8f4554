//! Superseded versions are collected, but for those that an open snapshot still reads.

use crate::common::{Cluster, eventually, value};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

const UPDATES: u64 = 300;

/// Versions of all rows of all ranges on a node.
async fn versions(client: &Client, node: usize) -> u64 {
    let sql = format!("SELECT sharddb.count_versions(range_id, {node}) FROM sharddb.ranges");
    let rows = client.query(&sql, &[]).await.expect("counts");
    rows.iter().map(|row| row.get::<_, i64>(0) as u64).sum()
}

async fn update(client: &Client, times: u64) {
    for _ in 0..times {
        client.simple_query("UPDATE t SET n = n + 1 WHERE id = 1").await.expect("update");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_go_once_no_snapshot_reads_them() {
    let cluster = Cluster::start(3).await;
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE t (id int8 PRIMARY KEY, n int8 NOT NULL)",
        "INSERT INTO t VALUES (1, 0), (2, 0)",
        "SELECT sharddb.set_setting('gc.retention_ms', '1000')",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    update(&client, UPDATES).await;
    eventually("versions that nobody reads go, on every node", async || {
        // What was written last is collected once time has gone on.
        update(&client, 1).await;
        let mut most = 0;
        for node in 1..=3 {
            most = most.max(versions(&client, node).await);
        }
        most < UPDATES
    })
    .await;

    let reader = cluster.client(1).await;
    reader.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begin");
    let read = "SELECT n FROM t WHERE id = 1";
    let old = value(&reader, read).await;
    let begun = Instant::now();
    let mut highest = 0;
    while begun.elapsed() < Duration::from_secs(8) {
        update(&client, UPDATES / 10).await;
        highest = highest.max(versions(&client, 1).await);
        assert_eq!(value(&reader, read).await, old, "the snapshot has lost what it reads");
    }
    assert!(highest > UPDATES, "the snapshot holds back nothing: {highest} versions");
    let sum = value(&reader, "SELECT sum(n) FROM t").await;
    assert_eq!(sum, old, "a scan of the old snapshot");
    reader.simple_query("COMMIT").await.expect("commit");
    eventually("versions go once the snapshot is not read any more", async || {
        update(&client, 1).await;
        versions(&client, 1).await < UPDATES
    })
    .await;
    let newest = value(&client, read).await;
    assert_ne!(newest, old);
    assert_eq!(value(&cluster.client(2).await, read).await, newest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_validated() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    for (sql, code) in [
        ("SELECT sharddb.set_setting('catalog.version', '1')", "42704"),
        ("SELECT sharddb.set_setting('gc.retention_ms', 'soon')", "22023"),
        ("SELECT sharddb.set_setting('gc.retention_ms', '-1')", "22023"),
    ] {
        let error = client.simple_query(sql).await.expect_err(sql);
        assert_eq!(error.code().map(|c| c.code()), Some(code), "{sql}");
    }
    let shown = "SELECT value FROM sharddb.settings WHERE name = 'gc.retention_ms'";
    client
        .simple_query("SELECT sharddb.set_setting('gc.retention_ms', '90000')")
        .await
        .expect("set");
    assert_eq!(value(&client, shown).await, "90000");
    client
        .simple_query("SELECT sharddb.set_setting('gc.retention_ms', 'default')")
        .await
        .expect("reset");
    assert!(client.query(shown, &[]).await.expect("shown").is_empty());
}

/// What is not written to is left alone: collection must not keep idle ranges awake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_range_is_not_collected_again_and_again() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE t (id int8 PRIMARY KEY, n int8 NOT NULL)",
        "SELECT sharddb.set_setting('gc.retention_ms', '0')",
        "INSERT INTO t VALUES (1, 0)",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let http = cluster.nodes[0].http;
    let collections = async || {
        // Time goes on for the oracle only where somebody draws from it.
        client.simple_query("BEGIN; SELECT n FROM t; COMMIT").await.expect("read");
        counter(http, "sharddb_range_requests_total", "operation=\"gc\"").await
    };
    eventually("the last write is followed by a collection", async || collections().await > 0)
        .await;
    let mut last = collections().await;
    eventually("collections cease", async || {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let now = collections().await;
        std::mem::replace(&mut last, now) == now
    })
    .await;
}

/// A counter of `/metrics`, by name and one label.
async fn counter(port: u16, name: &str, label: &str) -> u64 {
    let text = crate::http::ask(port, "GET /metrics", "").1;
    let line = text.lines().find(|line| line.starts_with(name) && line.contains(label));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}
