//! What processes send each other besides requests: Raft messages and snapshot chunks. One way,
//! may be lost; Raft repeats itself.

use crate::codec::Blob;
use crate::{NodeId, RangeDescriptor, RangeId, ReplicaId};
use bincode::{Decode, Encode};

/// Something for a peer's replication loop.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PeerMessage {
    /// A Raft message of one group.
    Raft(RaftEnvelope),
    /// Part of a range's state on its way to a replica that is too far behind.
    SnapshotChunk(SnapshotChunk),
    /// Sign of life between nodes; keeps the leases of hibernating groups alive.
    Alive(NodeAlive),
}

/// A Raft message with its address.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RaftEnvelope {
    /// The group.
    pub range: RangeId,
    /// Sending process.
    pub from_node: NodeId,
    /// Sending replica.
    pub from: ReplicaId,
    /// Receiving replica. A node that has no replica of this range yet, and never had one with
    /// this id or a higher one, creates an empty one that waits for a snapshot.
    pub to: ReplicaId,
    /// The message as `consensus` encodes it.
    pub message: Blob,
}

/// Part of a snapshot. Chunks of one snapshot arrive in order; the last one carries the Raft
/// message that makes the receiver install it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SnapshotChunk {
    /// The group.
    pub range: RangeId,
    /// Sending process.
    pub from_node: NodeId,
    /// Sending replica.
    pub from: ReplicaId,
    /// Receiving replica.
    pub to: ReplicaId,
    /// Drawn by the sender for this stream; a new stream discards the parts of an older one.
    pub stream: u64,
    /// Position in the stream, from 0.
    pub sequence: u64,
    /// Encoded key/value pairs, by keyspace.
    pub data: Blob,
    /// Set on the last chunk: the Raft snapshot message.
    pub last: Option<Blob>,
    /// The descriptor that the state belongs to.
    pub descriptor: RangeDescriptor,
}

/// Sign of life between two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeAlive {
    /// Who is alive.
    pub node: NodeId,
    /// Counts up with every round; echoed by the receiver with `is_reply`.
    pub sequence: u64,
    /// An echo.
    pub is_reply: bool,
}
