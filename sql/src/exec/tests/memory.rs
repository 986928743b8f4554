//! A transaction over a map, and a session without a server.

use crate::bind::{CatalogView, HostFunction, Relation};
use crate::exec::{Host, Kv};
use crate::functions::FunctionEnv;
use crate::pushdown::FragmentHost;
use base::api::lock::{LockStrength, LockWait};
use base::{BoxFuture, Key, KvError, KvResult, NodeId, Pushdown, RangeId, RowFlow, Span};
use bytes::Bytes;
use catalog::descriptor::{Column, Index, IndexColumn, IndexState, Table, TableKind};
use std::collections::BTreeMap;
use std::sync::Arc;
use types::{Datum, Oid, SqlError, SqlType, oid};

/// Rows by key; inserts are checked at once.
#[derive(Default)]
pub(super) struct MemoryTxn {
    pub(super) rows: BTreeMap<Key, Bytes>,
    pub(super) conflict: Option<Key>,
}

impl Kv for MemoryTxn {
    fn get<'a>(&'a mut self, keys: &'a [Key]) -> BoxFuture<'a, KvResult<Vec<Option<Bytes>>>> {
        let found = keys.iter().map(|k| self.rows.get(k).cloned()).collect();
        Box::pin(async move { Ok(found) })
    }

    fn scan(&mut self, request: txn::TxnScan) -> BoxFuture<'_, KvResult<txn::TxnScanPage>> {
        let result = self.page(request);
        Box::pin(async move { result })
    }

    fn lock(
        &mut self,
        keys: Vec<Key>,
        _strength: LockStrength,
        _wait: LockWait,
    ) -> BoxFuture<'_, KvResult<Vec<txn::TxnLocked>>> {
        let held =
            |k: &Key| txn::TxnLocked::Held { value: self.rows.get(k).cloned(), changed: false };
        let found = keys.iter().map(held).collect();
        Box::pin(async move { Ok(found) })
    }

    fn hold(&mut self, _keys: Vec<Key>) -> BoxFuture<'_, KvResult<()>> {
        Box::pin(async { Ok(()) })
    }

    fn read_newest(&mut self) -> BoxFuture<'_, KvResult<()>> {
        Box::pin(async { Ok(()) })
    }

    fn read_snapshot(&mut self) {}

    fn put(&mut self, key: Key, value: Bytes) {
        self.rows.insert(key, value);
    }

    fn delete(&mut self, key: Key) {
        self.rows.remove(&key);
    }

    fn insert(&mut self, key: Key, value: Bytes) {
        if self.rows.contains_key(&key) {
            self.conflict = Some(key);
            return;
        }
        self.rows.insert(key, value);
    }

    fn put_unconditional(&mut self, key: Key, value: Bytes) {
        self.rows.insert(key, value);
    }

    fn delete_unconditional(&mut self, key: Key) {
        self.rows.remove(&key);
    }

    fn touched(&self) -> Vec<(RangeId, NodeId)> {
        Vec::new()
    }
}

/// Small pages, so that scans have to go on.
const PAGE_ROWS: usize = 3;

impl MemoryTxn {
    fn page(&self, request: txn::TxnScan) -> KvResult<txn::TxnScanPage> {
        let Span { start, end } = request.span.clone();
        let mut rows: Vec<(Key, Bytes)> =
            self.rows.range(start..end).map(|(k, v)| (k.clone(), v.clone())).collect();
        if request.reverse {
            rows.reverse();
        }
        let mut page = txn::TxnScanPage { more: request.also, ..Default::default() };
        if rows.len() > PAGE_ROWS {
            let next = rows[PAGE_ROWS].0.clone();
            rows.truncate(PAGE_ROWS);
            page.resume = Some(match request.reverse {
                false => Span::new(next, request.span.end),
                true => Span::new(request.span.start, next.after()),
            });
        }
        match request.fragment {
            None => page.rows = rows,
            Some(fragment) => {
                let mut run = FragmentHost.start(&fragment)?;
                for (key, value) in &rows {
                    if run.push(key, value)? == RowFlow::Done {
                        page.resume = None;
                        break;
                    }
                }
                page.outputs.push(run.finish()?);
            }
        }
        Ok(page)
    }

    /// The key of an insert that found its place taken.
    pub(super) fn check(&mut self) -> KvResult<()> {
        match self.conflict.take() {
            None => Ok(()),
            Some(key) => Err(KvError::KeyExists { key }),
        }
    }
}

