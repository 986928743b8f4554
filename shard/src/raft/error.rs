//! Why replication on this node cannot go on.

use consensus::ConsensusError;
use storage::StorageError;

/// Each variant is a decision for whoever polls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RaftError {
    /// End the process: what is on disk is unknown.
    #[error("a write could not be made durable: {0}")]
    SyncFailed(String),
    /// End the process: data of this node is damaged; other nodes have it.
    #[error("{0}")]
    Corrupt(String),
    /// Do not start: fix the settings.
    #[error("replication settings: {0}")]
    Config(String),
}

impl From<StorageError> for RaftError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupt(_) => RaftError::Corrupt(error.to_string()),
            other => RaftError::SyncFailed(other.to_string()),
        }
    }
}

impl From<ConsensusError> for RaftError {
    fn from(error: ConsensusError) -> Self {
        match error {
            ConsensusError::Config(why) => RaftError::Config(why),
            other => RaftError::Corrupt(other.to_string()),
        }
    }
}
