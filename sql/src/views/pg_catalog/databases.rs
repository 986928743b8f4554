//! Databases, roles, tablespaces, extensions.

use super::super::row::{Rows, id, int, opt_text, text, yes};
use crate::session::view::SessionView;
use catalog::POSTGRES_ROLE;
use types::Datum;

pub(super) fn pg_database(view: &SessionView, rows: &mut Rows) {
    for database in view.catalog.databases() {
        rows.add(&[
            ("oid", id(database.oid)),
            ("datname", text(&database.name)),
            ("datdba", id(database.owner)),
            ("encoding", int(6)),
            ("datlocprovider", text("c")),
            ("datallowconn", yes(true)),
            ("datconnlimit", int(-1)),
            ("dattablespace", id(1663)),
            ("datcollate", text("C")),
            ("datctype", text("C")),
        ]);
    }
}

pub(super) fn pg_roles(name: &str, view: &SessionView, rows: &mut Rows) {
    for role in view.catalog.roles() {
        let mut values = vec![
            ("oid", id(role.oid)),
            ("rolname", text(&role.name)),
            ("rolsuper", yes(role.is_superuser)),
            ("rolinherit", yes(role.inherits)),
            ("rolcreaterole", yes(role.can_create_role)),
            ("rolcreatedb", yes(role.can_create_db)),
            ("rolcanlogin", yes(role.can_login)),
            ("rolreplication", yes(role.is_superuser)),
            ("rolconnlimit", int(-1)),
            ("rolbypassrls", yes(role.is_superuser)),
        ];
        if name == "pg_roles" {
            values.push(("rolpassword", text("********")));
        } else {
            values.push(("rolpassword", Datum::Null));
        }
        rows.add(&values);
    }
}

pub(super) fn pg_user(view: &SessionView, rows: &mut Rows) {
    for role in view.catalog.roles().filter(|role| role.can_login) {
        rows.add(&[
            ("usename", text(&role.name)),
            ("usesysid", id(role.oid)),
            ("usecreatedb", yes(role.can_create_db)),
            ("usesuper", yes(role.is_superuser)),
            ("userepl", yes(role.is_superuser)),
            ("usebypassrls", yes(role.is_superuser)),
            ("passwd", opt_text(role.password.as_ref().map(|_| "********"))),
        ]);
    }
}

pub(super) fn pg_tablespace(rows: &mut Rows) {
    for (oid, name) in [(1663, "pg_default"), (1664, "pg_global")] {
        rows.add(&[("oid", id(oid)), ("spcname", text(name)), ("spcowner", id(POSTGRES_ROLE))]);
    }
}

pub(super) fn pg_extension(rows: &mut Rows) {
    rows.add(&[
        ("oid", id(13_500)),
        ("extname", text("plpgsql")),
        ("extowner", id(POSTGRES_ROLE)),
        ("extnamespace", id(catalog::PG_CATALOG)),
        ("extversion", text("1.0")),
    ]);
}
