//! Filling a new index, and checking rows that are there against a new constraint.

use super::Ddl;
use super::rewrite::{CHUNK_BYTES, RowReader};
use crate::exec::{Context, PartialIndexes};
use crate::session::errors;
use crate::session::internal;
use crate::session::planning::plan_statement;
use base::{Key, KvError, layout as keys};
use catalog::layout::{IndexEntry, index_entry, read_key, row_span};
use catalog::{Index, Table};
use std::sync::Arc;
use txn::{Isolation, Txn, TxnScan, TxnScanPage};
use types::{Datum, SqlError, sqlstate};

impl Ddl<'_> {
    /// Writes the entries of every row into a new index of a fenced table (or of one that this
    /// transaction has made).
    pub(super) async fn build_index(
        &mut self,
        table: &Arc<Table>,
        id: u16,
    ) -> Result<(), SqlError> {
        let Some(index) = table.index(id).cloned() else {
            return Err(SqlError::internal("an index is missing from its table"));
        };
        let reader = RowReader::new(table)?;
        if !self.is_inside(table) {
            self.answer_for(table, Some(id)).await?;
        }
        let partial = self.partial_indexes(table)?;
        let mut out = IndexWriter::new(self, table, &index);
        let mut fresh = out.ddl.fresh_reader(table);
        let mut next = Some(row_span(table));
        while let Some(span) = next {
            let request = TxnScan { limit_bytes: CHUNK_BYTES, ..TxnScan::forward(span) };
            let page = out.ddl.read_page(&mut fresh, request).await?;
            for (_, value) in &page.rows {
                let row = reader.read(value)?;
                if belongs(partial.as_ref(), &index, &row)? {
                    out.put(index_entry(table, &index, &row)?);
                }
            }
            out.flush(false).await?;
            next = page.resume;
        }
        out.flush(true).await
    }

    /// What decides which rows belong to the partial indexes of a table, if it has any. The catalog
    /// must show the table as it is given.
    pub(super) fn partial_indexes(
        &mut self,
        table: &Table,
    ) -> Result<Option<PartialIndexes>, SqlError> {
        if table.indexes.iter().all(|index| index.predicate.is_none()) {
            return Ok(None);
        }
        let (view, settings) = (self.view(), self.shared.settings());
        let sql = format!("DELETE FROM {}", view.display_name(table.oid));
        let Some(parsed) = crate::parse::parse(&sql)?.pop() else {
            return Err(SqlError::internal("a DELETE without a statement"));
        };
        let planned = plan_statement(&view, &parsed.ast, &sql, &[], &settings)?;
        let context = Context { host: view, settings };
        Ok(Some(PartialIndexes::new(&planned.plan, context)))
    }

    /// Fails if a query returns a row, whatever the transaction's snapshot: `violation` makes the
    /// error.
    pub(super) async fn expect_no_rows(
        &mut self,
        sql: &str,
        violation: impl FnOnce(&[Datum]) -> SqlError,
    ) -> Result<(), SqlError> {
        let view = self.view();
        self.tx.txn.read_newest().await.map_err(|e| self.kv(e))?;
        let rows = internal::query(self.shared, self.tx, &view, sql).await;
        self.tx.txn.read_snapshot();
        match rows?.first() {
            Some(row) => Err(violation(row)),
            None => Ok(()),
        }
    }

    /// The error for a key that occurs twice.
    pub(super) fn not_unique(&self, table: &Table, index: &Index, key: &Key) -> SqlError {
        let error = SqlError::new(
            sqlstate::UNIQUE_VIOLATION,
            format!("could not create unique index \"{}\"", index.name),
        )
        .with_constraint(&index.name);
        let columns = keys::split_key(key).map(|(_, _, columns)| columns).unwrap_or_default();
        let Ok(values) = read_key(table, &index.columns, columns) else { return error };
        let settings = self.shared.settings();
        let mut names = Vec::new();
        let mut shown = Vec::new();
        for (column, value) in index.columns.iter().zip(&values) {
            if let Some(column) = table.column(column.column) {
                names.push(column.name.clone());
                shown.push(types::text::to_string(value, column.ty, &settings));
            }
        }
        error.with_detail(format!(
            "Key ({})=({}) is duplicated.",
            names.join(", "),
            shown.join(", ")
        ))
    }

    pub(super) fn kv(&self, error: KvError) -> SqlError {
        errors::from_kv(error, &self.view.catalog)
    }
}

