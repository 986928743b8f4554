//! A cluster on one thread: virtual time, a network with delay, loss and partitions, disks that lose
//! what was not synced, and clients that keep a ledger of what was acknowledged.

use crate::host::Host;
use base::Timestamp;
use base::peer_api::{PeerMessage, RaftEnvelope};
use base::{BoxFuture, Key, KvError, KvResult, MonoTime, NodeId, RangeDescriptor, RangeId, Span};
use futures::task::noop_waker;
use parking_lot::Mutex;
use shard::command::{Command, Effect, Trigger};
use shard::raft::{
    Applier, Outbox, RaftError, RaftHandle, RaftLoop, RaftNotify, RaftStoreConfig, open,
};
use shard::replication::Replication;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use storage::{Engine, Keyspace, MemDisk, WriteBatch, chunks, mvcc};

/// Virtual time between two looks at everybody.
pub(crate) const STEP: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Queue(Mutex<Vec<(NodeId, Vec<PeerMessage>)>>);

impl Outbox for Queue {
    fn send(&self, to: NodeId, messages: Vec<PeerMessage>) -> Result<(), Vec<PeerMessage>> {
        self.0.lock().push((to, messages));
        Ok(())
    }
}

/// A node that is up.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) handle: RaftHandle,
    pub(crate) host: Arc<Host>,
    raft: RaftLoop,
    applier: Applier,
    queue: Arc<Queue>,
}

/// A write whose outcome is awaited.
struct Pending {
    key: Key,
    value: Vec<u8>,
    future: BoxFuture<'static, KvResult<()>>,
    _node: NodeId,
}

/// How writes ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) acked: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
}

/// The whole.
pub(crate) struct Cluster {
    pub(crate) now: MonoTime,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) disks: BTreeMap<NodeId, MemDisk>,
    pub(crate) blocked: BTreeSet<(NodeId, NodeId)>,
    /// Nodes that get no Raft messages of a range.
    pub(crate) muted: BTreeSet<(NodeId, RangeId)>,
    /// Nodes whose appliers do nothing.
    pub(crate) frozen: BTreeSet<NodeId>,
    /// Nodes whose loops do nothing: their input piles up.
    pub(crate) paused: BTreeSet<NodeId>,
    /// Of a thousand deliveries so many are lost.
    pub(crate) loss: u64,
    pub(crate) delay_max: u64,
    pub(crate) acked: BTreeMap<Key, Vec<u8>>,
    pub(crate) tally: Tally,
    /// Raft and snapshot messages sent (signs of life apart).
    pub(crate) messages: u64,
    pub(crate) config: RaftStoreConfig,
    flight: BTreeMap<(u64, u64), (NodeId, NodeId, Vec<PeerMessage>)>,
    pending: Vec<Pending>,
    sequence: u64,
    random: u64,
}

impl Cluster {
    pub(crate) fn new(size: u64, seed: u64) -> Cluster {
        let mut cluster = Cluster {
            now: MonoTime(1_000_000_000),
            nodes: BTreeMap::new(),
            disks: BTreeMap::new(),
            blocked: BTreeSet::new(),
            muted: BTreeSet::new(),
            frozen: BTreeSet::new(),
            paused: BTreeSet::new(),
            loss: 0,
            delay_max: 10,
            acked: BTreeMap::new(),
            tally: Tally::default(),
            messages: 0,
            config: RaftStoreConfig::new(NodeId(0), seed),
            flight: BTreeMap::new(),
            pending: Vec::new(),
            sequence: 0,
            random: seed | 1,
        };
        for id in 1..=size {
            cluster.disks.insert(NodeId(id), MemDisk::new());
        }
        cluster
    }

    /// Starts every node; the given ones bootstrap so many ranges.
    pub(crate) fn start(size: u64, members: &[u64], ranges: u64, seed: u64) -> Cluster {
        Cluster::start_with(RaftStoreConfig::new(NodeId(0), seed), size, members, ranges)
    }

