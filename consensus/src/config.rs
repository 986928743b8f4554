//! How one group behaves. All times but the lease are in ticks.

use crate::ConsensusError;
use std::time::Duration;

/// Settings of one group's replica.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// Id of the own replica; never 0.
    pub replica: u64,
    /// A follower that hears nothing for this many ticks up to twice as many starts an election.
    pub election_ticks: usize,
    /// A leader sends a heartbeat every so many ticks.
    pub heartbeat_ticks: usize,
    /// How long a quorum's answer lets a leader serve reads, from the moment it asked.
    pub lease: Duration,
    /// Source of the jitter of election timeouts.
    pub seed: u64,
    /// Most bytes of entries in one message.
    pub message_bytes_max: u64,
    /// Most unanswered messages with entries per follower.
    pub messages_in_flight_max: usize,
    /// Entries above this many bytes are read back from the log instead of memory.
    pub cache_bytes_max: usize,
}

impl GroupConfig {
    /// The usual settings for a replica.
    pub fn new(replica: u64, seed: u64) -> GroupConfig {
        GroupConfig {
            replica,
            election_ticks: 10,
            heartbeat_ticks: 2,
            lease: Duration::from_millis(750),
            seed,
            message_bytes_max: 1 << 20,
            messages_in_flight_max: 128,
            cache_bytes_max: 4 << 20,
        }
    }

    /// The library's settings. The random part of its election timeout is replaced before every
    /// tick (see `election`), so the range given here only has to admit ours.
    pub(crate) fn to_raft(&self, applied: u64) -> Result<raft::Config, ConsensusError> {
        let config = raft::Config {
            id: self.replica,
            election_tick: self.election_ticks,
            heartbeat_tick: self.heartbeat_ticks,
            min_election_tick: self.election_ticks,
            max_election_tick: self.election_ticks * 2,
            applied,
            max_size_per_msg: self.message_bytes_max,
            max_inflight_msgs: self.messages_in_flight_max,
            check_quorum: true,
            pre_vote: true,
            batch_append: true,
            ..raft::Config::default()
        };
        config.validate().map_err(|e| ConsensusError::Config(e.to_string()))?;
        Ok(config)
    }
}
