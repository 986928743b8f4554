//! CREATE TABLE AS and SELECT INTO.

use super::Ddl;
use crate::session::names::fold;
use crate::session::planning::{Planned, plan_statement};
use crate::session::session::statement_view;
use crate::session::{errors, query};
use catalog::layout::{row_key, row_value};
use catalog::{Column, Descriptor, Table};
use sqlparser::ast::{CreateTable, Expr, Ident, ObjectName, Query, SelectInto, SetExpr, Statement};
use std::sync::Arc;
use types::{Datum, SqlError, SqlType, oid, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_table_as(
        &mut self,
        create: &CreateTable,
    ) -> Result<String, SqlError> {
        let Some(query) = &create.query else {
            return Err(SqlError::internal("CREATE TABLE AS without a query"));
        };
        let (schema, name) = self.schema_for(&create.name, create.temporary).await?;
        if self.exists_already(schema.oid, &name, create.if_not_exists)? {
            return Ok("CREATE TABLE AS".to_owned());
        }
        let names: Vec<&Ident> = create.columns.iter().map(|column| &column.name).collect();
        let empty = self.empty_table(schema.oid, name, create.temporary).await?;
        let with_data = create.with_data.as_ref().is_none_or(|with| with.data);
        let count = self.fill_from_query(empty, query, &names, with_data).await?;
        Ok(if with_data { format!("SELECT {count}") } else { "CREATE TABLE AS".to_owned() })
    }

    pub(super) async fn select_into(&mut self, query: &Query) -> Result<String, SqlError> {
        let mut query = query.clone();
        let SetExpr::Select(select) = &mut *query.body else {
            return Err(SqlError::internal("SELECT INTO without SELECT"));
        };
        let Some(into) = select.into.take() else {
            return Err(SqlError::internal("SELECT INTO without INTO"));
        };
        let (schema, name) = self.schema_for(&into_name(&into)?, into.temporary).await?;
        self.exists_already(schema.oid, &name, false)?;
        let empty = self.empty_table(schema.oid, name, into.temporary).await?;
        let count = self.fill_from_query(empty, &query, &[], true).await?;
        Ok(format!("SELECT {count}"))
    }

    async fn fill_from_query(
        &mut self,
        mut table: Table,
        query: &Query,
        names: &[&Ident],
        with_data: bool,
    ) -> Result<u64, SqlError> {
        let statement = Statement::Query(Box::new(query.clone()));
        let settings = self.shared.settings();
        let view = Arc::new(statement_view(self.shared, Some(self.tx)));
        let planned = plan_statement(&view, &statement, self.sql, &[], &settings)?;
        let fields = planned.fields.clone().unwrap_or_else(|| Arc::new([]));
        if names.len() > fields.len() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "too many column names were specified",
            ));
        }
        for (at, field) in fields.iter().enumerate() {
            let name = names.get(at).map_or_else(|| field.name.clone(), |ident| fold(ident));
            let ty = if field.ty.oid == oid::UNKNOWN { SqlType::TEXT } else { field.ty };
            self.place_column(&mut table, Column::new(0, 0, &name, ty))?;
        }
        table.add_row_id();
        let table = Arc::new(table);
        self.create(Descriptor::Table(table.clone())).await?;
        if with_data { self.copy_rows(&table, Arc::new(planned)).await } else { Ok(0) }
    }

    async fn copy_rows(
        &mut self,
        table: &Arc<Table>,
        planned: Arc<Planned>,
    ) -> Result<u64, SqlError> {
        let mut run = planned.start(Arc::new([]), self.shared.settings());
        let mut count = 0;
        while let Some(rows) = query::next_rows(self.shared, self.tx, &mut run).await? {
            let engine = &self.shared.engine;
            let ids =
                engine.counters().row_ids(engine.client(), table.storage_id, rows.len() as u64);
            let first = ids.await.map_err(|e| errors::from_kv(e, &self.view.catalog))?;
            for (id, mut row) in (first..).zip(rows) {
                row.push(Datum::Int8(id));
                self.tx.txn.insert(row_key(table, &row)?, row_value(table, &row));
                count += 1;
            }
            self.tx.txn.check_inserts().await.map_err(|e| self.kv(e))?;
        }
        Ok(count)
    }
}

/// The table that INTO names.
fn into_name(into: &SelectInto) -> Result<ObjectName, SqlError> {
    match into.targets.as_slice() {
        [Expr::Identifier(ident)] => Ok(ObjectName::from(vec![ident.clone()])),
        [Expr::CompoundIdentifier(idents)] => Ok(ObjectName::from(idents.clone())),
        _ => Err(SqlError::not_supported("INTO of anything but one table is not supported")),
    }
}
