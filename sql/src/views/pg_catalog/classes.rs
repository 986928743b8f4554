//! `pg_class`, `pg_index`, `pg_namespace`, `pg_sequence`.

use super::super::row::{Rows, array, id, int, opt_text, text, yes};
use super::own_objects;
use crate::session::view::SessionView;
use base::codec::Direction;
use catalog::{Descriptor, Index, Table, TableKind};
use types::{Datum, Oid, oid};

/// OID of the access method `heap`.
const HEAP: Oid = 2;
/// OID of the access method `btree`.
const BTREE: Oid = 403;

pub(super) fn pg_class(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        match object {
            Descriptor::Table(table) => {
                add_table(view, table, rows);
                table.indexes.iter().for_each(|index| add_index(table, index, rows));
            }
            Descriptor::View(found) => rows.add(&[
                ("oid", id(found.oid)),
                ("relname", text(&found.name)),
                ("relnamespace", id(schema.oid)),
                ("relowner", id(found.owner)),
                ("relkind", text("v")),
                ("relnatts", int(found.columns.len() as i64)),
                ("relpersistence", text("p")),
                ("relhasrules", yes(true)),
                ("relreplident", text("n")),
                ("relispopulated", yes(true)),
            ]),
            Descriptor::Sequence(found) => rows.add(&[
                ("oid", id(found.oid)),
                ("relname", text(&found.name)),
                ("relnamespace", id(schema.oid)),
                ("relowner", id(found.owner)),
                ("relkind", text("S")),
                ("relnatts", int(3)),
                ("reltuples", int(1)),
                ("relpages", int(1)),
                ("relpersistence", text("p")),
                ("relreplident", text("n")),
                ("relispopulated", yes(true)),
            ]),
            _ => {}
        }
    }
}

fn add_table(view: &SessionView, table: &Table, rows: &mut Rows) {
    let attributes = table.columns.iter().map(|column| column.attnum).max().unwrap_or(0);
    let is_virtual = table.kind == TableKind::Virtual;
    let is_referenced = view
        .catalog
        .tables()
        .any(|other| other.foreign_keys.iter().any(|key| key.references == table.oid));
    let options = table.options.iter().map(text).collect::<Vec<_>>();
    rows.add(&[
        ("oid", id(table.oid)),
        ("relname", text(&table.name)),
        ("relnamespace", id(table.schema)),
        ("relowner", id(table.owner)),
        ("relam", id(HEAP)),
        ("relfilenode", id(table.storage_id)),
        ("relpages", int(if table.rows_estimate > 0 { table.rows_estimate / 50 + 1 } else { 0 })),
        ("reltuples", int(table.rows_estimate)),
        ("relhasindex", yes(!table.indexes.is_empty())),
        ("relpersistence", text(if table.kind == TableKind::Temporary { "t" } else { "p" })),
        ("relkind", text(if is_virtual && is_view(&table.name) { "v" } else { "r" })),
        ("relnatts", int(attributes)),
        ("relchecks", int(table.checks.len() as i64)),
        ("relhastriggers", yes(is_referenced || !table.foreign_keys.is_empty())),
        ("relreplident", text("d")),
        ("relispopulated", yes(true)),
        ("reloptions", if options.is_empty() { Datum::Null } else { array(oid::TEXT, options) }),
    ]);
}

/// Virtual relations that are views in PostgreSQL.
fn is_view(name: &str) -> bool {
    !name.starts_with("pg_")
        || name.ends_with('s') && !matches!(name, "pg_class")
        || name.starts_with("pg_stat")
        || matches!(name, "pg_user" | "pg_shadow" | "pg_group")
}

fn add_index(table: &Table, index: &Index, rows: &mut Rows) {
    rows.add(&[
        ("oid", id(index.oid)),
        ("relname", text(&index.name)),
        ("relnamespace", id(table.schema)),
        ("relowner", id(table.owner)),
        ("relam", id(BTREE)),
        ("relfilenode", id(index.oid)),
        ("reltuples", int(table.rows_estimate.max(0))),
        ("relpersistence", text(if table.kind == TableKind::Temporary { "t" } else { "p" })),
        ("relkind", text("i")),
        ("relnatts", int((index.columns.len() + index.include.len()) as i64)),
        ("relreplident", text("n")),
        ("relispopulated", yes(true)),
    ]);
}

pub(super) fn pg_index(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        for index in &table.indexes {
            let key = index.columns.iter().map(|column| column.column);
            let numbers = key
                .chain(index.include.iter().copied())
                .map(|column| Datum::Int2(table.column(column).map_or(0, |c| c.attnum)))
                .collect::<Vec<_>>();
            let flags = index.columns.iter().map(|column| {
                // Bit 0: descending; bit 1: NULLs first.
                Datum::Int2(if column.direction == Direction::Desc { 3 } else { 0 })
            });
            let zeros = || vec![Datum::Oid(0); index.columns.len()];
            rows.add(&[
                ("indexrelid", id(index.oid)),
                ("indrelid", id(table.oid)),
                ("indnatts", int(numbers.len() as i64)),
                ("indnkeyatts", int(index.columns.len() as i64)),
                ("indisunique", yes(index.is_unique)),
                ("indnullsnotdistinct", yes(index.nulls_not_distinct)),
                ("indisprimary", yes(index.is_primary)),
                ("indimmediate", yes(true)),
                ("indisvalid", yes(index.is_readable())),
                ("indisready", yes(true)),
                ("indislive", yes(true)),
                ("indkey", array(oid::INT2, numbers)),
                ("indcollation", array(oid::OID, zeros())),
                ("indclass", array(oid::OID, zeros())),
                ("indoption", array(oid::INT2, flags.collect())),
                ("indpred", opt_text(index.predicate.as_deref())),
            ]);
        }
    }
}

pub(super) fn pg_namespace(view: &SessionView, rows: &mut Rows) {
    for schema in view.catalog.schemas(view.shared.database) {
        rows.add(&[
            ("oid", id(schema.oid)),
            ("nspname", text(&schema.name)),
            ("nspowner", id(schema.owner)),
        ]);
    }
}

pub(super) fn pg_sequence(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        let Descriptor::Sequence(sequence) = object else { continue };
        rows.add(&[
            ("seqrelid", id(sequence.oid)),
            ("seqtypid", id(sequence.ty.oid)),
            ("seqstart", int(sequence.start)),
            ("seqincrement", int(sequence.increment)),
            ("seqmax", int(sequence.max)),
            ("seqmin", int(sequence.min)),
            ("seqcache", int(sequence.cache)),
            ("seqcycle", yes(sequence.cycle)),
        ]);
    }
}
