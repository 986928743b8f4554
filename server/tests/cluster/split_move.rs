//! A table is split, one side moves to a fourth node while a client writes to both; plans show how
//! many ranges a query touches.

use crate::common::{Cluster, eventually, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

async fn explain(client: &tokio_postgres::Client, sql: &str) -> String {
    let rows = client.query(&format!("EXPLAIN {sql}"), &[]).await.expect("explain");
    rows.iter().map(|r| r.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// The ranges that an EXPLAIN names.
fn ranges(plan: &str) -> usize {
    let line = plan.lines().find(|l| l.contains("Ranges:")).unwrap_or_else(|| panic!("{plan}"));
    line.split("Ranges:").nth(1).unwrap_or("").split(',').count()
}

/// Scans whose order does not matter read several ranges at once, each of several pages.
async fn scattered_scans_read_all(client: &tokio_postgres::Client) {
    for sql in [
        "CREATE TABLE wide (id int8 PRIMARY KEY, filler text NOT NULL)",
        "INSERT INTO wide SELECT i, repeat('x', 1000) FROM generate_series(1, 8000) AS i",
        "SELECT sharddb.split_table('wide', 2000), sharddb.split_table('wide', 4000)",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    for isolation in ["READ COMMITTED", "SERIALIZABLE"] {
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}; DELETE FROM wide WHERE id = 3000");
        client.batch_execute(&begin).await.expect("a row of its own is gone");
        let rows = client.query("SELECT id, filler FROM wide", &[]).await.expect("all rows");
        let mut ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        ids.sort_unstable();
        let expected: Vec<i64> = (1..=8000).filter(|id| *id != 3000).collect();
        assert_eq!(ids, expected, "{isolation}");
        let rows = client.query("SELECT id FROM wide ORDER BY id", &[]).await.expect("in order");
        assert!(rows.iter().map(|row| row.get::<_, i64>(0)).eq(expected), "{isolation}");
        client.batch_execute("ROLLBACK").await.expect("rolls back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn split_and_move_under_writes() {
    let mut cluster = Cluster::start(3).await;
    let fourth = cluster.add(None).await;
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE t (id int8 PRIMARY KEY, n int8 NOT NULL)",
        "INSERT INTO t SELECT i, 0 FROM generate_series(1, 1000) AS i",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicI64::new(0));
    let writer_client = cluster.client(1).await;
    let writer = {
        let (stop, done) = (stop.clone(), done.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let sql = "UPDATE t SET n = n + 1 WHERE id IN (1, 1000)";
                writer_client.simple_query(sql).await.expect("writes go on");
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    for at in [334, 667] {
        let sql = format!("SELECT sharddb.split_table('t', {at})");
        client.simple_query(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let right =
        value(&client, "SELECT range_id FROM sharddb.ranges ORDER BY start_key DESC LIMIT 1").await;
    let node = fourth + 1;
    let before = done.load(Ordering::Relaxed);
    let sql = format!("SELECT sharddb.move_range({right}, {node})");
    client.simple_query(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let moved = done.load(Ordering::Relaxed);
    assert!(moved > before, "no write during the move");
    let holders =
        value(&client, &format!("SELECT replicas FROM sharddb.ranges WHERE range_id = {right}"))
            .await;
    assert!(holders.contains('4'), "range {right} is on {holders}");
    // The moved side is led where it has been moved to, while the writes go on.
    let sql = format!("SELECT sharddb.transfer_leader({right}, {node})");
    client.simple_query(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let leader = format!("SELECT leader FROM sharddb.ranges WHERE range_id = {right}");
    eventually("the fourth node leads", async || value(&client, &leader).await == node.to_string())
        .await;
    let led = done.load(Ordering::Relaxed);
    eventually("writes through the new leader", async || done.load(Ordering::Relaxed) > led + 20)
        .await;
    let plan = explain(&client, "ANALYZE SELECT n FROM t WHERE id = 1000").await;
    assert!(plan.contains(&format!("Ranges Touched: r{right} (n{node})")), "{plan}");
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("writer");
    let total = done.load(Ordering::Relaxed);
    for id in [1, 1000] {
        let sql = format!("SELECT n FROM t WHERE id = {id}");
        assert_eq!(value(&client, &sql).await, total.to_string(), "writes to {id} were lost");
    }
    assert_eq!(ranges(&explain(&client, "SELECT * FROM t WHERE id = 5").await), 1);
    assert_eq!(ranges(&explain(&client, "SELECT * FROM t WHERE id BETWEEN 300 AND 400").await), 2);
    assert_eq!(ranges(&explain(&client, "SELECT count(*) FROM t").await), 3);
    let update = explain(&client, "UPDATE t SET n = 0 WHERE id BETWEEN 300 AND 400").await;
    assert_eq!(ranges(&update), 2, "{update}");
    assert_eq!(ranges(&explain(&client, "INSERT INTO t VALUES (0, 0)").await), 3);
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "1000");
    scattered_scans_read_all(&client).await;
    let fourth_client = cluster.client(fourth).await;
    assert_eq!(value(&fourth_client, "SELECT n FROM t WHERE id = 1000").await, total.to_string());
}
