//! One replica as evaluation sees it: what a leader keeps in memory beside the data.

use crate::command::{Command, Trigger};
use crate::env::{StoreEnv, WaitReporter};
use crate::intent_count::IntentCount;
use crate::leadership::Leadership;
use crate::lock_table::{LockTable, Waker};
use crate::probe::Probes;
use crate::recent::RecentTxns;
use crate::replication::{ReplicaObserver, Replication};
use crate::sequencer::Sequencer;
use crate::store::Core;
use crate::wait_counts::WaitCounts;
use base::{Key, KvError, NodeId, RangeDescriptor, RangeId, ReplicaDescriptor, Span};
use base::{Timestamp, TxnId};
use futures::channel::oneshot;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use storage::mvcc;

/// What all replicas of a node share.
pub(crate) struct Env {
    pub(crate) given: StoreEnv,
    pub(crate) waits: Arc<dyn WaitReporter>,
    pub(crate) wait_counts: WaitCounts,
    /// Transactions whose intents are being resolved in the background.
    pub(crate) resolving: Mutex<BTreeSet<TxnId>>,
}

impl Deref for Env {
    type Target = StoreEnv;
    fn deref(&self) -> &StoreEnv {
        &self.given
    }
}

/// Pause before a new leader asks the oracle again.
const ORACLE_PAUSE: Duration = Duration::from_millis(50);

/// A replica.
pub(crate) struct Replica {
    pub(crate) range: RangeId,
    pub(crate) env: Arc<Env>,
    pub(crate) store: Weak<Core>,
    pub(crate) replication: Arc<dyn Replication>,
    pub(crate) leadership: Leadership,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) intents: IntentCount,
    /// Transactions whose requests may still arrive although they are over.
    pub(crate) finished: RecentTxns,
    locks: Mutex<LockTable>,
    /// Who waits for a transaction's intents to be resolved here.
    resolved: Mutex<BTreeMap<TxnId, Vec<oneshot::Sender<()>>>>,
    /// Who waits for this replica to apply more.
    applied: Mutex<Vec<oneshot::Sender<()>>>,
    /// Highest timestamp written here, and no lower than the leader's first draw.
    seen: AtomicU64,
    safe_point: AtomicU64,
    pub(crate) probes: Probes,
    span: Mutex<Span>,
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl Replica {
    pub(crate) fn new(
        range: RangeId,
        env: Arc<Env>,
        store: Weak<Core>,
        replication: Arc<dyn Replication>,
    ) -> Arc<Replica> {
        let sequencer = Sequencer::new(Timestamp::ZERO, env.config.ts_cache_bytes);
        let span = replication.descriptor().span.clone();
        Arc::new(Replica {
            range,
            env,
            store,
            sequencer,
            leadership: Leadership::default(),
            intents: IntentCount::default(),
            finished: RecentTxns::default(),
            locks: Mutex::default(),
            resolved: Mutex::default(),
            applied: Mutex::default(),
            seen: AtomicU64::new(0),
            safe_point: AtomicU64::new(replication.safe_point().0),
            probes: Probes::default(),
            span: Mutex::new(span),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            replication,
        })
    }

    /// Highest timestamp written here; everything acknowledged is at or below it.
    pub(crate) fn seen(&self) -> Timestamp {
        Timestamp(self.seen.load(Ordering::Acquire))
    }

    /// Something was written at this timestamp.
    pub(crate) fn saw(&self, ts: Timestamp) {
        self.seen.fetch_max(ts.0, Ordering::AcqRel);
    }

    /// Snapshots below this are refused.
    pub(crate) fn safe_point(&self) -> Timestamp {
        Timestamp(self.safe_point.load(Ordering::Acquire))
    }

    /// Refuses snapshots below this from now on.
    pub(crate) fn raise_safe_point(&self, ts: Timestamp) {
        self.safe_point.fetch_max(ts.0, Ordering::AcqRel);
    }

    /// Works on the lock table, then wakes whoever got a lock by it.
    pub(crate) fn with_locks<T>(&self, f: impl FnOnce(&mut LockTable) -> (T, Vec<Waker>)) -> T {
        let (result, wakers) = f(&mut self.locks.lock());
        for waker in wakers {
            // A waiter that has gone gives the lock back by itself.
            let _ = waker.send(Ok(()));
        }
        result
    }

    /// Looks at the lock table.
    pub(crate) fn locks(&self) -> parking_lot::MutexGuard<'_, LockTable> {
        self.locks.lock()
    }

    /// The error for a request that arrives while another replica leads.
    pub(crate) fn not_leader(&self) -> KvError {
        KvError::NotLeader { range: self.range, leader: self.replication.leader() }
    }

    /// Fires when intents of the transaction are resolved here.
    pub(crate) fn on_resolved(&self, txn: TxnId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut resolved = self.resolved.lock();
        let waiters = resolved.entry(txn).or_default();
        waiters.retain(|waiter| !waiter.is_canceled());
        waiters.push(sender);
        receiver
    }

    /// Intents of the transaction were resolved here.
    pub(crate) fn resolved(&self, txn: TxnId) {
        wake(self.resolved.lock().remove(&txn).unwrap_or_default());
    }

    /// Releases the locks of the transactions that a node coordinates, up to this one.
    pub(crate) fn release_locks_of(&self, node: NodeId, last: u64) {
        self.with_locks(|locks| {
            let txns = locks.of_node(node, last);
            ((), txns.into_iter().flat_map(|txn| locks.release_all(txn)).collect())
        });
    }

    /// Drops waiters that have left.
    pub(crate) fn sweep_resolved(&self, txn: TxnId) {
        let mut resolved = self.resolved.lock();
        if let Some(waiters) = resolved.get_mut(&txn) {
            waiters.retain(|waiter| !waiter.is_canceled());
            if waiters.is_empty() {
                resolved.remove(&txn);
            }
        }
    }

    /// Fires when this replica has applied something.
    pub(crate) fn on_applied(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.applied.lock().push(sender);
        receiver
    }

    /// Between an election and the first request: the draw at which the timestamp cache begins.
    async fn prepare(self: Arc<Self>, term: u64) {
        let low_water = loop {
            if !self.leadership.is_leading(term) {
                return;
            }
            match self.env.oracle.now().await {
                Ok(ts) => break ts,
                Err(error) => {
                    tracing::debug!(range = %self.range, %error, "no timestamp for a new leader yet");
                    self.env.clock.sleep(ORACLE_PAUSE).await;
                }
            }
        };
        let intents = self.count_intents(&self.replication.descriptor().span);
        self.leadership.serve(term, || {
            self.sequencer.reset(low_water);
            self.saw(low_water);
            self.raise_safe_point(self.replication.safe_point());
            self.intents.set(term, intents);
        });
    }

    /// How many intents stand in the span; `None` when that is unknown.
    pub(crate) fn count_intents(&self, span: &Span) -> Option<u64> {
        let limit = IntentCount::COUNTED_MAX;
        match mvcc::intents(&self.env.engine.snapshot(), span, limit) {
            Ok(found) if found.len() < limit => Some(found.len() as u64),
            Ok(_) => None,
            Err(error) => {
                tracing::error!(range = %self.range, %error, "cannot read intents");
                None
            }
        }
    }

    /// Takes all locks away; those who wait are told why.
    fn drop_locks(&self, error: &KvError) {
        self.locks.lock().retain(&Span::default(), error);
        let waiters = std::mem::take(&mut *self.resolved.lock());
        wake(waiters.into_values().flatten().collect());
    }
}