/// True when a row belongs to an index.
pub(super) fn belongs(
    partial: Option<&PartialIndexes>,
    index: &Index,
    row: &[Datum],
) -> Result<bool, SqlError> {
    match partial {
        Some(partial) if index.predicate.is_some() => partial.have(index, row),
        _ => Ok(true),
    }
}

/// Writes entries: through the transaction itself when it has made the table, else in transactions
/// of their own, chunk by chunk, since nobody reads the index yet and the fence keeps writers off.
struct IndexWriter<'d, 'a> {
    ddl: &'d mut Ddl<'a>,
    table: &'d Table,
    index: &'d Index,
    chunk: Option<Txn>,
    bytes: u64,
}

impl<'d, 'a> IndexWriter<'d, 'a> {
    fn new(ddl: &'d mut Ddl<'a>, table: &'d Table, index: &'d Index) -> Self {
        let chunk = (!ddl.is_inside(table)).then(|| ddl.chunk());
        IndexWriter { ddl, table, index, chunk, bytes: 0 }
    }

    fn put(&mut self, entry: IndexEntry) {
        let txn = self.chunk.as_mut().unwrap_or(&mut self.ddl.tx.txn);
        self.bytes += (entry.key.len() + entry.value.len()) as u64;
        if entry.is_unique {
            txn.insert(entry.key, entry.value);
        } else {
            txn.put_unconditional(entry.key, entry.value);
        }
    }

    async fn flush(&mut self, is_end: bool) -> Result<(), SqlError> {
        if self.bytes < CHUNK_BYTES && !is_end {
            return Ok(());
        }
        self.bytes = 0;
        let written = match self.chunk.take() {
            Some(chunk) => chunk.commit().await.map(|_| ()),
            None => return self.check().await,
        };
        if !is_end {
            self.chunk = Some(self.ddl.chunk());
        }
        written.map_err(|error| self.failed(error))
    }

    async fn check(&mut self) -> Result<(), SqlError> {
        let checked = self.ddl.tx.txn.check_inserts().await;
        checked.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: KvError) -> SqlError {
        match error {
            KvError::KeyExists { key } => self.ddl.not_unique(self.table, self.index, &key),
            other => self.ddl.kv(other),
        }
    }
}

impl Ddl<'_> {
    /// True when rows of the table are part of this transaction's own work: then all work on it
    /// goes through the transaction itself.
    pub(super) fn is_inside(&self, table: &Table) -> bool {
        self.is_own(table.oid) || self.tx.written.contains(&table.oid)
    }

    /// A transaction that sees all that was committed up to now, to read a fenced table; `None`
    /// when the table has to be read through this transaction.
    pub(super) fn fresh_reader(&self, table: &Table) -> Option<Txn> {
        let client = self.shared.engine.client();
        (!self.is_inside(table)).then(|| client.begin(Isolation::RepeatableRead, true))
    }

    /// One page of a fenced table as it is now: through [`Ddl::fresh_reader`], or with this
    /// transaction's own changes.
    pub(super) async fn read_page(
        &mut self,
        fresh: &mut Option<Txn>,
        request: TxnScan,
    ) -> Result<TxnScanPage, SqlError> {
        let page = match fresh {
            Some(fresh) => fresh.scan(request).await,
            None => {
                self.tx.txn.read_newest().await.map_err(|e| self.kv(e))?;
                let page = self.tx.txn.scan(request).await;
                self.tx.txn.read_snapshot();
                page
            }
        };
        page.map_err(|e| self.kv(e))
    }

    /// A transaction for one chunk of a large job.
    pub(super) fn chunk(&self) -> Txn {
        self.shared.engine.client().begin(Isolation::ReadCommitted, false)
    }
}
