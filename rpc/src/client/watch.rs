//! Word that a peer's process is gone, sooner than its silence would tell.

use base::NodeId;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Called with a node at whose address nobody listens any more.
pub type OnGone = Arc<dyn Fn(NodeId) + Send + Sync>;

/// Who wants to know. Set once, after the peers have been made.
#[derive(Default)]
pub(crate) struct Watch(OnceLock<OnGone>);

impl Watch {
    pub(crate) fn set(&self, on_gone: OnGone) {
        // Called once, while the process is put together.
        let _ = self.0.set(on_gone);
    }

    pub(crate) fn gone(&self, node: NodeId) {
        if let Some(on_gone) = self.0.get() {
            on_gone(node);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("is_set", &self.0.get().is_some()).finish()
    }
}
