//! The process's copy of the catalog and how it learns of changes.
//!
//! A transaction that changes the catalog commits like any other and then *announces* its commit
//! timestamp: every process that serves SQL loads the catalog as of that timestamp or later before
//! the announcement is answered, and only then is the client told. So a client that saw DDL succeed
//! finds its effect on every node, and statements validate their plans against the process's own
//! copy without asking anybody.
//!
//! Transactions that wrote to a table under an older version may still be running on any node.
//! Where that matters (an index that they do not maintain, storage that is about to be abandoned)
//! the announcement asks to *drain* the table: it is answered when no transaction is left that
//! pinned the table under an older version.

use crate::CatalogError;
use crate::descriptor::{Descriptor, Oid, Table};
use crate::snapshot::CatalogSnapshot;
use crate::sweeper::Sweeper;
use crate::{bootstrap, fence, store};
use base::{BoxFuture, Clock, KvResult, MonoTime, Timestamp};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use txn::{Isolation, TxnClient};

/// Pause between looks at transactions that hold up a drain.
const DRAIN_POLL: Duration = Duration::from_millis(2);

/// Pause between looks at a lease that has run out.
const LEASE_POLL: Duration = Duration::from_millis(50);

/// Reaches the other processes. The server implements it over its internal protocol; alone on one
/// node there is nobody to tell ([`NobodyElse`]).
pub trait CatalogBroadcast: Send + Sync {
    /// Makes every other live process that serves SQL call [`Catalog::adopt`] with the same
    /// arguments; answers when each has answered, or can no longer serve under the old version
    /// because its lease ([`Catalog::set_lease`]) has run out.
    fn announce(&self, at: Timestamp, drain: Option<Oid>) -> BoxFuture<'static, KvResult<()>>;
}

/// The broadcast of a process that is alone.
pub struct NobodyElse;

impl CatalogBroadcast for NobodyElse {
    fn announce(&self, _at: Timestamp, _drain: Option<Oid>) -> BoxFuture<'static, KvResult<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// One per process.
pub struct Catalog {
    client: TxnClient,
    clock: Arc<dyn Clock>,
    broadcast: Arc<dyn CatalogBroadcast>,
    builtin: Vec<Arc<Table>>,
    current: RwLock<Loaded>,
    /// Id of the current snapshot, to be compared without a lock.
    current_id: AtomicU64,
    lease_until: AtomicU64,
    /// How often the lease has run out so far.
    lapses: AtomicU64,
    /// How many transactions have written to a table under the version of a timestamp.
    pins: Mutex<BTreeMap<(Oid, Timestamp), u64>>,
    /// Counts loads: what is cached beside the catalog (sequence values) checks it.
    epoch: AtomicU64,
    sweeper: Arc<Sweeper>,
    loading: futures::lock::Mutex<()>,
}

#[derive(Clone)]
struct Loaded {
    snapshot: Arc<CatalogSnapshot>,
    at: Timestamp,
}

/// A transaction writes to a table under one version of the catalog; dropping the pin lets drains
/// of the table pass.
pub struct Pin {
    catalog: Arc<Catalog>,
    table: Oid,
    at: Timestamp,
    lapses: u64,
}

impl Pin {
    /// The table.
    pub fn table(&self) -> Oid {
        self.table
    }

    /// False when the process has been cut off since: drains have not waited for this pin, and what
    /// was written under it must not be committed.
    pub fn holds(&self) -> bool {
        self.catalog.has_lease() && self.lapses == self.catalog.lapses.load(Ordering::Acquire)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.catalog.pins.lock();
        if let Some(count) = pins.get_mut(&(self.table, self.at)) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&(self.table, self.at));
            }
        }
    }
}

impl Catalog {
    /// Knows only the built-in virtual tables until [`Catalog::open`].
    pub fn new(
        client: TxnClient,
        clock: Arc<dyn Clock>,
        broadcast: Arc<dyn CatalogBroadcast>,
        builtin: Vec<Arc<Table>>,
    ) -> Arc<Catalog> {
        let snapshot = Arc::new(with_builtin(Vec::new(), &builtin));
        let sweeper = Sweeper::new(client.clone());
        Arc::new(Catalog {
            client,
            sweeper,
            clock,
            broadcast,
            builtin,
            current_id: AtomicU64::new(snapshot.id()),
            current: RwLock::new(Loaded { snapshot, at: Timestamp::ZERO }),
            lease_until: AtomicU64::new(u64::MAX),
            lapses: AtomicU64::new(0),
            pins: Mutex::new(BTreeMap::new()),
            epoch: AtomicU64::new(0),
            loading: futures::lock::Mutex::new(()),
        })
    }

