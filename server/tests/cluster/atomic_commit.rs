//! A transaction that writes to two ranges on different leaders is visible together or not at all,
//! fails everywhere when a participant refuses it, and leaves no lock when its coordinator dies.

use crate::common::{Cluster, answered_by, eventually, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// Longest time for which what a dead coordinator has left may be in somebody's way.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// A transfer between the halves of the table.
const TRANSFER: &str = "BEGIN; UPDATE account SET balance = balance - 5 WHERE id = 1; \
                        UPDATE account SET balance = balance + 5 WHERE id = 200; COMMIT";

/// A table of accounts, split in the middle: the left half is led by node 1, the right one by
/// node 2, and node 3 leads neither.
async fn two_ranges(cluster: &Cluster) {
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE account (id int8 PRIMARY KEY, balance int8 NOT NULL)",
        "INSERT INTO account SELECT i, 0 FROM generate_series(1, 200) AS i",
        "SELECT sharddb.split_table('account', 101)",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let left = value(&client, "SELECT min(range_id) FROM sharddb.ranges").await;
    let right = value(&client, RIGHT_RANGE).await;
    lead(&client, &left, "1").await;
    lead(&client, &right, "2").await;
    for (id, range, node) in [("1", &left, 1), ("200", &right, 2)] {
        let sql = format!("SELECT balance FROM account WHERE id = {id}");
        assert_eq!(answered_by(&client, &sql).await, format!("r{range} (n{node})"));
    }
}

const RIGHT_RANGE: &str = "SELECT max(range_id) FROM sharddb.ranges";

/// Makes a node lead a range.
async fn lead(client: &Client, range: &str, node: &str) {
    eventually("leadership moves", async || {
        let sql = format!("SELECT leader FROM sharddb.ranges WHERE range_id = {range}");
        if value(client, &sql).await == node {
            return true;
        }
        // Refused while the range has other things to do.
        let sql = format!("SELECT sharddb.transfer_leader({range}, {node})");
        let _ = client.simple_query(&sql).await;
        false
    })
    .await;
}

async fn balances(client: &Client) -> (String, String) {
    let left = value(client, "SELECT balance FROM account WHERE id = 1").await;
    (left, value(client, "SELECT balance FROM account WHERE id = 200").await)
}

/// Intents on the replicas of these nodes.
async fn intents(client: &Client, nodes: &[usize]) -> i64 {
    let mut sum = 0;
    for node in nodes {
        let sql = format!("SELECT sharddb.count_intents(range_id, {node}) FROM sharddb.ranges");
        let rows = client.query(&sql, &[]).await.expect("counts");
        sum += rows.iter().map(|row| row.get::<_, i64>(0)).sum::<i64>();
    }
    sum
}

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

/// Every statement has succeeded; only the COMMIT finds that something that was read in one range
/// has changed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_at_commit_aborts_all() {
    let cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    let (client, other) = (cluster.client(2).await, cluster.client(1).await);
    client.simple_query("BEGIN ISOLATION LEVEL SERIALIZABLE").await.expect("begin");
    assert_eq!(value(&client, "SELECT balance FROM account WHERE id = 150").await, "0");
    for id in [1, 200] {
        let sql = format!("UPDATE account SET balance = 9 WHERE id = {id}");
        client.simple_query(&sql).await.expect("nobody is in the way");
    }
    other.simple_query("UPDATE account SET balance = 7 WHERE id = 150").await.expect("update");
    let error = client.simple_query("COMMIT").await.expect_err("what it read has changed");
    assert_eq!(error.code().map(|c| c.code()), Some("40001"));
    assert_eq!(balances(&other).await, ("0".into(), "0".into()));
    for id in [1, 200] {
        let sql = format!("UPDATE account SET balance = balance + 0 WHERE id = {id}");
        other.simple_query(&sql).await.expect("the row is free");
    }
    eventually("no intent is left", async || intents(&other, &[1, 2, 3]).await == 0).await;
}

/// Every statement has succeeded and holds its lock. One lock is lost with the leader of its range,
/// and somebody else changes the row: that range refuses the COMMIT, and so the other half, which
/// nobody has touched, is not written either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_refuses_the_commit_aborts_all() {
    let cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    let (client, other) = (cluster.client(2).await, cluster.client(0).await);
    client.simple_query("BEGIN").await.expect("begin");
    for id in [1, 200] {
        let sql = format!("UPDATE account SET balance = 9 WHERE id = {id}");
        client.simple_query(&sql).await.expect("nobody is in the way");
    }
    let right = value(&other, RIGHT_RANGE).await;
    lead(&other, &right, "3").await;
    other.simple_query("UPDATE account SET balance = 7 WHERE id = 200").await.expect("no lock");
    let error = client.simple_query("COMMIT").await.expect_err("the row has changed");
    assert_eq!(error.code().map(|c| c.code()), Some("40001"));
    assert_eq!(balances(&other).await, ("0".into(), "7".into()));
    let sql = "UPDATE account SET balance = balance + 0 WHERE id = 1";
    other.simple_query(sql).await.expect("the row is free");
    eventually("no intent is left", async || intents(&other, &[1, 2, 3]).await == 0).await;
}

/// The coordinator ends at exactly this moment of a transfer; the others put right what it leaves.
/// Answers the balances afterwards.
async fn ends_at(failpoint: &str) -> (String, String) {
    let mut cluster = Cluster::start(3).await;
    two_ranges(&cluster).await;
    cluster.kill(2);
    cluster.restart_with(2, &[("SHARDDB_FAILPOINT", failpoint)]);
    let doomed = cluster.client(2).await;
    let answer = doomed.simple_query(TRANSFER).await;
    cluster.wait_for_end(2).await;
    let client = cluster.client(0).await;
    let start = Instant::now();
    for id in [1, 200] {
        let sql = format!("UPDATE account SET balance = balance + 0 WHERE id = {id}");
        client.simple_query(&sql).await.expect("the row is free again");
    }
    println!("{failpoint}: rows free after {:?}", start.elapsed());
    assert!(start.elapsed() < RECOVERY_MAX, "the rows were locked for too long");
    eventually("no intent is left", async || intents(&client, &[1, 2]).await == 0).await;
    let found = balances(&client).await;
    assert!(answer.is_err() || found == ("-5".into(), "5".into()), "acknowledged and not there");
    cluster.restart(2);
    let returned = cluster.client(2).await;
    assert_eq!(balances(&returned).await, found);
    eventually("no intent is left", async || intents(&returned, &[1, 2, 3]).await == 0).await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_ends_before_the_decision_has_committed() {
    assert_eq!(ends_at("commit-before-decision").await, ("-5".into(), "5".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_ends_with_the_record_alone_has_aborted() {
    assert_eq!(ends_at("commit-staging-only").await, ("0".into(), "0".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coordinator_that_ends_without_a_record_has_aborted() {
    assert_eq!(ends_at("commit-intents-only").await, ("0".into(), "0".into()));
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
