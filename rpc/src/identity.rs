//! Who this process is, as it tells its peers. Unknown at first start, then set once.

use base::{ClusterId, NodeId};
use parking_lot::RwLock;

/// Shared by servers and clients of a process.
#[derive(Debug, Default)]
pub struct LocalIdentity(RwLock<(Option<ClusterId>, NodeId)>);

impl LocalIdentity {
    /// Nobody yet: control requests only.
    pub fn unknown() -> LocalIdentity {
        LocalIdentity::default()
    }

    /// A member of a cluster.
    pub fn member(cluster: ClusterId, node: NodeId) -> LocalIdentity {
        LocalIdentity(RwLock::new((Some(cluster), node)))
    }

    /// From now on; connections that were made before are made anew when they are next used.
    pub fn set(&self, cluster: ClusterId, node: NodeId) {
        *self.0.write() = (Some(cluster), node);
    }

    /// The cluster, once known.
    pub fn cluster(&self) -> Option<ClusterId> {
        self.0.read().0
    }

    /// The node, 0 while unknown.
    pub fn node(&self) -> NodeId {
        self.0.read().1
    }
}
