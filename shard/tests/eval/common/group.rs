//! A stand-in for replication: one range on some nodes. Commands are applied at once and everywhere,
//! unless they are held up.

use base::{BoxFuture, KvError, KvResult, MonoTime, NodeId, RangeDescriptor, RangeId};
use base::{ReplicaDescriptor, Timestamp};
use futures::channel::oneshot;
use parking_lot::Mutex;
use shard::command::{Command, Trigger};
use shard::replication::{ReplicaObserver, Replication};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::{Durability, Engine, Keyspace, WriteBatch};

type Reply = oneshot::Sender<KvResult<()>>;
/// Called with the right-hand range after a split.
pub(crate) type OnSplit = Arc<dyn Fn(RangeDescriptor) + Send + Sync>;

/// One range.
#[derive(Clone)]
pub(crate) struct Group(Arc<Mutex<State>>);

struct State {
    term: u64,
    leader: Option<NodeId>,
    has_lease: bool,
    /// Commands wait to be committed.
    is_held: bool,
    held: Vec<(Command, Reply)>,
    log: Vec<Command>,
    replicas: BTreeMap<NodeId, Member>,
    on_split: OnSplit,
    proposals: u64,
}

struct Member {
    engine: Engine,
    descriptor: Arc<RangeDescriptor>,
    observer: Option<Arc<dyn ReplicaObserver>>,
    applied: u64,
    safe_point: Timestamp,
    /// Applies nothing for now.
    lags: bool,
}

/// One node's replica.
pub(crate) struct Replica {
    pub(crate) group: Group,
    pub(crate) node: NodeId,
}

impl Group {
    pub(crate) fn new(
        descriptor: &RangeDescriptor,
        engines: &BTreeMap<NodeId, Engine>,
        on_split: OnSplit,
    ) -> Group {
        let member = |(node, engine): (&NodeId, &Engine)| {
            let member = Member {
                engine: engine.clone(),
                descriptor: Arc::new(descriptor.clone()),
                observer: None,
                applied: 0,
                safe_point: Timestamp::ZERO,
                lags: false,
            };
            (*node, member)
        };
        Group(Arc::new(Mutex::new(State {
            term: 0,
            leader: None,
            has_lease: true,
            is_held: false,
            held: Vec::new(),
            log: Vec::new(),
            replicas: engines.iter().map(member).collect(),
            on_split,
            proposals: 0,
        })))
    }

    pub(crate) fn observe(&self, node: NodeId, observer: Arc<dyn ReplicaObserver>) {
        if let Some(member) = self.0.lock().replicas.get_mut(&node) {
            member.observer = Some(observer);
        }
    }

    /// A new term with this leader, or with none.
    pub(crate) fn elect(&self, leader: Option<NodeId>) {
        let (before, term, observers) = {
            let mut state = self.0.lock();
            let before = std::mem::replace(&mut state.leader, leader);
            state.term += 1;
            let observer = |node: Option<NodeId>| {
                node.and_then(|n| state.replicas.get(&n)).and_then(|m| m.observer.clone())
            };
            let observers = (observer(before), observer(leader));
            (before, state.term, observers)
        };
        if let Some(observer) = observers.0
            && before != leader
        {
            observer.on_follow(self.leader());
        }
        if let Some(observer) = observers.1 {
            observer.on_lead(term);
        }
        // What was in flight is lost with the term.
        for (_, reply) in std::mem::take(&mut self.0.lock().held) {
            let _ = reply.send(Err(KvError::Ambiguous("leadership lost".into())));
        }
    }

    pub(crate) fn set_lease(&self, has_lease: bool) {
        self.0.lock().has_lease = has_lease;
    }

    pub(crate) fn hold(&self) {
        self.0.lock().is_held = true;
    }

    /// Commits what was held up.
    pub(crate) fn release(&self) {
        let held = {
            let mut state = self.0.lock();
            state.is_held = false;
            std::mem::take(&mut state.held)
        };
        for (command, reply) in held {
            let _ = reply.send(self.commit(command));
        }
    }

    pub(crate) fn lag(&self, node: NodeId, lags: bool) {
        if let Some(member) = self.0.lock().replicas.get_mut(&node) {
            member.lags = lags;
        }
        self.apply_all();
    }

    pub(crate) fn descriptor(&self) -> RangeDescriptor {
        let state = self.0.lock();
        let node = state.leader.unwrap_or(NodeId(1));
        (*state.replicas[&node].descriptor).clone()
    }

    pub(crate) fn leader(&self) -> Option<ReplicaDescriptor> {
        let state = self.0.lock();
        let node = state.leader?;
        state.replicas.get(&node)?.descriptor.replica_on(node).copied()
    }

    /// Commands proposed so far.
    pub(crate) fn proposals(&self) -> u64 {
        self.0.lock().proposals
    }

    fn not_leader(&self) -> KvError {
        KvError::NotLeader { range: self.descriptor().range, leader: self.leader() }
    }

