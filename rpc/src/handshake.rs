//! The first frames of a connection: who calls whom.

use crate::frame::VERSION;
use crate::handler::Caller;
use crate::identity::LocalIdentity;
use base::{ClusterId, NodeId};
use bincode::{Decode, Encode};

/// Tells this protocol from whatever else may knock.
const MAGIC: u64 = u64::from_be_bytes(*b"ShardRPC");
/// A handshake is short; nothing longer is kept of a stranger.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1024;

/// What a client says first.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Hello {
    magic: u64,
    version: u8,
    cluster: Option<ClusterId>,
    from: NodeId,
    /// The node that the client means to reach, 0 for any.
    to: NodeId,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Welcome {
    cluster: Option<ClusterId>,
    node: NodeId,
}

/// Why a client is not accepted, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It belongs to another cluster.
    #[error("{0}")]
    Stranger(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal::Other(reason)
    }
}

impl Hello {
    pub(crate) fn new(local: &LocalIdentity, to: NodeId) -> Hello {
        Hello { magic: MAGIC, version: VERSION, cluster: local.cluster(), from: local.node(), to }
    }

    pub(crate) fn cluster(&self) -> Option<ClusterId> {
        self.cluster
    }

    /// The server's decision: the caller, or the reason against it.
    pub(crate) fn check(&self, local: &LocalIdentity) -> Result<Caller, Refusal> {
        if self.magic != MAGIC {
            return Err("this is not the internal protocol of ShardDB".to_owned().into());
        }
        if self.version != VERSION {
            let reason =
                format!("protocol version {} is not spoken here, {VERSION} is", self.version);
            return Err(reason.into());
        }
        if let (Some(theirs), Some(ours)) = (self.cluster, local.cluster())
            && theirs != ours
        {
            let reason = format!("this node belongs to another cluster ({ours}, not {theirs})");
            return Err(Refusal::Stranger(reason));
        }
        if self.to != NodeId(0) && self.to != local.node() {
            let reason = match local.node() {
                NodeId(0) => format!("this process is not {} (yet)", self.to),
                node => format!("this is {node}, not {}", self.to),
            };
            return Err(reason.into());
        }
        Ok(Caller { node: self.from, cluster: self.cluster })
    }
}

impl Welcome {
    pub(crate) fn new(local: &LocalIdentity) -> Welcome {
        Welcome { cluster: local.cluster(), node: local.node() }
    }
}
