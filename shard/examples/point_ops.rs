//! What evaluation costs beside replication: point reads, locks and one-range commits against
//! RocksDB, with a stand-in that applies at once. Prints microseconds an operation.
//!
//! `cargo run --release -p sharddb-shard --example point_ops`

#![expect(clippy::disallowed_methods, reason = "it measures real time")]

use base::api::commit_1pc::Commit1PcRequest;
use base::api::get::GetRequest;
use base::api::lock::{LockRequest, LockStrength, LockWait};
use base::api::{RangeOp, RangeRequest, RangeResponse, ReadAt, Write, WriteCondition, WriteOp};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, Clock, FragmentRun, Key, KvError, KvResult, MonoTime, NodeId, Pushdown};
use base::{RangeDescriptor, RangeId, ReplicaDescriptor, Timestamp, Transport, TxnId};
use futures::executor::block_on;
use shard::command::Command;
use shard::replication::{ReplicaHost, Replication};
use shard::{Lookup, Oracle, Route, Store, StoreConfig, StoreEnv};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use storage::{Durability, Engine, EngineOptions, Keyspace, WriteBatch};

const KEYS: u64 = 100_000;
const ROUNDS: u64 = 200_000;

struct World {
    start: Instant,
    engine: Engine,
    descriptor: Arc<RangeDescriptor>,
    ts: AtomicU64,
}

#[derive(Clone)]
struct Here(Arc<World>);

fn now<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}

fn nobody<T: Send + 'static>() -> BoxFuture<'static, KvResult<T>> {
    now(Err(KvError::Unavailable("nobody else is here".into())))
}

impl Clock for Here {
    fn now(&self) -> MonoTime {
        MonoTime(self.0.start.elapsed().as_nanos() as u64)
    }
    fn wall_millis(&self) -> u64 {
        0
    }
    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        now(())
    }
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        block_on(future);
    }
}

impl Oracle for Here {
    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>> {
        now(Ok(Timestamp(self.0.ts.fetch_add(1, Ordering::Relaxed))))
    }
}

impl Lookup for Here {
    fn lookup(&self, _key: Key) -> BoxFuture<'static, KvResult<Route>> {
        nobody()
    }
    fn refused(&self, _route: &Route, _error: &KvError) {}
}

impl Transport for Here {
    fn local_node(&self) -> NodeId {
        NodeId(1)
    }
    fn send_range(
        &self,
        _node: NodeId,
        _request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        nobody()
    }
    fn send_meta(
        &self,
        _node: NodeId,
        _request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        nobody()
    }
    fn meta_nodes(&self) -> Vec<NodeId> {
        Vec::new()
    }
}

impl Pushdown for Here {
    fn start(&self, _fragment: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        Err(KvError::Fatal("no fragments here".into()))
    }
}

impl Replication for Here {
    fn descriptor(&self) -> Arc<RangeDescriptor> {
        Arc::clone(&self.0.descriptor)
    }
    fn lead(&self, _now: MonoTime) -> KvResult<u64> {
        Ok(1)
    }
    fn leader(&self) -> Option<ReplicaDescriptor> {
        self.0.descriptor.replica_on(NodeId(1)).copied()
    }
    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>> {
        now(Ok(1))
    }
    fn propose(&self, command: Command) -> BoxFuture<'static, KvResult<()>> {
        let mut batch = WriteBatch::new();
        for effect in &command.effects {
            let keyspace = Keyspace::try_from(effect.keyspace).expect("keyspace");
            match &effect.value {
                Some(value) => batch.put(keyspace, &effect.key, value),
                None => batch.delete(keyspace, &effect.key),
            }
        }
        self.0.engine.write(batch, Durability::Buffered).expect("write");
        now(Ok(()))
    }
    fn change_replicas(
        &self,
        _add: Vec<NodeId>,
        _remove: Vec<NodeId>,
    ) -> BoxFuture<'static, KvResult<RangeDescriptor>> {
        nobody()
    }
    fn transfer_leader(&self, _target: NodeId) -> BoxFuture<'static, KvResult<()>> {
        nobody()
    }
    fn progress(&self) -> (u64, u64) {
        (1, 0)
    }
    fn safe_point(&self) -> Timestamp {
        Timestamp::ZERO
    }
}

