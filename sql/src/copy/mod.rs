//! COPY: bulk rows between a table or query and the client, in text, csv or binary form.

mod binary;
mod from;
mod lines;
mod options;
mod out;
mod target;

use crate::session::RowSink;
use crate::session::job::read_only;
use crate::session::session::statement_view;
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use options::CopyOptions;
use sqlparser::ast::{CopySource, CopyTarget, Statement};
use std::sync::Arc;
use types::{SqlError, sqlstate};

/// Runs COPY; the command tag.
pub(crate) async fn run<S: RowSink>(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    statement: &Statement,
    sql: &str,
    sink: &mut S,
) -> Result<String, SqlError> {
    let Statement::Copy { source, to, target, options, legacy_options, .. } = statement else {
        return Err(SqlError::internal("not COPY"));
    };
    match target {
        CopyTarget::Stdin | CopyTarget::Stdout => {}
        CopyTarget::File { .. } | CopyTarget::Program { .. } => {
            return Err(SqlError::new(
                sqlstate::INSUFFICIENT_PRIVILEGE,
                "COPY with a file or program on the server is not supported",
            )
            .with_hint("Use COPY FROM STDIN or TO STDOUT; psql's \\copy reads and writes files."));
        }
    }
    let options = CopyOptions::of(options, legacy_options)?;
    let view = Arc::new(statement_view(shared, Some(tx)));
    let count = match (source, to) {
        (source, true) => out::copy_out(shared, tx, &view, source, &options, sql, sink).await?,
        (CopySource::Table { table_name, columns }, false) => {
            if tx.is_read_only {
                return Err(read_only("COPY FROM"));
            }
            let target = target::Target::new(shared, tx, &view, table_name, columns).await?;
            from::copy_in(shared, tx, target, &options, sink).await?
        }
        (CopySource::Query(_), false) => {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "COPY query is only allowed with TO",
            ));
        }
    };
    Ok(format!("COPY {count}"))
}
