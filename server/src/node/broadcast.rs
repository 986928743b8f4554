//! News of catalog changes for the other processes that serve SQL.
//!
//! A change is first noted in a cluster setting: from then on no process renews its catalog lease
//! without having adopted it (`heartbeat`). Then everybody is told directly, which is what usually
//! ends the wait. A process that does not answer is waited out: after one lease it has either
//! adopted the change or stopped serving.

use super::control::{ControlRequest, ControlResponse};
use super::peers::Peers;
use base::codec::{Blob, from_message, to_message};
use base::meta_api::{MetaRequest, MetaResponse};
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
        let others = self.other_proxies(client).await?;
        if others.is_empty() {
            return Ok(());
        }
        let value = Some(Blob::from(at.0.to_le_bytes().to_vec()));
        client.meta(MetaRequest::SetSetting { name: CATALOG_VERSION.into(), value }).await?;
        let noted = self.clock.now();
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
        let MetaResponse::Nodes(nodes) = client.meta(MetaRequest::Nodes).await? else {
            return Err(KvError::Fatal("meta gave an unexpected answer".into()));
        };
        // A node that was just declared dead may still hold a lease; a live one that does not
        // answer costs the wait of one lease. Both are told.
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
