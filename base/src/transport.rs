//! How requests reach other processes.

use crate::api::{RangeRequest, RangeResponse};
use crate::meta_api::{MetaRequest, MetaResponse};
use crate::{KvResult, NodeId};
use std::pin::Pin;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Delivers requests to nodes. A request to the own node is a plain function call whose future runs
/// in the caller's task. A request that may have reached its node but whose answer was lost ends
/// with [`crate::KvError::Unreachable`] `{ maybe_sent: true }`.
pub trait Transport: Send + Sync {
    /// The node this transport belongs to (`NodeId(0)` before it has an id).
    fn local_node(&self) -> NodeId;
    /// Sends a request to the replica of its range on `node`.
    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>>;
    /// Answers a request to the own node at once, without a future, if nobody is in its way and
    /// nothing has to be waited for: point reads on a leader. `None`: it must be sent.
    fn answer_now(&self, node: NodeId, request: &RangeRequest) -> Option<KvResult<RangeResponse>> {
        let _ = (node, request);
        None
    }
    /// Sends a request to the meta replica on `node`.
    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>>;
    /// Nodes that may hold meta replicas, best guess first.
    fn meta_nodes(&self) -> Vec<NodeId>;
}
