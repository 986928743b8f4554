//! Everything around the stores.

use super::detector::Detector;
use super::executor::Executor;
use super::group::{Group, Groups, OnSplit, Replica};
use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, Clock, FragmentRun, Key, KvError, KvResult, NodeId, Pushdown};
use base::{RangeDescriptor, RangeId, RowFlow, Timestamp, Transport};
use bytes::Bytes;
use parking_lot::Mutex;
use shard::replication::ReplicaHost;
use shard::{Lookup, Oracle, Route, Store, StoreConfig, StoreEnv};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::{Engine, MemDisk};

/// Two nodes, one range at first, led by node 1.
pub(crate) struct World {
    pub(crate) executor: Executor,
    pub(crate) oracle: Arc<Counting>,
    pub(crate) groups: Groups,
    stores: Arc<Mutex<BTreeMap<NodeId, Arc<Store>>>>,
    engines: Arc<BTreeMap<NodeId, Engine>>,
}

/// An oracle that counts within the virtual millisecond.
pub(crate) struct Counting {
    executor: Executor,
    last: Mutex<Timestamp>,
}

impl Counting {
    pub(crate) fn draw(&self) -> Timestamp {
        let mut last = self.last.lock();
        *last = last.next().max(Timestamp::new(self.executor.wall_millis(), 1));
        *last
    }
}

struct Handle(Arc<Counting>);

impl Oracle for Handle {
    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>> {
        Box::pin(std::future::ready(Ok(self.0.draw())))
    }
}

struct Router(Groups);

impl Lookup for Router {
    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<Route>> {
        let found = self.0.lock().values().find_map(|group| {
            let descriptor = group.descriptor();
            let leader = group.leader()?.node;
            let RangeDescriptor { range, epoch, span, .. } = descriptor;
            span.contains(&key).then_some(Route { range, epoch, span, leader })
        });
        let found = found.ok_or_else(|| KvError::Unavailable("nobody leads".into()));
        Box::pin(std::future::ready(found))
    }

    fn refused(&self, _route: &Route, _error: &KvError) {}
}

struct Peers {
    stores: Arc<Mutex<BTreeMap<NodeId, Arc<Store>>>>,
    node: NodeId,
    detector: Arc<Mutex<Detector>>,
}

impl Transport for Peers {
    fn local_node(&self) -> NodeId {
        self.node
    }

    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        let store = self.stores.lock().get(&node).cloned();
        match store {
            Some(store) => store.execute(request),
            None => {
                let error = KvError::Unreachable { node, maybe_sent: false };
                Box::pin(std::future::ready(Err(error)))
            }
        }
    }

    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        // Node 1 only points to the leader, node 2.
        if node != NodeId(2) {
            let leader = Some(NodeId(2));
            return Box::pin(std::future::ready(Err(KvError::MetaNotLeader { leader })));
        }
        let mut detector = self.detector.lock();
        let response = match request {
            MetaRequest::Wait(edge) => MetaResponse::Deadlock { cycle: detector.wait(edge) },
            MetaRequest::WaitDone { waiter } => {
                detector.done(waiter);
                MetaResponse::Done
            }
            other => panic!("unexpected request {other:?}"),
        };
        Box::pin(std::future::ready(Ok(response)))
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        vec![NodeId(1)]
    }
}

/// A fragment language of one word: `count`, `sum`, or `first N`.
struct Words;

struct Run {
    word: String,
    limit: u64,
    rows: u64,
    sum: i64,
}

impl Pushdown for Words {
    fn start(&self, fragment: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        let text = String::from_utf8_lossy(fragment).into_owned();
        let (word, limit) = text.split_once(':').unwrap_or((&text, "0"));
        let limit = limit.parse().map_err(|_| KvError::Fatal("bad fragment".into()))?;
        Ok(Box::new(Run { word: word.into(), limit, rows: 0, sum: 0 }))
    }
}

