//! One process of a cluster, put together.
//!
//! ```text
//! listen ─► open the store ─► who am I? (discovery) ─► peers, transport
//!        ─► coordinator (txn) ─► ranges (shard) ─► Raft threads ─► meta ─► SQL engine
//! ```
//!
//! Crates that do not know each other are plugged together here and nowhere else.

mod admit;
mod broadcast;
mod clock;
pub(crate) mod control;
mod discovery;
pub(crate) mod failpoint;
mod found;
mod gc;
mod handler;
mod heartbeat;
mod local_state;
mod outbox;
mod own_session;
mod peers;
mod plugs;
mod replication;
mod threads;
mod transport;

use crate::cli::Role;
use crate::exit::Failure;
use crate::metrics::Metrics;
use crate::settings::Settings;
use admit::Admission;
use base::meta_api::{IdKind, MetaRequest, MetaResponse};
use base::{Clock, ClusterId, KvResult, MonoTime, NodeDescriptor, NodeId, Transport};
use broadcast::Broadcast;
use clock::RealClock;
use control::{ControlRequest, ControlResponse, Identity};
use discovery::{Ask, Newcomer};
use failpoint::{FailingTransport, Failpoint};
use gc::Horizon;
use handler::{NodeHandler, Services};
use heartbeat::Heart;
pub(crate) use heartbeat::Pulse;
use local_state::{LocalState, failure};
use peers::Peers;
use rpc::{LocalIdentity, Pool, RpcConfig};
use shard::Store;
use sql::Engine as SqlEngine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use storage::{Engine, EngineOptions};
use tokio::net::TcpListener;
use transport::NodeTransport;
use txn::{TxnClient, TxnConfig, TxnEnv};

/// Pause between attempts to reach the cluster while it comes up.
const RETRY: Duration = Duration::from_millis(20);

/// Pause between looks for strangers at the addresses of the cluster.
const REFUSAL_CHECK: Duration = Duration::from_millis(500);

/// A running node.
pub(crate) struct Node {
    /// Who it is.
    pub(crate) id: NodeId,
    /// The SQL engine, with the proxy role.
    pub(crate) engine: Option<Arc<SqlEngine>>,
    /// The way to meta and to the ranges.
    pub(crate) client: TxnClient,
    /// The ranges held here.
    pub(crate) store: Arc<Store>,
    /// The disk.
    pub(crate) disk: Engine,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// The replication threads.
    pub(crate) replication: replication::Replication,
    /// Signs of life of meta.
    pub(crate) pulse: Arc<Pulse>,
}

/// What is known before the node has an id.
struct Foundation {
    settings: Settings,
    clock: Arc<dyn Clock>,
    disk: Engine,
    local: LocalState,
    rpc_identity: Arc<LocalIdentity>,
    admission: Arc<Admission>,
    handler: Arc<NodeHandler>,
    metrics: Arc<Metrics>,
}

impl Node {
    /// Starts everything but the SQL listener; ends when statements can run.
    pub(crate) async fn start(
        settings: Settings,
        rpc: TcpListener,
        metrics: Arc<Metrics>,
    ) -> Result<Node, Failure> {
        let foundation = Foundation::lay(settings, metrics)?;
        foundation.serve(rpc);
        let identity = foundation.identify().await?;
        foundation.build(identity).await
    }

    /// Hands leaders over.
    pub(crate) async fn drain(&self) {
        self.replication.drain().await;
    }

    /// Stops replicating.
    pub(crate) fn stop(mut self) {
        self.replication.stop();
    }
}

impl Foundation {
    fn lay(settings: Settings, metrics: Arc<Metrics>) -> Result<Foundation, Failure> {
        let options = EngineOptions {
            cache_bytes: settings.cache_bytes as usize,
            reserve_bytes: settings.reserve_bytes,
            ..EngineOptions::default()
        };
        let disk = Engine::open(&settings.data_dir, &options).map_err(failure)?;
        let local = LocalState::new(disk.clone());
        let admission = Arc::new(Admission::new(local.clone()));
        let handler = Arc::new(NodeHandler::new(admission.clone()));
        let clock = Arc::new(RealClock::new(tokio::runtime::Handle::current()));
        let rpc_identity = Arc::new(LocalIdentity::unknown());
        Ok(Foundation { settings, clock, disk, local, rpc_identity, admission, handler, metrics })
    }

    fn serve(&self, listener: TcpListener) {
        let (local, handler) = (self.rpc_identity.clone(), self.handler.clone());
        tokio::spawn(rpc::serve(listener, local, handler, RpcConfig::default()));
    }

    /// What this node says of itself before it has an id and a life.
    fn descriptor(&self) -> Result<NodeDescriptor, Failure> {
        let settings = &self.settings;
        let is_proxy = settings.has(Role::Proxy);
        let sql = if is_proxy { settings.advertised(&settings.sql_listen) } else { String::new() };
        Ok(NodeDescriptor {
            instance: self.local.instance(rand::random)?,
            rpc_addr: settings.advertise_rpc.clone(),
            sql_addr: sql,
            http_addr: settings.advertised(&settings.http_listen),
            is_shard: settings.has(Role::Shard),
            is_meta: settings.has(Role::Meta),
            is_proxy,
            ..NodeDescriptor::default()
        })
    }

