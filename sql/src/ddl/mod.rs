//! DDL: statements that change the catalog. Each runs inside the session's transaction: descriptors
//! are written through it, and what it has changed it sees at once ([`Ddl::view`]).
//!
//! Changes that running writers of the table must not overlap (index builds, rewrites, new
//! constraints) take the table's *fence* first ([`fence`]); a table made by the same transaction
//! needs none.

mod alter;
mod alter_column;
mod build;
mod columns;
mod comment;
mod constraints;
mod create_as;
mod database;
mod drop;
pub(crate) mod fence;
mod garbage;
mod index;
mod names;
mod place;
mod publish;
mod rename;
mod rewrite;
mod role;
mod schema;
mod sequence;
mod table;
mod temporary;
mod truncate;
mod view;

pub(crate) use alter_column::is_volatile;
pub(crate) use columns::next_value_of;
pub(crate) use place::placed;
pub(crate) use publish::publish;

use crate::bind::{BindContext, Stored};
use crate::session::classify::command_name;
use crate::session::errors;
use crate::session::names::qualified;
use crate::session::query::catalog_changed;
use crate::session::session::make_view;
use crate::session::shared::Shared;
use crate::session::transaction::Transaction;
use crate::session::view::SessionView;
use crate::utility::Extra;
use catalog::{Descriptor, Oid, Schema, Table, TableKind, store};
use sqlparser::ast::{ObjectName, ObjectType, Statement};
use std::sync::Arc;
use types::{Severity, SqlError, SqlType, sqlstate};

/// One DDL statement at work.
pub(crate) struct Ddl<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) tx: &'a mut Transaction,
    /// The query string, for positions in errors.
    pub(crate) sql: &'a str,
    view: Arc<SessionView>,
    view_version: u64,
    /// Objects that the statement has locked.
    locked: Vec<Oid>,
}

/// Runs a DDL statement; the command tag.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    statement: &Statement,
    sql: &str,
) -> Result<String, SqlError> {
    Ddl::new(shared, tx, sql).statement(statement).await
}

/// Runs a DDL statement that the grammar lacks; the command tag.
pub(crate) async fn run_extra(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    extra: &Extra,
    sql: &str,
) -> Result<String, SqlError> {
    let mut ddl = Ddl::new(shared, tx, sql);
    match extra {
        Extra::AlterSequence { name, if_exists, options, restart } => {
            ddl.alter_sequence(name, *if_exists, options, *restart).await?;
        }
        Extra::RenameSequence { name, to } => {
            let found = ddl.find(name)?;
            ddl.rename_relation(&found, crate::session::names::fold(to)).await?;
        }
        Extra::Vacuum { .. } | Extra::Nothing(_) => {}
    }
    Ok("ALTER SEQUENCE".to_owned())
}

/// Keeps what ANALYZE has counted.
pub(crate) async fn set_row_estimate(
    shared: &Arc<Shared>,
    tx: &mut Transaction,
    table: Oid,
    count: i64,
) -> Result<(), SqlError> {
    let mut ddl = Ddl::new(shared, tx, "");
    let old = ddl.lock_table(table).await?;
    let mut new = (*old).clone();
    new.rows_estimate = count;
    ddl.replace_table(&old, new).await.map(|_| ())
}

impl<'a> Ddl<'a> {
    fn new(shared: &'a Arc<Shared>, tx: &'a mut Transaction, sql: &'a str) -> Ddl<'a> {
        let view = Arc::new(make_view(shared, Some(tx)));
        let view_version = tx.changes_version;
        Ddl { shared, tx, sql, view, view_version, locked: Vec::new() }
    }
}

impl Ddl<'_> {
    async fn statement(&mut self, statement: &Statement) -> Result<String, SqlError> {
        match statement {
            Statement::CreateTable(create) if create.query.is_some() => {
                return self.create_table_as(create).await;
            }
            Statement::CreateTable(create) => self.create_table(create).await?,
            Statement::Query(query) => return self.select_into(query).await,
            Statement::CreateIndex(create) => self.create_index(create).await?,
            Statement::CreateView(create) => self.create_view(create).await?,
            Statement::CreateSchema { schema_name, if_not_exists, .. } => {
                self.create_schema(schema_name, *if_not_exists).await?;
            }
            Statement::CreateDatabase { db_name, if_not_exists, .. } => {
                self.create_database(db_name, *if_not_exists).await?;
            }
            Statement::CreateSequence { temporary, if_not_exists, name, sequence_options } => {
                self.create_sequence(name, *temporary, *if_not_exists, sequence_options).await?;
            }
            Statement::CreateRole(create) => self.create_role(create).await?,
            Statement::AlterTable(alter) => return self.alter_table(alter).await,
            Statement::AlterIndex { name, operation } => self.alter_index(name, operation).await?,
            Statement::AlterView(alter) => self.alter_view(alter).await?,
            Statement::AlterSchema(alter) => self.alter_schema(alter).await?,
            Statement::AlterRole { name, operation } => self.alter_role(name, operation).await?,
            Statement::Truncate(truncate) => self.truncate(truncate).await?,
            Statement::Comment { object_type, object_name, comment, .. } => {
                self.comment(object_type, object_name, comment.as_deref()).await?;
            }
            Statement::Drop { .. } => return self.drop_statement(statement).await,
            Statement::Grant(_) => return Ok("GRANT".to_owned()),
            Statement::Revoke(_) => return Ok("REVOKE".to_owned()),
            Statement::GrantRole(_) => return Ok("GRANT ROLE".to_owned()),
            Statement::RevokeRole(_) => return Ok("REVOKE ROLE".to_owned()),
            Statement::AlterDefaultPrivileges(_) => {
                return Ok("ALTER DEFAULT PRIVILEGES".to_owned());
            }
            Statement::CreateExtension(create) => self.create_extension(create)?,
            Statement::DropExtension(_) => {}
            other => {
                return Err(SqlError::not_supported(format!(
                    "{} is not supported",
                    command_name(other)
                )));
            }
        }
        Ok(command_name(statement))
    }

