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
use base::meta_api::MetaRequest;
use base::{Clock, NodeDescriptor, NodeId, Transport};
use broadcast::Broadcast;
use clock::RealClock;
use control::Identity;
use discovery::Newcomer;
use failpoint::{FailingTransport, Failpoint};
use gc::Horizon;
use handler::{NodeHandler, Services};
use heartbeat::Heart;
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
    /// The replication threads.
    pub(crate) replication: replication::Replication,
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

    /// Hands leaders over and stops replicating.
    pub(crate) async fn stop(mut self) {
        self.replication.drain().await;
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

    /// What this node says of itself.
    fn descriptor(&self, node: NodeId) -> NodeDescriptor {
        let settings = &self.settings;
        let is_proxy = settings.has(Role::Proxy);
        NodeDescriptor {
            node,
            rpc_addr: settings.advertise_rpc.clone(),
            sql_addr: if is_proxy { settings.sql_listen.clone() } else { String::new() },
            http_addr: settings.http_listen.clone(),
            is_shard: settings.has(Role::Shard),
            is_meta: settings.has(Role::Meta),
            is_proxy,
        }
    }

    async fn identify(&self) -> Result<Identity, Failure> {
        let identity = match self.local.identity()? {
            Some(identity) => {
                self.check_cluster(&identity).await?;
                identity
            }
            None => {
                let identity = self.find_identity().await?;
                self.local.set_identity(&identity)?;
                identity
            }
        };
        self.rpc_identity.set(identity.cluster, identity.node);
        self.admission.set_identity(identity.clone());
        Ok(identity)
    }

    async fn find_identity(&self) -> Result<Identity, Failure> {
        let own = [self.settings.advertise_rpc.clone()];
        let join = if self.settings.join.is_empty() { &own[..] } else { &self.settings.join };
        let newcomer = Newcomer {
            descriptor: self.descriptor(NodeId(0)),
            join,
            instance: self.local.instance(rand::random)?,
            seed: rand::random(),
        };
        let report = |reason: &str| crate::exit::complain(reason);
        let found = discovery::find_identity(&newcomer, &found::AskByAddress, report);
        found.await.map_err(Failure::new)
    }

    /// A directory of another cluster than the one it is told to join is refused. Who cannot be
    /// asked now is asked by the handshake later.
    async fn check_cluster(&self, identity: &Identity) -> Result<(), Failure> {
        use control::{ControlRequest, ControlResponse};
        use discovery::Ask;
        for address in self.settings.join.iter().filter(|a| **a != self.settings.advertise_rpc) {
            if let Ok(ControlResponse::Hello { cluster: Some(cluster), .. }) =
                found::AskByAddress.ask(address, ControlRequest::Hello).await
                && cluster != identity.cluster
            {
                let dir = self.settings.data_dir.display();
                return Err(Failure::new(format!(
                    "data directory {dir} belongs to another cluster than {address}"
                )));
            }
        }
        Ok(())
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
        self.handler.open(Services {
            transport,
            raft: replication.handle.clone(),
            client: client.clone(),
            engine: engine.clone(),
        });
        self.register(&client, &identity, &peers).await?;
        let node = Node {
            id: node,
            engine: engine.clone(),
            client,
            store,
            disk: self.disk.clone(),
            replication,
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
            meta = self.learn_members(&mut addresses).await;
        }
        Ok(Peers::new(identity.node, pool, self.local.clone(), addresses, meta))
    }

    /// A node that joined later asks the nodes of its `--join` list who the meta nodes are, until
    /// one answers.
    async fn learn_members(&self, addresses: &mut BTreeMap<NodeId, String>) -> Vec<NodeId> {
        use control::{ControlRequest, ControlResponse};
        use discovery::Ask;
        loop {
            for address in &self.settings.join {
                let Ok(ControlResponse::Hello { members, nodes, .. }) =
                    found::AskByAddress.ask(address, ControlRequest::Hello).await
                else {
                    continue;
                };
                addresses.extend(nodes);
                if !members.is_empty() {
                    for member in &members {
                        addresses.entry(member.node).or_insert(member.address.clone());
                    }
                    return members.iter().map(|m| m.node).collect();
                }
            }
            self.clock.sleep(RETRY).await;
        }
    }

    /// Tells meta about this node's addresses, however long meta takes to come up.
    async fn register(
        &self,
        client: &TxnClient,
        identity: &Identity,
        peers: &Peers,
    ) -> Result<(), Failure> {
        use base::meta_api::MetaResponse;
        let node = self.descriptor(identity.node);
        loop {
            let request = MetaRequest::Join { node: node.clone(), cluster: Some(identity.cluster) };
            match client.meta(request).await {
                Ok(MetaResponse::Joined { nodes, .. }) => {
                    peers.update(nodes.iter());
                    return Ok(());
                }
                Ok(_) => return Err(Failure::new("meta gave an unexpected answer")),
                Err(base::KvError::Fatal(reason)) => return Err(Failure::new(reason)),
                Err(error) => tracing::info!(%error, "waiting for meta"),
            }
            self.clock.sleep(RETRY).await;
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
