//! Clients: each does one thing after another through whichever node is up, and keeps account of
//! what it was told.

use crate::cluster::Cluster;
use crate::executor::{Executor, Owner};
use crate::model::{Fate, Model};
use crate::workload::{bank, counter, duty, fate_of, ledger};
use base::{BoxFuture, KvResult};
use futures::channel::oneshot;
use rand::Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use txn::TxnClient;

/// What the clients of a run share.
#[derive(Clone)]
pub struct Clients {
    /// The cluster they talk to.
    pub cluster: Cluster,
    /// What they know.
    pub model: Model,
    /// Set when they should come to an end.
    pub is_over: Arc<AtomicBool>,
    /// How many have not.
    pub running: Arc<AtomicUsize>,
}

impl Clients {
    /// Clients of a cluster.
    pub fn new(cluster: Cluster) -> Clients {
        let (is_over, running) = (Arc::default(), Arc::default());
        Clients { cluster, model: Model::default(), is_over, running }
    }

    /// Starts one that works until the end of the run.
    pub fn start(&self, number: u64) {
        let clients = self.clone();
        self.running.fetch_add(1, Ordering::Relaxed);
        let task = async move {
            let mut sequence = 0;
            while !clients.is_over.load(Ordering::Relaxed) {
                sequence += 1;
                clients.one(number << 32 | sequence).await;
                let pause = clients.world().between(Duration::ZERO, Duration::from_millis(40));
                clients.world().sleep(pause).await;
            }
            clients.running.fetch_sub(1, Ordering::Relaxed);
        };
        self.world().spawn(Owner::OUTSIDE, Box::pin(task));
    }

    /// One operation; `id` is unique.
    async fn one(&self, id: u64) {
        match self.world().random(|rng| rng.random_range(0..100)) {
            0..30 => self.transfer().await,
            30..45 => self.audit().await,
            45..60 => self.increment().await,
            60..75 => self.read_counter().await,
            75..87 => self.insert(id).await,
            87..93 => self.find().await,
            _ => self.change_duty().await,
        }
    }

    async fn transfer(&self) {
        let world = self.world().clone();
        let run = self.through_some_node(|client| Box::pin(bank::transfer(client, world)));
        self.ended("transfer", run.await);
    }

    async fn audit(&self) {
        let world = self.world().clone();
        let run = self.through_some_node(|client| Box::pin(bank::audit(client, world)));
        if let Some(Err(wrong)) = self.ended("audit", run.await) {
            self.violation(wrong);
        }
    }

    async fn increment(&self) {
        let number = self.world().random(|rng| rng.random_range(0..counter::COUNTERS));
        self.model.begin_increment(number);
        let run = self.through_some_node(|client| Box::pin(counter::increment(client, number)));
        let result = run.await;
        let fate = fate(&result);
        self.ended("increment", result);
        self.model.end_increment(number, fate);
    }

    async fn read_counter(&self) {
        let (number, is_alone) =
            self.world().random(|rng| (rng.random_range(0..counter::COUNTERS), rng.random()));
        let (acked, _) = self.model.bounds(number);
        let run =
            self.through_some_node(|client| Box::pin(counter::read(client, number, is_alone)));
        if let Some(value) = self.ended("read", run.await) {
            let (_, most) = self.model.bounds(number);
            if value < acked || value > most {
                self.violation(format!(
                    "counter {number} reads {value} (alone: {is_alone}), but {acked} increments \
                     were acknowledged before and at most {most} were made"
                ));
            }
        }
    }

    async fn insert(&self, id: u64) {
        // Known before it begins: others may find it.
        self.model.with(|known| known.ledger.insert(id, Fate::Unknown));
        let run = self.through_some_node(|client| Box::pin(ledger::insert(client, id)));
        let result = run.await;
        let fate = fate(&result);
        self.ended("insert", result);
        self.model.with(|known| known.ledger.insert(id, fate));
    }

    async fn find(&self) {
        let world = self.world();
        let entry = self.model.with(|known| {
            let count = known.ledger.len();
            let pick = world.random(|rng| rng.random_range(0..count.max(1)));
            known.ledger.iter().nth(pick).map(|(id, fate)| (*id, *fate))
        });
        let Some((id, fate)) = entry else { return };
        let run = self.through_some_node(|client| Box::pin(ledger::find(client, id)));
        match self.ended("find", run.await) {
            Some((entry, copy)) if entry != copy => {
                self.violation(format!("entry {id:x} is half there: {entry}, copy {copy}"));
            }
            Some((false, _)) if fate == Fate::Done => {
                self.violation(format!("acknowledged entry {id:x} is gone"));
            }
            Some((true, _)) if fate == Fate::Failed => {
                self.violation(format!("refused entry {id:x} is there"));
            }
            _ => {}
        }
    }

    async fn change_duty(&self) {
        let world = self.world().clone();
        let run = self.through_some_node(|client| Box::pin(duty::change(client, world)));
        if let Some(0) = self.ended("duty", run.await) {
            self.violation("nobody was on duty".into());
        }
    }

    /// Runs something on a node that is up, as its session would. `None` when the node dies.
    pub async fn through_some_node<T: Send + 'static>(
        &self,
        run: impl FnOnce(TxnClient) -> BoxFuture<'static, KvResult<T>>,
    ) -> Option<KvResult<T>> {
        let alive = self.cluster.alive();
        if alive.is_empty() {
            self.world().sleep(Duration::from_millis(100)).await;
            return Some(Err(base::KvError::Cancelled));
        }
        let pick = self.world().random(|rng| rng.random_range(0..alive.len()));
        let Some(life) = self.cluster.life(alive[pick]) else {
            return Some(Err(base::KvError::Cancelled));
        };
        let (sender, receiver) = oneshot::channel();
        let session = run(life.client.clone());
        let task = async move {
            // The client may be gone.
            let _ = sender.send(session.await);
        };
        self.world().spawn(life.owner, Box::pin(task));
        receiver.await.ok()
    }

    /// Keeps account of the end of an operation; answers the result if there is one.
    fn ended<T>(&self, operation: &'static str, result: Option<KvResult<T>>) -> Option<T> {
        let fate = fate(&result);
        self.model.count(operation, fate);
        let why = match &result {
            Some(Err(error)) => error.to_string(),
            Some(Ok(_)) => String::new(),
            None => "node died".into(),
        };
        self.world().note(|| format!("{operation} {fate:?} {why}"));
        result?.ok()
    }

    fn violation(&self, what: String) {
        self.world().note(|| format!("VIOLATION {what}"));
        self.model.violation(what);
    }

    fn world(&self) -> &Executor {
        &self.cluster.executor
    }
}

fn fate<T>(result: &Option<KvResult<T>>) -> Fate {
    match result {
        Some(Ok(_)) => Fate::Done,
        Some(Err(error)) => fate_of(error),
        None => Fate::Unknown,
    }
}