    pub(crate) fn start_with(
        config: RaftStoreConfig,
        size: u64,
        members: &[u64],
        ranges: u64,
    ) -> Cluster {
        let mut cluster = Cluster::new(size, config.seed);
        cluster.config = config;
        for id in 1..=size {
            cluster.boot(NodeId(id));
        }
        let members: Vec<NodeId> = members.iter().map(|id| NodeId(*id)).collect();
        for n in 1..=ranges {
            let mut descriptor = RangeDescriptor::bootstrap(RangeId(n), &members);
            let bound = |n: u64| if n > ranges { Key::max() } else { range_start(n) };
            descriptor.span = Span::new(bound(n), bound(n + 1));
            if n == 1 {
                descriptor.span.start = Key::MIN;
            }
            for member in &members {
                cluster.nodes[member].handle.bootstrap(descriptor.clone());
            }
        }
        cluster
    }

    pub(crate) fn boot(&mut self, id: NodeId) {
        let engine = Engine::in_memory(self.disks[&id].clone());
        let config = RaftStoreConfig { node: id, ..self.config.clone() };
        let (host, queue) = (Arc::new(Host::default()), Arc::new(Queue::default()));
        let idle: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
        let notify = RaftNotify { raft: idle.clone(), apply: idle };
        let (handle, raft, applier) =
            open(engine.clone(), host.clone(), self.now, config, queue.clone(), notify).unwrap();
        self.nodes.insert(id, Node { engine, handle, host, raft, applier, queue });
    }

    /// The machine stops; of what was not synced a random part is lost.
    pub(crate) fn crash(&mut self, id: NodeId) {
        let survivors = self.random(self.disks[&id].unsynced() as u64 + 1) as usize;
        self.crash_keeping(id, survivors);
    }

    /// The machine stops; so many of the writes that were not synced are on disk nevertheless.
    pub(crate) fn crash_keeping(&mut self, id: NodeId, survivors: usize) {
        self.nodes.remove(&id);
        self.disks[&id].crash(survivors);
    }

    pub(crate) fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Cuts a node off from all others, or connects it again.
    pub(crate) fn isolate(&mut self, id: NodeId, is_cut: bool) {
        for other in self.disks.keys().copied().collect::<Vec<_>>() {
            for pair in [(id, other), (other, id)] {
                if is_cut {
                    self.blocked.insert(pair);
                } else {
                    self.blocked.remove(&pair);
                }
            }
        }
    }

