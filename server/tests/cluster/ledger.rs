//! No acknowledged insert is lost and none is applied twice, whatever is killed with -9.
//!
//! Writers insert numbered tokens and keep a ledger of what was acknowledged outside the cluster.
//! The table's key is made by the cluster and nothing in it forbids a token to stand twice, so an
//! insert that was carried out again after a lost answer would show. After every kill and restart
//! the ledger is compared with the table.

use crate::common::{Cluster, PATIENCE, answered_by, connect};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
const WRITERS: usize = 4;
/// Leaders killed, one after another.
const LEADERS: usize = 7;
/// Longest time in which writes may stand still when a leader is killed. It is about 0.8 s (the
/// leases that have to run out) to 1.3 s on an idle machine.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// What the clients know outside the cluster.
#[derive(Default)]
struct Ledger {
    next: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    stop: AtomicBool,
    /// Acknowledgements by writer.
    counts: [AtomicU64; WRITERS],
}

impl Ledger {
    fn len(&self) -> usize {
        self.acknowledged.lock().expect("ledger").len()
    }

    fn counts(&self) -> Vec<u64> {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

async fn write(ledger: Arc<Ledger>, ports: Vec<u16>, writer: usize) {
    let mut at = writer;
    while !ledger.stop.load(Ordering::Relaxed) {
        at += 1;
        let Ok(client) = connect(ports[at % ports.len()]).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while !ledger.stop.load(Ordering::Relaxed) {
            let token = ledger.next.fetch_add(1, Ordering::Relaxed);
            let sql = format!("INSERT INTO ledger (token) VALUES ({token})");
            match tokio::time::timeout(PAUSE_MAX, client.simple_query(&sql)).await {
                Ok(Ok(_)) => {
                    ledger.acknowledged.lock().expect("ledger").insert(token);
                    ledger.counts[writer].fetch_add(1, Ordering::Relaxed);
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
    let rows = client.query("SELECT token FROM ledger", &[]).await.expect("the table reads");
    let mut found = BTreeMap::<u64, usize>::new();
    for row in &rows {
        *found.entry(row.get::<_, i64>(0) as u64).or_default() += 1;
    }
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "tokens and how often they are there: {twice:?}");
    let lost: Vec<&u64> = acknowledged.iter().filter(|token| !found.contains_key(token)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    acknowledged.len()
}

async fn create(cluster: &Cluster) {
    let client = cluster.client(0).await;
    let sql = "CREATE TABLE ledger (id bigserial PRIMARY KEY, token int8 NOT NULL)";
    client.simple_query(sql).await.expect("create");
}

async fn run(nodes: usize) {
    let mut cluster = Cluster::start(nodes).await;
    create(&cluster).await;
    let ledger = Arc::new(Ledger::default());
    let ports: Vec<u16> = cluster.nodes.iter().map(|n| n.sql).collect();
    let writers: Vec<_> =
        (0..WRITERS).map(|w| tokio::spawn(write(ledger.clone(), ports.clone(), w))).collect();
    for round in 0..ROUNDS {
        wait_for_acks(&ledger, ledger.len() + 20).await;
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
    while ledger.len() < count {
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

/// Kills the leader of the range that holds the table, and prints how long writes stood still: until
/// clients of both other nodes have been answered again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_resume_after_the_leader_is_killed() {
    let mut cluster = Cluster::start(3).await;
    create(&cluster).await;
    let ledger = Arc::new(Ledger::default());
    let mut pauses = Vec::new();
    for round in 0..LEADERS {
        let victim = leader(&cluster).await;
        let others: Vec<usize> = (0..3).filter(|node| *node != victim).collect();
        ledger.stop.store(false, Ordering::Relaxed);
        let writers: Vec<_> = (0..2)
            .map(|w| tokio::spawn(write(ledger.clone(), vec![cluster.nodes[others[w]].sql], w)))
            .collect();
        wait_for_acks(&ledger, ledger.len() + 40).await;
        cluster.kill(victim);
        let killed = Instant::now();
        // What was on its way has arrived by then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = ledger.counts();
        while (0..2).any(|w| ledger.counts()[w] < before[w] + 3) {
            assert!(killed.elapsed() < PATIENCE, "writes do not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let pause = killed.elapsed();
        println!("kill {round}: leader n{}, writes resumed after {pause:?}", victim + 1);
        pauses.push(pause);
        ledger.stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.expect("writer");
        }
        cluster.restart(victim);
        check(&cluster, victim, &ledger).await;
    }
    pauses.sort();
    let (median, worst) = (pauses[LEADERS / 2], pauses[LEADERS - 1]);
    println!("writes stood still for {median:?} (median), {worst:?} at worst");
    assert!(worst < PAUSE_MAX, "{pauses:?}");
}

/// The node that leads the table's range: the one that answers, not the one last reported.
async fn leader(cluster: &Cluster) -> usize {
    let client = cluster.client(0).await;
    let touched = answered_by(&client, "SELECT token FROM ledger WHERE id = 1").await;
    (0..3).find(|node| touched.ends_with(&format!("(n{})", node + 1))).expect("a node answered")
}
