//! `sharddb status` and `sharddb cluster …`: asks one node over the internal protocol.

mod ask;
mod show;

use crate::cli::{ClusterAction, ClusterArgs, TargetArgs};
use crate::exit::{Failure, say};
use crate::node::control::{ControlRequest, ControlResponse};
use ask::Cluster;
use base::api::RangeOp;
use base::api::admin::{ChangeReplicasRequest, SplitRequest, TransferLeaderRequest};
use base::meta_api::{IdKind, MetaRequest, MetaResponse, RangeStatus};
use base::{Key, NodeId, RangeId};

/// Shows nodes, ranges and leaders.
pub(crate) async fn status(args: &TargetArgs) -> Result<(), Failure> {
    let cluster = Cluster::at(&args.join);
    say(&show::nodes(&cluster.nodes().await?));
    say("");
    say(&show::ranges(&cluster.ranges().await?));
    Ok(())
}

/// Carries out one cluster operation.
pub(crate) async fn cluster(args: &ClusterArgs) -> Result<(), Failure> {
    let cluster = Cluster::at(&args.target.join);
    match &args.action {
        ClusterAction::Nodes => say(&show::nodes(&cluster.nodes().await?)),
        ClusterAction::Ranges => say(&show::ranges(&cluster.ranges().await?)),
        ClusterAction::Split { key_or_table, at } => split(&cluster, key_or_table, at).await?,
        ClusterAction::Move { range, node, from } => {
            move_range(&cluster, RangeId(*range), NodeId(*node), from.map(NodeId)).await?;
        }
        ClusterAction::Transfer { range, node } => {
            let op = RangeOp::TransferLeader(TransferLeaderRequest { target: NodeId(*node) });
            cluster.admin(RangeId(*range), op).await?;
            say(&format!("range {range} is led by node {node}"));
        }
    }
    Ok(())
}

/// A key in hex splits the range that holds it; anything else names a table.
async fn split(cluster: &Cluster, key_or_table: &str, at: &[String]) -> Result<(), Failure> {
    if !at.is_empty() {
        let table = key_or_table.to_owned();
        let request = ControlRequest::SplitTable { table, at: at.to_vec() };
        cluster.ask(request).await?;
        say(&format!("table {key_or_table} is split at ({})", at.join(", ")));
        return Ok(());
    }
    let key = hex(key_or_table)
        .ok_or_else(|| Failure::new("split takes a key in hex, or a table and key values"))?;
    let range = holder(&cluster.ranges().await?, &key)?;
    let new_range = RangeId(cluster.next_id(IdKind::Range).await?);
    let op = RangeOp::Split(SplitRequest { key: key.clone(), new_range });
    cluster.admin(range, op).await?;
    say(&format!("range {} is split at {key}; the right side is range {}", range.0, new_range.0));
    Ok(())
}

async fn move_range(
    cluster: &Cluster,
    range: RangeId,
    to: NodeId,
    from: Option<NodeId>,
) -> Result<(), Failure> {
    let ranges = cluster.ranges().await?;
    let status = ranges
        .iter()
        .find(|r| r.descriptor.range == range)
        .ok_or_else(|| Failure::new(format!("there is no range {}", range.0)))?;
    let from = match from {
        Some(node) => node,
        None => busiest(&ranges, status, to)?,
    };
    let op = RangeOp::ChangeReplicas(ChangeReplicasRequest { add: vec![to], remove: vec![from] });
    cluster.admin(range, op).await?;
    say(&format!("range {} moved from node {} to node {}", range.0, from.0, to.0));
    Ok(())
}

/// The holder of the range that holds the most replicas altogether.
fn busiest(ranges: &[RangeStatus], status: &RangeStatus, to: NodeId) -> Result<NodeId, Failure> {
    let holds =
        |node: NodeId| ranges.iter().filter(|r| r.descriptor.replica_on(node).is_some()).count();
    let nodes = status.descriptor.replicas.iter().map(|r| r.node).filter(|node| *node != to);
    nodes.max_by_key(|node| holds(*node)).ok_or_else(|| Failure::new("nothing to move"))
}

fn holder(ranges: &[RangeStatus], key: &Key) -> Result<RangeId, Failure> {
    ranges
        .iter()
        .find(|r| r.descriptor.contains(key))
        .map(|r| r.descriptor.range)
        .ok_or_else(|| Failure::new("no range holds this key"))
}

fn hex(text: &str) -> Option<Key> {
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect();
    bytes.map(Key::from)
}

impl Cluster {
    async fn nodes(&self) -> Result<Vec<base::meta_api::NodeStatus>, Failure> {
        match self.meta(MetaRequest::Nodes).await? {
            MetaResponse::Nodes(nodes) => Ok(nodes),
            _ => Err(unexpected()),
        }
    }

    async fn ranges(&self) -> Result<Vec<RangeStatus>, Failure> {
        match self.meta(MetaRequest::Ranges { from: Key::MIN, limit: 0 }).await? {
            MetaResponse::Ranges(ranges) => Ok(ranges),
            _ => Err(unexpected()),
        }
    }

    async fn next_id(&self, kind: IdKind) -> Result<u64, Failure> {
        match self.meta(MetaRequest::AllocateIds { kind, count: 1 }).await? {
            MetaResponse::Ids { first } => Ok(first),
            _ => Err(unexpected()),
        }
    }

    async fn meta(&self, request: MetaRequest) -> Result<MetaResponse, Failure> {
        match self.ask(ControlRequest::Meta(request)).await? {
            ControlResponse::Meta(response) => Ok(response),
            _ => Err(unexpected()),
        }
    }

    async fn admin(&self, range: RangeId, op: RangeOp) -> Result<(), Failure> {
        self.ask(ControlRequest::Admin { range, op }).await.map(|_| ())
    }
}

fn unexpected() -> Failure {
    Failure::new("the node gave an unexpected answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_keys() {
        assert_eq!(hex("08ff"), Some(Key::copy_from(&[0x08, 0xff])));
        assert_eq!(hex("8"), None);
        assert_eq!(hex("accounts"), None);
        assert_eq!(hex("äöü"), None);
    }
}