    /// The catalog as the statement sees it now.
    pub(crate) fn view(&mut self) -> Arc<SessionView> {
        if self.view_version != self.tx.changes_version {
            self.view = Arc::new(make_view(self.shared, Some(self.tx)));
            self.view_version = self.tx.changes_version;
        }
        self.view.clone()
    }

    /// A fresh OID.
    pub(crate) async fn new_oid(&self) -> Result<Oid, SqlError> {
        self.shared.engine.new_oid(&self.view.catalog).await
    }

    /// Writes a new object.
    pub(crate) async fn create(&mut self, descriptor: Descriptor) -> Result<(), SqlError> {
        let created = store::create(&mut self.tx.txn, &mut self.tx.changes, descriptor).await;
        self.tx.changed();
        created.map_err(|error| errors::from_catalog(error, &self.view.catalog))
    }

    /// Waits for others that are changing the object, and reads it as it is then.
    pub(crate) async fn lock(&mut self, oid: Oid) -> Result<Descriptor, SqlError> {
        self.locked.push(oid);
        let locked = store::lock(&mut self.tx.txn, oid).await;
        let locked = locked.map_err(|error| errors::from_catalog(error, &self.view.catalog))?;
        locked.ok_or_else(catalog_changed)
    }

    /// Locks a table.
    pub(crate) async fn lock_table(&mut self, oid: Oid) -> Result<Arc<Table>, SqlError> {
        match self.lock(oid).await? {
            Descriptor::Table(table) => Ok(table),
            other => Err(SqlError::internal(format!("\"{}\" is not a table", other.name()))),
        }
    }

    /// Replaces a locked object.
    pub(crate) async fn replace(
        &mut self,
        old: &Descriptor,
        new: Descriptor,
    ) -> Result<(), SqlError> {
        let replaced = store::replace(&mut self.tx.txn, &mut self.tx.changes, old, new).await;
        self.tx.changed();
        replaced.map_err(|error| errors::from_catalog(error, &self.view.catalog))
    }

    /// Replaces a locked table.
    pub(crate) async fn replace_table(
        &mut self,
        old: &Arc<Table>,
        mut new: Table,
    ) -> Result<Arc<Table>, SqlError> {
        new.version = old.version + 1;
        let new = Arc::new(new);
        self.replace(&Descriptor::Table(old.clone()), Descriptor::Table(new.clone())).await?;
        Ok(new)
    }

    /// Drops a locked object.
    pub(crate) fn remove(&mut self, old: &Descriptor) {
        store::remove(&mut self.tx.txn, &mut self.tx.changes, old);
        self.tx.changed();
    }

    /// True when the transaction itself has made the object: nobody else can be using it.
    pub(crate) fn is_own(&self, oid: Oid) -> bool {
        self.tx.changes.created.contains(&oid)
    }

    /// NOTICE.
    pub(crate) fn notice(&self, code: types::SqlState, message: impl Into<String>) {
        let notice = SqlError::new(code, message).with_severity(Severity::Notice);
        self.shared.notices.lock().push(notice);
    }

    /// The notice of IF EXISTS: what is missing does not matter.
    pub(crate) fn skip(&self, missing: &str) {
        self.notice(sqlstate::SUCCESSFUL_COMPLETION, format!("{missing}, skipping"));
    }

