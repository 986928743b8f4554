//! One node: its disk outlives it, everything else is built anew in every life.

use crate::bell::Bell;
use crate::clock::SimClock;
use crate::executor::{Executor, Owner};
use crate::network::{Endpoint, Network};
use crate::plugs::{FromTxn, NoFragments, SimOutbox, SimTransport};
use base::api::RangeOp;
use base::api::gc::GcRequest;
use base::meta_api::{MetaRequest, MetaResponse, NodeHeartbeat, RangeReport};
use base::{
    Clock, ClusterId, MonoTime, NodeDescriptor, NodeId, RangeDescriptor, RangeId, Timestamp,
};
use futures::future::select;
use meta::{MetaConfig, MetaMachine, MetaService};
use rand::Rng;
use shard::raft::{Applier, RaftLoop, RaftNotify, RaftStoreConfig};
use shard::{Store, StoreConfig, StoreEnv};
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use storage::{Engine, MemDisk};
use txn::{TxnClient, TxnConfig, TxnEnv};

/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Time between two rounds of garbage collection.
const COLLECTION: Duration = Duration::from_secs(3);

/// What the disks of a world do when they are told to sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disks {
    /// They sync.
    Honest,
    /// Nothing, although they say so. For runs that must find something wrong.
    Lying,
}

/// A node, alive or not.
pub struct Node {
    pub(crate) id: NodeId,
    disk: MemDisk,
    wall_offset_millis: Arc<AtomicI64>,
    life: Option<Life>,
}

/// One life of a node.
#[derive(Clone)]
pub struct Life {
    /// Whose tasks they are.
    pub owner: Owner,
    /// Its coordinator.
    pub client: TxnClient,
    /// Its disk, opened.
    pub engine: Engine,
    store: Arc<Store>,
}

/// What all nodes of a world share.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) executor: Executor,
    pub(crate) network: Network,
    /// The nodes on which the cluster was born: voters of meta and of the first range.
    pub(crate) members: Vec<NodeId>,
    /// Small logs make snapshots frequent.
    pub(crate) log_entries_max: u64,
    /// Told when a life ends by itself: its disk failed.
    pub(crate) on_failure: Arc<dyn Fn(NodeId, Owner) + Send + Sync>,
}

impl Node {
    pub(crate) fn new(id: NodeId, disks: Disks) -> Node {
        let disk = MemDisk::new();
        if disks == Disks::Lying {
            disk.ignore_syncs();
        }
        Node { id, disk, wall_offset_millis: Arc::default(), life: None }
    }

    /// The present life.
    pub fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// Ends the life; unsynced writes are lost, but for the first few of them.
    pub(crate) fn crash(&mut self, site: &Site) {
        let Some(life) = self.life.take() else { return };
        site.network.unplug(self.id);
        site.executor.kill(life.owner);
        let unsynced = self.disk.unsynced();
        let survivors = site.executor.random(|rng| rng.random_range(0..=unsynced));
        self.disk.crash(survivors);
        site.executor.note(|| format!("{} crashes, keeps {survivors} of {unsynced}", self.id));
    }

    /// The next write that has to be durable fails, and the process with it.
    pub(crate) fn fail_next_sync(&self) {
        self.disk.fail_next_sync();
    }

