//! Settings of the meta service.

use base::ClusterId;
use std::time::Duration;

/// Settings of the meta service. Times are monotonic.
#[derive(Clone, Debug)]
pub struct MetaConfig {
    /// Given to the cluster if this process turns out to be the first leader of a new one. Drawn at
    /// random by the server.
    pub cluster_if_new: ClusterId,
    /// The highest id of the nodes with which a new cluster begins: they bring their ids along, and
    /// nobody who joins before them may get one.
    pub first_nodes: u64,
    /// How far ahead of the present the oracle reserves timestamps.
    pub oracle_window: Duration,
    /// A node without a heartbeat for this long counts as dead.
    pub heartbeat_timeout: Duration,
    /// How old a superseded version gets before it may be collected, unless the setting
    /// `gc.retention_ms` says otherwise.
    pub gc_retention: Duration,
    /// A reported lock wait that is not reported again for this long is forgotten.
    pub wait_expiry: Duration,
}

impl MetaConfig {
    /// The defaults, with the id for a new cluster.
    pub fn new(cluster_if_new: ClusterId) -> MetaConfig {
        MetaConfig {
            cluster_if_new,
            first_nodes: 0,
            oracle_window: Duration::from_secs(3),
            heartbeat_timeout: Duration::from_secs(5),
            gc_retention: Duration::from_secs(60),
            wait_expiry: Duration::from_secs(10),
        }
    }
}