    async fn identify(&self) -> Result<Identity, Failure> {
        let known = self.local.identity()?;
        let identity = match &known {
            Some(identity) => identity.clone(),
            None => {
                let identity = self.find_identity().await?;
                self.local.set_identity(&identity)?;
                identity
            }
        };
        self.rpc_identity.set(identity.cluster, identity.node);
        self.admission.set_identity(identity.clone());
        if known.is_some() {
            self.check_cluster(&identity).await?;
        }
        Ok(identity)
    }

    async fn find_identity(&self) -> Result<Identity, Failure> {
        let own = [self.settings.advertise_rpc.clone()];
        let join = if self.settings.join.is_empty() { &own[..] } else { &self.settings.join };
        let newcomer = Newcomer { descriptor: self.descriptor()?, join, seed: rand::random() };
        let report = |reason: &str| crate::exit::complain(reason);
        let found = discovery::find_identity(&newcomer, &found::AskByAddress, report);
        found.await.map_err(Failure::new)
    }

    /// A directory of another cluster than the one it is told to join is refused. One that knows
    /// none of those it is told to join waits until one of them says to which cluster it belongs;
    /// otherwise who cannot be asked now is asked by the handshake later.
    async fn check_cluster(&self, identity: &Identity) -> Result<(), Failure> {
        let own = &self.settings.advertise_rpc;
        let others: Vec<&String> = self.settings.join.iter().filter(|a| *a != own).collect();
        let known = self.local.addresses()?;
        let mut known = known.values().chain(identity.members.iter().map(|m| &m.address));
        let must_ask = !others.is_empty() && !known.any(|address| others.contains(&address));
        let mut is_told = false;
        loop {
            let mut has_answer = false;
            for address in &others {
                let answer = found::AskByAddress.ask(address, ControlRequest::Hello).await;
                let Ok(ControlResponse::Hello { cluster: Some(cluster), .. }) = answer else {
                    continue;
                };
                if cluster != identity.cluster {
                    return Err(self.other_cluster(address));
                }
                has_answer = true;
            }
            if has_answer || !must_ask {
                return Ok(());
            }
            if !std::mem::replace(&mut is_told, true) {
                crate::exit::complain("waiting for a node of the --join list");
            }
            self.clock.sleep(RETRY).await;
        }
    }

    fn other_cluster(&self, address: &str) -> Failure {
        let dir = self.settings.data_dir.display();
        Failure::new(format!("data directory {dir} belongs to another cluster than {address}"))
    }

    async fn build(self, identity: Identity) -> Result<Node, Failure> {
        let node = identity.node;
        let peers = Arc::new(self.peers(&identity).await?);
        self.admission.set_peers(peers.clone());
        let transport = Arc::new(NodeTransport::new(node, peers.clone(), self.metrics.clone()));
        let pushdown = Arc::new(sql::pushdown::FragmentHost);
        let client = TxnClient::new(TxnEnv {
            transport: self.coordinators_transport(&transport),
            clock: self.clock.clone(),
            pushdown: pushdown.clone(),
            config: TxnConfig::default(),
        });
        let plugs = Arc::new(plugs::FromTxn(client.clone()));
        let store = Store::new(shard::StoreEnv {
            engine: self.disk.clone(),
            node,
            clock: self.clock.clone(),
            oracle: plugs.clone(),
            peers: transport.clone(),
            router: plugs,
            pushdown,
            config: shard::StoreConfig::default(),
        });
        transport.set_store(store.clone());
        let replication = replication::Replication::start(replication::Parts {
            disk: self.disk.clone(),
            store: store.clone(),
            clock: self.clock.clone(),
            peers: peers.clone(),
            identity: &identity,
            is_meta: self.settings.has(Role::Meta),
        })?;
        if let Some(meta) = &replication.meta {
            transport.set_meta(meta.clone());
        }
        let broadcast = Arc::new(Broadcast::new(peers.clone(), self.clock.clone()));
        broadcast.set_client(client.clone());
        let engine = self.settings.has(Role::Proxy).then(|| {
            SqlEngine::new(sql::session::EngineEnv {
                client: client.clone(),
                clock: self.clock.clone(),
                node,
                broadcast,
            })
        });
        if let Some(engine) = &engine {
            // Nothing is served before the first heartbeat has been answered.
            engine.catalog().set_lease(MonoTime::default());
        }
        self.handler.open(Services {
            transport,
            raft: replication.handle.clone(),
            client: client.clone(),
            engine: engine.clone(),
            peers: peers.clone(),
        });
        self.register(&client, &identity, &peers).await?;
        let node = Node {
            id: node,
            engine: engine.clone(),
            client,
            store,
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            replication,
            pulse: Arc::default(),
        };
        // Heartbeats first: they tell meta of the ranges that the catalog is read from.
        self.spawn_background(&node, peers);
        if let Some(engine) = &engine {
            open_engine(engine).await?;
        }
        Ok(node)
    }

