//! Why a call has no answer.

use base::{KvError, NodeId};

/// What went wrong, by what the caller may conclude from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// There is no connection: the request was not sent.
    #[error("{address}: {reason}")]
    Unreachable { address: String, reason: String },
    /// No process listens at the address: the request was not sent.
    #[error("{address}: connection refused")]
    NobodyListens { address: String },
    /// The other side refused the handshake (another node, another version): the request was not
    /// sent, and trying again will not help soon.
    #[error("{address}: {reason}")]
    Refused { address: String, reason: String },
    /// The other side belongs to another cluster: the request was not sent and never will be, as
    /// long as that one is there.
    #[error("{address}: {reason}")]
    Stranger { address: String, reason: String },
    /// Too much is waiting for this connection already: the request was not sent.
    #[error("{address}: too many requests are waiting")]
    Full { address: String },
    /// The request is too large for a frame.
    #[error("message of {bytes} bytes is longer than {limit}")]
    TooLarge { bytes: usize, limit: usize },
    /// The connection was lost while the answer was awaited: the request may have taken effect.
    #[error("{address}: the connection was lost before the answer came")]
    Lost { address: String },
    /// No answer in time: the request may have taken effect, or may still.
    #[error("{address}: no answer in time")]
    Timeout { address: String },
    /// An answer that is not what it should be.
    #[error("{address}: malformed answer")]
    Malformed { address: String },
}

impl RpcError {
    /// What the transaction layers know about the fate of a request to `node`.
    pub fn into_kv(self, node: NodeId) -> KvError {
        match self {
            RpcError::Unreachable { .. }
            | RpcError::NobodyListens { .. }
            | RpcError::Refused { .. }
            | RpcError::Stranger { .. } => KvError::Unreachable { node, maybe_sent: false },
            RpcError::Full { .. } => KvError::Unavailable(self.to_string()),
            RpcError::TooLarge { .. } => KvError::Fatal(self.to_string()),
            RpcError::Lost { .. } | RpcError::Timeout { .. } | RpcError::Malformed { .. } => {
                KvError::Unreachable { node, maybe_sent: true }
            }
        }
    }
}
