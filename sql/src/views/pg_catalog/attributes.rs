//! `pg_attribute`, `pg_attrdef`.

use super::super::describe::default_text;
use super::super::row::{Rows, id, int, opt_text, text, yes};
use super::own_objects;
use crate::session::view::SessionView;
use catalog::{Column, Descriptor, Identity};
use types::{Datum, Oid, SqlType};

/// OID of the default collation.
const DEFAULT_COLLATION: Oid = 100;

pub(super) fn pg_attribute(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        match object {
            Descriptor::Table(table) => {
                for column in table.columns.iter().filter(|column| column.attnum > 0) {
                    add(table.oid, column, rows);
                }
                for index in &table.indexes {
                    let key = index.columns.iter().map(|column| column.column);
                    let all = key.chain(index.include.iter().copied());
                    for (column, attnum) in all.zip(1i16..) {
                        let Some(column) = table.column(column) else { continue };
                        let of_index = Column::new(column.id, attnum, &column.name, column.ty);
                        add(index.oid, &of_index, rows);
                    }
                }
            }
            Descriptor::View(found) => {
                for (column, attnum) in found.columns.iter().zip(1i16..) {
                    let column = Column::new(attnum as u32, attnum, &column.name, column.ty);
                    add(found.oid, &column, rows);
                }
            }
            Descriptor::Sequence(sequence) => {
                let columns = [
                    ("last_value", SqlType::INT8),
                    ("log_cnt", SqlType::INT8),
                    ("is_called", SqlType::BOOL),
                ];
                for ((name, ty), attnum) in columns.into_iter().zip(1i16..) {
                    add(sequence.oid, &Column::new(attnum as u32, attnum, name, ty), rows);
                }
            }
            _ => {}
        }
    }
}

fn add(relation: Oid, column: &Column, rows: &mut Rows) {
    let info = types::type_by_oid(column.ty.oid);
    let identity = match column.identity {
        Some(Identity::Always) => "a",
        Some(Identity::ByDefault) => "d",
        None => "",
    };
    let is_collatable = info.is_some_and(|info| info.category == 'S');
    rows.add(&[
        ("attrelid", id(relation)),
        ("attname", text(&column.name)),
        ("atttypid", id(if column.is_dropped { 0 } else { column.ty.oid })),
        ("attstattarget", int(-1)),
        ("attlen", int(info.map_or(-1, |info| i64::from(info.len)))),
        ("attnum", int(column.attnum)),
        ("attcacheoff", int(-1)),
        ("atttypmod", int(column.ty.typmod)),
        ("attbyval", yes(info.is_some_and(|info| (1..=8).contains(&info.len)))),
        ("attalign", text("i")),
        ("attstorage", text(if info.is_some_and(|info| info.len > 0) { "p" } else { "x" })),
        ("attcompression", text("")),
        ("attnotnull", yes(column.is_not_null)),
        (
            "atthasdef",
            yes(!column.is_dropped && (column.default.is_some() || column.generated.is_some())),
        ),
        ("atthasmissing", yes(column.missing.is_some())),
        ("attidentity", text(identity)),
        ("attgenerated", text(if column.generated.is_some() { "s" } else { "" })),
        ("attisdropped", yes(column.is_dropped)),
        ("attislocal", yes(true)),
        ("attcollation", id(if is_collatable { DEFAULT_COLLATION } else { 0 })),
        ("attmissingval", opt_text(column.missing.as_deref())),
    ]);
}

pub(super) fn pg_attrdef(view: &SessionView, rows: &mut Rows) {
    for (_, object) in own_objects(view) {
        let Descriptor::Table(table) = object else { continue };
        for column in table.columns.iter().filter(|column| !column.is_dropped) {
            let Some(expr) = column.default.as_deref().or(column.generated.as_deref()) else {
                continue;
            };
            rows.add(&[
                ("oid", attrdef_oid(table.oid, column.attnum)),
                ("adrelid", id(table.oid)),
                ("adnum", int(column.attnum)),
                ("adbin", text(default_text(view, expr))),
            ]);
        }
    }
}

/// Defaults have no OIDs of their own; this one is far above those of objects.
fn attrdef_oid(table: Oid, attnum: i16) -> Datum {
    id(0x8000_0000 | table.wrapping_mul(1600).wrapping_add(attnum as u32))
}