    /// Sets the catalog up if this cluster has none yet, and loads it.
    pub async fn open(&self) -> Result<(), CatalogError> {
        bootstrap::run(&self.client).await?;
        let now = self.client.now().await?;
        self.load(now).await
    }

    /// The newest committed catalog that this process knows.
    pub fn current(&self) -> Arc<CatalogSnapshot> {
        self.current.read().snapshot.clone()
    }

    /// [`CatalogSnapshot::id`] of [`Catalog::current`], cheaply.
    pub fn current_id(&self) -> u64 {
        self.current_id.load(Ordering::Acquire)
    }

    /// Grows with every load.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A transaction is about to write to a table under this snapshot; `None` when the snapshot is
    /// no longer current and the statement has to be planned again.
    pub fn pin(self: &Arc<Self>, table: Oid, snapshot: u64) -> Option<Pin> {
        let current = self.current.read();
        if current.snapshot.id() != snapshot {
            return None;
        }
        let lapses = self.lapses.load(Ordering::Acquire);
        // Under the read lock: whoever adopts a newer version afterwards sees the pin.
        *self.pins.lock().entry((table, current.at)).or_insert(0) += 1;
        Some(Pin { catalog: self.clone(), table, at: current.at, lapses })
    }

    /// Until when this process may serve without hearing from the cluster. Without a server around
    /// it nobody sets one, and none is needed.
    pub fn set_lease(&self, until: MonoTime) {
        if !self.has_lease() {
            self.lapses.fetch_add(1, Ordering::AcqRel);
        }
        self.lease_until.store(until.0, Ordering::Release);
    }

    /// May statements run under the current version? Else the process is cut off from the cluster.
    pub fn has_lease(&self) -> bool {
        let until = self.lease_until.load(Ordering::Acquire);
        until == u64::MAX || self.clock.now().0 < until
    }

    /// Waits until statements may run again; false when that takes longer than `patience`.
    pub async fn wait_for_lease(&self, patience: Duration) -> bool {
        let begun = self.clock.now();
        while !self.has_lease() {
            if self.clock.now().since(begun) >= patience {
                return false;
            }
            self.clock.sleep(LEASE_POLL).await;
        }
        true
    }

    /// A change committed at `at`: loads the catalog as of then or later; with `drain` also waits
    /// for transactions that have written to this table under older versions.
    pub async fn adopt(&self, at: Timestamp, drain: Option<Oid>) -> Result<(), CatalogError> {
        if self.current.read().at < at {
            self.load(at).await?;
        }
        if let Some(table) = drain {
            while self.is_pinned(table, at) {
                self.clock.sleep(DRAIN_POLL).await;
            }
        }
        Ok(())
    }

    /// Adopts a change here and everywhere else. `Err` means that some process could not be
    /// reached and might still work under the old version.
    pub async fn announce(&self, at: Timestamp, drain: Option<Oid>) -> Result<(), CatalogError> {
        self.adopt(at, drain).await?;
        Ok(self.broadcast.announce(at, drain).await?)
    }

    /// Makes the other processes load the catalog again and drop what they keep beside it: values
    /// of a sequence that was set outside of any transaction.
    pub async fn announce_to_others(&self, at: Timestamp) -> KvResult<()> {
        self.broadcast.announce(at, None).await
    }

    /// Deletes what dropped and rewritten tables leave behind.
    pub fn sweeper(&self) -> &Arc<Sweeper> {
        &self.sweeper
    }

    /// The transaction client that descriptors are read through.
    pub fn client(&self) -> &TxnClient {
        &self.client
    }

    fn is_pinned(&self, table: Oid, below: Timestamp) -> bool {
        self.pins.lock().range((table, Timestamp::ZERO)..(table, below)).next().is_some()
    }

    async fn load(&self, at_least: Timestamp) -> Result<(), CatalogError> {
        let _one_at_a_time = self.loading.lock().await;
        if self.current.read().at >= at_least {
            return Ok(());
        }
        let mut txn = self.client.begin(Isolation::RepeatableRead, true);
        let at = txn.snapshot().await?;
        let objects = store::load(&mut txn).await?;
        let fences = fence::load(&mut txn).await?;
        txn.rollback().await;
        let snapshot = with_builtin(objects, &self.builtin).with_fences(fences);
        let snapshot = Arc::new(snapshot);
        let mut current = self.current.write();
        self.current_id.store(snapshot.id(), Ordering::Release);
        *current = Loaded { snapshot, at };
        self.epoch.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

fn with_builtin(objects: Vec<Descriptor>, builtin: &[Arc<Table>]) -> CatalogSnapshot {
    let schemas = bootstrap::builtin_schemas().map(|s| Descriptor::Schema(Arc::new(s)));
    let tables = builtin.iter().cloned().map(Descriptor::Table);
    CatalogSnapshot::new(objects.into_iter().chain(schemas).chain(tables))
}
