//! Constraints and the columns they are made of.

use super::super::pg_catalog::own_objects;
use super::super::row::{Rows, int, text, yes_no};
use crate::session::view::SessionView;
use catalog::{ColumnId, Descriptor, ForeignKeyAction, Index, Schema, Table};
use std::sync::Arc;
use types::Datum;

pub(super) fn table_constraints(view: &SessionView, rows: &mut Rows) {
    for (schema, table) in own_tables(view) {
        let mut add = |name: &str, kind: &str, deferrable: bool, deferred: bool| {
            rows.add(&[
                ("constraint_catalog", text(&view.shared.database_name)),
                ("constraint_schema", text(&schema.name)),
                ("constraint_name", text(name)),
                ("table_catalog", text(&view.shared.database_name)),
                ("table_schema", text(&schema.name)),
                ("table_name", text(&table.name)),
                ("constraint_type", text(kind)),
                ("is_deferrable", yes_no(deferrable)),
                ("initially_deferred", yes_no(deferred)),
                ("enforced", yes_no(true)),
            ]);
        };
        for index in table.indexes.iter().filter(|index| index.is_constraint) {
            let kind = if index.is_primary { "PRIMARY KEY" } else { "UNIQUE" };
            add(&index.name, kind, false, false);
        }
        for key in &table.foreign_keys {
            add(&key.name, "FOREIGN KEY", key.is_deferrable, key.initially_deferred);
        }
        for check in &table.checks {
            add(&check.name, "CHECK", false, false);
        }
        for column in table.visible_columns().filter(|column| column.is_not_null) {
            let name = format!("{}_{}_{}_not_null", schema.oid, table.oid, column.attnum);
            add(&name, "CHECK", false, false);
        }
    }
}

pub(super) fn key_column_usage(view: &SessionView, rows: &mut Rows) {
    for (schema, table) in own_tables(view) {
        let mut add = |name: &str, columns: &[ColumnId], is_foreign: bool| {
            for (column, position) in columns.iter().zip(1i64..) {
                let Some(column) = table.column(*column) else { continue };
                rows.add(&[
                    ("constraint_catalog", text(&view.shared.database_name)),
                    ("constraint_schema", text(&schema.name)),
                    ("constraint_name", text(name)),
                    ("table_catalog", text(&view.shared.database_name)),
                    ("table_schema", text(&schema.name)),
                    ("table_name", text(&table.name)),
                    ("column_name", text(&column.name)),
                    ("ordinal_position", int(position)),
                    (
                        "position_in_unique_constraint",
                        if is_foreign { int(position) } else { Datum::Null },
                    ),
                ]);
            }
        };
        for index in table.indexes.iter().filter(|index| index.is_constraint) {
            add(&index.name, &key_columns(index), false);
        }
        for key in &table.foreign_keys {
            add(&key.name, &key.columns, true);
        }
    }
}

pub(super) fn constraint_column_usage(view: &SessionView, rows: &mut Rows) {
    for (schema, table) in own_tables(view) {
        for index in table.indexes.iter().filter(|index| index.is_constraint) {
            column_usage(
                view,
                schema,
                &table.clone(),
                (schema, &index.name),
                &key_columns(index),
                rows,
            );
        }
        for key in &table.foreign_keys {
            let Some(parent) = view.catalog.table(key.references) else { continue };
            let Some(parent_schema) = view.catalog.schema(parent.schema) else { continue };
            let name = (&**schema, key.name.as_str());
            column_usage(view, parent_schema, parent, name, &key.referenced_columns, rows);
        }
    }
}

fn column_usage(
    view: &SessionView,
    schema: &Schema,
    table: &Arc<Table>,
    (constraint_schema, name): (&Schema, &str),
    columns: &[ColumnId],
    rows: &mut Rows,
) {
    for column in columns.iter().filter_map(|id| table.column(*id)) {
        rows.add(&[
            ("table_catalog", text(&view.shared.database_name)),
            ("table_schema", text(&schema.name)),
            ("table_name", text(&table.name)),
            ("column_name", text(&column.name)),
            ("constraint_catalog", text(&view.shared.database_name)),
            ("constraint_schema", text(&constraint_schema.name)),
            ("constraint_name", text(name)),
        ]);
    }
}

pub(super) fn referential_constraints(view: &SessionView, rows: &mut Rows) {
    for (schema, table) in own_tables(view) {
        for key in &table.foreign_keys {
            let Some(parent) = view.catalog.table(key.references) else { continue };
            let unique = parent.indexes.iter().find(|index| {
                index.is_unique && key.referenced_columns.iter().all(|c| index.has_column(*c))
            });
            let parent_schema = view.catalog.schema(parent.schema);
            rows.add(&[
                ("constraint_catalog", text(&view.shared.database_name)),
                ("constraint_schema", text(&schema.name)),
                ("constraint_name", text(&key.name)),
                ("unique_constraint_catalog", text(&view.shared.database_name)),
                ("unique_constraint_schema", text(parent_schema.map_or("", |s| &s.name))),
                ("unique_constraint_name", text(unique.map_or("", |index| &index.name))),
                ("match_option", text(if key.match_full { "FULL" } else { "NONE" })),
                ("update_rule", text(rule(key.on_update))),
                ("delete_rule", text(rule(key.on_delete))),
            ]);
        }
    }
}

pub(super) fn check_constraints(view: &SessionView, rows: &mut Rows) {
    for (schema, table) in own_tables(view) {
        for check in &table.checks {
            rows.add(&[
                ("constraint_catalog", text(&view.shared.database_name)),
                ("constraint_schema", text(&schema.name)),
                ("constraint_name", text(&check.name)),
                ("check_clause", text(format!("({})", check.expr))),
            ]);
        }
    }
}

fn own_tables(view: &SessionView) -> Vec<(&Arc<Schema>, &Arc<Table>)> {
    own_objects(view)
        .into_iter()
        .filter_map(|(schema, object)| match object {
            Descriptor::Table(table) => Some((schema, table)),
            _ => None,
        })
        .collect()
}

fn key_columns(index: &Index) -> Vec<ColumnId> {
    index.columns.iter().map(|column| column.column).collect()
}

fn rule(action: ForeignKeyAction) -> &'static str {
    match action {
        ForeignKeyAction::NoAction => "NO ACTION",
        ForeignKeyAction::Restrict => "RESTRICT",
        ForeignKeyAction::Cascade => "CASCADE",
        ForeignKeyAction::SetNull => "SET NULL",
        ForeignKeyAction::SetDefault => "SET DEFAULT",
    }
}
