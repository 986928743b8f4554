//! Tables, views, schemas and sequences.

use super::super::pg_catalog::own_objects;
use super::super::row::{Rows, int, text, yes_no};
use crate::session::view::SessionView;
use catalog::{Descriptor, TableKind};

pub(super) fn tables(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let (name, kind) = match object {
            Descriptor::Table(table) => (
                &table.name,
                match table.kind {
                    TableKind::Temporary => "LOCAL TEMPORARY",
                    TableKind::Virtual => "VIEW",
                    TableKind::Ordinary => "BASE TABLE",
                },
            ),
            Descriptor::View(view) => (&view.name, "VIEW"),
            _ => continue,
        };
        rows.add(&[
            ("table_catalog", text(&view.shared.database_name)),
            ("table_schema", text(&schema.name)),
            ("table_name", text(name)),
            ("table_type", text(kind)),
            ("is_insertable_into", yes_no(kind != "VIEW")),
            ("is_typed", yes_no(false)),
        ]);
    }
}

pub(super) fn views(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::View(found) = object else { continue };
        rows.add(&[
            ("table_catalog", text(&view.shared.database_name)),
            ("table_schema", text(&schema.name)),
            ("table_name", text(&found.name)),
            ("view_definition", text(&found.query)),
            ("check_option", text("NONE")),
            ("is_updatable", yes_no(false)),
            ("is_insertable_into", yes_no(false)),
            ("is_trigger_updatable", yes_no(false)),
            ("is_trigger_deletable", yes_no(false)),
            ("is_trigger_insertable_into", yes_no(false)),
        ]);
    }
}

pub(super) fn schemata(view: &SessionView, rows: &mut Rows) {
    for schema in view.catalog.schemas(view.shared.database) {
        rows.add(&[
            ("catalog_name", text(&view.shared.database_name)),
            ("schema_name", text(&schema.name)),
            ("schema_owner", text("postgres")),
        ]);
    }
}

pub(super) fn sequences(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        let Descriptor::Sequence(sequence) = object else { continue };
        let bits = match sequence.ty.oid {
            types::oid::INT2 => 16,
            types::oid::INT4 => 32,
            _ => 64,
        };
        rows.add(&[
            ("sequence_catalog", text(&view.shared.database_name)),
            ("sequence_schema", text(&schema.name)),
            ("sequence_name", text(&sequence.name)),
            ("data_type", text(types::format_type(sequence.ty.oid, -1))),
            ("numeric_precision", int(bits)),
            ("numeric_precision_radix", int(2)),
            ("numeric_scale", int(0)),
            ("start_value", text(sequence.start.to_string())),
            ("minimum_value", text(sequence.min.to_string())),
            ("maximum_value", text(sequence.max.to_string())),
            ("increment", text(sequence.increment.to_string())),
            ("cycle_option", yes_no(sequence.cycle)),
        ]);
    }
}
