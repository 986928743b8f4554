//! VACUUM, ANALYZE and LOCK TABLE.

use super::Extra;
use crate::ddl;
use crate::session::internal;
use crate::session::names::qualified;
use crate::session::session::make_view;
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use crate::session::view::SessionView;
use base::api::RangeOp;
use base::api::gc::GcRequest;
use base::layout;
use base::meta_api::{MetaRequest, MetaResponse};
use catalog::{Relation, Table, TableKind};
use sqlparser::ast::{ObjectName, Statement};
use std::sync::Arc;
use txn::TxnClient;
use types::{Datum, SqlError, sqlstate};

/// Runs a maintenance statement; the command tag.
pub(crate) async fn maintain(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    statement: &Statement,
) -> Result<String, SqlError> {
    match statement {
        Statement::Vacuum(vacuum) => {
            let tables = vacuum.table_name.iter().cloned().collect::<Vec<_>>();
            run_vacuum(shared, tx, true, false, &tables).await
        }
        Statement::Analyze(analyze) => {
            let tables = analyze.table_name.iter().cloned().collect::<Vec<_>>();
            run_vacuum(shared, tx, false, true, &tables).await
        }
        // Rows are locked by the statements that use them; the lock only has to name tables.
        Statement::Lock(lock) => {
            let view = make_view(shared, Some(tx));
            for target in &lock.tables {
                find_table(shared, &view, &target.name)?;
            }
            Ok("LOCK TABLE".to_owned())
        }
        other => Err(SqlError::not_supported(format!("{other} is not supported"))),
    }
}

/// Runs a statement outside of the grammar; the command tag.
pub(crate) async fn run_extra(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    extra: &Extra,
    sql: &str,
) -> Result<String, SqlError> {
    match extra {
        Extra::Vacuum { vacuum, analyze, tables } => {
            run_vacuum(shared, tx, *vacuum, *analyze, tables).await
        }
        Extra::Nothing(tag) => Ok((*tag).to_owned()),
        other => ddl::run_extra(shared, tx, other, sql).await,
    }
}

async fn run_vacuum(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    vacuum: bool,
    analyze: bool,
    names: &[ObjectName],
) -> Result<String, SqlError> {
    let view = Arc::new(make_view(shared, Some(tx)));
    let tables = if names.is_empty() {
        let own = |t: &&Arc<Table>| {
            t.kind == TableKind::Ordinary
                && view.catalog.schema(t.schema).is_some_and(|s| s.database == shared.database)
        };
        view.catalog.tables().filter(own).cloned().collect()
    } else {
        names.iter().map(|name| find_table(shared, &view, name)).collect::<Result<Vec<_>, _>>()?
    };
    if analyze {
        for table in &tables {
            count_rows(shared, tx, &view, table).await?;
        }
    }
    if vacuum {
        let client = shared.engine.client().clone();
        let storages: Vec<u32> = tables.iter().map(|table| table.storage_id).collect();
        shared.engine.clock().spawn(Box::pin(async move {
            if let Err(error) = collect_garbage(&client, &storages).await {
                tracing::debug!(%error, "old versions were not collected");
            }
        }));
    }
    Ok(if vacuum { "VACUUM" } else { "ANALYZE" }.to_owned())
}

/// Keeps the number of rows in the descriptor when it has changed by a tenth.
async fn count_rows(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    view: &Arc<SessionView>,
    table: &Arc<Table>,
) -> Result<(), SqlError> {
    let sql = format!("SELECT count(*) FROM {}", view.display_name(table.oid));
    let rows = internal::query(shared, tx, view, &sql).await?;
    let Some(Datum::Int8(count)) = rows.first().and_then(|row| row.first()) else {
        return Ok(());
    };
    let known = table.rows_estimate;
    if known >= 0 && (count - known).abs() * 10 <= known {
        return Ok(());
    }
    ddl::set_row_estimate(shared, tx, table.oid, *count).await
}

/// Asks the ranges of these tables to remove versions that nobody needs.
async fn collect_garbage(client: &TxnClient, storages: &[u32]) -> base::KvResult<()> {
    let safe_point = match client.meta(MetaRequest::SafePoint).await? {
        MetaResponse::SafePoint(at) => at,
        _ => return Ok(()),
    };
    let mut done = Vec::new();
    for storage in storages {
        for route in client.router().ranges(&layout::table_span(*storage)).await? {
            let range = route.descriptor.range;
            if !done.contains(&range) {
                client.admin(range, RangeOp::Gc(GcRequest { safe_point })).await?;
                done.push(range);
            }
        }
    }
    Ok(())
}

fn find_table(
    shared: &Shared,
    view: &SessionView,
    name: &ObjectName,
) -> Result<Arc<Table>, SqlError> {
    let (schema, relation) = qualified(name, &shared.database_name)?;
    match view.find(schema.as_deref(), &relation) {
        Some(Relation::Table(table)) => Ok(table.clone()),
        Some(_) => Err(SqlError::new(
            sqlstate::WRONG_OBJECT_TYPE,
            format!("\"{relation}\" is not a table"),
        )),
        None => Err(ddl::missing_relation(schema.as_deref(), &relation)),
    }
}
