//! What the log of the meta group carries, and what applying it answers.

use base::codec::Blob;
use base::meta_api::{IdKind, RangeReport};
use base::{ClusterId, NodeDescriptor, NodeId, Timestamp};
use bincode::{Decode, Encode};

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Command {
    /// Names the cluster, if it has no name yet, and keeps the ids up to `nodes` for its first nodes.
    Found { cluster: ClusterId, nodes: u64 },
    /// No timestamp at or above `end` has been given out, and from now on some below it may be.
    ReserveTimestamps { end: Timestamp },
    /// Takes ids.
    AllocateIds { kind: IdKind, count: u64 },
    /// Adds a node (id 0: a new directory gets the next id) or replaces what is known about it.
    Join { node: NodeDescriptor },
    /// Leaders' reports.
    ReportRanges { reports: Vec<RangeReport> },
    /// Writes or removes a setting.
    SetSetting { name: String, value: Option<Blob> },
    /// A range has become two.
    ReportSplit { left: Box<RangeReport>, right: Box<RangeReport> },
}

/// The answer of applying a command.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Applied {
    Done,
    /// The cluster's id, whoever set it.
    Founded(ClusterId),
    /// Where the window ends now.
    Reserved(Timestamp),
    /// First of the ids.
    Ids(u64),
    Joined(NodeId),
    /// The command asked for something impossible.
    Refused(String),
}
