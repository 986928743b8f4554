//! Who this store belongs to: the cluster and the node it was given to once.

use crate::{Engine, Keyspace, StorageError, StorageResult, WriteBatch};
use base::codec::{from_message, to_message};
use base::{ClusterId, NodeId};
use bincode::{Decode, Encode};

/// Key in [`Keyspace::Local`]; everybody else's keys there start with another byte.
const KEY: &[u8] = b"\x00identity";

/// Cluster and node of a store. Written once, when the process has joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The cluster.
    pub cluster: ClusterId,
    /// The node's id in it.
    pub node: NodeId,
}

impl Identity {
    /// What the store says, `None` for one that has not joined yet.
    pub fn load(engine: &Engine) -> StorageResult<Option<Identity>> {
        let bytes = engine.get(Keyspace::Local, KEY)?;
        bytes.map(|bytes| from_message(&bytes).map_err(StorageError::from)).transpose()
    }

    /// Adds the identity to a batch, which the caller writes synced.
    pub fn save(&self, batch: &mut WriteBatch) {
        batch.put(Keyspace::Local, KEY, &to_message(self));
    }

    /// Fails when the store was given to another cluster.
    pub fn check_cluster(&self, cluster: ClusterId) -> StorageResult<()> {
        if self.cluster == cluster {
            return Ok(());
        }
        Err(StorageError::ForeignDirectory(format!(
            "data directory belongs to cluster {:032x}, not {:032x}",
            self.cluster.0, cluster.0
        )))
    }
}
