//! A meta group without Raft: one log, replicas that apply it, elections on command, proposals that
//! commit when told to.

use base::codec::Blob;
use base::meta_api::RangeReport;
use base::{
    BoxFuture, Clock, ClusterId, Key, KvError, KvResult, MonoTime, NodeDescriptor, NodeId,
    RangeDescriptor, RangeId, ReplicaId, Span,
};
use bytes::Bytes;
use consensus::{MetaGroup, StateMachine};
use futures::channel::oneshot;
use meta::{MetaConfig, MetaMachine, MetaService};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What a replica has on disk.
type Pairs = BTreeMap<Bytes, Bytes>;

struct Replica {
    machine: MetaMachine,
    pairs: Pairs,
    applied: usize,
}

struct InFlight {
    from: usize,
    command: Bytes,
    answer: oneshot::Sender<KvResult<Bytes>>,
}

#[derive(Default)]
struct State {
    log: Vec<Bytes>,
    in_flight: Vec<InFlight>,
    replicas: Vec<Replica>,
    leader: Option<usize>,
    term: u64,
    has_lease: bool,
    auto_commit: bool,
}

/// The group and its services.
pub(crate) struct Cluster {
    state: Arc<Mutex<State>>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) services: Vec<Arc<MetaService>>,
    config: MetaConfig,
}

impl Cluster {
    /// This many replicas; nobody leads. With `auto_commit` proposals commit at once.
    pub(crate) fn new(replicas: usize, auto_commit: bool) -> Cluster {
        let state = State { auto_commit, has_lease: true, ..State::default() };
        let mut cluster = Cluster {
            state: Arc::new(Mutex::new(state)),
            clock: Arc::new(TestClock::default()),
            services: Vec::new(),
            config: MetaConfig { first_nodes: 3, ..MetaConfig::new(ClusterId(0xc1)) },
        };
        for _ in 0..replicas {
            let machine = MetaMachine::new();
            let replica = Replica { machine, pairs: Pairs::new(), applied: 0 };
            cluster.state.lock().replicas.push(replica);
            let node = cluster.services.len();
            let service = cluster.service(node);
            cluster.services.push(service);
        }
        cluster
    }

    fn service(&self, node: usize) -> Arc<MetaService> {
        let group = Arc::new(TestGroup { state: self.state.clone(), node });
        let view = self.state.lock().replicas[node].machine.view();
        MetaService::new(group, view, self.clock.clone(), self.config.clone())
    }

    /// Makes a replica the leader. Of the proposals under way the first `kept` commit.
    pub(crate) fn elect(&mut self, node: usize, kept: usize) {
        self.commit(kept);
        let mut state = self.state.lock();
        // What is lost has an unknown outcome for its proposer.
        for lost in state.in_flight.drain(..) {
            let _ = lost.answer.send(Err(KvError::Ambiguous("leadership lost".into())));
        }
        state.term += 1;
        state.leader = Some(node);
        state.catch_up(node);
    }

    /// Nobody leads.
    pub(crate) fn depose(&mut self) {
        self.state.lock().leader = None;
    }

    /// The leader has a lease, or has to ask.
    pub(crate) fn set_lease(&mut self, has_lease: bool) {
        self.state.lock().has_lease = has_lease;
    }

    pub(crate) fn leader(&self) -> Option<usize> {
        self.state.lock().leader
    }

    /// The process of a replica ends and starts again from its disk.
    pub(crate) fn restart(&mut self, node: usize) {
        {
            let mut state = self.state.lock();
            if state.leader == Some(node) {
                state.leader = None;
            }
            let replica = &mut state.replicas[node];
            replica.machine = MetaMachine::new();
            let pairs = replica.pairs.clone().into_iter().collect();
            replica.machine.restore(pairs).expect("own pairs");
        }
        self.services[node] = self.service(node);
    }

