//! Where COPY FROM puts its rows: straight into the transaction's write buffer, or, for tables
//! with checks, foreign keys or computed columns, through an INSERT plan.

use crate::session::names::{fold, qualified};
use crate::session::planning::{Planned, plan_statement};
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use crate::session::view::SessionView;
use crate::session::{errors, functions, internal, query, quote};
use catalog::layout::{index_entry, row_key, row_value};
use catalog::{Relation, Table, TableKind};
use sqlparser::ast::{Ident, ObjectName};
use std::sync::Arc;
use types::{Datum, SqlError, SqlType, sqlstate};

/// Rows put into the table at a time.
pub(super) const BATCH_ROWS: usize = 1000;

/// The table and columns that COPY FROM fills.
pub(super) struct Target {
    pub(super) table: Arc<Table>,
    /// Positions of the named columns in the table.
    pub(super) positions: Vec<usize>,
    view: Arc<SessionView>,
    way: Way,
}

enum Way {
    /// Values for all columns, to be overwritten; serial columns are filled row by row.
    Direct { template: Vec<Datum>, sequences: Vec<(usize, catalog::Oid)> },
    /// An INSERT with one parameter a column.
    Plan(Arc<Planned>),
}

impl Target {
    pub(super) async fn new(
        shared: &Arc<Shared>,
        tx: &mut Transaction,
        view: &Arc<SessionView>,
        name: &ObjectName,
        columns: &[Ident],
    ) -> Result<Target, SqlError> {
        let table = find_table(shared, view, name)?;
        let positions = positions(&table, columns)?;
        query::pin_table(shared, tx, &view.catalog, table.oid).await?;
        let way = match direct(shared, tx, view, &table, &positions).await? {
            Some(way) => way,
            None => Way::Plan(insert_plan(shared, view, &table, &positions)?),
        };
        Ok(Target { table, positions, view: view.clone(), way })
    }

    /// Type and name of the n-th column of the data.
    pub(super) fn column(&self, at: usize) -> (&str, SqlType) {
        let column = &self.table.columns[self.positions[at]];
        (&column.name, column.ty)
    }

    /// Puts rows into the table; the first came from this line of the data.
    pub(super) async fn put(
        &mut self,
        shared: &Arc<Shared>,
        tx: &mut Transaction,
        rows: Vec<Vec<Datum>>,
        first_line: u64,
    ) -> Result<(), SqlError> {
        match &self.way {
            Way::Direct { template, sequences } => {
                self.put_direct(shared, tx, rows, first_line, template, sequences).await?;
                query::check_size(shared, tx)
            }
            Way::Plan(planned) => {
                for (row, line) in rows.into_iter().zip(first_line..) {
                    let mut run = planned.start(row.into(), shared.settings());
                    let done = loop {
                        match query::next_rows(shared, tx, &mut run).await {
                            Ok(Some(_)) => {}
                            Ok(None) => break Ok(()),
                            Err(error) => break Err(error),
                        }
                    };
                    done.map_err(|error| self.in_line(error, line))?;
                }
                Ok(())
            }
        }
    }

    async fn put_direct(
        &self,
        shared: &Arc<Shared>,
        tx: &mut Transaction,
        rows: Vec<Vec<Datum>>,
        first_line: u64,
        template: &[Datum],
        sequences: &[(usize, catalog::Oid)],
    ) -> Result<(), SqlError> {
        let table = &self.table;
        let hidden = table.row_id().and_then(|column| table.position(column.id));
        let mut next_id = 0;
        if hidden.is_some() {
            let engine = &shared.engine;
            let count = rows.len() as u64;
            let ids = engine.counters().row_ids(engine.client(), table.storage_id, count).await;
            next_id = ids.map_err(|error| errors::from_kv(error, &self.view.catalog))?;
        }
        for (values, line) in rows.into_iter().zip(first_line..) {
            let mut row = template.to_vec();
            for (value, position) in values.into_iter().zip(&self.positions) {
                row[*position] = value;
            }
            for (position, sequence) in sequences {
                let value = functions::sequence::nextval(&self.view, *sequence).await?;
                let to = table.columns[*position].ty;
                let settings = types::Settings::default();
                row[*position] = types::cast::cast(value, SqlType::INT8, to, false, &settings)?;
            }
            if let Some(position) = hidden {
                row[position] = Datum::Int8(next_id);
                next_id += 1;
            }
            self.check_not_null(&row).map_err(|error| self.in_line(error, line))?;
            let (key, value) = (row_key(table, &row)?, row_value(table, &row));
            if hidden.is_some() {
                // A row id is never handed out twice.
                tx.txn.put_unconditional(key, value);
            } else {
                tx.txn.insert(key, value);
            }
            for index in table.secondary_indexes() {
                let entry = index_entry(table, index, &row)?;
                if entry.is_unique {
                    tx.txn.insert(entry.key, entry.value);
                } else {
                    tx.txn.put_unconditional(entry.key, entry.value);
                }
            }
        }
        Ok(())
    }

    fn in_line(&self, error: SqlError, line: u64) -> SqlError {
        if error.context.is_some() {
            return error;
        }
        error.with_context(format!("COPY {}, line {line}", self.table.name))
    }

    fn check_not_null(&self, row: &[Datum]) -> Result<(), SqlError> {
        for (column, value) in self.table.columns.iter().zip(row) {
            if column.is_not_null && !column.is_dropped && matches!(value, Datum::Null) {
                let schema = self.view.catalog.schema(self.table.schema);
                return Err(SqlError::new(
                    sqlstate::NOT_NULL_VIOLATION,
                    format!(
                        "null value in column \"{}\" of relation \"{}\" violates not-null \
                         constraint",
                        column.name, self.table.name
                    ),
                )
                .with_detail(format!("Failing row contains ({}).", self.shown_row(row)))
                .with_table(schema.map_or("", |s| &s.name), &self.table.name)
                .with_column(&column.name));
            }
        }
        Ok(())
    }

