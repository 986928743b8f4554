//! What this process tells others that look for their cluster.

use super::control::{ControlResponse, Identity};
use super::local_state::LocalState;
use super::peers::Peers;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// The answers of discovery.
pub(crate) struct Admission {
    local: LocalState,
    identity: OnceLock<Identity>,
    peers: OnceLock<Arc<Peers>>,
    /// One claim at a time: reading and writing the table of claims is one step.
    claiming: Mutex<()>,
}

impl Admission {
    pub(crate) fn new(local: LocalState) -> Admission {
        Admission {
            local,
            identity: OnceLock::new(),
            peers: OnceLock::new(),
            claiming: Mutex::new(()),
        }
    }

    /// From now on this process belongs to a cluster.
    pub(crate) fn set_identity(&self, identity: Identity) {
        // Set once: an identity never changes.
        let _ = self.identity.set(identity);
    }

    /// Where the other nodes are.
    pub(crate) fn set_peers(&self, peers: Arc<Peers>) {
        // Called once, while the process is put together.
        let _ = self.peers.set(peers);
    }

    /// Who this process is.
    pub(crate) fn hello(&self) -> ControlResponse {
        let nodes = self.peers.get().map(|peers| peers.addresses()).unwrap_or_default();
        match self.identity.get() {
            Some(identity) => ControlResponse::Hello {
                cluster: Some(identity.cluster),
                members: identity.members.clone(),
                nodes,
            },
            None => ControlResponse::Hello { cluster: None, members: Vec::new(), nodes },
        }
    }

    /// Gives an initial member its place. Only the founder (the first member) does.
    pub(crate) fn claim(&self, address: &str, instance: u128) -> ControlResponse {
        let Some(identity) = self.identity.get() else {
            return ControlResponse::Failed("the node belongs to no cluster yet".into());
        };
        let place = identity.members.iter().find(|member| member.address == address);
        let is_founder = identity.members.first().is_some_and(|m| m.node == identity.node);
        let (Some(place), true) = (place, is_founder) else {
            return ControlResponse::Taken;
        };
        let _one = self.claiming.lock();
        match self.local.claim(address, instance) {
            Ok(true) => ControlResponse::Claimed(Identity { node: place.node, ..identity.clone() }),
            Ok(false) => ControlResponse::Taken,
            Err(error) => ControlResponse::Failed(error.to_string()),
        }
    }
}