    pub(crate) fn step(&mut self) {
        self.now = self.now + STEP;
        self.deliver();
        for id in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.poll_node(id);
        }
        self.settle_writes();
        self.check_leases();
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.step();
        }
    }

    /// Steps until the condition holds; fails after a virtual minute.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Cluster) -> bool) {
        let end = self.now + Duration::from_secs(60);
        while !holds(self) {
            assert!(self.now < end, "never: {what}");
            self.step();
        }
    }

    fn deliver(&mut self) {
        while let Some(entry) = self.flight.first_entry() {
            if entry.key().0 > self.now.0 {
                return;
            }
            let (from, to, messages) = entry.remove();
            if let Some(node) = self.nodes.get(&to) {
                node.handle.receive(from, messages);
            }
        }
    }

    /// One poll of a node's applier.
    pub(crate) fn apply_once(&mut self, id: NodeId) {
        let node = self.nodes.get_mut(&id).expect("the node is up");
        node.applier.poll().expect("the applier goes on");
    }

    /// True when some message of a range is on its way for which `what` holds.
    pub(crate) fn is_in_flight(
        &self,
        what: impl Fn(NodeId, NodeId, &RaftEnvelope) -> bool,
    ) -> bool {
        self.flight.values().any(|(from, to, messages)| {
            messages.iter().any(|message| match message {
                PeerMessage::Raft(envelope) => what(*from, *to, envelope),
                _ => false,
            })
        })
    }

    /// One poll of a node's loop, which may fail.
    pub(crate) fn poll_once(&mut self, id: NodeId) -> Result<(), RaftError> {
        let node = self.nodes.get_mut(&id).expect("the node is up");
        node.raft.poll(self.now).map(drop)
    }

    fn poll_node(&mut self, id: NodeId) {
        for _ in 0..50 {
            let Some(node) = self.nodes.get_mut(&id) else { return };
            let is_paused = self.paused.contains(&id);
            let polled = !is_paused && node.raft.poll(self.now).expect("the loop goes on").did_work;
            let is_frozen = self.frozen.contains(&id);
            let applied = !is_frozen && node.applier.poll().expect("the applier goes on");
            let sent = std::mem::take(&mut *node.queue.0.lock());
            let is_busy = polled || applied || !sent.is_empty();
            for (to, messages) in sent {
                self.post(id, to, messages);
            }
            if !is_busy {
                return;
            }
        }
        panic!("node {id} never comes to rest");
    }

    fn post(&mut self, from: NodeId, to: NodeId, mut messages: Vec<PeerMessage>) {
        let is_muted = |message: &PeerMessage| match message {
            PeerMessage::Raft(envelope) => self.muted.contains(&(to, envelope.range)),
            _ => false,
        };
        messages.retain(|message| !is_muted(message));
        let counted = messages.iter().filter(|m| !matches!(m, PeerMessage::Alive(_)));
        self.messages += counted.count() as u64;
        if self.blocked.contains(&(from, to)) || self.random(1000) < self.loss {
            return;
        }
        let delay = Duration::from_millis(1 + self.random(self.delay_max));
        self.sequence += 1;
        self.flight.insert(((self.now + delay).0, self.sequence), (from, to, messages));
    }

    fn settle_writes(&mut self) {
        let waker = noop_waker();
        let mut context = Context::from_waker(&waker);
        for mut write in std::mem::take(&mut self.pending) {
            match write.future.as_mut().poll(&mut context) {
                Poll::Pending => self.pending.push(write),
                Poll::Ready(Ok(())) => {
                    self.tally.acked += 1;
                    self.acked.insert(write.key, write.value);
                }
                Poll::Ready(Err(error)) if error.is_ambiguous() => self.tally.unknown += 1,
                Poll::Ready(Err(error)) => {
                    assert!(error.is_reroute(), "unexpected: {error:?}");
                    self.tally.refused += 1;
                }
            }
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn replica(&self, id: NodeId, range: RangeId) -> Option<Arc<dyn Replication>> {
        self.nodes.get(&id)?.host.replicas.lock().get(&range).cloned()
    }

    /// The node that holds the lease of a range.
    pub(crate) fn leader(&self, range: RangeId) -> Option<NodeId> {
        let leads = |id: &&NodeId| {
            self.replica(**id, range).is_some_and(|replica| replica.lead(self.now).is_ok())
        };
        self.nodes.keys().find(leads).copied()
    }

    /// The node that leads a range, with or without a lease.
    pub(crate) fn raft_leader(&self, range: RangeId) -> Option<NodeId> {
        let leads = |id: &&NodeId| {
            let groups = self.nodes[*id].handle.groups();
            let is_known = self.replica(**id, range).is_some();
            let says_so = self
                .replica(**id, range)
                .is_some_and(|r| r.leader().is_some_and(|leader| leader.node == **id));
            is_known && (says_so || groups.iter().any(|g| g.range == range && g.is_leader))
        };
        self.nodes.keys().find(leads).copied()
    }

    /// The range that holds a key, by the replicas' own descriptors, and the node that leads it.
    pub(crate) fn route(&self, key: &[u8]) -> Option<(RangeId, NodeId)> {
        self.nodes.iter().find_map(|(id, node)| {
            let replicas = node.host.replicas.lock();
            let serves =
                |r: &Arc<dyn Replication>| r.descriptor().contains(key) && r.lead(self.now).is_ok();
            let (range, _) = replicas.iter().find(|(_, replica)| serves(replica))?;
            Some((*range, *id))
        })
    }

    /// Proposes a write on the leader of its range, if there is one. The outcome goes to the tally.
    pub(crate) fn write(&mut self, key: Key, value: &[u8]) -> bool {
        let Some((range, id)) = self.route(&key) else { return false };
        let Some(replica) = self.replica(id, range) else { return false };
        let Ok(term) = replica.lead(self.now) else { return false };
        let command = put_command(&replica.descriptor(), term, &key, value);
        let future = replica.propose(command);
        self.pending.push(Pending { key, value: value.to_vec(), future, _node: id });
        true
    }

    /// Writes until it is acknowledged.
    pub(crate) fn write_acked(&mut self, key: Key, value: &[u8]) {
        self.until("a write is acknowledged", |cluster| {
            if cluster.acked.contains_key(&key) {
                return true;
            }
            if cluster.waiting() == 0 && !cluster.write(key.clone(), value) {
                cluster.poke();
            }
            false
        });
    }

    /// Runs a future to its end.
    pub(crate) fn wait<T>(&mut self, mut future: BoxFuture<'static, KvResult<T>>) -> KvResult<T> {
        let waker = noop_waker();
        let mut context = Context::from_waker(&waker);
        let end = self.now + Duration::from_secs(120);
        loop {
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                return result;
            }
            assert!(self.now < end, "a future never ends");
            self.step();
        }
    }

    pub(crate) fn split(&mut self, range: RangeId, key: Key, new_range: RangeId) -> KvResult<()> {
        let future = self.propose_split(range, key, new_range)?;
        self.wait(future)
    }

    /// Splits without waiting for the outcome.
    pub(crate) fn split_soon(&mut self, range: RangeId, key: Key, new_range: RangeId) {
        drop(self.propose_split(range, key, new_range));
    }

    fn propose_split(
        &mut self,
        range: RangeId,
        key: Key,
        new_range: RangeId,
    ) -> KvResult<BoxFuture<'static, KvResult<()>>> {
        let id = self.leader(range).ok_or(KvError::RangeNotFound(range))?;
        let replica = self.replica(id, range).ok_or(KvError::RangeNotFound(range))?;
        let term = replica.lead(self.now)?;
        let old = replica.descriptor();
        let mut left = (*old).clone();
        left.span.end = key.clone();
        left.epoch += 1;
        let mut right = (*old).clone();
        right.range = new_range;
        right.span.start = key;
        right.epoch = left.epoch;
        let command = Command {
            epoch: old.epoch,
            term,
            trigger: Some(Trigger::Split { left, right }),
            ..Command::default()
        };
        Ok(replica.propose(command))
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        self.blocked.clear();
        self.muted.clear();
        self.frozen.clear();
        self.paused.clear();
        self.loss = 0;
        for id in self.down() {
            self.boot(id);
        }
    }

    /// Nodes that are not running.
    pub(crate) fn down(&self) -> Vec<NodeId> {
        self.disks.keys().copied().filter(|id| !self.nodes.contains_key(id)).collect()
    }

    /// Any range of any node.
    pub(crate) fn some_range(&mut self) -> RangeId {
        let shelves = self.nodes.values();
        let all: BTreeSet<RangeId> = shelves
            .flat_map(|n| n.host.replicas.lock().keys().copied().collect::<Vec<_>>())
            .collect();
        let pick = self.random(all.len().max(1) as u64) as usize;
        all.into_iter().nth(pick).unwrap_or(RangeId(1))
    }

    /// Asks every leader without a lease to confirm itself, which wakes sleeping groups.
    pub(crate) fn poke(&mut self) -> bool {
        for node in self.nodes.values() {
            for replica in node.host.replicas.lock().values() {
                if matches!(replica.lead(self.now), Err(KvError::Unavailable(_))) {
                    drop(replica.read_index());
                }
            }
        }
        false
    }
}

