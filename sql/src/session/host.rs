//! The session as the executor sees it: functions with side effects, virtual tables, numbers.

use super::view::SessionView;
use super::{errors, functions};
use crate::bind::catalog_view::{HostFunction, Relation};
use crate::exec::{Host, Kv};
use crate::functions::FunctionEnv;
use crate::views;
use base::{BoxFuture, Key, NodeId, RangeId, Span};
use catalog::Table;
use std::sync::Arc;
use types::{Datum, Oid, SqlError, SqlResult, oid};

impl Host for SessionView {
    fn call<'a>(
        &'a self,
        function: &'a HostFunction,
        args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Datum, SqlError>> {
        Box::pin(functions::call(self, function, args))
    }

    fn call_rows<'a>(
        &'a self,
        function: &'a HostFunction,
        args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>> {
        Box::pin(functions::call_rows(self, function, args))
    }

    fn rows<'a>(
        &'a self,
        relation: &'a Relation,
        _txn: &'a mut dyn Kv,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>> {
        Box::pin(async move {
            match relation {
                Relation::Table(table) => views::rows(self, table.oid).await,
                Relation::Sequence(sequence) => functions::sequence::state(self, sequence).await,
                Relation::View(view) => {
                    Err(SqlError::internal(format!("view \"{}\" has no rows", view.name)))
                }
            }
        })
    }

    fn ranges<'a>(&'a self, span: &'a Span) -> BoxFuture<'a, Vec<(RangeId, NodeId)>> {
        Box::pin(async move {
            let routes = self.shared.engine.client().router().ranges(span).await;
            let routes = routes.unwrap_or_default();
            routes
                .iter()
                .map(|route| (route.descriptor.range, route.leader.unwrap_or(NodeId(0))))
                .collect()
        })
    }

    fn interrupted(&self) -> Option<SqlError> {
        self.shared.cancel.interrupted(&**self.shared.engine.clock())
    }

    fn row_ids<'a>(&'a self, table: &'a Table, count: u64) -> BoxFuture<'a, Result<i64, SqlError>> {
        Box::pin(async move {
            let engine = &self.shared.engine;
            let ids = engine.counters().row_ids(engine.client(), table.storage_id, count).await;
            ids.map_err(|error| errors::from_kv(error, &self.catalog))
        })
    }

    fn table_of_key(&self, key: &Key) -> Option<Arc<Table>> {
        let storage = base::layout::table_of(key)?;
        self.catalog.table_by_storage(storage).cloned()
    }
}

impl FunctionEnv for SessionView {
    fn clock_timestamp(&self) -> i64 {
        self.shared.now_micros()
    }

    fn random_u64(&self) -> u64 {
        self.shared.random.lock().next()
    }

    fn set_seed(&self, seed: f64) {
        self.shared.random.lock().seed(seed.to_bits());
    }

    fn current_user(&self) -> String {
        self.shared.user.clone()
    }

    fn current_database(&self) -> String {
        self.shared.database_name.clone()
    }

    fn search_path(&self, implicit: bool) -> Vec<String> {
        let explicit = |oid: &&Oid| implicit || self.is_on_explicit_path(**oid);
        let schemas = self.path.iter().filter(explicit);
        schemas.filter_map(|oid| Some(self.catalog.schema(*oid)?.name.clone())).collect()
    }

    fn backend_pid(&self) -> i32 {
        self.shared.process_id
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.shared.guc.lock().show(name).ok()
    }

    fn set_setting(&self, name: &str, value: &str, local: bool) -> SqlResult<String> {
        let mut guc = self.shared.guc.lock();
        guc.set(name, Some(value), local)?;
        guc.show(name)
    }

    fn reg_name(&self, reg_type: Oid, object: Oid) -> Option<String> {
        match reg_type {
            oid::REGCLASS => {
                self.catalog.relation_by_oid(object).map(|_| self.display_name(object))
            }
            oid::REGNAMESPACE => {
                self.catalog.schema(object).map(|s| super::quote::identifier(&s.name))
            }
            oid::REGROLE => self.catalog.role(object).map(|r| super::quote::identifier(&r.name)),
            _ => None,
        }
    }

    fn reg_lookup(&self, reg_type: Oid, name: &str) -> SqlResult<Option<Oid>> {
        use crate::bind::CatalogView;
        Ok(CatalogView::reg_oid(self, reg_type, name))
    }

    fn catalog_function(&self, name: &str, args: &[Datum]) -> Option<SqlResult<Datum>> {
        views::describe::call(self, name, args)
    }
}

impl types::ObjectNames for SessionView {
    fn object_name(&self, reg_type: Oid, object: Oid) -> Option<String> {
        FunctionEnv::reg_name(self, reg_type, object)
    }
}
