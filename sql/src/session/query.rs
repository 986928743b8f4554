//! Running a plan and sending its rows.

use super::job::{Output, Reading, read_only};
use super::planning::{Planned, Run};
use super::shared::Shared;
use super::transaction::Transaction;
use super::{RowSink, errors};
use crate::ddl::fence;
use crate::exec::ExecError;
use catalog::{CatalogSnapshot, Oid};
use std::collections::VecDeque;
use std::sync::Arc;
use types::{Datum, SqlError, sqlstate};

/// Runs a plan to its end; the command tag.
pub(crate) async fn run_plan<S: RowSink>(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    mut run: Run,
    output: Output<'_>,
    is_alone: bool,
    sink: &mut S,
) -> Result<String, SqlError> {
    prepare_write(shared, transaction, &run.planned).await?;
    let has_rows = run.planned.fields.is_some();
    if let Some(fields) = &run.planned.fields {
        sink.begin_rows(fields, output.formats, &run.settings, output.announce);
    }
    loop {
        let batch = run.execution.next_batch(&mut transaction.txn).await;
        let batch = batch.map_err(|error| exec_error(error, &run.planned))?;
        check_size(shared, transaction)?;
        let Some(batch) = batch else { break };
        if has_rows {
            for i in 0..batch.rows {
                sink.row(&batch.row(i))?;
            }
            run.rows_sent += batch.rows as u64;
            sink.ready().await?;
        }
    }
    if !is_alone && run.planned.is_write() {
        let checked = transaction.txn.check_inserts().await;
        checked.map_err(|error| errors::from_kv(error, &run.planned.view.catalog))?;
    }
    Ok(run.tag())
}

/// The next rows of a plan that is run piece by piece; `None` at the end.
pub(crate) async fn next_rows(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    run: &mut Run,
) -> Result<Option<VecDeque<Vec<Datum>>>, SqlError> {
    if run.rows_sent == 0 {
        prepare_write(shared, transaction, &run.planned).await?;
    }
    let batch = run.execution.next_batch(&mut transaction.txn).await;
    let batch = batch.map_err(|error| exec_error(error, &run.planned))?;
    check_size(shared, transaction)?;
    match batch {
        Some(batch) => {
            run.rows_sent += batch.rows as u64;
            Ok(Some((0..batch.rows).map(|i| batch.row(i)).collect()))
        }
        None if run.planned.is_write() => {
            let checked = transaction.txn.check_inserts().await;
            checked.map_err(|error| errors::from_kv(error, &run.planned.view.catalog))?;
            Ok(None)
        }
        None => Ok(None),
    }
}

/// The next rows of a plan that is read piece by piece; `None` at the end.
pub(crate) async fn read_on(
    reading: &mut Reading,
) -> Result<Option<VecDeque<Vec<Datum>>>, SqlError> {
    let Reading { run, reader } = reading;
    let batch = run.execution.next_batch(reader).await;
    let batch = batch.map_err(|error| exec_error(error, &run.planned))?;
    Ok(batch.map(|batch| {
        run.rows_sent += batch.rows as u64;
        (0..batch.rows).map(|i| batch.row(i)).collect()
    }))
}

/// Writing statements need a transaction that may write, and pin the tables they write to.
pub(crate) async fn prepare_write(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    planned: &Planned,
) -> Result<(), SqlError> {
    if !planned.is_write() {
        return Ok(());
    }
    if transaction.is_read_only {
        return Err(read_only(planned.command_name()));
    }
    for table in &planned.written {
        pin_table(shared, transaction, &planned.view.catalog, *table).await?;
    }
    Ok(())
}

/// What a transaction writes stays in memory until its end, which must not be that of the process.
pub(crate) fn check_size(shared: &Shared, transaction: &Transaction) -> Result<(), SqlError> {
    let bytes = transaction.txn.buffered_bytes();
    if bytes == 0 || bytes <= shared.guc.lock().derived().transaction_bytes_max {
        return Ok(());
    }
    let error = SqlError::new(sqlstate::OUT_OF_MEMORY, "the transaction is too large");
    Err(error
        .with_detail(format!("It would write {bytes} bytes."))
        .with_hint("Write less at a time, or raise \"sharddb.transaction_bytes_max\"."))
}

/// A transaction is about to write to a table under this catalog.
pub(crate) async fn pin_table(
    shared: &Arc<Shared>,
    transaction: &mut Transaction,
    snapshot: &CatalogSnapshot,
    table: Oid,
) -> Result<(), SqlError> {
    transaction.written.insert(table);
    let is_own = transaction.changes.created.contains(&table);
    if is_own || transaction.fences.has(table) || transaction.has_pinned(table) {
        return Ok(());
    }
    let catalog = shared.engine.catalog();
    if snapshot.fence(table).is_some() {
        fence::wait(shared, transaction, table).await?;
        return Err(catalog_changed());
    }
    let pin = catalog.pin(table, snapshot.base_id());
    transaction.pins.push(pin.ok_or_else(catalog_changed)?);
    Ok(())
}

/// The catalog changed between planning and running; the statement is planned again.
pub(crate) fn catalog_changed() -> SqlError {
    SqlError::new(
        sqlstate::T_R_SERIALIZATION_FAILURE,
        "could not serialize access due to a concurrent change of the schema",
    )
}

/// An error of the executor as the client sees it.
pub(super) fn exec_error(error: ExecError, planned: &Planned) -> SqlError {
    match error {
        ExecError::Sql(error) => error,
        ExecError::Kv(error) => errors::from_kv(error, &planned.view.catalog),
        ExecError::Restart => SqlError::new(
            sqlstate::T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update",
        ),
    }
}
