//! Settings of replication on one node.

use crate::raft::RaftError;
use base::NodeId;
use std::time::Duration;

/// Settings of replication; the same on all nodes of a cluster, but for `node` and `seed`.
#[derive(Clone, Debug)]
pub struct RaftStoreConfig {
    /// This node.
    pub node: NodeId,
    /// Length of a tick.
    pub tick: Duration,
    /// Silence after which an election starts, in ticks; up to twice as many by chance.
    pub election_ticks: usize,
    /// Ticks between heartbeats.
    pub heartbeat_ticks: usize,
    /// How long a quorum's answer lets a leader serve reads.
    pub lease: Duration,
    /// A group that has been idle for so many ticks goes to sleep.
    pub hibernate_ticks: u64,
    /// Where the jitter of elections comes from.
    pub seed: u64,
    /// A log longer than this many entries is cut.
    pub log_entries_max: u64,
    /// A log larger than this many bytes is cut.
    pub log_bytes_max: u64,
    /// So many applied entries survive a cut, for followers that lag a little.
    pub log_entries_kept: u64,
    /// About the size of one part of a snapshot.
    pub snapshot_chunk_bytes: usize,
    /// Time between two parts of one snapshot.
    pub snapshot_pace: Duration,
    /// A snapshot larger than this is installed in several batches of about this size.
    pub install_batch_bytes: u64,
    /// Proposals of one group that may wait at the same time; more are refused as `Unavailable`.
    pub proposals_max: usize,
    /// Bytes of proposals of one group that may wait at the same time.
    pub proposal_bytes_max: usize,
}

impl RaftStoreConfig {
    /// The usual settings.
    pub fn new(node: NodeId, seed: u64) -> RaftStoreConfig {
        RaftStoreConfig {
            node,
            tick: Duration::from_millis(100),
            election_ticks: 10,
            heartbeat_ticks: 2,
            lease: Duration::from_millis(750),
            hibernate_ticks: 10,
            seed,
            log_entries_max: 16_384,
            log_bytes_max: 16 << 20,
            log_entries_kept: 1_024,
            snapshot_chunk_bytes: 512 << 10,
            snapshot_pace: Duration::from_millis(8),
            install_batch_bytes: 32 << 20,
            proposals_max: 4_096,
            proposal_bytes_max: 64 << 20,
        }
    }

    /// Refuses settings that cannot work.
    pub fn validate(&self) -> Result<(), RaftError> {
        let refuse = |why: &str| Err(RaftError::Config(why.to_string()));
        let shortest_election = self.tick * (self.election_ticks.saturating_sub(1)) as u32;
        if self.tick.is_zero() || self.heartbeat_ticks == 0 {
            return refuse("ticks and heartbeats must take time");
        }
        if self.election_ticks <= self.heartbeat_ticks * 2 {
            return refuse("an election timeout must span more than two heartbeats");
        }
        if self.lease >= shortest_election {
            return refuse("the lease must be shorter than the election timeout");
        }
        Ok(())
    }

    /// Time after which a silent node counts as gone.
    pub(crate) fn silence_max(&self) -> Duration {
        self.tick * self.election_ticks as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_long_leases_are_not() {
        let mut config = RaftStoreConfig::new(NodeId(1), 0);
        assert!(config.validate().is_ok());
        config.lease = Duration::from_secs(1);
        assert!(config.validate().is_err());
    }
}
