//! A node that is told to stop ends its statements and hands its ranges over; one that begins a new
//! life leaves no lock of the last one behind.

use crate::common::{Cluster, eventually, value};
use rustix::process::Signal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

async fn leader(client: &Client) -> usize {
    let sql = "SELECT leader FROM sharddb.ranges ORDER BY range_id LIMIT 1";
    value(client, sql).await.parse::<usize>().expect("a leader") - 1
}

/// Inserts rows one by one until told to stop; answers when each was acknowledged.
async fn write(client: Client, lane: i64, stop: Arc<AtomicBool>) -> Vec<Instant> {
    let mut acknowledged = Vec::new();
    let insert = client.prepare("INSERT INTO ledger VALUES ($1)").await.expect("prepares");
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = lane + 2 * n;
        client.execute(&insert, &[&id]).await.unwrap_or_else(|e| panic!("insert {id}: {e:?}"));
        acknowledged.push(Instant::now());
    }
    acknowledged
}

/// The longest time without an acknowledgement.
fn longest_gap(mut acknowledged: Vec<Instant>) -> Duration {
    acknowledged.sort();
    let gaps = acknowledged.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().expect("acknowledged writes")
}

/// Clients of the other nodes see no error at all, and hardly a pause: an election by silence would
/// take at least a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stops_hands_over_under_writes() {
    let mut cluster = Cluster::start(3).await;
    let client = cluster.client(0).await;
    client.batch_execute("CREATE TABLE ledger (id int8 PRIMARY KEY)").await.expect("creates");
    let victim = leader(&client).await;
    let others: Vec<usize> = (0..3).filter(|i| *i != victim).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for (lane, node) in others.iter().enumerate() {
        let writer = write(cluster.client(*node).await, lane as i64, stop.clone());
        writers.push(tokio::spawn(writer));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.signal(victim, Signal::TERM);
    assert_eq!(cluster.ended(victim).await.code(), Some(0));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("no write fails"));
    }
    let count = acknowledged.len();
    let gap = longest_gap(acknowledged);
    println!("{count} writes, longest gap {} ms", gap.as_millis());
    assert!(gap < Duration::from_millis(900), "writes stood still for {gap:?}");
    let client = cluster.client(others[0]).await;
    assert_ne!(leader(&client).await, victim);
    assert_eq!(value(&client, "SELECT count(*) FROM ledger").await, count.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_end_and_idle_sessions_are_told() {
    let mut cluster = Cluster::start(1).await;
    let (idle, connection) =
        tokio_postgres::connect(&cluster.url(0), NoTls).await.expect("connects");
    let told = tokio::spawn(connection);
    idle.simple_query("BEGIN").await.expect("begins");
    let busy = cluster.client(0).await;
    let begun = cluster.client(0).await;
    let statement = tokio::spawn(async move { busy.simple_query("SELECT pg_sleep(2), 7").await });
    eventually("the statement runs", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
        value(&begun, sql).await == "1"
    })
    .await;
    cluster.signal(0, Signal::TERM);
    let error = told.await.expect("no panic").expect_err("the connection ends");
    assert_eq!(error.code().map(|code| code.code()), Some("57P01"));
    statement.await.expect("no panic").expect("the statement ends in good order");
    assert_eq!(cluster.ended(0).await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_begins_its_new_life_without_its_old_locks() {
    let mut cluster = Cluster::start(3).await;
    let client = cluster.client(0).await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.expect("creates");
    client.batch_execute("INSERT INTO t VALUES (1), (2)").await.expect("inserts");
    let leader = leader(&client).await;
    let victim = (leader + 1) % 3;
    let holder = cluster.client(victim).await;
    holder.batch_execute("BEGIN; SELECT * FROM t WHERE id = 1 FOR UPDATE").await.expect("locks");
    cluster.kill(victim);
    cluster.restart(victim);
    // A lock of the new life, taken before the others have heard of it, stays.
    let keeper = cluster.client(victim).await;
    keeper.batch_execute("BEGIN; SELECT * FROM t WHERE id = 2 FOR UPDATE").await.expect("locks");
    let other = cluster.client(leader).await;
    let start = Instant::now();
    other.batch_execute("UPDATE t SET id = 1 WHERE id = 1").await.expect("the lock is gone");
    // An old lock expires after a minute.
    assert!(start.elapsed() < Duration::from_secs(20), "waited for {:?}", start.elapsed());
    let error = other.batch_execute("SELECT * FROM t WHERE id = 2 FOR UPDATE NOWAIT").await;
    let error = error.expect_err("the new lock is held");
    assert_eq!(error.code().map(|code| code.code()), Some("55P03"));
}
