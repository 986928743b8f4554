//! `pg_catalog`.

mod attributes;
pub(in crate::views) mod builtin;
mod classes;
mod constraints;
mod databases;
mod lists;
mod sessions;
mod shapes;

pub(in crate::views) use shapes::SHAPES;

use super::row::Rows;
use crate::session::view::SessionView;
use catalog::{Descriptor, Schema};
use std::sync::Arc;

pub(in crate::views) fn fill(name: &str, view: &SessionView, rows: &mut Rows) {
    match name {
        "pg_class" => classes::pg_class(view, rows),
        "pg_index" => classes::pg_index(view, rows),
        "pg_namespace" => classes::pg_namespace(view, rows),
        "pg_sequence" => classes::pg_sequence(view, rows),
        "pg_attribute" => attributes::pg_attribute(view, rows),
        "pg_attrdef" => attributes::pg_attrdef(view, rows),
        "pg_constraint" => constraints::pg_constraint(view, rows),
        "pg_depend" => constraints::pg_depend(view, rows),
        "pg_description" => constraints::pg_description(view, rows),
        "pg_type" => builtin::pg_type(view, rows),
        "pg_cast" => builtin::pg_cast(rows),
        "pg_proc" => builtin::pg_proc(rows),
        "pg_am" => builtin::pg_am(rows),
        "pg_collation" => builtin::pg_collation(rows),
        "pg_language" => builtin::pg_language(rows),
        "pg_database" => databases::pg_database(view, rows),
        "pg_roles" | "pg_authid" => databases::pg_roles(name, view, rows),
        "pg_user" | "pg_shadow" => databases::pg_user(view, rows),
        "pg_tablespace" => databases::pg_tablespace(rows),
        "pg_extension" => databases::pg_extension(rows),
        "pg_settings" => sessions::pg_settings(view, rows),
        "pg_stat_activity" => sessions::pg_stat_activity(view, rows),
        "pg_stat_database" => sessions::pg_stat_database(view, rows),
        "pg_tables" => lists::pg_tables(view, rows),
        "pg_views" => lists::pg_views(view, rows),
        "pg_indexes" => lists::pg_indexes(view, rows),
        "pg_sequences" => lists::pg_sequences(view, rows),
        "pg_stat_user_tables" => lists::pg_stat_user_tables(view, rows),
        _ => {}
    }
}

/// Relations of the session's database and the built-in ones, with their schemas.
pub(in crate::views) fn own_objects(view: &SessionView) -> Vec<(&Arc<Schema>, &Descriptor)> {
    view.catalog
        .objects()
        .filter_map(|object| {
            let schema = match object {
                Descriptor::Table(table) => table.schema,
                Descriptor::View(view) => view.schema,
                Descriptor::Sequence(sequence) => sequence.schema,
                _ => return None,
            };
            let schema = view.catalog.schema(schema)?;
            (schema.database == view.shared.database || schema.database == 0)
                .then_some((schema, object))
        })
        .collect()
}
