//! Cluster commands as SQL functions: split, move, transfer.

use super::super::errors;
use super::super::view::SessionView;
use super::{id_arg, void};
use base::api::RangeOp;
use base::api::admin::TransferLeaderRequest;
use base::{Key, NodeId, RangeId, layout};
use catalog::layout::put_key_prefix;
use txn::MoveError;
use types::{Datum, Oid, SqlError, SqlType, sqlstate};

/// `sharddb.split_table(table, value…)`: splits in front of one primary key, of which the first
/// columns are given. Returns the new range, NULL when a range starts there already.
pub(super) async fn split_table(
    view: &SessionView,
    table: Oid,
    at: &[Datum],
) -> Result<Datum, SqlError> {
    let table =
        view.catalog.table(table).cloned().ok_or_else(|| {
            SqlError::new(sqlstate::WRONG_OBJECT_TYPE, "only tables can be split")
        })?;
    if at.is_empty() || at.len() > table.key.len() {
        let message = format!(
            "table \"{}\" has {} primary key columns, {} values are given",
            table.name,
            table.key.len(),
            at.len()
        );
        return Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    }
    let settings = view.shared.settings();
    let mut values = Vec::with_capacity(at.len());
    for (value, part) in at.iter().zip(&table.key) {
        let column = table.column(part.column);
        let column = column.ok_or_else(|| SqlError::internal("a key without its column"))?;
        let text = types::text::to_string(value, type_of(value), &settings);
        values.push(types::text::parse(column.ty, &text, &settings)?);
    }
    let mut key = layout::index_prefix(table.storage_id, layout::PRIMARY_INDEX);
    put_key_prefix(&table, &table.key, &values, &mut key)?;
    split(view, &key.into()).await
}

/// `sharddb.split_at_key(bytes)`: splits in front of an encoded key.
pub(super) async fn split_at_key(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    match args.first() {
        Some(Datum::Bytea(key)) => split(view, &Key(key.clone())).await,
        _ => Err(SqlError::internal("a key is missing")),
    }
}

/// `sharddb.move_range(range, [from,] to)`: replaces the replica on one node by one on another.
pub(super) async fn move_range(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    let range = RangeId(id_arg(args, 0)?);
    let to = NodeId(id_arg(args, args.len() - 1)?);
    let from = if args.len() == 3 { Some(NodeId(id_arg(args, 1)?)) } else { None };
    match view.shared.engine.client().move_range(range, to, from).await {
        Ok(_) => Ok(void()),
        Err(MoveError::Refused(reason)) => {
            Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, reason))
        }
        Err(MoveError::Kv(error)) => Err(errors::from_kv(error, &view.catalog)),
    }
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