/// Two tables and nothing else.
pub(super) struct MemoryCatalog {
    pub(super) tables: Vec<Arc<Table>>,
}

/// `(name, type, not null)`.
type ColumnSpec = (&'static str, SqlType, bool);

/// A table whose first `keys` columns are the primary key.
pub(super) fn table(oid: Oid, name: &str, keys: usize, columns: &[ColumnSpec]) -> Table {
    let columns: Vec<Column> = columns
        .iter()
        .enumerate()
        .map(|(i, (name, ty, not_null))| {
            let mut column = Column::new(i as u32 + 1, i as i16 + 1, name, *ty);
            column.is_not_null = *not_null || i < keys;
            column
        })
        .collect();
    let asc = |id: u32| IndexColumn { column: id, direction: types::Direction::Asc };
    let key: Vec<IndexColumn> = (1..=keys as u32).map(asc).collect();
    let mut table = Table {
        oid,
        schema: 2200,
        name: name.to_owned(),
        owner: 10,
        kind: TableKind::Ordinary,
        storage_id: oid,
        version: 1,
        next_column: columns.len() as u32 + 1,
        columns,
        key: key.clone(),
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        next_index: 2,
        options: Vec::new(),
        rows_estimate: -1,
        comment: None,
    };
    table.indexes.push(index(1, &format!("{name}_pkey"), key, true));
    table
}

pub(super) fn index(id: u16, name: &str, columns: Vec<IndexColumn>, unique: bool) -> Index {
    Index {
        id,
        oid: 50_000 + u32::from(id),
        name: name.to_owned(),
        columns,
        include: Vec::new(),
        is_unique: unique,
        is_primary: id == 1,
        is_constraint: unique,
        constraint_oid: 0,
        nulls_not_distinct: false,
        predicate: None,
        state: IndexState::Public,
        comment: None,
    }
}

impl CatalogView for MemoryCatalog {
    fn relation(&self, _schema: Option<&str>, name: &str) -> Option<Relation> {
        self.tables.iter().find(|t| t.name == name).cloned().map(Relation::Table)
    }

    fn table_by_oid(&self, oid: Oid) -> Option<Arc<Table>> {
        self.tables.iter().find(|t| t.oid == oid).cloned()
    }

    fn schema_name(&self, _oid: Oid) -> Option<String> {
        Some("public".to_owned())
    }

    fn schema_exists(&self, name: &str) -> bool {
        name == "public"
    }

    fn referencing(&self, table: Oid) -> Vec<Arc<Table>> {
        let points = |t: &&Arc<Table>| t.foreign_keys.iter().any(|k| k.references == table);
        self.tables.iter().filter(points).cloned().collect()
    }

    fn reg_oid(&self, reg_type: Oid, text: &str) -> Option<Oid> {
        (reg_type == oid::REGCLASS)
            .then(|| self.tables.iter().find(|t| t.name == text).map(|t| t.oid))
            .flatten()
    }

    fn host_functions(&self, _schema: Option<&str>, _name: &str) -> Vec<Arc<HostFunction>> {
        Vec::new()
    }

    fn with_search_path(&self, _search_path: &[String]) -> Arc<dyn CatalogView> {
        Arc::new(MemoryCatalog { tables: self.tables.clone() })
    }
}

/// A session that knows nothing.
pub(super) struct MemoryHost;

impl FunctionEnv for MemoryHost {}

impl Host for MemoryHost {
    fn call<'a>(
        &'a self,
        function: &'a HostFunction,
        _args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Datum, SqlError>> {
        Box::pin(async move { Err(SqlError::internal(function.name.clone())) })
    }

    fn call_rows<'a>(
        &'a self,
        function: &'a HostFunction,
        _args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>> {
        Box::pin(async move { Err(SqlError::internal(function.name.clone())) })
    }

    fn rows<'a>(
        &'a self,
        _relation: &'a Relation,
        _txn: &'a mut dyn Kv,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn ranges<'a>(&'a self, _span: &'a Span) -> BoxFuture<'a, Vec<(RangeId, NodeId)>> {
        Box::pin(async { vec![(RangeId(1), NodeId(1))] })
    }

    fn interrupted(&self) -> Option<SqlError> {
        None
    }

    fn row_ids<'a>(
        &'a self,
        _table: &'a Table,
        _count: u64,
    ) -> BoxFuture<'a, Result<i64, SqlError>> {
        Box::pin(async { Ok(1) })
    }

    fn table_of_key(&self, _key: &Key) -> Option<Arc<Table>> {
        None
    }
}
