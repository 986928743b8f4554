//! Objects with little inside: databases, schemas, views, roles.

use super::Oid;
use crate::wire::wire_struct;
use types::SqlType;

/// A database: a namespace of schemas, chosen when a client connects.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    pub oid: Oid,
    pub name: String,
    /// Role that owns it.
    pub owner: Oid,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Database { oid, name, owner, comment });

/// A namespace of relations. The built-in schemas (`pg_catalog`, `information_schema`, `sharddb`)
/// belong to database 0, which stands for all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    pub oid: Oid,
    pub database: Oid,
    pub name: String,
    /// Role that owns it.
    pub owner: Oid,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(Schema { oid, database, name, owner, comment });

/// A named query.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub oid: Oid,
    pub schema: Oid,
    pub name: String,
    /// Role that owns it.
    pub owner: Oid,
    /// The query, as SQL text; names in it are resolved when it is used, by [`View::search_path`].
    pub query: String,
    /// The search path (schema names) under which it was created.
    pub search_path: Vec<String>,
    /// What it returns.
    pub columns: Vec<ViewColumn>,
    /// Relations that the query names: they cannot be dropped without CASCADE.
    pub depends_on: Vec<Oid>,
    /// Text of COMMENT ON.
    pub comment: Option<String>,
}
wire_struct!(View { oid, schema, name, owner, query, search_path, columns, depends_on, comment });

/// A column of a view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewColumn {
    pub name: String,
    pub ty: SqlType,
}
wire_struct!(ViewColumn { name, ty });

/// A user or group.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub oid: Oid,
    pub name: String,
    pub is_superuser: bool,
    pub can_login: bool,
    pub can_create_db: bool,
    pub can_create_role: bool,
    pub inherits: bool,
    /// What PASSWORD set, as the authentication method stores it.
    pub password: Option<String>,
    /// Roles that this role is a member of.
    pub member_of: Vec<Oid>,
}
wire_struct!(Role {
    oid,
    name,
    is_superuser,
    can_login,
    can_create_db,
    can_create_role,
    inherits,
    password,
    member_of
});
