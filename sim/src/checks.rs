//! After the storm: everything must work again, and everything promised must be there.

use crate::clients::Clients;
use crate::cluster::Cluster;
use crate::executor::Executor;
use crate::model::Fate;
use crate::workload::{bank, counter, ledger};
use base::{BoxFuture, KvResult};
use std::time::Duration;
use storage::{Keyspace, mvcc};
use txn::TxnClient;

/// How long the cluster may take to answer once everything is well again.
const RECOVERY_MAX: Duration = Duration::from_secs(60);

/// Runs all checks; findings go to the model.
pub(crate) async fn run(clients: Clients) {
    let world = clients.cluster.executor.clone();
    let audit = |client: TxnClient, world: Executor| -> BoxFuture<'static, KvResult<_>> {
        Box::pin(bank::audit(client, world))
    };
    if let Some(Err(wrong)) =
        retry(&clients, "final audit", |client| audit(client, world.clone())).await
    {
        clients.model.violation(format!("at the end: {wrong}"))
    }
    for number in 0..counter::COUNTERS {
        let read = |client| -> BoxFuture<'static, KvResult<i64>> {
            Box::pin(counter::read(client, number, false))
        };
        let (acked, most) = clients.model.bounds(number);
        match retry(&clients, "final read", read).await {
            Some(value) if value < acked || value > most => clients.model.violation(format!(
                "counter {number} ends at {value}, {acked} acknowledged, at most {most} made"
            )),
            _ => {}
        }
    }
    check_ledger(&clients).await;
    check_replicas(&clients.cluster, &clients).await;
    check_intents(&clients).await;
}

async fn check_ledger(clients: &Clients) {
    let all = |client| -> BoxFuture<'static, KvResult<_>> { Box::pin(ledger::all(client)) };
    let Some((entries, copies)) = retry(clients, "final ledger", all).await else { return };
    let known = clients.model.with(|known| known.ledger.clone());
    let mut expected = 0;
    for (id, fate) in &known {
        let (entry, copy) = ledger::keys(*id);
        let found = (entries.get(&entry), copies.get(&copy));
        let value = Some(&(*id as i64));
        let is_there = found == (value, value);
        let is_absent = found == (None, None);
        expected += usize::from(is_there);
        let is_right = match fate {
            Fate::Done => is_there,
            Fate::Failed => is_absent,
            Fate::Unknown => is_there || is_absent,
        };
        if !is_right {
            clients.model.violation(format!("entry {id:x} ({fate:?}) ends as {found:?}"));
        }
    }
    if entries.len() != expected || copies.len() != expected {
        let (entries, copies) = (entries.len(), copies.len());
        clients.model.violation(format!("{entries} entries, {copies} copies, not {expected}"));
    }
}

/// All replicas of everything hold the same versions once nobody writes any more.
async fn check_replicas(cluster: &Cluster, clients: &Clients) {
    let mut differences = Vec::new();
    for _ in 0..20 {
        cluster.executor.sleep(Duration::from_secs(1)).await;
        differences = differing(cluster);
        if differences.is_empty() {
            return;
        }
    }
    for id in cluster.alive() {
        let groups = cluster.network.endpoint(id).map(|endpoint| endpoint.raft.groups());
        cluster.executor.note(|| format!("{id}: {groups:?}"));
    }
    let shown: Vec<&String> = differences.iter().take(5).collect();
    let count = differences.len();
    clients.model.violation(format!("replicas differ in {count} places: {shown:?}"));
}

fn differing(cluster: &Cluster) -> Vec<String> {
    let mut differences = Vec::new();
    for range in ranges(cluster) {
        let mut first: Option<(base::NodeId, Vec<(Vec<u8>, Vec<u8>)>)> = None;
        for replica in &range.replicas {
            let Some(life) = cluster.life(replica.node) else { continue };
            let data = match data_of(&life.engine, &range.span) {
                Ok(data) => data,
                Err(error) => {
                    differences.push(format!("{} on {}: {error}", range.range, replica.node));
                    continue;
                }
            };
            match &first {
                None => first = Some((replica.node, data)),
                Some((node, known)) if *known != data => differences.push(format!(
                    "{}: {} pairs on {node}, {} on {}",
                    range.range,
                    known.len(),
                    data.len(),
                    replica.node
                )),
                Some(_) => {}
            }
        }
    }
    differences
}

/// Whatever was begun has been finished or undone: no intent stands for ever.
async fn check_intents(clients: &Clients) {
    let mut left = Vec::new();
    for _ in 0..20 {
        left = intents(&clients.cluster);
        if left.is_empty() {
            return;
        }
        clients.cluster.executor.sleep(Duration::from_secs(1)).await;
    }
    clients.model.violation(format!("intents stand for ever: {left:?}"));
}

/// Some intents of every range, as its leader has them.
fn intents(cluster: &Cluster) -> Vec<String> {
    let mut found = Vec::new();
    for id in cluster.alive() {
        let Some(life) = cluster.life(id) else { continue };
        for report in life.led_by(id) {
            let range = report.descriptor;
            match mvcc::intents(&life.engine.snapshot(), &range.span, 3) {
                Ok(intents) => found.extend(
                    intents.iter().map(|(key, intent)| format!("{} {key} {intent:?}", range.range)),
                ),
                Err(error) => found.push(format!("{}: {error}", range.range)),
            }
        }
    }
    found
}

/// Every range as its leader describes it.
fn ranges(cluster: &Cluster) -> Vec<base::RangeDescriptor> {
    let lives = cluster.alive().into_iter().filter_map(|id| Some((id, cluster.life(id)?)));
    lives.flat_map(|(id, life)| life.led_by(id)).map(|report| report.descriptor).collect()
}

fn data_of(
    engine: &storage::Engine,
    span: &base::Span,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, storage::StorageError> {
    let mut iter = engine.iter(Keyspace::Data, &span.start, &span.end);
    let mut pairs = Vec::new();
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        pairs.push((iter.key().to_vec(), iter.value().to_vec()));
        is_valid = iter.next()?;
    }
    Ok(pairs)
}

/// Tries until it works; a cluster in which all is well must answer before long.
async fn retry<T: Send + 'static>(
    clients: &Clients,
    what: &str,
    run: impl Fn(TxnClient) -> BoxFuture<'static, KvResult<T>>,
) -> Option<T> {
    let world = &clients.cluster.executor;
    let begun = world.now();
    let mut last = String::new();
    while Duration::from_nanos(world.now() - begun) < RECOVERY_MAX {
        match clients.through_some_node(&run).await {
            Some(Ok(value)) => return Some(value),
            Some(Err(error)) => last = error.to_string(),
            None => last = "node died".into(),
        }
        world.sleep(Duration::from_millis(200)).await;
    }
    clients.model.violation(format!("{what} does not work although all is well: {last}"));
    None
}
