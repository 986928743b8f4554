//! Views over relations: `pg_tables`, `pg_views`, `pg_indexes`, `pg_sequences`,
//! `pg_stat_user_tables`.

use super::super::describe::index_definition;
use super::super::row::{Rows, id, int, opt_text, text, yes};
use super::own_objects;
use crate::session::view::SessionView;
use catalog::{Descriptor, TableKind};

pub(super) fn pg_tables(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        if table.kind == TableKind::Virtual && !table.name.starts_with("pg_") {
            continue;
        }
        rows.add(&[
            ("schemaname", text(&schema.name)),
            ("tablename", text(&table.name)),
            ("tableowner", opt_text(view.catalog.role(table.owner).map(|role| &role.name))),
            ("hasindexes", yes(!table.indexes.is_empty())),
            ("hastriggers", yes(!table.foreign_keys.is_empty())),
        ]);
    }
}

pub(super) fn pg_views(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::View(found) = object else { continue };
        rows.add(&[
            ("schemaname", text(&schema.name)),
            ("viewname", text(&found.name)),
            ("viewowner", opt_text(view.catalog.role(found.owner).map(|role| &role.name))),
            ("definition", text(format!(" {};", found.query))),
        ]);
    }
}

pub(super) fn pg_indexes(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        for index in &table.indexes {
            rows.add(&[
                ("schemaname", text(&schema.name)),
                ("tablename", text(&table.name)),
                ("indexname", text(&index.name)),
                ("indexdef", text(index_definition(view, table, index, false))),
            ]);
        }
    }
}

pub(super) fn pg_sequences(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::Sequence(sequence) = object else { continue };
        rows.add(&[
            ("schemaname", text(&schema.name)),
            ("sequencename", text(&sequence.name)),
            ("sequenceowner", opt_text(view.catalog.role(sequence.owner).map(|r| &r.name))),
            ("data_type", text(types::format_type(sequence.ty.oid, -1))),
            ("start_value", int(sequence.start)),
            ("min_value", int(sequence.min)),
            ("max_value", int(sequence.max)),
            ("increment_by", int(sequence.increment)),
            ("cycle", yes(sequence.cycle)),
            ("cache_size", int(sequence.cache)),
        ]);
    }
}

pub(super) fn pg_stat_user_tables(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        if table.kind == TableKind::Virtual {
            continue;
        }
        rows.add(&[
            ("relid", id(table.oid)),
            ("schemaname", text(&schema.name)),
            ("relname", text(&table.name)),
            ("n_live_tup", int(table.rows_estimate.max(0))),
        ]);
    }
}
