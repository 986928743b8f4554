//! Queries that the server itself runs inside a session's transaction.

use super::errors;
use super::planning::plan_statement;
use super::query;
use super::shared::Shared;
use super::transaction::Transaction;
use super::view::SessionView;
use crate::parse::parse;
use std::sync::Arc;
use types::{Datum, SqlError};

/// Runs a statement in the transaction and keeps its rows.
pub(crate) async fn query(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    view: &Arc<SessionView>,
    sql: &str,
) -> Result<Vec<Vec<Datum>>, SqlError> {
    let Some(parsed) = parse(sql)?.pop() else { return Ok(Vec::new()) };
    let settings = shared.settings();
    let planned = Arc::new(plan_statement(view, &parsed.ast, sql, &[], &settings)?);
    let mut run = planned.start(Arc::new([]), settings);
    let mut out = Vec::new();
    while let Some(rows) = query::next_rows(shared, transaction, &mut run).await? {
        out.extend(rows);
    }
    if planned.is_write() {
        let checked = transaction.txn.check_inserts().await;
        checked.map_err(|error| errors::from_kv(error, &view.catalog))?;
    }
    Ok(out)
}
