//! Moving a range's replica to another node, checked before it is begun: one rule for SQL and for
//! the command line. What may change between check and change is checked once more by the range.

use crate::client::TxnClient;
use crate::meta_client::mismatch;
use crate::router::Route;
use base::api::RangeOp;
use base::api::admin::ChangeReplicasRequest;
use base::meta_api::{MetaRequest, MetaResponse, NodeStatus};
use base::{KvError, KvResult, NodeId, RangeId, ReplicaKind};

/// Why a replica is not moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It makes no sense; one line.
    #[error("{0}")]
    Refused(String),
    /// It failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

impl TxnClient {
    /// Replaces the replica of a range on one node by one on another; without `from` that on a dead
    /// node, else that of the follower whose node holds the most replicas. Returns who lost it.
    pub async fn move_range(
        &self,
        range: RangeId,
        to: NodeId,
        from: Option<NodeId>,
    ) -> Result<NodeId, MoveError> {
        let nodes = self.nodes().await?;
        check_target(&nodes, to)?;
        let route = match self.router().find(range).await {
            Err(KvError::RangeNotFound(range)) => {
                return Err(refused(format!("there is no range {}", range.0)));
            }
            found => found?,
        };
        if is_voter(&route, to) {
            return Err(refused(format!(
                "range {} already has a replica on node {}",
                range.0, to.0
            )));
        }
        let from = match from {
            Some(from) if route.descriptor.replica_on(from).is_none() => {
                return Err(refused(format!(
                    "range {} has no replica on node {}",
                    range.0, from.0
                )));
            }
            Some(from) => from,
            None => giver(&route, &nodes)
                .ok_or_else(|| refused(format!("range {} has no replica", range.0)))?,
        };
        let change = ChangeReplicasRequest { add: vec![to], remove: vec![from] };
        self.admin(range, RangeOp::ChangeReplicas(change)).await?;
        Ok(from)
    }

    /// The nodes of the cluster as meta knows them.
    pub async fn nodes(&self) -> KvResult<Vec<NodeStatus>> {
        match self.meta(MetaRequest::Nodes).await? {
            MetaResponse::Nodes(nodes) => Ok(nodes),
            _ => Err(mismatch("a request for the nodes")),
        }
    }
}

/// A node that can take a replica exists, holds ranges and is alive.
fn check_target(nodes: &[NodeStatus], to: NodeId) -> Result<(), MoveError> {
    let reason = match nodes.iter().find(|node| node.descriptor.node == to) {
        None => "does not exist",
        Some(node) if !node.descriptor.is_shard => "does not have the role shard",
        Some(node) if !node.is_live => "is dead",
        Some(_) => return Ok(()),
    };
    Err(refused(format!("node {} {reason}", to.0)))
}

/// A learner is what an earlier move left behind that came to nothing.
fn is_voter(route: &Route, node: NodeId) -> bool {
    let replica = route.descriptor.replica_on(node);
    replica.is_some_and(|replica| replica.kind == ReplicaKind::Voter)
}

/// Whose replica is missed least.
fn giver(route: &Route, nodes: &[NodeStatus]) -> Option<NodeId> {
    let holders = route.descriptor.replicas.iter().map(|replica| replica.node);
    holders.filter(|holder| is_voter(route, *holder)).max_by_key(|holder| {
        let status = nodes.iter().find(|node| node.descriptor.node == *holder);
        let is_dead = status.is_none_or(|node| !node.is_live);
        let replicas = status.map_or(0, |node| node.replicas);
        (is_dead, Some(*holder) != route.leader, replicas, *holder)
    })
}

fn refused(reason: String) -> MoveError {
    MoveError::Refused(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{NodeDescriptor, RangeDescriptor};

    /// Nodes 1 and 2 hold the range; 3 is a proxy, 4 is free, 5 is dead.
    fn nodes() -> Vec<NodeStatus> {
        let node = |id| NodeStatus {
            descriptor: NodeDescriptor {
                node: NodeId(id),
                is_shard: id != 3,
                is_proxy: true,
                ..NodeDescriptor::default()
            },
            is_live: id != 5,
            replicas: 10 - id,
            leaders: 0,
            bytes: 0,
            leads_meta: false,
        };
        (1..=5).map(node).collect()
    }

    fn route(holders: &[u64], leader: u64) -> Route {
        let holders: Vec<NodeId> = holders.iter().map(|id| NodeId(*id)).collect();
        let descriptor = RangeDescriptor::bootstrap(RangeId(7), &holders);
        Route { descriptor, leader: Some(NodeId(leader)) }
    }

    #[test]
    fn a_target_is_a_live_shard() {
        let nodes = nodes();
        assert_eq!(check_target(&nodes, NodeId(4)), Ok(()));
        for (node, reason) in [(3, "role shard"), (5, "is dead"), (6, "does not exist")] {
            let error = check_target(&nodes, NodeId(node)).expect_err("no target").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_dead_give_first_and_leaders_last() {
        let nodes = nodes();
        assert_eq!(giver(&route(&[1, 2, 5], 1), &nodes), Some(NodeId(5)));
        assert_eq!(giver(&route(&[1, 2, 4], 1), &nodes), Some(NodeId(2)), "the busier follower");
        assert_eq!(giver(&route(&[4], 4), &nodes), Some(NodeId(4)), "the only one");
    }
}
