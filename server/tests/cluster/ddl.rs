//! DDL on tables in use: interrupted, in each other's way, seen by a node that was cut off.

use crate::common::{Cluster, PATIENCE, value};
use crate::http::ask;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

async fn run(client: &Client, sql: &str) {
    let done = tokio::time::timeout(PATIENCE, client.batch_execute(sql)).await;
    done.unwrap_or_else(|_| panic!("{sql}: hangs")).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

async fn failure(client: &Client, sql: &str) -> String {
    let done = tokio::time::timeout(PATIENCE, client.batch_execute(sql)).await;
    let error = done.unwrap_or_else(|_| panic!("{sql}: hangs")).expect_err(sql);
    error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
}

/// Keys of a table in the store, those of one index or all.
async fn keys(cluster: &Cluster, client: &Client, table: &str) -> usize {
    let oid = value(client, &format!("SELECT '{table}'::regclass::oid::int8")).await;
    let oid: u32 = oid.parse().expect("a number");
    let (start, end) = (format!("08{oid:08x}"), format!("08{:08x}", oid + 1));
    let head = format!("GET /debug/export?start={start}&end={end}");
    let (status, rows) = ask(cluster.nodes[0].http, &head, "");
    assert_eq!(status, 200);
    rows.lines().count() - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_or_rolled_back_is_deleted_even_after_a_crash() {
    let mut cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    run(&client, "CREATE TABLE t (id int PRIMARY KEY, a int, b int)").await;
    run(&client, "INSERT INTO t SELECT g, g, g FROM generate_series(1, 100) g").await;
    run(&client, "CREATE INDEX t_a ON t (a)").await;
    assert_eq!(keys(&cluster, &client, "t").await, 200);
    run(&client, "BEGIN; CREATE INDEX t_b ON t (b); ROLLBACK").await;
    assert_eq!(keys(&cluster, &client, "t").await, 300, "they are there for a while");
    run(&client, "DROP INDEX t_a").await;
    cluster.kill(0);
    cluster.restart(0);
    let client = cluster.client(0).await;
    let begun = Instant::now();
    while keys(&cluster, &client, "t").await > 100 {
        assert!(begun.elapsed() < PATIENCE, "nobody deletes them");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_is_killed_leaves_neither_fence_nor_entries() {
    let mut cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    run(&client, "CREATE TABLE t (id int PRIMARY KEY, a int)").await;
    run(&client, "INSERT INTO t SELECT g, g FROM generate_series(1, 50000) g").await;
    let builder = cluster.client(0).await;
    // The build is done, its transaction is not.
    run(&builder, "BEGIN; CREATE UNIQUE INDEX t_a ON t (a)").await;
    cluster.kill(0);
    cluster.restart(0);
    let client = cluster.client(0).await;
    run(&client, "UPDATE t SET a = a + 100000 WHERE id <= 1000").await;
    run(&client, "CREATE UNIQUE INDEX t_a ON t (a)").await;
    run(&client, "INSERT INTO t VALUES (0, 500)").await;
    assert_eq!(value(&client, "SELECT count(*) FROM t WHERE a = 501").await, "0");
    assert_eq!(value(&client, "SELECT id FROM t WHERE a = 500").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_is_cancelled_lets_writers_go_on() {
    let cluster = Cluster::start(1).await;
    let writer = cluster.client(0).await;
    let builder = cluster.client(0).await;
    run(&writer, "CREATE TABLE t (id int PRIMARY KEY, a int)").await;
    run(&writer, "BEGIN; INSERT INTO t VALUES (1, 1)").await;
    run(&builder, "SET statement_timeout = '500ms'").await;
    assert_eq!(failure(&builder, "CREATE UNIQUE INDEX t_a ON t (a)").await, "57014");
    run(&builder, "SET statement_timeout = 0; SET lock_timeout = '500ms'").await;
    assert_eq!(failure(&builder, "CREATE UNIQUE INDEX t_a ON t (a)").await, "55P03");
    run(&writer, "INSERT INTO t VALUES (2, 1); COMMIT; INSERT INTO t VALUES (3, 3)").await;
    assert_eq!(failure(&builder, "CREATE UNIQUE INDEX t_a ON t (a)").await, "23505");
    run(&writer, "DELETE FROM t WHERE id = 2").await;
    run(&builder, "CREATE UNIQUE INDEX t_a ON t (a)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn circles_of_ddl_and_writers_are_broken() {
    let cluster = Cluster::start(1).await;
    let (a, b) = (cluster.client(0).await, cluster.client(0).await);
    run(&a, "CREATE TABLE t (a int); CREATE TABLE u (a int)").await;
    // A writer that DDL waits for comes upon the DDL.
    run(&a, "BEGIN; INSERT INTO t VALUES (1)").await;
    run(&b, "BEGIN; CREATE INDEX ON u (a)").await;
    let ddl = tokio::spawn(async move {
        run(&b, "CREATE INDEX ON t (a)").await;
        b
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(failure(&a, "INSERT INTO u VALUES (1)").await, "40P01");
    run(&a, "ROLLBACK").await;
    let b = ddl.await.expect("goes on");
    run(&b, "COMMIT").await;
    // DDL on both sides.
    run(&a, "BEGIN; CREATE INDEX ON t (a)").await;
    run(&b, "BEGIN; CREATE INDEX ON u (a)").await;
    let ddl = tokio::spawn(async move {
        run(&b, "CREATE INDEX ON t (a)").await;
        b
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(failure(&a, "CREATE INDEX ON u (a)").await, "40P01");
    run(&a, "ROLLBACK").await;
    let b = ddl.await.expect("goes on");
    run(&b, "COMMIT; INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ddl_of_one_table_queues_up() {
    let cluster = Cluster::start(1).await;
    let (writer, a, b) =
        (cluster.client(0).await, cluster.client(0).await, cluster.client(0).await);
    run(&writer, "CREATE TABLE t (id int PRIMARY KEY, a int, b int UNIQUE)").await;
    run(&writer, "BEGIN; INSERT INTO t VALUES (1, 1, 1)").await;
    // The first waits for the writer, the second would lock the table before it takes the fence.
    let first = tokio::spawn(async move { run(&a, "CREATE INDEX ON t (a)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let second = tokio::spawn(async move { run(&b, "ALTER TABLE t DROP COLUMN b").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!first.is_finished() && !second.is_finished(), "they wait for the writer");
    run(&writer, "COMMIT").await;
    first.await.expect("is built");
    second.await.expect("is dropped");
    assert_eq!(value(&writer, "SELECT * FROM t WHERE a = 1").await, "1");
    // Changed before somebody else takes the fence: one of them has to give way.
    let (a, b) = (cluster.client(0).await, cluster.client(0).await);
    run(&a, "BEGIN; ALTER TABLE t ALTER COLUMN a SET DEFAULT 5").await;
    let first = tokio::spawn(async move { run(&b, "CREATE INDEX ON t (a)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(failure(&a, "CREATE INDEX ON t (id, a)").await, "40P01");
    run(&a, "ROLLBACK").await;
    first.await.expect("is built");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_commits_nothing_under_the_old_schema() {
    let mut cluster = Cluster::start(1).await;
    let proxy = cluster.add(Some("proxy")).await;
    let (client, writer) = (cluster.client(0).await, cluster.client(proxy).await);
    run(&client, "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)").await;
    run(&writer, "BEGIN; INSERT INTO t VALUES (2, 2)").await;
    cluster.signal(proxy, "STOP");
    let built = tokio::time::timeout(PATIENCE, client.batch_execute("CREATE INDEX t_a ON t (a)"));
    let built = built.await;
    cluster.signal(proxy, "CONT");
    built.expect("does not wait for ever").expect("is built");
    assert_eq!(failure(&writer, "COMMIT").await, "40001");
    assert_eq!(value(&client, "SELECT count(*) FROM t WHERE a = 2").await, "0");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "1");
}
