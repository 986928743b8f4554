//! Questions to one node of a cluster.

use crate::exit::Failure;
use crate::node::control::{ControlRequest, ControlResponse};
use base::NodeId;
use base::codec::{from_message, to_message};
use rpc::{LocalIdentity, Peer, RpcConfig};
use std::sync::Arc;
use std::time::Duration;

/// A node that is up says who it is at once.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// A move of a large range takes its time.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A cluster, reached through one of its nodes.
pub(super) struct Cluster {
    peer: Peer,
}

impl Cluster {
    /// Connects to the first of these nodes that is up and belongs to a cluster. Only those who
    /// name the cluster are answered anything but the question for it.
    pub(super) async fn at(addresses: &[String]) -> Result<Cluster, Failure> {
        let mut reasons = Vec::new();
        for address in addresses {
            let local = Arc::new(LocalIdentity::unknown());
            let peer = Peer::anybody(address, local.clone(), Arc::new(RpcConfig::default()));
            match ask(&peer, ControlRequest::Hello, HELLO_TIMEOUT).await {
                Ok(ControlResponse::Hello { cluster: Some(cluster), .. }) => {
                    local.set(cluster, NodeId(0));
                    return Ok(Cluster { peer });
                }
                Ok(_) => reasons.push(format!("{address}: it has not joined its cluster yet")),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(Failure::new(format!("no node answers: {}", reasons.join("; "))))
    }

    /// Asks; a refusal is a failure.
    pub(super) async fn ask(&self, request: ControlRequest) -> Result<ControlResponse, Failure> {
        match ask(&self.peer, request, TIMEOUT).await {
            Ok(ControlResponse::Failed(reason)) | Err(reason) => Err(Failure::new(reason)),
            Ok(response) => Ok(response),
        }
    }
}

async fn ask(
    peer: &Peer,
    request: ControlRequest,
    timeout: Duration,
) -> Result<ControlResponse, String> {
    let answer = peer.call_control(&to_message(&request), timeout).await;
    let answer = answer.map_err(|error| error.to_string())?;
    from_message(&answer).map_err(|_| format!("{}: it speaks another version", peer.address()))
}