    /// The wall clock jumps.
    pub(crate) fn jump_clock(&self, millis: i64) {
        self.wall_offset_millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Starts a new life from what is on the disk.
    pub(crate) fn start(&mut self, site: &Site) {
        let owner = site.executor.new_owner();
        let mono_start = site.executor.random(|rng| rng.random_range(0..1u64 << 50));
        site.executor.note(|| format!("{} starts", self.id));
        let clock: Arc<dyn Clock> = Arc::new(SimClock::new(
            site.executor.clone(),
            owner,
            mono_start,
            self.wall_offset_millis.clone(),
        ));
        let transport = Arc::new(SimTransport {
            node: self.id,
            members: site.members.clone(),
            network: site.network.clone(),
            store: OnceLock::new(),
            meta: OnceLock::new(),
        });
        let client = TxnClient::new(TxnEnv {
            transport: transport.clone(),
            clock: clock.clone(),
            pushdown: Arc::new(NoFragments),
            config: TxnConfig { outage: Duration::from_secs(10), ..TxnConfig::default() },
        });
        let engine = Engine::in_memory(self.disk.clone());
        let store = Store::new(StoreEnv {
            engine: engine.clone(),
            node: self.id,
            clock: clock.clone(),
            oracle: Arc::new(FromTxn(client.clone())),
            peers: transport.clone(),
            router: Arc::new(FromTxn(client.clone())),
            pushdown: Arc::new(NoFragments),
            config: StoreConfig::default(),
        });
        let (raft_bell, apply_bell) = (Bell::default(), Bell::default());
        let opened = shard::raft::open(
            engine.clone(),
            store.clone(),
            clock.now(),
            self.raft_config(site),
            Arc::new(SimOutbox { node: self.id, network: site.network.clone() }),
            notify(&raft_bell, &apply_bell),
        );
        let (raft, raft_loop, applier) = opened.expect("the node starts from what it has written");
        let meta_group = RangeDescriptor::bootstrap(RangeId::META, &site.members);
        let machine = MetaMachine::new();
        let view = machine.view();
        let group = raft.add_state_machine(RangeId::META, meta_group, Box::new(machine));
        let meta_config = MetaConfig {
            gc_retention: Duration::from_secs(4),
            ..MetaConfig::new(ClusterId(u128::from(self.id.0)))
        };
        let meta = MetaService::new(group, view, clock.clone(), meta_config);
        raft.bootstrap(RangeDescriptor::first(&site.members));
        // Set once: both were made just now.
        let _ = transport.store.set(store.clone());
        let _ = transport.meta.set(meta.clone());
        site.network.plug(self.id, Endpoint { owner, store: store.clone(), meta, raft });
        let life = Life { owner, client, engine, store };
        self.spawn_loops(site, &life, raft_loop, applier, (raft_bell, apply_bell), clock);
        self.life = Some(life);
    }

    fn raft_config(&self, site: &Site) -> RaftStoreConfig {
        RaftStoreConfig {
            log_entries_max: site.log_entries_max,
            log_entries_kept: site.log_entries_max / 4,
            snapshot_chunk_bytes: 512,
            ..RaftStoreConfig::new(self.id, site.executor.random(|rng| rng.random()))
        }
    }

    fn spawn_loops(
        &self,
        site: &Site,
        life: &Life,
        mut raft_loop: RaftLoop,
        mut applier: Applier,
        bells: (Bell, Bell),
        clock: Arc<dyn Clock>,
    ) {
        let spawn = |task: base::BoxFuture<'static, ()>| site.executor.spawn(life.owner, task);
        let poll = move |now| {
            let poll = raft_loop.poll(now).map_err(|error| error.to_string())?;
            Ok((poll.did_work, poll.next_wake))
        };
        spawn(Box::pin(drive(self.id, life.owner, site.clone(), clock.clone(), bells.0, poll)));
        let poll = move |_| {
            let did_work = applier.poll().map_err(|error| error.to_string())?;
            Ok((did_work, None))
        };
        spawn(Box::pin(drive(self.id, life.owner, site.clone(), clock, bells.1, poll)));
        spawn(Box::pin(beat(self.id, life.clone(), site.clone())));
        spawn(Box::pin(collect(life.clone(), self.id, site.executor.clone())));
    }
}

fn notify(raft: &Bell, apply: &Bell) -> RaftNotify {
    let (raft, apply) = (raft.clone(), apply.clone());
    RaftNotify { raft: Arc::new(move || raft.ring()), apply: Arc::new(move || apply.ring()) }
}

/// Polls a loop whenever it may have something to do. Every round of work takes a little time.
async fn drive(
    id: NodeId,
    owner: Owner,
    site: Site,
    clock: Arc<dyn Clock>,
    bell: Bell,
    mut poll: impl FnMut(MonoTime) -> Result<(bool, Option<MonoTime>), String>,
) {
    let executor = &site.executor;
    loop {
        match poll(clock.now()) {
            Ok((true, _)) => {
                let longest = if executor.chance(0.01) { 30_000 } else { 400 };
                let work = executor.between(Duration::ZERO, Duration::from_micros(longest));
                executor.sleep(work).await;
            }
            Ok((false, None)) => bell.wait().await,
            Ok((false, Some(wake))) => {
                let pause = executor.sleep(wake.since(clock.now()));
                select(pin!(bell.wait()), pause).await;
            }
            Err(error) => {
                executor.note(|| format!("{id} ends: {error}"));
                (site.on_failure)(id, owner);
                return;
            }
        }
    }
}

/// Joins the cluster, then tells meta that the node is alive and what it leads.
async fn beat(id: NodeId, life: Life, site: Site) {
    let executor = &site.executor;
    let node = NodeDescriptor {
        node: id,
        instance: u128::from(id.0),
        life: 0,
        rpc_addr: format!("{id}:1"),
        sql_addr: String::new(),
        http_addr: String::new(),
        is_shard: true,
        is_meta: site.members.contains(&id),
        is_proxy: true,
    };
    let join = MetaRequest::Join { node, cluster: None };
    while life.client.meta(join.clone()).await.is_err() {
        executor.sleep(HEARTBEAT).await;
    }
    loop {
        executor.detail(|| {
            let groups = site.network.endpoint(id).map(|endpoint| endpoint.raft.groups());
            format!("{id}: {groups:?}")
        });
        // A heartbeat that is lost is followed by another one.
        let _ = life.client.meta(MetaRequest::Heartbeat(life.heartbeat(id))).await;
        executor.sleep(HEARTBEAT).await;
    }
}

/// Collects garbage in the ranges that the node leads.
async fn collect(life: Life, id: NodeId, executor: Executor) {
    loop {
        executor.sleep(COLLECTION).await;
        let Ok(MetaResponse::SafePoint(safe_point)) =
            life.client.meta(MetaRequest::SafePoint).await
        else {
            continue;
        };
        for range in life.led_by(id) {
            let collect = RangeOp::Gc(GcRequest { safe_point });
            if let Err(error) = life.client.admin(range.descriptor.range, collect).await {
                executor.note(|| format!("{id} cannot collect: {error}"));
            }
        }
    }
}

impl Life {
    fn heartbeat(&self, id: NodeId) -> NodeHeartbeat {
        let leads = self.led_by(id);
        NodeHeartbeat {
            node: id,
            replicas: self.store.ranges().len() as u64,
            bytes: 0,
            free_bytes: 1 << 40,
            min_snapshot: self.client.oldest_snapshot().min(Timestamp::MAX),
            leaders: leads.len() as u64,
            leads,
        }
    }

    /// Ranges that this node believes to lead.
    pub(crate) fn led_by(&self, id: NodeId) -> Vec<RangeReport> {
        let ranges = self.store.ranges().into_iter();
        let led = ranges.filter(|range| range.leader.is_some_and(|leader| leader.node == id));
        led.map(|range| RangeReport {
            descriptor: range.descriptor,
            leader: id,
            term: range.term,
            bytes: range.bytes,
        })
        .collect()
    }
}