impl FragmentRun for Run {
    fn push(&mut self, _key: &[u8], value: &[u8]) -> KvResult<RowFlow> {
        self.rows += 1;
        let text = String::from_utf8_lossy(value);
        match (self.word.as_str(), text.parse::<i64>()) {
            ("sum", Ok(number)) => self.sum += number,
            ("sum", Err(_)) => {
                let message = format!("invalid input syntax for type integer: \"{text}\"");
                return Err(KvError::Sql { code: "22P02".into(), message });
            }
            _ => {}
        }
        let is_done = self.limit > 0 && self.rows >= self.limit;
        Ok(if is_done { RowFlow::Done } else { RowFlow::Continue })
    }

    fn output_bytes(&self) -> usize {
        8
    }

    fn finish(self: Box<Self>) -> KvResult<Bytes> {
        let text = if self.word == "sum" { self.sum.to_string() } else { self.rows.to_string() };
        Ok(text.into_bytes().into())
    }
}

impl World {
    pub(crate) fn new(config: StoreConfig) -> World {
        let executor = Executor::default();
        let oracle =
            Arc::new(Counting { executor: executor.clone(), last: Mutex::new(Timestamp::ZERO) });
        let groups: Groups = Arc::default();
        let stores: Arc<Mutex<BTreeMap<NodeId, Arc<Store>>>> = Arc::default();
        let detector: Arc<Mutex<Detector>> = Arc::default();
        let nodes = [NodeId(1), NodeId(2)];
        let engines: BTreeMap<NodeId, Engine> =
            nodes.iter().map(|node| (*node, Engine::in_memory(MemDisk::new()))).collect();
        for (node, engine) in &engines {
            let peers = Peers { stores: stores.clone(), node: *node, detector: detector.clone() };
            let store = Store::new(StoreEnv {
                engine: engine.clone(),
                node: *node,
                clock: Arc::new(executor.clone()),
                oracle: Arc::new(Handle(Arc::clone(&oracle))),
                peers: Arc::new(peers),
                router: Arc::new(Router(groups.clone())),
                pushdown: Arc::new(Words),
                config: config.clone(),
            });
            stores.lock().insert(*node, store);
        }
        let engines = Arc::new(engines);
        let world = World { executor, oracle, groups, stores, engines };
        let first = RangeDescriptor::first(&nodes);
        create(&world.groups, &world.stores, &world.engines, first);
        world.executor.settle();
        world
    }

    pub(crate) fn store(&self, node: NodeId) -> Arc<Store> {
        Arc::clone(&self.stores.lock()[&node])
    }

    pub(crate) fn engine(&self, node: NodeId) -> &Engine {
        &self.engines[&node]
    }

    /// The range of a key.
    pub(crate) fn group_of(&self, key: &[u8]) -> Group {
        let groups = self.groups.lock();
        let found = groups.values().find(|group| group.descriptor().contains(key));
        found.expect("every key has a range").clone()
    }

    pub(crate) fn group(&self, range: RangeId) -> Group {
        self.groups.lock()[&range].clone()
    }
}

/// Makes a range on all nodes and lets node 1 lead it.
fn create(
    groups: &Groups,
    stores: &Arc<Mutex<BTreeMap<NodeId, Arc<Store>>>>,
    engines: &Arc<BTreeMap<NodeId, Engine>>,
    descriptor: RangeDescriptor,
) {
    let on_split: OnSplit = {
        let (groups, stores, engines) = (groups.clone(), stores.clone(), engines.clone());
        Arc::new(move |right| create(&groups, &stores, &engines, right))
    };
    let group = Group::new(&descriptor, engines, on_split);
    groups.lock().insert(descriptor.range, group.clone());
    let stores: Vec<(NodeId, Arc<Store>)> =
        stores.lock().iter().map(|(node, store)| (*node, Arc::clone(store))).collect();
    for (node, store) in stores {
        let replica = Replica { group: group.clone(), node };
        group.observe(node, store.add_replica(descriptor.range, Arc::new(replica)));
    }
    group.elect(Some(NodeId(1)));
}
