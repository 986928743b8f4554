//! What replication needs of its surroundings: a way out for messages, and a way to be polled.

use base::NodeId;
use base::peer_api::PeerMessage;
use std::sync::Arc;

/// Takes messages for other nodes.
pub trait Outbox: Send + Sync {
    /// Sends messages, in order. Never blocks. Messages that are known not to leave, or some of which
    /// are, are given back; others may get lost all the same: Raft repeats itself.
    fn send(&self, to: NodeId, messages: Vec<PeerMessage>) -> Result<(), Vec<PeerMessage>>;
}

/// Called when there is something new for one of the polled values. Called from any thread, often;
/// must be cheap and must not call back.
#[derive(Clone)]
pub struct RaftNotify {
    /// [`crate::raft::RaftLoop`] has input.
    pub raft: Arc<dyn Fn() + Send + Sync>,
    /// [`crate::raft::Applier`] has input.
    pub apply: Arc<dyn Fn() + Send + Sync>,
}