    /// Commits the first proposals under way.
    pub(crate) fn commit(&mut self, count: usize) {
        let mut state = self.state.lock();
        let count = count.min(state.in_flight.len());
        let committed: Vec<InFlight> = state.in_flight.drain(..count).collect();
        for entry in committed {
            state.log.push(entry.command);
            let answer = state.catch_up(entry.from);
            let _ = entry.answer.send(Ok(answer));
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.state.lock().in_flight.len()
    }

    /// Every replica applies the whole log; all must agree, in memory and on disk.
    pub(crate) fn check_agreement(&self) {
        let mut state = self.state.lock();
        for node in 0..state.replicas.len() {
            state.catch_up(node);
        }
        let first = state.replicas[0].pairs.clone();
        for replica in &state.replicas {
            assert_eq!(replica.pairs, first);
            let mut copy = MetaMachine::new();
            copy.restore(replica.machine.snapshot()).expect("own snapshot");
            assert!(copy.view().read(|a| replica.machine.view().read(|b| a == b)));
            let mut from_disk = MetaMachine::new();
            from_disk.restore(first.clone().into_iter().collect()).expect("own pairs");
            assert!(from_disk.view().read(|a| replica.machine.view().read(|b| a == b)));
        }
    }
}

impl State {
    /// Applies what a replica has not applied; returns the last answer.
    fn catch_up(&mut self, node: usize) -> Bytes {
        let mut last = Bytes::new();
        let replica = &mut self.replicas[node];
        for (index, command) in self.log.iter().enumerate().skip(replica.applied) {
            let (answer, changes) = replica.machine.apply(index as u64 + 1, command);
            for (key, value) in changes {
                match value {
                    Some(value) => replica.pairs.insert(key, value),
                    None => replica.pairs.remove(&key),
                };
            }
            last = answer;
        }
        replica.applied = self.log.len();
        last
    }
}

struct TestGroup {
    state: Arc<Mutex<State>>,
    node: usize,
}

impl TestGroup {
    fn not_leader(&self) -> KvError {
        KvError::MetaNotLeader { leader: self.leader() }
    }
}

impl MetaGroup for TestGroup {
    fn propose(&self, command: Bytes) -> BoxFuture<'static, KvResult<Bytes>> {
        if self.state.lock().leader != Some(self.node) {
            return Box::pin(std::future::ready(Err(self.not_leader())));
        }
        let mut state = self.state.lock();
        if state.auto_commit {
            state.log.push(command);
            let answer = state.catch_up(self.node);
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let (answer, receiver) = oneshot::channel();
        state.in_flight.push(InFlight { from: self.node, command, answer });
        Box::pin(async move {
            receiver.await.unwrap_or(Err(KvError::Ambiguous("the group is gone".into())))
        })
    }

    fn lead(&self, _now: MonoTime) -> KvResult<u64> {
        let state = self.state.lock();
        match state.leader == Some(self.node) {
            true if state.has_lease => Ok(state.term),
            true => Err(KvError::Unavailable("no lease".into())),
            false => {
                drop(state);
                Err(self.not_leader())
            }
        }
    }

    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>> {
        let state = self.state.lock();
        let result = match state.leader == Some(self.node) {
            true => Ok(state.term),
            false => {
                drop(state);
                Err(self.not_leader())
            }
        };
        Box::pin(std::future::ready(result))
    }

    fn leader(&self) -> Option<NodeId> {
        self.state.lock().leader.map(|node| NodeId(node as u64 + 1))
    }
}

/// Time that moves when told to; background work waits for [`TestClock::run`].
#[derive(Default)]
pub(crate) struct TestClock {
    time: Mutex<(u64, u64)>,
    spawned: Mutex<Vec<BoxFuture<'static, ()>>>,
}

impl TestClock {
    pub(crate) fn advance(&self, elapsed: Duration) {
        let mut time = self.time.lock();
        time.0 += elapsed.as_nanos() as u64;
        time.1 = time.1.saturating_add(elapsed.as_millis() as u64);
    }

    pub(crate) fn set_wall(&self, millis: u64) {
        self.time.lock().1 = millis;
    }

    /// Polls what was spawned.
    pub(crate) fn run(&self) {
        let mut spawned = std::mem::take(&mut *self.spawned.lock());
        spawned.retain_mut(|future| poll(future).is_none());
        self.spawned.lock().extend(spawned);
    }
}

impl Clock for TestClock {
    fn now(&self) -> MonoTime {
        MonoTime(self.time.lock().0)
    }

    fn wall_millis(&self) -> u64 {
        self.time.lock().1
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.spawned.lock().push(future);
    }
}

/// Polls a future once.
pub(crate) fn poll<T>(future: &mut BoxFuture<'static, T>) -> Option<T> {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

pub(crate) fn node(id: u64) -> NodeDescriptor {
    NodeDescriptor {
        node: NodeId(id),
        instance: u128::from(id),
        life: 0,
        rpc_addr: format!("host{id}:7433"),
        sql_addr: String::new(),
        http_addr: String::new(),
        is_shard: true,
        is_meta: id <= 3,
        is_proxy: false,
    }
}

/// `-` is the lowest, `+` the highest bound.
pub(crate) fn bound(name: &str) -> Key {
    match name {
        "-" => Key::MIN,
        "+" => Key::max(),
        name => Key::copy_from(name.as_bytes()),
    }
}

pub(crate) fn report(
    range: u64,
    epoch: u64,
    from: Key,
    to: Key,
    leader: u64,
    term: u64,
) -> RangeReport {
    RangeReport {
        descriptor: RangeDescriptor {
            range: RangeId(range),
            span: Span::new(from, to),
            replicas: Vec::new(),
            epoch,
            next_replica: ReplicaId(1),
        },
        leader: NodeId(leader),
        term,
        bytes: 0,
    }
}

pub(crate) fn blob(text: &str) -> Blob {
    Blob::from(text.as_bytes().to_vec())
}