pub(crate) fn content(engine: &Engine, span: &Span) -> Vec<Vec<u8>> {
    chunks::export(&engine.snapshot(), span, 1 << 20).map(Result::unwrap).collect()
}

pub(crate) fn range_start(n: u64) -> Key {
    Key::from(format!("r{n:04}/").into_bytes())
}

/// A key of the n-th range.
pub(crate) fn key(range: u64, n: u64) -> Key {
    Key::from(format!("r{range:04}/{n:08}").into_bytes())
}

pub(crate) fn put_command(
    descriptor: &RangeDescriptor,
    term: u64,
    key: &Key,
    value: &[u8],
) -> Command {
    let ts = Timestamp(1000);
    let mut batch = WriteBatch::new();
    mvcc::put_version(&mut batch, key, ts, Some(value), None);
    let effects = batch
        .iter()
        .filter_map(|(keyspace, op)| match op {
            storage::BatchOp::Put(key, value) => Some(Effect {
                keyspace: keyspace as u8,
                key: key.to_vec().into(),
                value: Some(value.to_vec().into()),
            }),
            _ => None,
        })
        .collect();
    assert_eq!(Keyspace::Data as u8, 1);
    Command { epoch: descriptor.epoch, term, max_ts: ts, effects, trigger: None }
}
