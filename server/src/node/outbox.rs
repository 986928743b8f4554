//! The way out for Raft messages: `rpc` for other nodes.

use super::peers::Peers;
use base::NodeId;
use base::peer_api::PeerMessage;
use shard::raft::Outbox;
use std::sync::Arc;

/// Raft's way to the other nodes.
pub(crate) struct PeerOutbox(pub(crate) Arc<Peers>);

impl Outbox for PeerOutbox {
    fn send(&self, to: NodeId, messages: Vec<PeerMessage>) -> Result<(), Vec<PeerMessage>> {
        if self.0.send_peer(to, &messages) { Ok(()) } else { Err(messages) }
    }
}
