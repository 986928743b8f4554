//! What a server does with what arrives.

use base::api::{RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{BoxFuture, ClusterId, KvResult, NodeId};

/// Who is on the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// 0 for a process that has no id yet, or is no node (the command line).
    pub node: NodeId,
    /// `None` for a process that belongs to no cluster yet, or is no node.
    pub cluster: Option<ClusterId>,
}

/// The process behind a server. What answers a request is dropped at the request's deadline, at
/// which its caller has given up: work that has to be brought to an end runs in a task of its own.
pub trait Handler: Send + Sync + 'static {
    /// A request to a range. Runs in a task of its own.
    fn range(&self, request: RangeRequest) -> BoxFuture<'static, KvResult<RangeResponse>>;
    /// A request to the meta replica of this process. Runs in a task of its own.
    fn meta(&self, request: MetaRequest) -> BoxFuture<'static, KvResult<MetaResponse>>;
    /// Raft traffic; called in the order of arrival of each connection and must not block.
    fn peer(&self, from: NodeId, messages: Vec<PeerMessage>);
    /// Anything else. The only door open to a caller without a cluster.
    fn control(&self, caller: Caller, payload: Vec<u8>) -> BoxFuture<'static, Vec<u8>>;
}
