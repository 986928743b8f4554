//! News of catalog changes for the other processes that serve SQL.
//!
//! **No statement begins under a catalog version once a newer one has been announced.** It rests on
//! this order, from which nothing may be left out, whoever else is there:
//!
//! 1. A process serves SQL only under a lease, which begins when a heartbeat is sent, lasts
//!    [`CATALOG_LEASE`], and is taken only after the version has been adopted that the answer of meta
//!    names (`heartbeat`). There is no lease without an end.
//! 2. A change is first noted in a cluster setting. Every heartbeat that meta answers from then on
//!    names it or a later one.
//! 3. Only then is meta asked who serves SQL. Whoever is dead by its count has not had a heartbeat
//!    answered for at least a lease; when it returns it needs another one, and adopts the change.
//! 4. Those who are alive are told, which is what usually ends the wait. One that does not answer is
//!    waited out for one lease.

use super::control::{ControlRequest, ControlResponse};
use super::peers::Peers;
use base::codec::{Blob, from_message, to_message};
use base::meta_api::MetaRequest;
use base::{BoxFuture, Clock, KvError, KvResult, NodeId, Timestamp};
use catalog::{CatalogBroadcast, Oid};
use futures::future::join_all;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use txn::TxnClient;

/// How long a process serves SQL without having heard from meta.
pub(crate) const CATALOG_LEASE: Duration = Duration::from_secs(5);

/// How long one request waits for transactions that use an abandoned version; then it is made anew.
pub(super) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before those who should drain and have not answered are told again.
const INSIST_EVERY: Duration = Duration::from_secs(1);

/// The setting that holds the newest catalog version, eight bytes.
pub(crate) const CATALOG_VERSION: &str = "catalog.version";

/// Reaches the others over the internal protocol.
pub(crate) struct Broadcast {
    inner: Arc<Inner>,
}

struct Inner {
    peers: Arc<Peers>,
    clock: Arc<dyn Clock>,
    client: OnceLock<TxnClient>,
}

impl Broadcast {
    pub(crate) fn new(peers: Arc<Peers>, clock: Arc<dyn Clock>) -> Broadcast {
        Broadcast { inner: Arc::new(Inner { peers, clock, client: OnceLock::new() }) }
    }

    /// Plugs in the way to meta.
    pub(crate) fn set_client(&self, client: TxnClient) {
        // Called once, while the process is put together.
        let _ = self.inner.client.set(client);
    }
}

impl CatalogBroadcast for Broadcast {
    fn announce(&self, at: Timestamp, drain: Option<Oid>) -> BoxFuture<'static, KvResult<()>> {
        let inner = self.inner.clone();
        Box::pin(async move { inner.announce(at, drain).await })
    }
}

impl Inner {
    async fn announce(&self, at: Timestamp, drain: Option<Oid>) -> KvResult<()> {
        let client = self.client.get().ok_or(KvError::Shutdown)?;
        let value = Some(Blob::from(at.0.to_le_bytes().to_vec()));
        client.meta(MetaRequest::SetSetting { name: CATALOG_VERSION.into(), value }).await?;
        let noted = self.clock.now();
        let others = self.other_proxies(client).await?;
        let silent = self.tell_all(&others, at, drain).await;
        if silent.is_empty() {
            return Ok(());
        }
        let left = CATALOG_LEASE.saturating_sub(self.clock.now().since(noted));
        self.clock.sleep(left).await;
        self.insist(silent, at, drain).await
    }

    /// A process that is alive has adopted the change with a heartbeat by now, but it may still run
    /// transactions that a drain waits for: it is asked until it answers. One that was dead for a
    /// lease does not commit any of those (`catalog::Pin::holds`).
    async fn insist(
        &self,
        mut silent: Vec<NodeId>,
        at: Timestamp,
        drain: Option<Oid>,
    ) -> KvResult<()> {
        let client = self.client.get().ok_or(KvError::Shutdown)?;
        while drain.is_some() && !silent.is_empty() {
            let alive = self.other_proxies(client).await?;
            silent.retain(|node| alive.contains(node));
            silent = self.tell_all(&silent, at, drain).await;
            self.clock.sleep(INSIST_EVERY).await;
        }
        Ok(())
    }

    /// Tells several; those who have not answered.
    async fn tell_all(&self, nodes: &[NodeId], at: Timestamp, drain: Option<Oid>) -> Vec<NodeId> {
        let told = join_all(nodes.iter().map(|node| self.tell(*node, at, drain))).await;
        nodes.iter().zip(told).filter(|(_, answered)| !answered).map(|(node, _)| *node).collect()
    }

    async fn other_proxies(&self, client: &TxnClient) -> KvResult<Vec<NodeId>> {
        let nodes = client.nodes().await?;
        let proxies = nodes.iter().filter(|n| n.descriptor.is_proxy && n.is_live);
        let ids = proxies.map(|n| n.descriptor.node);
        Ok(ids.filter(|node| *node != client.node()).collect())
    }

    async fn tell(&self, node: NodeId, at: Timestamp, drain: Option<Oid>) -> bool {
        let request = to_message(&ControlRequest::Catalog { at, drain });
        let timeout = if drain.is_some() { DRAIN_TIMEOUT } else { CATALOG_LEASE };
        match self.peers.call_control(node, &request, timeout).await {
            Ok(answer) => matches!(from_message(&answer), Ok(ControlResponse::Done)),
            Err(reason) => {
                tracing::info!(%node, %reason, "catalog news were not taken in");
                false
            }
        }
    }
}
