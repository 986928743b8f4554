//! What can go wrong in a group, by what to do about it.

use base::codec::CodecError;

/// Each variant is a decision for the replication loop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsensusError {
    /// Refuse the proposal: this replica does not lead.
    #[error("not the leader")]
    NotLeader,
    /// Refuse the proposal for now: leadership is being handed over, or the log is too far ahead
    /// of its commits.
    #[error("proposals are not accepted at the moment")]
    Busy,
    /// Drop the message: it does not follow the protocol, or is from a stranger.
    #[error("message refused: {0}")]
    BadMessage(&'static str),
    /// Refuse the change: it does not fit the present membership.
    #[error("membership change refused: {0}")]
    BadChange(String),
    /// Stop: the log on disk is not what this replica has promised. It must not take part.
    #[error("raft log is damaged: {0}")]
    Corrupt(String),
    /// Stop: reading the log failed.
    #[error("raft log cannot be read: {0}")]
    Log(String),
    /// Fix the settings.
    #[error("raft settings: {0}")]
    Config(String),
}

impl From<CodecError> for ConsensusError {
    fn from(_: CodecError) -> Self {
        ConsensusError::BadMessage("malformed")
    }
}
