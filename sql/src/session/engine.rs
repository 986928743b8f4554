//! The process's SQL engine: what all sessions share.

use super::api::ConnectParams;
use super::errors;
use super::session::Session;
use crate::ddl::fence::{self, FenceWaits};
use crate::views;
use base::meta_api::IdKind;
use base::{Clock, NodeId};
use catalog::{Catalog, CatalogBroadcast, CatalogSnapshot, Counters, Oid};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use txn::TxnClient;
use types::{Severity, SqlError, sqlstate};

/// What the engine needs from its process.
pub struct EngineEnv {
    /// The way to the data.
    pub client: TxnClient,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// This process.
    pub node: NodeId,
    /// Tells the other processes of catalog changes; [`catalog::NobodyElse`] on a single node.
    pub broadcast: Arc<dyn CatalogBroadcast>,
}

/// One per process.
pub struct Engine {
    client: TxnClient,
    clock: Arc<dyn Clock>,
    node: NodeId,
    catalog: Arc<Catalog>,
    counters: Counters,
    sessions: Mutex<BTreeMap<u64, Arc<SessionInfo>>>,
    fence_waits: FenceWaits,
    next_session: AtomicU64,
    started_millis: u64,
}

/// What others may know of a session: `pg_stat_activity`.
pub struct SessionInfo {
    /// Unique within the process.
    pub id: u64,
    pub process_id: i32,
    pub user: String,
    pub database: Oid,
    pub started_millis: u64,
    pub cancel: Arc<super::CancelToken>,
    pub activity: Mutex<Activity>,
}

/// What a session is doing.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    pub application_name: String,
    /// `active`, `idle`, `idle in transaction`, …
    pub state: &'static str,
    pub query: String,
    pub query_start_millis: u64,
}

impl Engine {
    /// Knows nothing of the cluster's catalog until [`Engine::open`].
    pub fn new(env: EngineEnv) -> Arc<Engine> {
        let catalog =
            Catalog::new(env.client.clone(), env.clock.clone(), env.broadcast, views::tables());
        let started_millis = env.clock.wall_millis();
        Arc::new(Engine {
            client: env.client,
            clock: env.clock,
            node: env.node,
            catalog,
            counters: Counters::default(),
            sessions: Mutex::new(BTreeMap::new()),
            fence_waits: FenceWaits::default(),
            next_session: AtomicU64::new(1),
            started_millis,
        })
    }

    /// Sets the catalog up on the first start of a cluster, and loads it. What DDL of an earlier
    /// life of the process has left behind is cleared away.
    pub async fn open(self: &Arc<Self>) -> Result<(), SqlError> {
        let opened = self.catalog.open().await;
        opened.map_err(|error| errors::from_catalog(error, &self.catalog.current()))?;
        fence::release_of_earlier_life(self).await?;
        self.catalog.sweeper().wake();
        Ok(())
    }

    /// Starts a session. Errors are FATAL: the connection ends with them.
    pub async fn connect(self: &Arc<Engine>, params: ConnectParams) -> Result<Session, SqlError> {
        let catalog = self.catalog.current();
        let opened = Session::open(self.clone(), &catalog, params);
        opened.map_err(|error| error.with_severity(Severity::Fatal))
    }

    /// The process's copy of the catalog: the server calls [`Catalog::adopt`] and
    /// [`Catalog::set_lease`] on it.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The way to the data.
    pub fn client(&self) -> &TxnClient {
        &self.client
    }

    /// Time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// This process.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Blocks of numbers in use.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When the process started, milliseconds since 1970.
    pub fn started_millis(&self) -> u64 {
        self.started_millis
    }

    /// Who waits for fences.
    pub(crate) fn fence_waits(&self) -> &FenceWaits {
        &self.fence_waits
    }

    /// The sessions of this process, in the order in which they began.
    pub fn sessions(&self) -> Vec<Arc<SessionInfo>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// A fresh OID.
    pub async fn new_oid(&self, catalog: &CatalogSnapshot) -> Result<Oid, SqlError> {
        let id = self.client.next_ids(IdKind::Oid, 1).await;
        let id = id.map_err(|error| errors::from_kv(error, catalog))?;
        Oid::try_from(id).map_err(|_| {
            SqlError::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "all object ids are used up")
        })
    }

    pub(super) fn register(
        &self,
        process_id: i32,
        user: &str,
        database: Oid,
        cancel: Arc<super::CancelToken>,
    ) -> Arc<SessionInfo> {
        let info = Arc::new(SessionInfo {
            id: self.next_session.fetch_add(1, Ordering::Relaxed),
            process_id,
            user: user.to_owned(),
            database,
            started_millis: self.clock.wall_millis(),
            cancel,
            activity: Mutex::new(Activity { state: "idle", ..Activity::default() }),
        });
        self.sessions.lock().insert(info.id, info.clone());
        info
    }

    pub(super) fn unregister(&self, id: u64) {
        self.sessions.lock().remove(&id);
    }
}
