//! Moving a table's rows to new storage: a new primary key, a changed column type.

use super::Ddl;
use super::build::belongs;
use crate::exec::RowExpr;
use crate::session::errors;
use base::KvError;
use base::layout::PRIMARY_INDEX;
use catalog::layout::{index_entry, row_key, row_span, row_value};
use catalog::{Index, Table};
use std::sync::Arc;
use txn::TxnScan;
use types::{Datum, Settings, SqlError, SqlType};

/// About how many bytes are read, and written in one transaction, at a time.
pub(super) const CHUNK_BYTES: u64 = 2 << 20;

/// Reads rows from their stored form, with missing columns filled in.
pub(super) struct RowReader {
    /// Column ids, ascending, with their place in the row.
    wanted: Vec<(u32, usize)>,
    defaults: Vec<Datum>,
}

impl RowReader {
    pub(super) fn new(table: &Table) -> Result<RowReader, SqlError> {
        let mut wanted = Vec::with_capacity(table.columns.len());
        let mut defaults = Vec::with_capacity(table.columns.len());
        let settings = Settings::default();
        for (position, column) in table.columns.iter().enumerate() {
            if !column.is_dropped {
                wanted.push((column.id, position));
            }
            defaults.push(match &column.missing {
                Some(text) => types::text::parse(column.ty, text, &settings)?,
                None => Datum::Null,
            });
        }
        Ok(RowReader { wanted, defaults })
    }

    /// A datum for each of the table's columns.
    pub(super) fn read(&self, value: &[u8]) -> Result<Vec<Datum>, SqlError> {
        let mut row = self.defaults.clone();
        types::tuple::read_into(value, &self.wanted, &mut row)?;
        Ok(row)
    }
}

/// How rows change on their way.
pub(super) trait RowChange: Send {
    /// Makes a row of the new table from a row of the old one.
    fn change(&mut self, row: Vec<Datum>) -> Result<Vec<Datum>, SqlError>;
}

/// Rows stay as they are.
pub(super) struct Same;

impl RowChange for Same {
    fn change(&mut self, row: Vec<Datum>) -> Result<Vec<Datum>, SqlError> {
        Ok(row)
    }
}

impl Ddl<'_> {
    /// Copies all rows of a fenced table into the storage of its new descriptor. The columns of
    /// both are the same by position.
    pub(super) async fn rewrite(
        &mut self,
        old: &Arc<Table>,
        new: &Table,
        change: &mut dyn RowChange,
    ) -> Result<(), SqlError> {
        let reader = RowReader::new(old)?;
        let schema = self.schema_name(new);
        let is_inside = self.is_inside(old);
        if !is_inside {
            self.answer_for(new, None).await?;
        }
        let mut fresh = self.fresh_reader(old);
        let partial = self.partial_indexes(new)?;
        let indexes: Vec<Index> = new.secondary_indexes().cloned().collect();
        let mut chunk = (!is_inside).then(|| self.chunk());
        let mut next = Some(row_span(old));
        while let Some(span) = next {
            let request = TxnScan { limit_bytes: CHUNK_BYTES, ..TxnScan::forward(span) };
            let page = self.read_page(&mut fresh, request).await?;
            let txn = chunk.as_mut().unwrap_or(&mut self.tx.txn);
            for (_, value) in &page.rows {
                let row = change.change(reader.read(value)?)?;
                check_not_null(&schema, new, &row)?;
                txn.insert(row_key(new, &row)?, row_value(new, &row));
                for index in &indexes {
                    if !belongs(partial.as_ref(), index, &row)? {
                        continue;
                    }
                    let entry = index_entry(new, index, &row)?;
                    if entry.is_unique {
                        txn.insert(entry.key, entry.value);
                    } else {
                        txn.put_unconditional(entry.key, entry.value);
                    }
                }
            }
            next = page.resume;
            let written = match chunk.take() {
                Some(full) => full.commit().await.map(|_| ()),
                None => self.tx.txn.check_inserts().await,
            };
            written.map_err(|error| self.duplicate(new, error))?;
            chunk = (!is_inside).then(|| self.chunk());
        }
        Ok(())
    }

    /// Gives the table new storage; the old goes away once the transaction is committed.
    pub(super) async fn move_storage(&mut self, table: &mut Table) -> Result<(), SqlError> {
        self.abandon(table, None);
        table.storage_id = self.new_oid().await?;
        Ok(())
    }

    fn duplicate(&self, table: &Table, error: KvError) -> SqlError {
        let KvError::KeyExists { key } = &error else {
            return errors::from_kv(error, &self.view.catalog);
        };
        let id = base::layout::split_key(key).map_or(PRIMARY_INDEX, |(_, index, _)| index);
        match table.index(id) {
            Some(index) => self.not_unique(table, index, key),
            None => errors::from_kv(error, &self.view.catalog),
        }
    }
}

fn check_not_null(schema: &str, table: &Table, row: &[Datum]) -> Result<(), SqlError> {
    for (column, value) in table.columns.iter().zip(row) {
        if column.is_not_null && !column.is_dropped && matches!(value, Datum::Null) {
            return Err(contains_nulls(schema, table, &column.name));
        }
    }
    Ok(())
}

/// `column "x" of relation "t" contains null values`.
pub(super) fn contains_nulls(schema: &str, table: &Table, column: &str) -> SqlError {
    SqlError::new(
        types::sqlstate::NOT_NULL_VIOLATION,
        format!("column \"{column}\" of relation \"{}\" contains null values", table.name),
    )
    .with_table(schema, &table.name)
    .with_column(column)
}

/// Converts one column's values as an assignment cast does.
pub(super) struct CastColumn {
    pub(super) position: usize,
    pub(super) from: SqlType,
    pub(super) to: SqlType,
    pub(super) settings: Settings,
}

impl RowChange for CastColumn {
    fn change(&mut self, mut row: Vec<Datum>) -> Result<Vec<Datum>, SqlError> {
        let value = std::mem::replace(&mut row[self.position], Datum::Null);
        row[self.position] = types::cast::cast(value, self.from, self.to, false, &self.settings)?;
        Ok(row)
    }
}

/// Replaces one column's values by those of an expression.
pub(super) struct ComputeColumn {
    pub(super) position: usize,
    pub(super) expr: RowExpr,
    pub(super) to: SqlType,
    pub(super) settings: Settings,
}

impl RowChange for ComputeColumn {
    fn change(&mut self, mut row: Vec<Datum>) -> Result<Vec<Datum>, SqlError> {
        let value = self.expr.value(&row)?;
        row[self.position] =
            types::cast::cast(value, self.expr.ty(), self.to, false, &self.settings)?;
        Ok(row)
    }
}
