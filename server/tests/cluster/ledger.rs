//! No acknowledged insert is lost and none is applied twice, whatever is killed with -9.
//!
//! Writers insert increasing numbers, each with its own key and a unique number from the client,
//! and keep a ledger of what was acknowledged outside the cluster. After every kill and restart the
//! ledger is compared with the table.

use crate::common::{Cluster, PATIENCE, connect, value};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
const WRITERS: usize = 4;

/// What the clients know outside the cluster.
#[derive(Default)]
struct Ledger {
    next: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    stop: AtomicBool,
    last_ack: Mutex<Option<Instant>>,
}

async fn write(ledger: Arc<Ledger>, ports: Vec<u16>, first: usize) {
    let mut at = first;
    while !ledger.stop.load(Ordering::Relaxed) {
        at += 1;
        let Ok(client) = connect(ports[at % ports.len()]).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while !ledger.stop.load(Ordering::Relaxed) {
            let id = ledger.next.fetch_add(1, Ordering::Relaxed);
            let sql = format!("INSERT INTO ledger VALUES ({id})");
            match tokio::time::timeout(Duration::from_secs(10), client.simple_query(&sql)).await {
                Ok(Ok(_)) => {
                    ledger.acknowledged.lock().expect("ledger").insert(id);
                    *ledger.last_ack.lock().expect("ledger") = Some(Instant::now());
                }
                // Unknown or refused: not in the ledger, may be in the table. Another node, a new
                // connection.
                _ => break,
            }
        }
    }
}

async fn check(cluster: &Cluster, node: usize, ledger: &Ledger) -> usize {
    let acknowledged = ledger.acknowledged.lock().expect("ledger").clone();
    let client = cluster.client(node).await;
    let rows = client.query("SELECT id FROM ledger", &[]).await.expect("the table reads");
    let ids: Vec<u64> = rows.iter().map(|r| r.get::<_, i64>(0) as u64).collect();
    let unique: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "a row is there twice");
    let lost: Vec<&u64> = acknowledged.difference(&unique).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    acknowledged.len()
}

async fn run(nodes: usize) {
    let mut cluster = Cluster::start(nodes).await;
    let client = cluster.client(0).await;
    client.simple_query("CREATE TABLE ledger (id int8 PRIMARY KEY)").await.expect("create");
    drop(client);
    let ledger = Arc::new(Ledger::default());
    let ports: Vec<u16> = cluster.nodes.iter().map(|n| n.sql).collect();
    let writers: Vec<_> =
        (0..WRITERS).map(|w| tokio::spawn(write(ledger.clone(), ports.clone(), w))).collect();
    for round in 0..ROUNDS {
        let before = ledger.acknowledged.lock().expect("ledger").len();
        wait_for_acks(&ledger, before + 20).await;
        let victim = round % nodes;
        cluster.kill(victim);
        tokio::time::sleep(Duration::from_millis(200)).await;
        cluster.restart(victim);
        let acknowledged = check(&cluster, victim, &ledger).await;
        println!("round {round}: node {} killed, {acknowledged} acknowledged rows", victim + 1);
    }
    ledger.stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("writer");
    }
    check(&cluster, 0, &ledger).await;
}

async fn wait_for_acks(ledger: &Ledger, count: usize) {
    let start = Instant::now();
    while ledger.acknowledged.lock().expect("ledger").len() < count {
        assert!(start.elapsed() < PATIENCE, "writes do not go on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_on_one_node() {
    run(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_nothing_on_three_nodes() {
    run(3).await;
}

/// Kills the leader of the range that holds the table, and prints how long writes stood still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_resume_after_the_leader_is_killed() {
    let mut cluster = Cluster::start(3).await;
    let client = cluster.client(0).await;
    client.simple_query("CREATE TABLE ledger (id int8 PRIMARY KEY)").await.expect("create");
    let ledger = Arc::new(Ledger::default());
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let client = cluster.client(0).await;
        let leader =
            value(&client, "SELECT leader FROM sharddb.ranges ORDER BY range_id LIMIT 1").await;
        let victim: usize = leader.parse::<usize>().expect("a leader") - 1;
        drop(client);
        let ports = cluster.nodes.iter().enumerate().filter(|(i, _)| *i != victim);
        let ports: Vec<u16> = ports.map(|(_, n)| n.sql).collect();
        ledger.stop.store(false, Ordering::Relaxed);
        let writer = tokio::spawn(write(ledger.clone(), ports, 0));
        let before = ledger.acknowledged.lock().expect("ledger").len();
        wait_for_acks(&ledger, before + 20).await;
        cluster.kill(victim);
        let killed = Instant::now();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = ledger.acknowledged.lock().expect("ledger").len();
        wait_for_acks(&ledger, before + 5).await;
        let pause = killed.elapsed();
        println!("leader n{} killed: writes resumed after {} ms", victim + 1, pause.as_millis());
        worst = worst.max(pause);
        ledger.stop.store(true, Ordering::Relaxed);
        writer.await.expect("writer");
        cluster.restart(victim);
        check(&cluster, victim, &ledger).await;
    }
    println!("worst pause {} ms", worst.as_millis());
}
