//! Descriptors of nodes and ranges.

use crate::{Key, NodeId, RangeId, ReplicaId, Span};
use bincode::{Decode, Encode};

/// What a replica counts for in its Raft group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ReplicaKind {
    /// Votes and may lead.
    Voter,
    /// Receives the log only; the state in which every new replica starts.
    Learner,
}

/// One replica of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub struct ReplicaDescriptor {
    /// The process that holds it.
    pub node: NodeId,
    /// Its id in the Raft group.
    pub replica: ReplicaId,
    /// Voter or learner.
    pub kind: ReplicaKind,
}

/// A range's own view of itself, replicated in the range: bounds, replicas, epoch. It is the
/// authority; the meta RangeMap and routers' caches hold copies.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RangeDescriptor {
    /// The range and its Raft group.
    pub range: RangeId,
    /// The keys it holds.
    pub span: Span,
    /// All replicas, learners included.
    pub replicas: Vec<ReplicaDescriptor>,
    /// Grows by one with every change of bounds or replicas. Newer wins.
    pub epoch: u64,
    /// The id that the next new replica will get.
    pub next_replica: ReplicaId,
}

impl RangeDescriptor {
    /// The first range of a new cluster, with voters on the given nodes.
    pub fn first(nodes: &[NodeId]) -> RangeDescriptor {
        RangeDescriptor::bootstrap(RangeId::FIRST, nodes)
    }

    /// A group that starts with voters on the given nodes and holds every key.
    pub fn bootstrap(range: RangeId, nodes: &[NodeId]) -> RangeDescriptor {
        let voter = |(i, node): (usize, &NodeId)| ReplicaDescriptor {
            node: *node,
            replica: ReplicaId(i as u64 + 1),
            kind: ReplicaKind::Voter,
        };
        RangeDescriptor {
            range,
            span: Span::all(),
            replicas: nodes.iter().enumerate().map(voter).collect(),
            epoch: 1,
            next_replica: ReplicaId(nodes.len() as u64 + 1),
        }
    }

    /// The replica on a node.
    pub fn replica_on(&self, node: NodeId) -> Option<&ReplicaDescriptor> {
        self.replicas.iter().find(|r| r.node == node)
    }

    /// The node of a replica.
    pub fn node_of(&self, replica: ReplicaId) -> Option<NodeId> {
        self.replicas.iter().find(|r| r.replica == replica).map(|r| r.node)
    }

    /// True when the key belongs to this range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.span.contains(key)
    }

    /// Where the range begins.
    pub fn start(&self) -> &Key {
        &self.span.start
    }
}

/// A process of the cluster as meta knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct NodeDescriptor {
    /// Its id.
    pub node: NodeId,
    /// The number of its data directory, drawn at random when that was made.
    pub instance: u128,
    /// Its present life: the unique half of each of its transactions' ids is greater, that of those
    /// of earlier lives is not.
    pub life: u64,
    /// Where its internal protocol listens, `host:port`.
    pub rpc_addr: String,
    /// Where PostgreSQL clients connect, empty without the proxy role.
    pub sql_addr: String,
    /// Where its HTTP endpoints listen.
    pub http_addr: String,
    /// Holds ranges.
    pub is_shard: bool,
    /// Votes in the meta group.
    pub is_meta: bool,
    /// Accepts SQL.
    pub is_proxy: bool,
}
