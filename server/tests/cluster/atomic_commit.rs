//! A transaction that writes to two ranges on different leaders is visible together or not at all,
//! fails everywhere when a participant refuses it, and leaves no lock when its coordinator dies.

use crate::common::{Cluster, PATIENCE, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Two accounts, the table split between them, the halves led by different nodes.
async fn two_ranges(cluster: &Cluster) {
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE account (id int8 PRIMARY KEY, balance int8 NOT NULL)",
        "INSERT INTO account SELECT i, 0 FROM generate_series(1, 200) AS i",
        "SELECT sharddb.split_table('account', 101)",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let right = value(&client, RIGHT_RANGE).await;
    let leader =
        value(&client, "SELECT leader FROM sharddb.ranges ORDER BY range_id LIMIT 1").await;
    let other = if leader == "1" { 2 } else { 1 };
    let start = Instant::now();
    loop {
        let sql = format!("SELECT sharddb.transfer_leader({right}, {other})");
        if client.simple_query(&sql).await.is_ok() {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "leadership does not move");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const RIGHT_RANGE: &str = "SELECT max(range_id) FROM sharddb.ranges";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_halves_become_visible_together() {
    let cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    let stop = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for node in 0..3 {
        let client = cluster.client(node).await;
        let (stop, reads) = (stop.clone(), reads.clone());
        readers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let sql = "SELECT sum(balance) FROM account WHERE id IN (1, 200)";
                assert_eq!(value(&client, sql).await, "0", "half a transfer was visible");
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let client = cluster.client(1).await;
    for i in 0..200 {
        let sql = format!(
            "BEGIN; UPDATE account SET balance = balance - {i} WHERE id = 1; \
             UPDATE account SET balance = balance + {i} WHERE id = 200; COMMIT"
        );
        client.simple_query(&sql).await.unwrap_or_else(|e| panic!("transfer {i}: {e:?}"));
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("reader");
    }
    assert!(reads.load(Ordering::Relaxed) > 100, "the readers hardly ran");
    assert_eq!(value(&client, "SELECT balance FROM account WHERE id = 200").await, "19900");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_that_refuses_aborts_all() {
    let cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    let client = cluster.client(2).await;
    client.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begin");
    assert_eq!(value(&client, "SELECT count(*) FROM account").await, "200");
    let other = cluster.client(1).await;
    other.simple_query("UPDATE account SET balance = 7 WHERE id = 200").await.expect("update");
    client.simple_query("UPDATE account SET balance = 9 WHERE id = 1").await.expect("update");
    let error = async {
        client.simple_query("UPDATE account SET balance = 9 WHERE id = 200").await?;
        client.simple_query("COMMIT").await
    }
    .await
    .expect_err("a concurrent update was overwritten");
    assert_eq!(error.code().map(|c| c.code()), Some("40001"));
    client.simple_query("ROLLBACK").await.expect("rollback");
    assert_eq!(value(&other, "SELECT balance FROM account WHERE id = 1").await, "0");
    assert_eq!(value(&other, "SELECT balance FROM account WHERE id = 200").await, "7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_coordinator_leaves_no_lock() {
    let mut cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    for round in 0..3 {
        // Transfers run through node 3, which leads neither half and is killed at an arbitrary
        // moment, so again and again in the middle of a commit.
        let client = cluster.client(2).await;
        let writer = tokio::spawn(async move {
            loop {
                let sql = "BEGIN; UPDATE account SET balance = balance - 1 WHERE id = 1; \
                           UPDATE account SET balance = balance + 1 WHERE id = 200; COMMIT";
                if client.simple_query(sql).await.is_err() {
                    break;
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(500 + 37 * round)).await;
        cluster.kill(2);
        writer.await.expect("writer");
        let client = cluster.client(0).await;
        let start = Instant::now();
        for id in [1, 200] {
            let sql = format!("UPDATE account SET balance = balance + 0 WHERE id = {id}");
            client.simple_query(&sql).await.expect("the row is free again");
        }
        println!("round {round}: rows free after {} ms", start.elapsed().as_millis());
        let sql = "SELECT sum(balance) FROM account";
        assert_eq!(value(&client, sql).await, "0", "a transfer was applied by half");
        cluster.restart(2);
    }
}
