//! Everything that goes wrong, and the operator who splits ranges and moves leaders meanwhile.

use crate::clients::Clients;
use crate::cluster::Cluster;
use crate::executor::Executor;
use crate::workload::{bank, counter, duty, ledger, row_key};
use base::api::RangeOp;
use base::api::admin::{ChangeReplicasRequest, TransferLeaderRequest};
use base::{Key, NodeId, RangeDescriptor, RangeId};
use rand::Rng;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How much goes wrong in a run.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Average pause between two faults.
    pub pause: Duration,
    /// Kinds of faults that happen at all.
    pub kinds: Vec<Fault>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process is killed and started again.
    Crash,
    /// All are.
    PowerFailure,
    /// A disk fails to sync, which ends the process.
    BadDisk,
    /// A node cannot be reached, cannot reach others, or both.
    Isolation,
    /// A wall clock jumps.
    ClockJump,
    /// A range is split.
    Split,
    /// A leader is moved.
    Transfer,
    /// A replica is exchanged for one on another node, added, or removed.
    Move,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 8] = [
        Fault::Crash,
        Fault::PowerFailure,
        Fault::BadDisk,
        Fault::Isolation,
        Fault::ClockJump,
        Fault::Split,
        Fault::Transfer,
        Fault::Move,
    ];
}

/// Makes trouble until the run is over.
pub(crate) async fn run(clients: Clients, trouble: Trouble) {
    let (cluster, world) = (clients.cluster.clone(), clients.cluster.executor.clone());
    while !clients.is_over.load(Ordering::Relaxed) {
        world.sleep(world.between(Duration::ZERO, trouble.pause * 2)).await;
        if trouble.kinds.is_empty() || clients.is_over.load(Ordering::Relaxed) {
            continue;
        }
        let pick = world.random(|rng| rng.random_range(0..trouble.kinds.len()));
        let ids = cluster.ids();
        let node = ids[world.random(|rng| rng.random_range(0..ids.len()))];
        world.note(|| format!("fault {:?} at {node}", trouble.kinds[pick]));
        match trouble.kinds[pick] {
            Fault::Crash => crash(&cluster, &[node], &world).await,
            Fault::PowerFailure => crash(&cluster, &ids, &world).await,
            Fault::BadDisk => bad_disk(&cluster, node, &world).await,
            Fault::Isolation => isolate(&cluster, node, &world).await,
            Fault::ClockJump => {
                let millis = world.random(|rng| rng.random_range(-3_600_000..3_600_000));
                cluster.jump_clock(node, millis);
            }
            Fault::Split => split(&clients, random_key(&world)).await,
            Fault::Transfer => transfer(&clients, node).await,
            Fault::Move => move_replica(&clients, node).await,
        }
    }
}

async fn crash(cluster: &Cluster, nodes: &[NodeId], world: &Executor) {
    nodes.iter().for_each(|node| cluster.crash(*node));
    world.sleep(world.between(Duration::from_millis(10), Duration::from_secs(4))).await;
    nodes.iter().for_each(|node| cluster.restart(*node));
}

async fn bad_disk(cluster: &Cluster, node: NodeId, world: &Executor) {
    cluster.fail_next_sync(node);
    world.sleep(world.between(Duration::from_millis(500), Duration::from_secs(3))).await;
    cluster.crash(node);
    cluster.restart(node);
}

async fn isolate(cluster: &Cluster, node: NodeId, world: &Executor) {
    let (inbound, outbound) = match world.random(|rng| rng.random_range(0..4)) {
        0 => (true, false),
        1 => (false, true),
        _ => (true, true),
    };
    cluster.isolate(node, inbound, outbound);
    world.sleep(world.between(Duration::from_millis(100), Duration::from_secs(5))).await;
    cluster.network.heal();
}

/// Splits where rows are.
async fn split(clients: &Clients, key: Key) {
    let run = clients.through_some_node(|client| Box::pin(async move { client.split(&key).await }));
    let result = run.await;
    clients.cluster.executor.note(|| match result {
        Some(Ok(Some(split))) => format!("split off {}", split.right.range),
        Some(Ok(None)) => "nothing to split".into(),
        Some(Err(error)) => format!("no split: {error}"),
        None => "no split: node died".into(),
    });
}

async fn transfer(clients: &Clients, target: NodeId) {
    let Some(range) = some_range(clients).await else { return };
    let op = RangeOp::TransferLeader(TransferLeaderRequest { target });
    let run =
        clients.through_some_node(|client| Box::pin(async move { client.admin(range, op).await }));
    let result = run.await;
    clients.cluster.executor.note(|| format!("transfer of {range} to {target}: {result:?}"));
}

/// Exchanges the node's replica of some range for one on a node without, in one change. Where every
/// node has one, it is taken away; where only this one has none, it gets one.
async fn move_replica(clients: &Clients, node: NodeId) {
    let Some(descriptor) = some_descriptor(clients).await else { return };
    let is_free = |id: &NodeId| descriptor.replica_on(*id).is_none();
    let (add, remove) = if is_free(&node) {
        (vec![node], vec![])
    } else {
        (clients.cluster.ids().into_iter().filter(is_free).take(1).collect(), vec![node])
    };
    let change = format!("change of {}, add {add:?}, remove {remove:?}", descriptor.range);
    let range = descriptor.range;
    let op = RangeOp::ChangeReplicas(ChangeReplicasRequest { add, remove });
    let run =
        clients.through_some_node(|client| Box::pin(async move { client.admin(range, op).await }));
    let result = run.await;
    clients.cluster.executor.note(|| format!("{change}: {result:?}"));
}

async fn some_range(clients: &Clients) -> Option<RangeId> {
    some_descriptor(clients).await.map(|descriptor| descriptor.range)
}

async fn some_descriptor(clients: &Clients) -> Option<RangeDescriptor> {
    let world = &clients.cluster.executor;
    let key = random_key(world);
    let run = clients.through_some_node(|client| {
        Box::pin(
            async move { client.router().lookup(&key).await.map(|route| route.descriptor.clone()) },
        )
    });
    run.await?.ok()
}

fn random_key(world: &Executor) -> Key {
    world.random(|rng| match rng.random_range(0..5) {
        0 | 1 => row_key(bank::TABLE, rng.random_range(1..bank::ACCOUNTS)),
        2 => row_key(counter::TABLE, rng.random_range(0..counter::COUNTERS)),
        3 => row_key(duty::TABLE, 2),
        _ => {
            let table = if rng.random() { ledger::TABLE } else { ledger::COPIES };
            row_key(table, rng.random::<u32>() >> 1)
        }
    })
}
