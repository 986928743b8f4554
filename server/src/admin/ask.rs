//! One question to one node.

use crate::exit::Failure;
use crate::node::control::{ControlRequest, ControlResponse};
use base::NodeId;
use base::codec::{from_message, to_message};
use rpc::{LocalIdentity, Peer, RpcConfig};
use std::sync::Arc;
use std::time::Duration;

/// A move of a large range takes its time.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A cluster, reached through one of its nodes.
pub(super) struct Cluster {
    peer: Peer,
    local: Arc<LocalIdentity>,
}

impl Cluster {
    /// Connects when first asked.
    pub(super) fn at(address: &str) -> Cluster {
        let local = Arc::new(LocalIdentity::unknown());
        let peer = Peer::anybody(address, local.clone(), Arc::new(RpcConfig::default()));
        Cluster { peer, local }
    }

    /// Asks for the cluster's id first: only those who name it are answered anything else.
    async fn introduce(&self) -> Result<(), Failure> {
        if self.local.cluster().is_some() {
            return Ok(());
        }
        match self.call(ControlRequest::Hello).await? {
            ControlResponse::Hello { cluster: Some(cluster), .. } => {
                self.local.set(cluster, NodeId(0));
                Ok(())
            }
            _ => Err(Failure::new("the node has not joined its cluster yet")),
        }
    }

    /// Asks; a refusal is a failure.
    pub(super) async fn ask(&self, request: ControlRequest) -> Result<ControlResponse, Failure> {
        self.introduce().await?;
        self.call(request).await
    }

    async fn call(&self, request: ControlRequest) -> Result<ControlResponse, Failure> {
        let answer = self
            .peer
            .call_control(&to_message(&request), TIMEOUT)
            .await
            .map_err(|e| Failure::new(e.to_string()))?;
        match from_message(&answer) {
            Ok(ControlResponse::Failed(reason)) => Err(Failure::new(reason)),
            Ok(response) => Ok(response),
            Err(_) => Err(Failure::new("the node speaks another version")),
        }
    }
}