    fn shown_row(&self, row: &[Datum]) -> String {
        let settings = types::Settings::default();
        let shown: Vec<String> = self
            .table
            .columns
            .iter()
            .zip(row)
            .filter(|(column, _)| column.is_visible())
            .map(|(column, value)| match value {
                Datum::Null => "null".to_owned(),
                value => types::text::to_string(value, column.ty, &settings),
            })
            .collect();
        shown.join(", ")
    }

    /// The end: unique keys are checked now unless COMMIT follows at once.
    pub(super) async fn finish(&self, tx: &mut Transaction) -> Result<(), SqlError> {
        if tx.has_run {
            let checked = tx.txn.check_inserts().await;
            checked.map_err(|error| errors::from_kv(error, &self.view.catalog))?;
        }
        Ok(())
    }
}

fn find_table(
    shared: &Shared,
    view: &SessionView,
    name: &ObjectName,
) -> Result<Arc<Table>, SqlError> {
    let (schema, relation) = qualified(name, &shared.database_name)?;
    let wrong = |message: String| Err(SqlError::new(sqlstate::WRONG_OBJECT_TYPE, message));
    match view.find(schema.as_deref(), &relation) {
        Some(Relation::Table(table)) if table.kind != TableKind::Virtual => Ok(table.clone()),
        Some(Relation::View(_)) => wrong(format!("cannot copy to view \"{relation}\"")),
        Some(Relation::Sequence(_)) => wrong(format!("cannot copy to sequence \"{relation}\"")),
        Some(_) => wrong(format!("cannot copy to \"{relation}\"")),
        None => Err(crate::ddl::missing_relation(schema.as_deref(), &relation)),
    }
}

/// Positions of the named columns, or of all visible ones.
pub(super) fn positions(table: &Table, columns: &[Ident]) -> Result<Vec<usize>, SqlError> {
    if columns.is_empty() {
        let visible = table.columns.iter().enumerate();
        return Ok(visible
            .filter(|(_, column)| column.is_visible() && column.generated.is_none())
            .map(|(position, _)| position)
            .collect());
    }
    let mut out = Vec::with_capacity(columns.len());
    for ident in columns {
        let name = fold(ident);
        let column = table.column_named(&name).ok_or_else(|| {
            SqlError::new(
                sqlstate::UNDEFINED_COLUMN,
                format!("column \"{name}\" of relation \"{}\" does not exist", table.name),
            )
        })?;
        let position = table.position(column.id).unwrap_or_default();
        if out.contains(&position) {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_COLUMN,
                format!("column \"{name}\" specified more than once"),
            ));
        }
        out.push(position);
    }
    Ok(out)
}

/// The direct way, if nothing has to be computed for a row but defaults that are the same for all.
async fn direct(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    view: &Arc<SessionView>,
    table: &Arc<Table>,
    positions: &[usize],
) -> Result<Option<Way>, SqlError> {
    let needs_plan = !table.checks.is_empty()
        || !table.foreign_keys.is_empty()
        || table.indexes.iter().any(|index| index.predicate.is_some())
        || table.columns.iter().any(|column| column.generated.is_some());
    if needs_plan {
        return Ok(None);
    }
    let mut template = vec![Datum::Null; table.columns.len()];
    let mut sequences = Vec::new();
    for (position, column) in table.columns.iter().enumerate() {
        if positions.contains(&position) || !column.is_visible() {
            continue;
        }
        let own_sequence = column.sequence.filter(|sequence| {
            column.identity.is_some()
                || column.default.as_deref() == Some(&crate::ddl::next_value_of(*sequence))
        });
        match (&column.default, own_sequence) {
            (_, Some(sequence)) => sequences.push((position, sequence)),
            (None, None) => {}
            (Some(default), None) if crate::ddl::is_volatile(default) => return Ok(None),
            (Some(default), None) => {
                let ty = types::format_type(column.ty.oid, column.ty.typmod);
                let sql = format!("SELECT ({default})::{ty}");
                let rows = internal::query(shared, tx, view, &sql).await?;
                let value = rows.into_iter().next().and_then(|row| row.into_iter().next());
                template[position] = value.unwrap_or(Datum::Null);
            }
        }
    }
    Ok(Some(Way::Direct { template, sequences }))
}

fn insert_plan(
    shared: &Arc<Shared>,
    view: &Arc<SessionView>,
    table: &Table,
    positions: &[usize],
) -> Result<Arc<Planned>, SqlError> {
    let columns: Vec<_> = positions.iter().map(|position| &table.columns[*position]).collect();
    let names: Vec<String> = columns.iter().map(|c| quote::identifier(&c.name)).collect();
    let params: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
    let types: Vec<_> = columns.iter().map(|c| c.ty.oid).collect();
    let has_identity = columns.iter().any(|c| c.identity.is_some());
    let sql = format!(
        "INSERT INTO {} ({}) {}VALUES ({})",
        view.display_name(table.oid),
        names.join(", "),
        if has_identity { "OVERRIDING SYSTEM VALUE " } else { "" },
        params.join(", ")
    );
    let Some(parsed) = crate::parse::parse(&sql)?.pop() else {
        return Err(SqlError::internal("an INSERT without a statement"));
    };
    let planned = plan_statement(view, &parsed.ast, &sql, &types, &shared.settings())?;
    Ok(Arc::new(planned))
}