    fn commit(&self, command: Command) -> KvResult<()> {
        {
            let mut state = self.0.lock();
            let node = state.leader.unwrap_or_default();
            let is_stale =
                state.replicas.get(&node).map(|m| m.descriptor.epoch) != Some(command.epoch);
            if command.term != state.term {
                drop(state);
                return Err(self.not_leader());
            }
            if is_stale {
                drop(state);
                return Err(KvError::StaleEpoch { current: self.descriptor() });
            }
            state.log.push(command);
        }
        self.apply_all();
        Ok(())
    }

    fn apply_all(&self) {
        let nodes: Vec<NodeId> = self.0.lock().replicas.keys().copied().collect();
        for node in nodes {
            while self.apply_next(node) {}
        }
    }

    fn apply_next(&self, node: NodeId) -> bool {
        let (command, observer, descriptor, on_split, is_leader) = {
            let mut state = self.0.lock();
            let Some(member) = state.replicas.get(&node) else { return false };
            let Some(command) = state.log.get(member.applied as usize).cloned() else {
                return false;
            };
            if member.lags {
                return false;
            }
            let is_leader = state.leader == Some(node);
            let on_split = Arc::clone(&state.on_split);
            let Some(member) = state.replicas.get_mut(&node) else { return false };
            member.write(&command);
            (command, member.observer.clone(), Arc::clone(&member.descriptor), on_split, is_leader)
        };
        if let Some(observer) = observer {
            observer.on_apply(&command);
            if matches!(command.trigger, Some(Trigger::Split { .. })) {
                observer.on_descriptor(&descriptor);
            }
        }
        if let (Some(Trigger::Split { right, .. }), true) = (command.trigger, is_leader) {
            on_split(right);
        }
        true
    }
}

impl Member {
    fn write(&mut self, command: &Command) {
        let mut batch = WriteBatch::new();
        for effect in &command.effects {
            let keyspace = Keyspace::try_from(effect.keyspace).expect("keyspace");
            match &effect.value {
                Some(value) => batch.put(keyspace, &effect.key, value),
                None => batch.delete(keyspace, &effect.key),
            }
        }
        self.engine.write(batch, Durability::Synced).expect("write");
        self.applied += 1;
        match &command.trigger {
            Some(Trigger::Split { left, .. }) => self.descriptor = Arc::new(left.clone()),
            Some(Trigger::SafePoint(ts)) => self.safe_point = self.safe_point.max(*ts),
            _ => {}
        }
    }
}

impl Replication for Replica {
    fn descriptor(&self) -> Arc<RangeDescriptor> {
        Arc::clone(&self.group.0.lock().replicas[&self.node].descriptor)
    }

    fn lead(&self, _now: MonoTime) -> KvResult<u64> {
        let state = self.group.0.lock();
        match (state.leader == Some(self.node), state.has_lease) {
            (true, true) => Ok(state.term),
            (true, false) => Err(KvError::Unavailable("no lease".into())),
            (false, _) => {
                drop(state);
                Err(self.group.not_leader())
            }
        }
    }

    fn leader(&self) -> Option<ReplicaDescriptor> {
        self.group.leader()
    }

    fn read_index(&self) -> BoxFuture<'static, KvResult<u64>> {
        let state = self.group.0.lock();
        let result = match state.leader == Some(self.node) {
            true => Ok(state.term),
            false => Err(KvError::Unavailable("no quorum".into())),
        };
        Box::pin(std::future::ready(result))
    }

    fn propose(&self, command: Command) -> BoxFuture<'static, KvResult<()>> {
        let encoded = command.encode();
        assert_eq!(Command::decode(&encoded).as_ref(), Ok(&command), "commands survive the log");
        let (is_leader, is_held) = {
            let mut state = self.group.0.lock();
            state.proposals += 1;
            (state.leader == Some(self.node), state.is_held)
        };
        if !is_leader {
            return Box::pin(std::future::ready(Err(self.group.not_leader())));
        }
        if !is_held {
            return Box::pin(std::future::ready(self.group.commit(command)));
        }
        let (sender, receiver) = oneshot::channel();
        self.group.0.lock().held.push((command, sender));
        Box::pin(async move {
            receiver.await.unwrap_or_else(|_| Err(KvError::Ambiguous("the world has ended".into())))
        })
    }

    fn change_replicas(
        &self,
        _add: Vec<NodeId>,
        _remove: Vec<NodeId>,
    ) -> BoxFuture<'static, KvResult<RangeDescriptor>> {
        Box::pin(std::future::ready(Ok(self.group.descriptor())))
    }

    fn transfer_leader(&self, target: NodeId) -> BoxFuture<'static, KvResult<()>> {
        self.group.elect(Some(target));
        Box::pin(std::future::ready(Ok(())))
    }

    fn progress(&self) -> (u64, u64) {
        let state = self.group.0.lock();
        (state.term, state.replicas[&self.node].applied)
    }

    fn safe_point(&self) -> Timestamp {
        self.group.0.lock().replicas[&self.node].safe_point
    }
}

/// The id that a range's group is found by.
pub(crate) type Groups = Arc<Mutex<BTreeMap<RangeId, Group>>>;
