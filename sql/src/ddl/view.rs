//! CREATE VIEW and ALTER VIEW.

use super::Ddl;
use crate::bind::catalog_view::{CatalogView, HostFunction, Relation};
use crate::bind::{self, BindContext};
use crate::session::errors::name_taken;
use crate::session::names::{fold, simple};
use crate::session::view::SessionView;
use catalog::store::NameKind;
use catalog::{Descriptor, Oid, POSTGRES_ROLE, Table, View, ViewColumn};
use parking_lot::Mutex;
use sqlparser::ast::{AlterView, AlterViewOperation, CreateView, Statement};
use std::sync::Arc;
use types::{SqlError, SqlType, oid, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_view(&mut self, create: &CreateView) -> Result<(), SqlError> {
        if create.materialized {
            return Err(SqlError::not_supported("materialized views are not supported"));
        }
        let (schema, name) = self.schema_for(&create.name, create.temporary).await?;
        let (columns, depends_on) = self.bind_view(create)?;
        let existing = self.view().catalog.relation(schema.oid, &name).cloned();
        let mut view = View {
            oid: 0,
            schema: schema.oid,
            name: name.clone(),
            owner: POSTGRES_ROLE,
            query: create.query.to_string(),
            search_path: self.view().path_names.clone(),
            columns,
            depends_on,
            comment: None,
        };
        match existing {
            Some(catalog::Relation::View(found)) if create.or_replace => {
                check_replacement(&found, &view)?;
                let old = self.lock(found.oid).await?;
                view.oid = found.oid;
                view.comment.clone_from(&found.comment);
                self.replace(&old, Descriptor::View(Arc::new(view))).await
            }
            Some(catalog::Relation::View(_)) if create.if_not_exists => {
                let message = format!("relation \"{name}\" already exists, skipping");
                self.notice(sqlstate::DUPLICATE_TABLE, message);
                Ok(())
            }
            Some(_) if create.or_replace => {
                Err(SqlError::new(sqlstate::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a view")))
            }
            Some(_) => Err(name_taken(NameKind::Relation, &name)),
            None => {
                view.oid = self.new_oid().await?;
                self.create(Descriptor::View(Arc::new(view))).await
            }
        }
    }

    fn bind_view(&mut self, create: &CreateView) -> Result<(Vec<ViewColumn>, Vec<Oid>), SqlError> {
        let recorder = Recorder { inner: self.view(), seen: Mutex::new(Vec::new()) };
        let settings = self.shared.settings();
        let context = BindContext {
            sql: self.sql,
            catalog: &recorder,
            settings: &settings,
            param_types: &[],
        };
        let bound = bind::bind_statement(&Statement::Query(create.query.clone()), &context)?;
        let mut columns: Vec<ViewColumn> = bound
            .output
            .iter()
            .map(|(_, column)| ViewColumn {
                name: column.name.clone(),
                ty: if column.ty.oid == oid::UNKNOWN { SqlType::TEXT } else { column.ty },
            })
            .collect();
        if create.columns.len() > columns.len() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "CREATE VIEW specifies more column names than columns",
            ));
        }
        for (column, named) in columns.iter_mut().zip(&create.columns) {
            column.name = fold(&named.name);
        }
        for (at, column) in columns.iter().enumerate() {
            if columns[..at].iter().any(|other| other.name == column.name) {
                return Err(SqlError::new(
                    sqlstate::DUPLICATE_COLUMN,
                    format!("column \"{}\" specified more than once", column.name),
                ));
            }
        }
        Ok((columns, recorder.seen.into_inner()))
    }

    pub(super) async fn alter_view(&mut self, alter: &AlterView) -> Result<(), SqlError> {
        let found = match self.find(&alter.name) {
            Ok(found) => found,
            Err(error) if alter.if_exists => {
                self.skip(&error.message);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        match &alter.operation {
            AlterViewOperation::RenameTo { new_name } => {
                self.rename_relation(&found, simple(new_name)).await
            }
            AlterViewOperation::OwnerTo { .. } => Ok(()),
            other => Err(SqlError::not_supported(format!("ALTER VIEW {other} is not supported"))),
        }
    }
}

/// CREATE OR REPLACE VIEW may only add columns at the end.
fn check_replacement(old: &View, new: &View) -> Result<(), SqlError> {
    let wrong = |message: String| Err(SqlError::new(sqlstate::INVALID_TABLE_DEFINITION, message));
    if new.columns.len() < old.columns.len() {
        return wrong("cannot drop columns from view".to_owned());
    }
    for (old, new) in old.columns.iter().zip(&new.columns) {
        if old.name != new.name {
            return wrong(format!(
                "cannot change name of view column \"{}\" to \"{}\"",
                old.name, new.name
            ));
        }
        if old.ty != new.ty {
            return wrong(format!(
                "cannot change data type of view column \"{}\" from {} to {}",
                old.name, old.ty, new.ty
            ));
        }
    }
    Ok(())
}

/// Notes which relations a query names.
struct Recorder {
    inner: Arc<SessionView>,
    seen: Mutex<Vec<Oid>>,
}

impl CatalogView for Recorder {
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Relation> {
        let found = self.inner.relation(schema, name)?;
        let oid = match &found {
            Relation::Table(table) => table.oid,
            Relation::View(view) => view.oid,
            Relation::Sequence(sequence) => sequence.oid,
        };
        let mut seen = self.seen.lock();
        if !seen.contains(&oid) {
            seen.push(oid);
        }
        Some(found)
    }

    fn table_by_oid(&self, oid: Oid) -> Option<Arc<Table>> {
        self.inner.table_by_oid(oid)
    }

    fn schema_name(&self, oid: Oid) -> Option<String> {
        self.inner.schema_name(oid)
    }

    fn schema_exists(&self, name: &str) -> bool {
        self.inner.schema_exists(name)
    }

    fn referencing(&self, table: Oid) -> Vec<Arc<Table>> {
        self.inner.referencing(table)
    }

    fn reg_oid(&self, reg_type: Oid, text: &str) -> Option<Oid> {
        self.inner.reg_oid(reg_type, text)
    }

    fn host_functions(&self, schema: Option<&str>, name: &str) -> Vec<Arc<HostFunction>> {
        self.inner.host_functions(schema, name)
    }

    fn with_search_path(&self, search_path: &[String]) -> Arc<dyn CatalogView> {
        self.inner.with_search_path(search_path)
    }
}
