//! The request API of the meta group.

use crate::codec::Blob;
use crate::{ClusterId, Key, NodeDescriptor, NodeId, RangeDescriptor, RangeId, Timestamp, TxnId};
use bincode::{Decode, Encode};

/// The setting that says for how many milliseconds superseded versions are kept, in decimal digits.
pub const GC_RETENTION_MS: &str = "gc.retention_ms";

/// A request to the leader of the meta group.
#[derive(Clone, Debug, Encode, Decode)]
pub enum MetaRequest {
    /// Draws `count` consecutive timestamps. Answers [`MetaResponse::Timestamps`].
    Timestamps { count: u32 },
    /// Allocates consecutive ids of one kind. Answers [`MetaResponse::Ids`].
    AllocateIds { kind: IdKind, count: u64 },
    /// A new process asks for an id, or a returning one (`node.node` is not 0) reports its
    /// addresses. Answers [`MetaResponse::Joined`].
    Join { node: NodeDescriptor, cluster: Option<ClusterId> },
    /// A node is alive; its leaders' descriptors ride along. Answers [`MetaResponse::Heartbeat`].
    Heartbeat(NodeHeartbeat),
    /// The range that holds the key. Answers [`MetaResponse::Ranges`] with one entry.
    Lookup { key: Key },
    /// Ranges in key order, from this key on, at most `limit` (0: all).
    Ranges { from: Key, limit: u64 },
    /// All nodes. Answers [`MetaResponse::Nodes`].
    Nodes,
    /// Reports a changed range (by its leader, after split, move, election); newer epoch wins.
    ReportRange(RangeReport),
    /// Reads settings with this prefix. Answers [`MetaResponse::Settings`].
    GetSettings { prefix: String },
    /// Writes one cluster setting; `None` removes it.
    SetSetting { name: String, value: Option<Blob> },
    /// The lowest snapshot that some node still reads; below it garbage collection may remove.
    /// Answers [`MetaResponse::SafePoint`].
    SafePoint,
    /// A lock wait has lasted: is it part of a cycle? Answers [`MetaResponse::Deadlock`].
    Wait(WaitEdge),
    /// The wait is over.
    WaitDone { waiter: TxnId },
    /// Which node leads the meta group. Any meta node answers [`MetaResponse::Leader`].
    Leader,
    /// Reports both halves of a range that has split, so that no key is without its range in between.
    ReportSplit { left: Box<RangeReport>, right: Box<RangeReport> },
}

/// The answers.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum MetaResponse {
    /// `first`, `first + 1`, … as many as asked for.
    Timestamps {
        first: Timestamp,
        count: u32,
    },
    /// First id of the block.
    Ids {
        first: u64,
    },
    /// The node's id, the cluster's id, everybody's address.
    Joined {
        node: NodeId,
        cluster: ClusterId,
        nodes: Vec<NodeDescriptor>,
    },
    /// What a node should know: nodes and their addresses, what garbage collection may remove.
    Heartbeat {
        nodes: Vec<NodeStatus>,
        safe_point: Timestamp,
        catalog_version: u64,
        /// Every draw of a timestamp after this answer is at or above this.
        drawn: Timestamp,
        /// How long superseded versions are kept, in milliseconds.
        gc_retention_ms: u64,
    },
    Ranges(Vec<RangeStatus>),
    Nodes(Vec<NodeStatus>),
    Settings(Vec<(String, Blob)>),
    SafePoint(Timestamp),
    /// The cycle that the wait closes, waiter first; empty when there is none.
    Deadlock {
        cycle: Vec<TxnId>,
    },
    Leader {
        leader: Option<NodeId>,
    },
    Done,
}

/// What ids are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum IdKind {
    /// Node ids, from 1.
    Node,
    /// Range ids, from 2 (1 is the first range).
    Range,
    /// OIDs of catalog objects, from 16384.
    Oid,
    /// Unique halves of transaction ids, from 1.
    Txn,
}

/// Sign of life of a node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeHeartbeat {
    /// The node.
    pub node: NodeId,
    /// Replicas it holds.
    pub replicas: u64,
    /// Bytes its store takes.
    pub bytes: u64,
    /// Free bytes on its disk.
    pub free_bytes: u64,
    /// The lowest snapshot that its sessions read now or may begin to read before the next
    /// heartbeat.
    pub min_snapshot: Timestamp,
    /// Descriptors of the ranges it leads that changed since the last heartbeat.
    pub leads: Vec<RangeReport>,
    /// How many ranges it leads.
    pub leaders: u64,
}

/// A leader's report about its range.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RangeReport {
    /// The descriptor.
    pub descriptor: RangeDescriptor,
    /// The reporting leader.
    pub leader: NodeId,
    /// Its Raft term: of two leaders the later one is right.
    pub term: u64,
    /// Estimated size.
    pub bytes: u64,
}

/// A range as meta knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RangeStatus {
    /// The descriptor.
    pub descriptor: RangeDescriptor,
    /// Last known leader.
    pub leader: Option<NodeId>,
    /// Estimated size.
    pub bytes: u64,
}

/// A node as meta knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NodeStatus {
    /// Addresses and roles.
    pub descriptor: NodeDescriptor,
    /// Heartbeats arrive.
    pub is_live: bool,
    /// Replicas it holds.
    pub replicas: u64,
    /// Ranges it leads.
    pub leaders: u64,
    /// Bytes its store takes.
    pub bytes: u64,
    /// The range, replicas of which are the meta group (`RangeId::META` members only).
    pub leads_meta: bool,
}

/// A transaction waits for others.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WaitEdge {
    /// Who waits.
    pub waiter: TxnId,
    /// Who holds the lock.
    pub holders: Vec<TxnId>,
    /// On what.
    pub key: Key,
    /// In which range.
    pub range: RangeId,
}