fn request(txn: Option<u64>, body: RangeOp) -> RangeRequest {
    let txn = txn.map(|unique| TxnId::new(NodeId(1), unique));
    RangeRequest { range: RangeId::FIRST, epoch: 1, txn, timeout_ms: 10_000, body }
}

fn key(number: u64) -> Key {
    let mut key = base::layout::index_prefix(16_384, base::layout::PRIMARY_INDEX);
    base::codec::put_present(&mut key, base::codec::Direction::Asc, |out| {
        base::codec::put_i64(out, number as i64);
    });
    key.into()
}

fn commit(key: Key, ts: Timestamp) -> RangeOp {
    let op = WriteOp::Put(vec![b'x'; 100].into());
    let condition = WriteCondition::NotNewerThan(Timestamp::MAX);
    let writes = vec![Write { key, op, condition }];
    let (commit_ts, exact, is_retry) = (ts, false, false);
    RangeOp::Commit1Pc(Commit1PcRequest { writes, commit_ts, exact, is_retry })
}

fn measure(name: &str, mut f: impl FnMut(u64)) {
    let begun = Instant::now();
    (0..ROUNDS).for_each(&mut f);
    let micros = begun.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
    println!("{name:32} {micros:6.2} us");
}

fn main() {
    let directory = std::env::temp_dir().join(format!("sharddb-point-ops-{}", std::process::id()));
    let engine = Engine::open(&directory, &EngineOptions::default()).expect("engine");
    let descriptor = Arc::new(RangeDescriptor::first(&[NodeId(1)]));
    let ts = AtomicU64::new(1_000);
    let here = Here(Arc::new(World { start: Instant::now(), engine, descriptor, ts }));
    let store = Store::new(StoreEnv {
        engine: here.0.engine.clone(),
        node: NodeId(1),
        clock: Arc::new(here.clone()),
        oracle: Arc::new(here.clone()),
        peers: Arc::new(here.clone()),
        router: Arc::new(here.clone()),
        pushdown: Arc::new(here.clone()),
        config: StoreConfig::default(),
    });
    store.add_replica(RangeId::FIRST, Arc::new(here.clone())).on_lead(1);
    let draw = || Timestamp(here.0.ts.fetch_add(1, Ordering::Relaxed));
    let run = |request| block_on(store.execute(request)).expect("answer");
    let keys: Vec<Key> = (0..KEYS).map(key).collect();
    let pick = |i: u64| keys[(i.wrapping_mul(2_654_435_761) % KEYS) as usize].clone();
    for key in &keys {
        run(request(Some(1), commit(key.clone(), draw())));
    }
    let get = |at| move |key: Key| RangeOp::Get(GetRequest { keys: vec![key], at });
    measure("engine: snapshot + get", |i| {
        let snapshot = here.0.engine.snapshot();
        storage::mvcc::newest(&snapshot, &pick(i)).expect("get");
    });
    measure("get, leader's timestamp", |i| drop(run(request(None, get(ReadAt::Leader)(pick(i))))));
    let at = ReadAt::Snapshot(draw());
    measure("get, one snapshot", |i| drop(run(request(None, get(at)(pick(i))))));
    measure("get, fresh snapshots", |i| {
        run(request(None, get(ReadAt::Snapshot(draw()))(pick(i))));
    });
    let lock = |key| {
        let (strength, wait) = (LockStrength::Exclusive, LockWait::Block);
        RangeOp::Lock(LockRequest { keys: vec![key], strength, wait })
    };
    measure("commit", |i| drop(run(request(Some(i), commit(pick(i), draw())))));
    measure("lock + commit", |i| {
        run(request(Some(i), lock(pick(i))));
        run(request(Some(i), commit(pick(i), draw())));
    });
    measure("engine: write one version", |i| {
        let mut batch = WriteBatch::new();
        storage::mvcc::put_version(&mut batch, &pick(i), draw(), Some(&[b'x'; 100]), None);
        here.0.engine.write(batch, Durability::Buffered).expect("write");
    });
    drop(store);
    let _ = std::fs::remove_dir_all(&directory);
}
