//! Where replicas should be.

use base::meta_api::NodeStatus;
use base::{NodeId, RangeDescriptor, RangeId};

/// A change that would bring a range nearer to its wanted number of live replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The range.
    pub range: RangeId,
    /// Nodes that should get a replica.
    pub add: Vec<NodeId>,
    /// Nodes that should lose theirs: they are dead.
    pub remove: Vec<NodeId>,
}

/// The `count` best nodes for new replicas: live, holding ranges, not in `taken`; those with the
/// fewest replicas first, then the fewest bytes, then the lowest id.
pub fn choose_nodes(nodes: &[NodeStatus], taken: &[NodeId], count: usize) -> Vec<NodeId> {
    let mut candidates: Vec<&NodeStatus> = nodes
        .iter()
        .filter(|node| node.is_live && node.descriptor.is_shard)
        .filter(|node| !taken.contains(&node.descriptor.node))
        .collect();
    candidates.sort_by_key(|node| (node.replicas, node.bytes, node.descriptor.node));
    candidates.into_iter().take(count).map(|node| node.descriptor.node).collect()
}

/// What a range lacks for `wanted` live replicas, `None` when nothing can or need be done. A dead
/// replica is replaced only by a live one, never just given up.
pub(crate) fn repair(
    nodes: &[NodeStatus],
    descriptor: &RangeDescriptor,
    wanted: usize,
) -> Option<Repair> {
    let is_live = |id: NodeId| nodes.iter().any(|node| node.descriptor.node == id && node.is_live);
    let held: Vec<NodeId> = descriptor.replicas.iter().map(|replica| replica.node).collect();
    let dead: Vec<NodeId> = held.iter().copied().filter(|id| !is_live(*id)).collect();
    let live = held.len() - dead.len();
    let add = choose_nodes(nodes, &held, wanted.saturating_sub(live));
    if add.is_empty() {
        return None;
    }
    let surplus = (live + add.len() + dead.len()).saturating_sub(wanted);
    let remove = dead.into_iter().take(surplus).collect();
    Some(Repair { range: descriptor.range, add, remove })
}
