//! The front end: finds the replica, lets the request in, evaluates it in the caller's task.
//!
//! What holds for every request:
//!
//! * **No write goes at or below a served read.** Reads are recorded in the timestamp cache before
//!   they look ([`crate::sequencer`]); a write asks it while it holds its latches, and draws a fresh
//!   timestamp, still holding them, when the one it came with is taken. So it cannot be overtaken
//!   again.
//! * **A reader misses no acknowledged write.** It pins its snapshot after it was admitted, and the
//!   lease is checked after the snapshot is pinned. A stand-alone read ([`base::api::ReadAt::Leader`])
//!   takes the highest timestamp written in the range, asks about every intent, and moves up to each
//!   commit it learns of.
//! * **A lock that was lost costs a retry, never an anomaly**: conditions are checked with the write.
//! * **A verdict about an intent is used on a snapshot pinned after it was given.** A record is
//!   forgotten only when all its intents are resolved; so whoever gets the answer "no record" looks
//!   again, and finds no intent if there ever was a commit.
//! * **Every timestamp written was drawn from the oracle.**

use crate::call::Call;
use crate::env::StoreEnv;
use crate::eval;
use crate::replica::{Env, Observer, Replica};
use crate::replication::{ReplicaHost, ReplicaObserver, Replication};
use crate::wait_counts::{LockWaits, WaitCounts};
use crate::waits::MetaWaits;
use base::api::stats::StatsResponse;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::{BoxFuture, KvError, KvResult, MonoTime, NodeId, RangeDescriptor, RangeId};
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::time::Duration;

/// The ranges of one node.
pub struct Store {
    core: Arc<Core>,
}

/// What replicas may reach of the store.
pub(crate) struct Core {
    pub(crate) env: Arc<Env>,
    replicas: RwLock<FxHashMap<RangeId, Arc<Replica>>>,
}

impl Store {
    /// A store without ranges.
    pub fn new(env: StoreEnv) -> Arc<Store> {
        let waits = Arc::new(MetaWaits::new(Arc::clone(&env.peers)));
        let env = Arc::new(Env {
            given: env,
            waits,
            wait_counts: WaitCounts::default(),
            resolving: Mutex::default(),
        });
        Arc::new(Store { core: Arc::new(Core { env, replicas: RwLock::default() }) })
    }

    /// Carries a request out. Runs in the caller's task; a read that meets nobody is answered before
    /// this returns. Dropping the future gives up waiting, not what has been proposed.
    pub fn execute(&self, request: RangeRequest) -> BoxFuture<'static, KvResult<RangeResponse>> {
        self.core.execute(request)
    }

    /// Answers a point read at once if nobody is in its way; `None` for everything else, which
    /// [`Store::execute`] carries out.
    pub fn answer_now(&self, request: &RangeRequest) -> Option<KvResult<RangeResponse>> {
        self.core.answer_now(request)
    }

    /// Releases the locks of a node's earlier lives: to be called when it is known to have begun a
    /// new one ([`base::NodeDescriptor::life`]). Whoever waits would ask the node, find it alive,
    /// and wait until the locks expire.
    pub fn release_locks_of(&self, node: NodeId, life: u64) {
        self.core.all().iter().for_each(|replica| replica.release_locks_of(node, life));
    }

    /// What the ranges of this node know about themselves, by id; without hints for splits, so that
    /// it can be asked often.
    pub fn ranges(&self) -> Vec<StatsResponse> {
        self.core.all().iter().map(|replica| eval::stats::stats(replica, false)).collect()
    }

    /// Locked keys and waiting requests, over all ranges: for metrics.
    pub fn lock_counts(&self) -> (usize, usize) {
        let replicas = self.core.replicas.read();
        replicas.values().fold((0, 0), |(held, waiting), replica| {
            let locks = replica.locks();
            (held + locks.len(), waiting + locks.waiting())
        })
    }

    /// How often and for how long requests have waited for locks: for metrics.
    pub fn lock_waits(&self) -> LockWaits {
        self.core.env.wait_counts.read()
    }
}

impl ReplicaHost for Store {
    fn add_replica(
        &self,
        range: RangeId,
        replication: Arc<dyn Replication>,
    ) -> Arc<dyn ReplicaObserver> {
        let core = Arc::downgrade(&self.core);
        let replica = Replica::new(range, Arc::clone(&self.core.env), core, replication);
        let observer = Observer(Arc::downgrade(&replica));
        self.core.replicas.write().insert(range, replica);
        Arc::new(observer)
    }
}

impl Core {
    pub(crate) fn execute(
        &self,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        if let Some(answer) = self.answer_now(&request) {
            return ready(answer);
        }
        let Some(replica) = self.replica(request.range) else {
            return ready(Err(KvError::RangeNotFound(request.range)));
        };
        let RangeRequest { epoch, txn, timeout_ms, body, .. } = request;
        let mut call = Call { replica, epoch, txn, deadline: MonoTime(u64::MAX) };
        if timeout_ms > 0 {
            call.deadline = call.now() + Duration::from_millis(timeout_ms);
        }
        eval::run(call, body)
    }

    fn answer_now(&self, request: &RangeRequest) -> Option<KvResult<RangeResponse>> {
        let RangeOp::Get(get) = &request.body else { return None };
        let replica = self.replica(request.range)?;
        let RangeRequest { epoch, txn, .. } = *request;
        let call = Call { replica, epoch, txn, deadline: MonoTime(u64::MAX) };
        eval::get::try_now(&call, get).map(|result| result.map(RangeResponse::Get))
    }

    fn replica(&self, range: RangeId) -> Option<Arc<Replica>> {
        self.replicas.read().get(&range).map(Arc::clone)
    }

    /// All replicas, by id.
    fn all(&self) -> Vec<Arc<Replica>> {
        let mut replicas: Vec<Arc<Replica>> =
            self.replicas.read().values().map(Arc::clone).collect();
        replicas.sort_by_key(|replica| replica.range);
        replicas
    }

    /// The replica on this node that serves a key, with its descriptor.
    pub(crate) fn serving(&self, key: &[u8]) -> Option<(RangeId, Arc<RangeDescriptor>)> {
        let replicas = self.replicas.read();
        replicas.values().find_map(|replica| {
            replica.leadership.serving()?;
            let descriptor = replica.replication.descriptor();
            descriptor.contains(key).then_some((replica.range, descriptor))
        })
    }

    pub(crate) fn remove(&self, gone: &Arc<Replica>) {
        let mut replicas = self.replicas.write();
        // A new replica of the range may have taken the place.
        if replicas.get(&gone.range).is_some_and(|known| Arc::ptr_eq(known, gone)) {
            replicas.remove(&gone.range);
        }
    }
}

fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}
