//! Cluster operations on one range. Each is carried out as commands in the range's own log.

use super::*;
use crate::NodeId;

/// Splits the range: `key` becomes the first key of the new, right-hand range.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SplitRequest {
    /// A bound strictly inside the range; whole columns of a row's key.
    pub key: Key,
    /// Id for the right-hand range, allocated by meta.
    pub new_range: RangeId,
}

/// Both halves.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SplitResponse {
    /// The range that was there before.
    pub left: RangeDescriptor,
    /// The new one.
    pub right: RangeDescriptor,
}

/// Changes the members of the range's group. Adding goes by learner, snapshot, promotion; a
/// replacement is one joint change. Answers once the change is complete.
#[derive(Clone, Debug, Encode, Decode)]
pub struct ChangeReplicasRequest {
    /// Nodes that get a replica.
    pub add: Vec<NodeId>,
    /// Nodes that lose theirs.
    pub remove: Vec<NodeId>,
}

/// Makes the replica on `target` the leader.
#[derive(Clone, Debug, Encode, Decode)]
pub struct TransferLeaderRequest {
    /// A node with a voter.
    pub target: NodeId,
}
