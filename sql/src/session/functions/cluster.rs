//! Cluster commands as SQL functions: split, move, transfer.

use super::super::errors;
use super::super::view::SessionView;
use super::{id_arg, void};
use base::api::RangeOp;
use base::api::admin::{ChangeReplicasRequest, TransferLeaderRequest};
use base::{Key, NodeId, RangeId, ReplicaKind, layout};
use catalog::layout::put_key_prefix;
use types::{Datum, Oid, SqlError, SqlType, sqlstate};

/// `sharddb.split_table(table, at…)`: splits in front of each value of the first column of the
/// primary key. Returns the last new range.
pub(super) async fn split_table(
    view: &SessionView,
    table: Oid,
    at: &[Datum],
) -> Result<Datum, SqlError> {
    let table =
        view.catalog.table(table).cloned().ok_or_else(|| {
            SqlError::new(sqlstate::WRONG_OBJECT_TYPE, "only tables can be split")
        })?;
    let mut last = Datum::Null;
    for value in at {
        let column = table.key.first().and_then(|key| table.column(key.column));
        let Some(column) = column else {
            return Err(SqlError::internal("a table without a key"));
        };
        let settings = view.shared.settings();
        let text = types::text::to_string(value, type_of(value), &settings);
        let value = types::text::parse(column.ty, &text, &settings)?;
        let mut key = layout::index_prefix(table.storage_id, layout::PRIMARY_INDEX);
        put_key_prefix(&table, &table.key, &[value], &mut key)?;
        last = split(view, &key.into()).await?;
    }
    Ok(last)
}

/// `sharddb.split_at_key(bytes)`: splits in front of an encoded key.
pub(super) async fn split_at_key(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    match args.first() {
        Some(Datum::Bytea(key)) => split(view, &Key(key.clone())).await,
        _ => Err(SqlError::internal("a key is missing")),
    }
}

/// `sharddb.move_range(range, [from,] to)`: replaces the replica on one node by one on another.
/// Without `from` the replica of a follower moves, or the only one.
pub(super) async fn move_range(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    let client = view.shared.engine.client();
    let range = RangeId(id_arg(args, 0)?);
    let to = NodeId(id_arg(args, args.len() - 1)?);
    let route = client.router().find(range).await.map_err(|e| errors::from_kv(e, &view.catalog))?;
    let voters = route.descriptor.replicas.iter().filter(|r| r.kind == ReplicaKind::Voter);
    let nodes: Vec<NodeId> = voters.map(|replica| replica.node).collect();
    if nodes.contains(&to) {
        let message = format!("range {} already has a replica on node {}", range.0, to.0);
        return Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    }
    let from = match args.len() {
        3 => NodeId(id_arg(args, 1)?),
        _ => {
            let follower = nodes.iter().rev().find(|node| Some(**node) != route.leader);
            follower
                .or(nodes.first())
                .copied()
                .ok_or_else(|| SqlError::internal(format!("range {} has no replica", range.0)))?
        }
    };
    if !nodes.contains(&from) {
        let message = format!("range {} has no replica on node {}", range.0, from.0);
        return Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    }
    let change = ChangeReplicasRequest { add: vec![to], remove: vec![from] };
    admin(view, range, RangeOp::ChangeReplicas(change)).await
}

/// `sharddb.transfer_leader(range, node)`.
pub(super) async fn transfer_leader(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    let (range, target) = (RangeId(id_arg(args, 0)?), NodeId(id_arg(args, 1)?));
    admin(view, range, RangeOp::TransferLeader(TransferLeaderRequest { target })).await
}

async fn admin(view: &SessionView, range: RangeId, op: RangeOp) -> Result<Datum, SqlError> {
    let done = view.shared.engine.client().admin(range, op).await;
    done.map_err(|error| errors::from_kv(error, &view.catalog))?;
    Ok(void())
}

async fn split(view: &SessionView, key: &Key) -> Result<Datum, SqlError> {
    let split = view.shared.engine.client().split(key).await;
    let split = split.map_err(|error| errors::from_kv(error, &view.catalog))?;
    Ok(split.map_or(Datum::Null, |split| Datum::Int8(split.right.range.0 as i64)))
}

fn type_of(value: &Datum) -> SqlType {
    SqlType::new(types::compare::natural_oid(value))
}
