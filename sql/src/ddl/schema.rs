//! CREATE, ALTER and DROP SCHEMA.

use super::Ddl;
use super::drop::{Dependent, plain_name};
use crate::session::errors::name_taken;
use crate::session::names::fold;
use catalog::store::NameKind;
use catalog::{Descriptor, POSTGRES_ROLE, Relation, Schema};
use sqlparser::ast::{AlterSchema, AlterSchemaOperation, ObjectName, SchemaName};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_schema(
        &mut self,
        name: &SchemaName,
        if_not_exists: bool,
    ) -> Result<(), SqlError> {
        let name = match name {
            SchemaName::Simple(name) | SchemaName::NamedAuthorization(name, _) => plain_name(name),
            SchemaName::UnnamedAuthorization(role) => fold(role),
        };
        if name.starts_with("pg_") {
            return Err(SqlError::new(
                sqlstate::RESERVED_NAME,
                format!("unacceptable schema name \"{name}\""),
            )
            .with_detail("The prefix \"pg_\" is reserved for system schemas."));
        }
        if self.view().schema_named(&name).is_some() {
            if !if_not_exists {
                return Err(name_taken(NameKind::Schema, &name));
            }
            let message = format!("schema \"{name}\" already exists, skipping");
            self.notice(sqlstate::DUPLICATE_SCHEMA, message);
            return Ok(());
        }
        self.new_schema(name).await.map(|_| ())
    }

    pub(super) async fn new_schema(&mut self, name: String) -> Result<Arc<Schema>, SqlError> {
        let schema = Arc::new(Schema {
            oid: self.new_oid().await?,
            database: self.shared.database,
            name,
            owner: POSTGRES_ROLE,
            comment: None,
        });
        self.create(Descriptor::Schema(schema.clone())).await?;
        Ok(schema)
    }

    pub(super) async fn alter_schema(&mut self, alter: &AlterSchema) -> Result<(), SqlError> {
        let name = plain_name(&alter.name);
        let Some(schema) = self.view().schema_named(&name).cloned() else {
            return Err(no_schema(&name));
        };
        for operation in &alter.operations {
            match operation {
                AlterSchemaOperation::Rename { name } => {
                    let old = self.lock(schema.oid).await?;
                    let Descriptor::Schema(locked) = &old else { return Err(no_schema("")) };
                    let mut new = (**locked).clone();
                    new.name = plain_name(name);
                    self.replace(&old, Descriptor::Schema(Arc::new(new))).await?;
                }
                AlterSchemaOperation::OwnerTo { .. } => {}
                other => {
                    return Err(SqlError::not_supported(format!(
                        "ALTER SCHEMA {other} is not supported"
                    )));
                }
            }
        }
        Ok(())
    }

    pub(super) async fn drop_schemas(
        &mut self,
        names: &[ObjectName],
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), SqlError> {
        for name in names {
            let name = plain_name(name);
            let Some(schema) = self.view().schema_named(&name).cloned() else {
                if !if_exists {
                    return Err(no_schema(&name));
                }
                self.skip(&format!("schema \"{name}\" does not exist"));
                continue;
            };
            if schema.database == 0 {
                return Err(SqlError::new(
                    sqlstate::DEPENDENT_OBJECTS_STILL_EXIST,
                    format!(
                        "cannot drop schema {name} because it is required by the database system"
                    ),
                ));
            }
            self.drop_schema(&schema, cascade).await?;
        }
        Ok(())
    }

    /// Drops a schema with all that is in it.
    pub(super) async fn drop_schema(
        &mut self,
        schema: &Arc<Schema>,
        cascade: bool,
    ) -> Result<(), SqlError> {
        let contents = self.contents(schema);
        if !contents.is_empty() && !cascade {
            return Err(self.needed_by(&format!("schema {}", schema.name), &contents));
        }
        self.announce_cascade(&contents);
        let together: BTreeSet<_> = contents
            .iter()
            .filter_map(|dependent| match dependent {
                Dependent::Table(oid) | Dependent::View(oid) | Dependent::Sequence(oid) => {
                    Some(*oid)
                }
                _ => None,
            })
            .collect();
        for oid in &together {
            self.drop_relation(*oid, &together, true).await?;
        }
        let old = self.lock(schema.oid).await?;
        self.remove(&old);
        Ok(())
    }

    /// Relations of a schema, without those that go with others.
    fn contents(&mut self, schema: &Schema) -> Vec<Dependent> {
        let view = self.view();
        let mut out: Vec<Dependent> = view
            .catalog
            .relations(schema.oid)
            .filter_map(|relation| match relation {
                Relation::Table(table) => Some(Dependent::Table(table.oid)),
                Relation::View(view) => Some(Dependent::View(view.oid)),
                Relation::Sequence(s) if s.owned_by.is_none() => Some(Dependent::Sequence(s.oid)),
                _ => None,
            })
            .collect();
        out.sort();
        out
    }
}

pub(super) fn no_schema(name: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_SCHEMA, format!("schema \"{name}\" does not exist"))
}
