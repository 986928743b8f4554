//! Ends of statements and sessions that come from outside: cancel requests, timeouts, an
//! administrator, a client that is gone. Nobody is left waiting for their locks.

use crate::common::{Cluster, PATIENCE, connect, value};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

/// SQLSTATE of a failure; panics on success.
async fn failure(client: &Client, sql: &str) -> String {
    let error = client.simple_query(sql).await.expect_err(sql);
    error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// Runs a statement until somebody cancels it; its SQLSTATE.
async fn cancelled(client: &Client, sql: &str) -> String {
    let token = client.cancel_token();
    let cancel = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await.expect("the request is sent");
    });
    let code = failure(client, sql).await;
    cancel.await.expect("cancels");
    code
}

/// Succeeds once nobody holds the key any more.
async fn insert_soon(client: &Client, sql: &str) {
    let done = tokio::time::timeout(PATIENCE, client.simple_query(sql)).await;
    done.expect("the lock is released in time").unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_interrupted_wherever_it_waits() {
    let cluster = Cluster::start(1).await;
    let holder = cluster.client(0).await;
    let client = cluster.client(0).await;
    run(&holder, "CREATE TABLE t (id int PRIMARY KEY); SELECT sharddb.split_table('t', 100)").await;
    run(&holder, "BEGIN; INSERT INTO t VALUES (1), (101)").await;
    // Alone, the lock is met by COMMIT: in one range, and in two. In a block, by the statement.
    let blocked = [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (50), (101)",
        "BEGIN; INSERT INTO t VALUES (1)",
    ];
    assert_eq!(cancelled(&client, "SELECT pg_sleep(3600)").await, "57014");
    for sql in blocked {
        assert_eq!(cancelled(&client, sql).await, "57014", "{sql}");
        run(&client, "ROLLBACK; SET statement_timeout = '400ms'").await;
        assert_eq!(failure(&client, sql).await, "57014", "{sql}");
        run(&client, "ROLLBACK; SET statement_timeout = 0; SET lock_timeout = '400ms'").await;
        assert_eq!(failure(&client, sql).await, "55P03", "{sql}");
        run(&client, "ROLLBACK; SET lock_timeout = 0").await;
        assert_eq!(value(&client, "SELECT count(*) FROM t").await, "0", "the connection lives");
    }
    run(&client, "BEGIN; SET LOCAL lock_timeout = '400ms'").await;
    assert_eq!(failure(&client, blocked[0]).await, "55P03", "set within the block");
    run(&client, "ROLLBACK; SET lock_timeout = '400ms'; BEGIN; COMMIT AND CHAIN").await;
    assert_eq!(failure(&client, blocked[0]).await, "55P03", "kept by CHAIN");
    run(&client, "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(failure(&client, blocked[0]).await, "55P03", "kept by a change of level");
    run(&client, "ROLLBACK; SET lock_timeout = 0").await;
    run(&holder, "ROLLBACK").await;
    for sql in &blocked[..2] {
        insert_soon(&client, sql).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_over_two_ranges_outlasts_a_lock() {
    let cluster = Cluster::start(1).await;
    let holder = cluster.client(0).await;
    let client = cluster.client(0).await;
    run(&holder, "CREATE TABLE t (id int PRIMARY KEY); SELECT sharddb.split_table('t', 100)").await;
    run(&holder, "BEGIN; INSERT INTO t VALUES (101)").await;
    let waiting = tokio::spawn(async move {
        insert_soon(&client, "INSERT INTO t VALUES (50), (101)").await;
        client
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!waiting.is_finished(), "it waits for the lock");
    run(&holder, "ROLLBACK").await;
    let client = waiting.await.expect("commits");
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_it_is_told_to() {
    let cluster = Cluster::start(1).await;
    let admin = cluster.client(0).await;
    run(&admin, "CREATE TABLE t (id int PRIMARY KEY)").await;
    let terminate = |pid: String| format!("SELECT pg_terminate_backend({pid})");
    // Idle inside a transaction.
    let idle = cluster.client(0).await;
    run(&idle, "BEGIN; INSERT INTO t VALUES (1)").await;
    let pid = value(&idle, "SELECT pg_backend_pid()").await;
    assert_eq!(value(&admin, &terminate(pid)).await, "t");
    insert_soon(&admin, "INSERT INTO t VALUES (1)").await;
    idle.simple_query("SELECT 1").await.expect_err("the session is over");
    // Busy.
    let busy = cluster.client(0).await;
    let pid = value(&busy, "SELECT pg_backend_pid()").await;
    let statement = tokio::spawn(async move { failure(&busy, "SELECT pg_sleep(3600)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(value(&admin, &terminate(pid)).await, "t");
    assert_eq!(statement.await.expect("ends"), "57P01");
    // Idle for too long.
    let slow = cluster.client(0).await;
    run(&slow, "SET idle_in_transaction_session_timeout = '500ms'").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    run(&slow, "BEGIN; INSERT INTO t VALUES (2)").await;
    insert_soon(&admin, "INSERT INTO t VALUES (2)").await;
    slow.simple_query("SELECT 1").await.expect_err("the session is over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_holds_no_locks() {
    let cluster = Cluster::start(1).await;
    let other = cluster.client(0).await;
    run(&other, "CREATE TABLE t (id int PRIMARY KEY)").await;
    let port = cluster.nodes[0].sql;
    let config = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.expect("connects");
    let connection = tokio::spawn(connection);
    run(&client, "BEGIN; INSERT INTO t VALUES (1)").await;
    let sleeping = tokio::spawn(async move { client.simple_query("SELECT pg_sleep(3600)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    connection.abort();
    sleeping.abort();
    insert_soon(&other, "INSERT INTO t VALUES (1)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_too_large_fails_alone() {
    let cluster = Cluster::start(1).await;
    let client = connect(cluster.nodes[0].sql).await.expect("connects");
    run(
        &client,
        "CREATE TABLE t (id int PRIMARY KEY, v text); SET sharddb.transaction_bytes_max = 1000000",
    )
    .await;
    let insert = "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g";
    assert_eq!(failure(&client, insert).await, "53200");
    run(&client, "BEGIN").await;
    let begun = Instant::now();
    let mut inserted = 0;
    let code = loop {
        assert!(begun.elapsed() < PATIENCE, "there is a limit");
        let sql = format!(
            "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series({inserted}, {}) g",
            inserted + 999
        );
        match client.simple_query(&sql).await {
            Ok(_) => inserted += 1000,
            Err(error) => break error.code().map(|code| code.code().to_owned()),
        }
    };
    assert_eq!(code.as_deref(), Some("53200"));
    run(&client, "ROLLBACK; CREATE TABLE source (id int PRIMARY KEY, v text)").await;
    run(&client, "RESET sharddb.transaction_bytes_max").await;
    insert_soon(&client, insert).await;
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, "20000");
}