fn wake(waiters: Vec<oneshot::Sender<()>>) {
    for waiter in waiters {
        let _ = waiter.send(());
    }
}

/// What replication tells a replica.
pub(crate) struct Observer(pub(crate) Weak<Replica>);

impl ReplicaObserver for Observer {
    fn on_lead(&self, term: u64) {
        let Some(replica) = self.0.upgrade() else { return };
        replica.leadership.begin(term);
        replica.drop_locks(&replica.not_leader());
        let clock = Arc::clone(&replica.env.clock);
        clock.spawn(Box::pin(replica.prepare(term)));
    }

    fn on_follow(&self, leader: Option<ReplicaDescriptor>) {
        let Some(replica) = self.0.upgrade() else { return };
        replica.leadership.end();
        replica.drop_locks(&KvError::NotLeader { range: replica.range, leader });
    }

    fn on_apply(&self, command: &Command) {
        let Some(replica) = self.0.upgrade() else { return };
        replica.saw(command.max_ts);
        if let Some(Trigger::SafePoint(ts)) = command.trigger {
            replica.raise_safe_point(ts);
        }
        let waiters = std::mem::take(&mut *replica.applied.lock());
        wake(waiters);
    }

    fn on_descriptor(&self, descriptor: &Arc<RangeDescriptor>) {
        let Some(replica) = self.0.upgrade() else { return };
        let is_new = std::mem::replace(&mut *replica.span.lock(), descriptor.span.clone())
            != descriptor.span;
        if is_new {
            let error = KvError::StaleEpoch { current: (**descriptor).clone() };
            replica.locks.lock().retain(&descriptor.span, &error);
        }
    }

    fn on_destroy(&self) {
        let Some(replica) = self.0.upgrade() else { return };
        replica.leadership.end();
        replica.drop_locks(&KvError::RangeNotFound(replica.range));
        if let Some(store) = replica.store.upgrade() {
            store.remove(&replica);
        }
    }
}

/// The place of a transaction's record in latches and timestamp cache: beside all keys, so that the
/// traffic of the anchor key and that of the record do not meet. Keys never start with 0xff.
pub(crate) fn record_slot(anchor: &base::api::TxnAnchor) -> Key {
    let mut slot = Vec::with_capacity(anchor.anchor.len() + 17);
    slot.push(0xff);
    slot.extend_from_slice(&anchor.anchor);
    slot.extend_from_slice(&anchor.txn.to_bytes());
    slot.into()
}
