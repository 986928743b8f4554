//! CREATE, ALTER and DROP ROLE.

use super::Ddl;
use super::drop::plain_name;
use crate::session::errors::name_taken;
use crate::session::names::fold;
use catalog::store::NameKind;
use catalog::{Descriptor, POSTGRES_ROLE, Role};
use sqlparser::ast::{AlterRoleOperation, CreateRole, Ident, ObjectName, Password, RoleOption};
use std::sync::Arc;
use types::{SqlError, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_role(&mut self, create: &CreateRole) -> Result<(), SqlError> {
        for name in &create.names {
            let name = plain_name(name);
            if self.view().catalog.role_named(&name).is_some() {
                if !create.if_not_exists {
                    return Err(name_taken(NameKind::Role, &name));
                }
                let message = format!("role \"{name}\" already exists, skipping");
                self.notice(sqlstate::DUPLICATE_OBJECT, message);
                continue;
            }
            let role = Role {
                oid: self.new_oid().await?,
                name,
                is_superuser: create.superuser.unwrap_or(false),
                can_login: create.login.unwrap_or(false),
                can_create_db: create.create_db.unwrap_or(false),
                can_create_role: create.create_role.unwrap_or(false),
                inherits: create.inherit.unwrap_or(true),
                password: create.password.as_ref().and_then(password_text),
                member_of: Vec::new(),
            };
            self.create(Descriptor::Role(Arc::new(role))).await?;
        }
        Ok(())
    }

    pub(super) async fn alter_role(
        &mut self,
        name: &Ident,
        operation: &AlterRoleOperation,
    ) -> Result<(), SqlError> {
        let name = fold(name);
        let Some(role) = self.view().catalog.role_named(&name).cloned() else {
            return Err(no_role(&name));
        };
        let old = self.lock(role.oid).await?;
        let Descriptor::Role(locked) = &old else { return Err(no_role(&name)) };
        let mut new = (**locked).clone();
        match operation {
            AlterRoleOperation::RenameRole { role_name } => new.name = fold(role_name),
            AlterRoleOperation::WithOptions { options } => {
                options.iter().for_each(|option| apply(&mut new, option));
            }
            AlterRoleOperation::AddMember { .. }
            | AlterRoleOperation::DropMember { .. }
            | AlterRoleOperation::Set { .. }
            | AlterRoleOperation::Reset { .. } => return Ok(()),
        }
        self.replace(&old, Descriptor::Role(Arc::new(new))).await
    }

    pub(super) async fn drop_roles(
        &mut self,
        names: &[ObjectName],
        if_exists: bool,
    ) -> Result<(), SqlError> {
        for name in names {
            let name = plain_name(name);
            let Some(role) = self.view().catalog.role_named(&name).cloned() else {
                if !if_exists {
                    return Err(no_role(&name));
                }
                self.skip(&format!("role \"{name}\" does not exist"));
                continue;
            };
            if role.oid == POSTGRES_ROLE || role.name == self.shared.user {
                return Err(SqlError::new(
                    sqlstate::OBJECT_IN_USE,
                    "current user cannot be dropped",
                ));
            }
            let old = self.lock(role.oid).await?;
            self.remove(&old);
        }
        Ok(())
    }
}

fn apply(role: &mut Role, option: &RoleOption) {
    match option {
        RoleOption::CreateDB(on) => role.can_create_db = *on,
        RoleOption::CreateRole(on) => role.can_create_role = *on,
        RoleOption::Inherit(on) => role.inherits = *on,
        RoleOption::Login(on) => role.can_login = *on,
        RoleOption::SuperUser(on) => role.is_superuser = *on,
        RoleOption::Password(password) => role.password = password_text(password),
        RoleOption::BypassRLS(_)
        | RoleOption::ConnectionLimit(_)
        | RoleOption::Replication(_)
        | RoleOption::ValidUntil(_) => {}
    }
}

fn password_text(password: &Password) -> Option<String> {
    match password {
        Password::Password(expr) => {
            let text = expr.to_string();
            Some(text.trim_matches('\'').replace("''", "'"))
        }
        Password::NullPassword => None,
    }
}

fn no_role(name: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}