    /// The name of the schema that a table is in.
    pub(crate) fn schema_name(&mut self, table: &Table) -> String {
        let view = self.view();
        view.catalog.schema(table.schema).map(|s| s.name.clone()).unwrap_or_default()
    }

    /// Schema and name of a relation that is named.
    pub(crate) fn qualified(
        &self,
        name: &ObjectName,
    ) -> Result<(Option<String>, String), SqlError> {
        qualified(name, &self.shared.database_name)
    }

    /// The schema in which a new object with this name goes.
    pub(crate) async fn schema_for(
        &mut self,
        name: &ObjectName,
        is_temporary: bool,
    ) -> Result<(Arc<Schema>, String), SqlError> {
        let (schema, name) = self.qualified(name)?;
        let view = self.view();
        if is_temporary || schema.as_deref() == Some("pg_temp") {
            return Ok((self.temporary_schema().await?, name));
        }
        let schema = match schema {
            Some(schema) => view.schema_named(&schema).cloned().ok_or_else(|| {
                let message = format!("schema \"{schema}\" does not exist");
                SqlError::new(sqlstate::UNDEFINED_SCHEMA, message)
            })?,
            None => view.creation_schema().cloned().ok_or_else(|| {
                SqlError::new(
                    sqlstate::UNDEFINED_SCHEMA,
                    "no schema has been selected to create in",
                )
            })?,
        };
        if schema.database == 0 {
            return Err(SqlError::new(
                sqlstate::INSUFFICIENT_PRIVILEGE,
                format!("permission denied to create \"{}.{name}\"", schema.name),
            )
            .with_detail("System catalog modifications are currently disallowed."));
        }
        Ok((schema, name))
    }

    /// An existing relation of any kind.
    pub(crate) fn find(&mut self, name: &ObjectName) -> Result<catalog::Relation, SqlError> {
        let (schema, relation) = self.qualified(name)?;
        let view = self.view();
        match view.find(schema.as_deref(), &relation) {
            Some(found) => Ok(found.clone()),
            None => {
                if let Some(schema) = &schema
                    && view.schema_named(schema).is_none()
                {
                    let message = format!("schema \"{schema}\" does not exist");
                    return Err(SqlError::new(sqlstate::UNDEFINED_SCHEMA, message));
                }
                Err(missing_relation(schema.as_deref(), &relation))
            }
        }
    }

    /// An existing table that can be changed.
    pub(crate) fn find_table(&mut self, name: &ObjectName) -> Result<Arc<Table>, SqlError> {
        match self.find(name)? {
            catalog::Relation::Table(table) if table.kind == TableKind::Virtual => {
                Err(SqlError::new(
                    sqlstate::INSUFFICIENT_PRIVILEGE,
                    format!("permission denied: \"{}\" is a system catalog", table.name),
                ))
            }
            catalog::Relation::Table(table) => Ok(table),
            other => Err(SqlError::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("\"{}\" is not a table", other.name()),
            )),
        }
    }

    /// Checks an expression that is to be stored: a default, a check constraint. Answers its type.
    pub(crate) fn check_expression(
        &mut self,
        expr: &sqlparser::ast::Expr,
        table: Option<&Table>,
        stored: Stored,
        target: SqlType,
    ) -> Result<SqlType, SqlError> {
        let view = self.view();
        let settings = self.shared.settings();
        let context =
            BindContext { sql: self.sql, catalog: &*view, settings: &settings, param_types: &[] };
        crate::bind::check_stored(expr, table, stored, target, &context)
    }

    fn create_extension(&self, create: &sqlparser::ast::CreateExtension) -> Result<(), SqlError> {
        match create.name.value.as_str() {
            // What these bring is built in.
            "plpgsql" | "pgcrypto" | "uuid-ossp" => Ok(()),
            other => Err(SqlError::new(
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("extension \"{other}\" is not available"),
            )),
        }
    }
}

/// `relation "x" does not exist`.
pub(crate) fn missing_relation(schema: Option<&str>, name: &str) -> SqlError {
    let shown = match schema {
        Some(schema) => format!("{schema}.{name}"),
        None => name.to_owned(),
    };
    SqlError::new(sqlstate::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
}

/// The word for a kind of object in messages.
pub(crate) fn object_word(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Table | ObjectType::ForeignTable => "table",
        ObjectType::View => "view",
        ObjectType::MaterializedView => "materialized view",
        ObjectType::Index => "index",
        ObjectType::Schema => "schema",
        ObjectType::Database => "database",
        ObjectType::Role | ObjectType::User | ObjectType::Group => "role",
        ObjectType::Sequence => "sequence",
        ObjectType::Type => "type",
        ObjectType::Collation => "collation",
        ObjectType::Stage | ObjectType::Stream | ObjectType::Warehouse => "object",
    }
}
