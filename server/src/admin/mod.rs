//! `sharddb status` and `sharddb cluster …`: asks one node over the internal protocol.

mod ask;
mod show;

use crate::cli::{ClusterAction, ClusterArgs, TargetArgs};
use crate::exit::{Failure, say};
use crate::node::control::{ControlRequest, ControlResponse};
use ask::Cluster;
use base::api::RangeOp;
use base::api::admin::TransferLeaderRequest;
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{Key, NodeId, RangeId};

/// Shows nodes, ranges and leaders.
pub(crate) async fn status(args: &TargetArgs) -> Result<(), Failure> {
    let cluster = Cluster::at(&args.join).await?;
    say(&show::nodes(&cluster.nodes().await?));
    say("");
    say(&show::ranges(&cluster.ranges().await?));
    Ok(())
}

/// Carries out one cluster operation.
pub(crate) async fn cluster(args: &ClusterArgs) -> Result<(), Failure> {
    let cluster = Cluster::at(&args.target.join).await?;
    match &args.action {
        ClusterAction::Nodes => say(&show::nodes(&cluster.nodes().await?)),
        ClusterAction::Ranges => say(&show::ranges(&cluster.ranges().await?)),
        ClusterAction::Split { key_or_table, at } if at.is_empty() => {
            split_at_key(&cluster, key_or_table).await?;
        }
        ClusterAction::Split { key_or_table, at } => {
            split_table(&cluster, key_or_table, at).await?;
        }
        ClusterAction::Move { range, node, from } => {
            move_range(&cluster, RangeId(*range), NodeId(*node), from.map(NodeId)).await?;
        }
        ClusterAction::Transfer { range, node } => {
            let (range, target) = (RangeId(*range), NodeId(*node));
            let op = RangeOp::TransferLeader(TransferLeaderRequest { target });
            cluster.ask(ControlRequest::Admin { range, op }).await?;
            say(&format!("range {} is led by node {}", range.0, target.0));
        }
    }
    Ok(())
}

async fn split_table(cluster: &Cluster, table: &str, at: &[String]) -> Result<(), Failure> {
    let request = ControlRequest::SplitTable { table: table.to_owned(), at: at.to_vec() };
    cluster.ask(request).await?;
    say(&format!("table {table} is split at ({})", at.join(", ")));
    Ok(())
}

async fn split_at_key(cluster: &Cluster, text: &str) -> Result<(), Failure> {
    let key = hex(text)
        .ok_or_else(|| Failure::new("split takes a key in hex, or a table and key values"))?;
    match cluster.ask(ControlRequest::SplitKey { key: key.clone() }).await? {
        ControlResponse::Split(Some((left, right))) => {
            say(&format!("range {} is split at {key}; the right side is range {}", left.0, right.0))
        }
        ControlResponse::Split(None) => say(&format!("a range starts at {key} already")),
        _ => return Err(unexpected()),
    }
    Ok(())
}

async fn move_range(
    cluster: &Cluster,
    range: RangeId,
    to: NodeId,
    from: Option<NodeId>,
) -> Result<(), Failure> {
    match cluster.ask(ControlRequest::Move { range, to, from }).await? {
        ControlResponse::Moved { from } => {
            say(&format!("range {} moved from node {} to node {}", range.0, from.0, to.0));
            Ok(())
        }
        _ => Err(unexpected()),
    }
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

    async fn meta(&self, request: MetaRequest) -> Result<MetaResponse, Failure> {
        match self.ask(ControlRequest::Meta(request)).await? {
            ControlResponse::Meta(response) => Ok(response),
            _ => Err(unexpected()),
        }
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
