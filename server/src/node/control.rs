//! What processes say to each other besides ranges, meta and Raft: finding each other at first
//! start, and news between proxies. Carried as opaque control payloads by `rpc`.

use base::{ClusterId, NodeDescriptor, NodeId, Timestamp};
use bincode::{Decode, Encode};

/// A question.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum ControlRequest {
    /// Who are you? Asked by a process that looks for its cluster.
    Hello,
    /// An initial member asks the founder for its place. `instance` was drawn when its directory
    /// was made: a place is given to one directory only, so a member that lost its disk cannot come
    /// back with the same id and vote twice.
    Claim { address: String, instance: u128 },
    /// A process asks to become a new node, or a returning one reports its addresses.
    Join { node: NodeDescriptor },
    /// The catalog has changed: adopt the version of `at` or later and answer; with `drain` also
    /// wait for transactions that wrote to this table under an older version.
    Catalog { at: Timestamp, drain: Option<u32> },
    /// An operator's SQL-free requests (`sharddb status`, `sharddb cluster`).
    Meta(base::meta_api::MetaRequest),
    /// An operator's request to a range, sent to its leader by the node that is asked.
    Admin { range: base::RangeId, op: base::api::RangeOp },
    /// An operator asks to move a replica.
    Move { range: base::RangeId, to: NodeId, from: Option<NodeId> },
    /// An operator asks to split the range of a key there.
    SplitKey { key: base::Key },
    /// An operator asks to split a table in front of a primary key (SQL literals).
    SplitTable { table: String, at: Vec<String> },
}

impl ControlRequest {
    /// True for what a process asks that belongs to no cluster yet. Everything else is for those who
    /// know the cluster's id: a stranger, or somebody who has the wrong address, changes nothing.
    pub(crate) fn is_of_newcomer(&self) -> bool {
        match self {
            ControlRequest::Hello | ControlRequest::Claim { .. } => true,
            ControlRequest::Join { node } => node.node == NodeId(0),
            _ => false,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) enum ControlResponse {
    /// The cluster this process belongs to, if any, and the addresses it knows.
    Hello {
        cluster: Option<ClusterId>,
        members: Vec<Member>,
        nodes: Vec<(NodeId, String)>,
    },
    /// The place of an initial member.
    Claimed(Identity),
    /// The claim came from another directory than the one that has the place.
    Taken,
    /// Accepted.
    Joined {
        node: NodeId,
        cluster: ClusterId,
        nodes: Vec<NodeDescriptor>,
    },
    Meta(base::meta_api::MetaResponse),
    Admin(Box<base::api::RangeResponse>),
    /// Who lost the replica.
    Moved {
        from: NodeId,
    },
    /// The left and the right range; `None` when the key bounds a range already.
    Split(Option<(base::RangeId, base::RangeId)>),
    Done,
    /// It did not work; one line.
    Failed(String),
}

/// An initial member.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Member {
    /// Its id.
    pub node: NodeId,
    /// Its advertised address.
    pub address: String,
}

/// Who a process is. Written once to its directory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Identity {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its id in it.
    pub node: NodeId,
    /// The members with which the cluster began: voters of the meta group.
    pub members: Vec<Member>,
}

impl Identity {
    /// True when this node was there at the cluster's birth.
    pub(crate) fn is_initial(&self) -> bool {
        self.members.iter().any(|m| m.node == self.node)
    }

    /// The ids of the initial members.
    pub(crate) fn member_ids(&self) -> Vec<NodeId> {
        self.members.iter().map(|m| m.node).collect()
    }
}