    /// The transport itself, unless a test wants this process to die on the way.
    fn coordinators_transport(&self, transport: &Arc<NodeTransport>) -> Arc<dyn Transport> {
        match Failpoint::named(&self.settings.failpoint) {
            Some(at) => Arc::new(FailingTransport { inner: transport.clone(), at }),
            None => transport.clone(),
        }
    }

    /// What is known of the other processes at the start.
    async fn peers(&self, identity: &Identity) -> Result<Peers, Failure> {
        let mut addresses: BTreeMap<NodeId, String> = self.local.addresses()?;
        for member in &identity.members {
            addresses.entry(member.node).or_insert_with(|| member.address.clone());
        }
        addresses.insert(identity.node, self.settings.advertise_rpc.clone());
        let pool = Arc::new(Pool::new(self.rpc_identity.clone(), RpcConfig::default()));
        let mut meta = identity.member_ids();
        if meta.is_empty() {
            meta = self.learn_members(identity.cluster, &mut addresses).await?;
        }
        Ok(Peers::new(identity.node, pool, self.local.clone(), addresses, meta))
    }

    /// A node that joined later asks the nodes of its `--join` list who the meta nodes are, until
    /// one answers.
    async fn learn_members(
        &self,
        own: ClusterId,
        addresses: &mut BTreeMap<NodeId, String>,
    ) -> Result<Vec<NodeId>, Failure> {
        loop {
            for address in &self.settings.join {
                let Ok(ControlResponse::Hello { cluster: Some(cluster), members, nodes }) =
                    found::AskByAddress.ask(address, ControlRequest::Hello).await
                else {
                    continue;
                };
                if cluster != own {
                    return Err(self.other_cluster(address));
                }
                addresses.extend(nodes);
                if !members.is_empty() {
                    for member in &members {
                        addresses.entry(member.node).or_insert(member.address.clone());
                    }
                    return Ok(members.iter().map(|m| m.node).collect());
                }
            }
            self.clock.sleep(RETRY).await;
        }
    }

    /// Tells meta about this node's addresses and its new life, however long meta takes to come up.
    async fn register(
        &self,
        client: &TxnClient,
        identity: &Identity,
        peers: &Peers,
    ) -> Result<(), Failure> {
        let mut node = self.descriptor()?;
        node.node = identity.node;
        // Whoever joined later has no vote in the meta group, whatever its roles.
        node.is_meta &= identity.is_initial();
        let registered = async {
            loop {
                match self.try_register(client, &mut node, identity.cluster).await {
                    Ok(nodes) => {
                        peers.update(nodes.iter());
                        return Ok(());
                    }
                    Err(base::KvError::Fatal(reason)) => return Err(Failure::new(reason)),
                    Err(error) => tracing::info!(%error, "waiting for meta"),
                }
                self.clock.sleep(RETRY).await;
            }
        };
        tokio::select! {
            registered = registered => registered,
            address = self.refused_by_strangers(peers) => Err(self.other_cluster(&address)),
        }
    }

    /// Ends when another cluster answers wherever this node's own was.
    async fn refused_by_strangers(&self, peers: &Peers) -> String {
        loop {
            self.clock.sleep(REFUSAL_CHECK).await;
            if let Some(address) = peers.refused_by_stranger().await {
                return address;
            }
        }
    }

    async fn try_register(
        &self,
        client: &TxnClient,
        node: &mut NodeDescriptor,
        cluster: ClusterId,
    ) -> KvResult<Vec<NodeDescriptor>> {
        if node.life == 0 {
            // Drawn before any transaction of this life gets its id.
            node.life = client.next_ids(IdKind::Txn, 1).await?;
        }
        let request = MetaRequest::Join { node: node.clone(), cluster: Some(cluster) };
        match client.meta(request).await? {
            MetaResponse::Joined { nodes, .. } => Ok(nodes),
            _ => Err(base::KvError::Fatal("meta gave an unexpected answer".into())),
        }
    }

    fn spawn_background(self, node: &Node, peers: Arc<Peers>) {
        let horizon = Arc::new(Horizon::default());
        let heart = Heart {
            node: node.id,
            client: node.client.clone(),
            store: node.store.clone(),
            raft: node.replication.handle.clone(),
            disk: self.disk.clone(),
            engine: node.engine.clone(),
            peers,
            clock: self.clock.clone(),
            horizon: horizon.clone(),
            pulse: node.pulse.clone(),
        };
        tokio::spawn(heart.beat());
        tokio::spawn(gc::collect(
            node.id,
            node.store.clone(),
            node.client.clone(),
            self.clock.clone(),
            horizon,
        ));
    }
}

/// The catalog is set up by whichever node comes first; the others find it there.
async fn open_engine(engine: &Arc<SqlEngine>) -> Result<(), Failure> {
    loop {
        match engine.open().await {
            Ok(()) => return Ok(()),
            Err(error) if error.code.0.starts_with("XX") => {
                return Err(Failure::new(error.message.clone()));
            }
            Err(error) => tracing::info!(error = %error.message, "waiting for the catalog"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
