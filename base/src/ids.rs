//! Identifiers. Each is a newtype so that a node is never passed where a range is meant.

use bincode::{Decode, Encode};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A process of the cluster. Allocated by meta, from 1; 0 is never a node.
    NodeId(u64),
    "n"
);
id!(
    /// A range, and also the Raft group that replicates it. 0 is the meta group.
    RangeId(u64),
    "r"
);
id!(
    /// One replica of one range: its id inside the Raft group. Never used twice within a range.
    ReplicaId(u64),
    "p"
);
id!(
    /// Drawn at random when a cluster is born; keeps strangers out.
    ClusterId(u128),
    "c"
);

impl RangeId {
    /// The Raft group of the meta state machine.
    pub const META: RangeId = RangeId(0);
    /// The first range of a new cluster: it holds the whole key space.
    pub const FIRST: RangeId = RangeId(1);
}

/// A transaction. The high half names the coordinator's node, the low half is unique within all
/// lives of that node (drawn from an id block of meta).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct TxnId(pub u128);

impl TxnId {
    /// Combines the coordinator's node with a number that this node has never used.
    pub fn new(coordinator: NodeId, unique: u64) -> Self {
        Self((u128::from(coordinator.0) << 64) | u128::from(unique))
    }

    /// The node whose coordinator runs this transaction.
    pub fn coordinator(self) -> NodeId {
        NodeId((self.0 >> 64) as u64)
    }

    /// The half that tells this coordinator's transactions apart; it grows from one to the next of
    /// its lives.
    pub fn unique(self) -> u64 {
        self.0 as u64
    }

    /// Sixteen bytes, big endian.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for TxnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}.{}", self.coordinator().0, self.unique())
    }
}
