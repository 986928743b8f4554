//! CREATE and DROP DATABASE.

use super::Ddl;
use super::drop::plain_name;
use crate::session::errors::name_taken;
use catalog::store::NameKind;
use catalog::{Database, Descriptor, POSTGRES_ROLE, Schema};
use sqlparser::ast::ObjectName;
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_database(
        &mut self,
        name: &ObjectName,
        if_not_exists: bool,
    ) -> Result<(), SqlError> {
        let name = plain_name(name);
        if self.view().catalog.database_named(&name).is_some() {
            if !if_not_exists {
                return Err(name_taken(NameKind::Database, &name));
            }
            let message = format!("database \"{name}\" already exists, skipping");
            self.notice(sqlstate::DUPLICATE_DATABASE, message);
            return Ok(());
        }
        let database =
            Database { oid: self.new_oid().await?, name, owner: POSTGRES_ROLE, comment: None };
        let public = Schema {
            oid: self.new_oid().await?,
            database: database.oid,
            name: "public".to_owned(),
            owner: POSTGRES_ROLE,
            comment: Some("standard public schema".to_owned()),
        };
        self.create(Descriptor::Database(Arc::new(database))).await?;
        self.create(Descriptor::Schema(Arc::new(public))).await
    }

    pub(super) async fn drop_database(
        &mut self,
        names: &[ObjectName],
        if_exists: bool,
    ) -> Result<(), SqlError> {
        for name in names {
            let name = plain_name(name);
            let Some(database) = self.view().catalog.database_named(&name).cloned() else {
                let message = format!("database \"{name}\" does not exist");
                if !if_exists {
                    return Err(SqlError::new(sqlstate::UNDEFINED_DATABASE, message));
                }
                self.skip(&message);
                continue;
            };
            self.check_not_in_use(&database)?;
            self.drop_everything_in(&database).await?;
            let old = self.lock(database.oid).await?;
            self.remove(&old);
        }
        Ok(())
    }

    fn check_not_in_use(&self, database: &Database) -> Result<(), SqlError> {
        let in_use = |message: &str| Err(SqlError::new(sqlstate::OBJECT_IN_USE, message));
        if database.oid == self.shared.database {
            return in_use("cannot drop the currently open database");
        }
        let sessions = self.shared.engine.sessions();
        let users = sessions.iter().filter(|s| s.database == database.oid).count();
        if users > 0 {
            let others = match users {
                1 => "There is 1 other session using the database.".to_owned(),
                n => format!("There are {n} other sessions using the database."),
            };
            return Err(SqlError::new(
                sqlstate::OBJECT_IN_USE,
                format!("database \"{}\" is being accessed by other users", database.name),
            )
            .with_detail(others));
        }
        Ok(())
    }

    async fn drop_everything_in(&mut self, database: &Database) -> Result<(), SqlError> {
        let view = self.view();
        let schemas: BTreeSet<_> = view
            .catalog
            .schemas(database.oid)
            .filter(|schema| schema.database == database.oid)
            .map(|schema| schema.oid)
            .collect();
        let inside: Vec<_> = view
            .catalog
            .objects()
            .filter(|object| match object {
                Descriptor::Table(t) => schemas.contains(&t.schema),
                Descriptor::View(v) => schemas.contains(&v.schema),
                Descriptor::Sequence(s) => schemas.contains(&s.schema),
                Descriptor::Schema(s) => schemas.contains(&s.oid),
                _ => false,
            })
            .map(Descriptor::oid)
            .collect();
        for oid in inside {
            let old = self.lock(oid).await?;
            if let Descriptor::Table(table) = &old {
                self.abandon(table, None);
            }
            self.remove(&old);
        }
        Ok(())
    }
}
