//! `pg_constraint`, `pg_depend`, `pg_description`.

use super::super::row::{Rows, array, id, int, opt_text, text, yes};
use super::own_objects;
use crate::session::view::SessionView;
use catalog::{ColumnId, Descriptor, ForeignKeyAction, Table};
use types::{Datum, Oid, oid};

/// OID of `pg_class`.
pub(super) const PG_CLASS: Oid = 1259;
/// OID of `pg_namespace`.
const PG_NAMESPACE: Oid = 2615;

pub(super) fn pg_constraint(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        for index in table.indexes.iter().filter(|index| index.is_constraint) {
            let columns: Vec<ColumnId> = index.columns.iter().map(|c| c.column).collect();
            rows.add(&[
                ("oid", id(index.constraint_oid)),
                ("conname", text(&index.name)),
                ("connamespace", id(table.schema)),
                ("contype", text(if index.is_primary { "p" } else { "u" })),
                ("convalidated", yes(true)),
                ("conrelid", id(table.oid)),
                ("conindid", id(index.oid)),
                ("confupdtype", text(" ")),
                ("confdeltype", text(" ")),
                ("confmatchtype", text(" ")),
                ("conislocal", yes(true)),
                ("connoinherit", yes(true)),
                ("conkey", numbers(table, &columns)),
            ]);
        }
        for check in &table.checks {
            let named: Vec<ColumnId> = table
                .visible_columns()
                .filter(|column| check.expr.contains(column.name.as_str()))
                .map(|column| column.id)
                .collect();
            rows.add(&[
                ("oid", id(check.oid)),
                ("conname", text(&check.name)),
                ("connamespace", id(table.schema)),
                ("contype", text("c")),
                ("convalidated", yes(true)),
                ("conrelid", id(table.oid)),
                ("confupdtype", text(" ")),
                ("confdeltype", text(" ")),
                ("confmatchtype", text(" ")),
                ("conislocal", yes(true)),
                ("conkey", numbers(table, &named)),
                ("conbin", text(&check.expr)),
            ]);
        }
        foreign_keys(view, table, rows);
    }
}

fn foreign_keys(view: &SessionView, table: &Table, rows: &mut Rows) {
    for key in &table.foreign_keys {
        let Some(parent) = view.catalog.table(key.references) else { continue };
        let unique = parent.indexes.iter().find(|index| {
            index.is_unique && key.referenced_columns.iter().all(|column| index.has_column(*column))
        });
        rows.add(&[
            ("oid", id(key.oid)),
            ("conname", text(&key.name)),
            ("connamespace", id(table.schema)),
            ("contype", text("f")),
            ("condeferrable", yes(key.is_deferrable)),
            ("condeferred", yes(key.initially_deferred)),
            ("convalidated", yes(true)),
            ("conrelid", id(table.oid)),
            ("conindid", id(unique.map_or(0, |index| index.oid))),
            ("confrelid", id(key.references)),
            ("confupdtype", text(letter(key.on_update))),
            ("confdeltype", text(letter(key.on_delete))),
            ("confmatchtype", text(if key.match_full { "f" } else { "s" })),
            ("conislocal", yes(true)),
            ("connoinherit", yes(true)),
            ("conkey", numbers(table, &key.columns)),
            ("confkey", numbers(parent, &key.referenced_columns)),
        ]);
    }
}

fn numbers(table: &Table, columns: &[ColumnId]) -> Datum {
    let numbers = columns.iter().filter_map(|id| Some(Datum::Int2(table.column(*id)?.attnum)));
    array(oid::INT2, numbers.collect())
}

fn letter(action: ForeignKeyAction) -> &'static str {
    match action {
        ForeignKeyAction::NoAction => "a",
        ForeignKeyAction::Restrict => "r",
        ForeignKeyAction::Cascade => "c",
        ForeignKeyAction::SetNull => "n",
        ForeignKeyAction::SetDefault => "d",
    }
}

pub(super) fn pg_depend(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        let Descriptor::Sequence(sequence) = object else { continue };
        let Some(owner) = sequence.owned_by else { continue };
        let attnum = view
            .catalog
            .table(owner.table)
            .and_then(|table| Some(table.column(owner.column)?.attnum))
            .unwrap_or(0);
        rows.add(&[
            ("classid", id(PG_CLASS)),
            ("objid", id(sequence.oid)),
            ("refclassid", id(PG_CLASS)),
            ("refobjid", id(owner.table)),
            ("refobjsubid", int(attnum)),
            ("deptype", text(if owner.is_identity { "i" } else { "a" })),
        ]);
    }
}

pub(super) fn pg_description(view: &SessionView, rows: &mut Rows) {
    let mut add = |object: Oid, class: Oid, sub: i16, comment: Option<&str>| {
        if comment.is_some() {
            rows.add(&[
                ("objoid", id(object)),
                ("classoid", id(class)),
                ("objsubid", int(sub)),
                ("description", opt_text(comment)),
            ]);
        }
    };
    for schema in view.catalog.schemas(view.shared.database) {
        add(schema.oid, PG_NAMESPACE, 0, schema.comment.as_deref());
    }
    for (_, object) in own_objects(view) {
        match object {
            Descriptor::Table(table) => {
                add(table.oid, PG_CLASS, 0, table.comment.as_deref());
                for column in table.visible_columns() {
                    add(table.oid, PG_CLASS, column.attnum, column.comment.as_deref());
                }
                for index in &table.indexes {
                    add(index.oid, PG_CLASS, 0, index.comment.as_deref());
                }
            }
            Descriptor::View(v) => add(v.oid, PG_CLASS, 0, v.comment.as_deref()),
            Descriptor::Sequence(s) => add(s.oid, PG_CLASS, 0, s.comment.as_deref()),
            _ => {}
        }
    }
}
