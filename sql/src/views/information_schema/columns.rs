//! `information_schema.columns`.

use super::super::describe::default_text;
use super::super::pg_catalog::own_objects;
use super::super::row::{Rows, int, opt_text, text, yes_no};
use crate::session::view::SessionView;
use catalog::{Column, Descriptor, Identity, Schema, TableKind};
use types::{Datum, SqlType, oid};

pub(super) fn fill(view: &SessionView, rows: &mut Rows) {
    for (schema, object) in own_objects(view) {
        match object {
            Descriptor::Table(table) => {
                let is_base = table.kind != TableKind::Virtual;
                for column in table.visible_columns() {
                    add(view, schema, &table.name, column, is_base, rows);
                }
            }
            Descriptor::View(found) => {
                for (column, attnum) in found.columns.iter().zip(1i16..) {
                    let column = Column::new(attnum as u32, attnum, &column.name, column.ty);
                    add(view, schema, &found.name, &column, false, rows);
                }
            }
            _ => {}
        }
    }
}

fn add(
    view: &SessionView,
    schema: &Schema,
    table: &str,
    column: &Column,
    is_updatable: bool,
    rows: &mut Rows,
) {
    let info = types::type_by_oid(column.ty.oid);
    let is_array = types::element_of(column.ty.oid).is_some();
    let data_type =
        if is_array { "ARRAY".to_owned() } else { types::format_type(column.ty.oid, -1) };
    let (precision, radix, scale) = numeric_facts(column.ty);
    let database = &view.shared.database_name;
    rows.add(&[
        ("table_catalog", text(database)),
        ("table_schema", text(&schema.name)),
        ("table_name", text(table)),
        ("column_name", text(&column.name)),
        ("ordinal_position", int(column.attnum)),
        ("column_default", opt_text(column.default.as_deref().map(|d| default_text(view, d)))),
        ("is_nullable", yes_no(!column.is_not_null)),
        ("data_type", text(data_type)),
        ("character_maximum_length", character_length(column.ty)),
        ("character_octet_length", octet_length(column.ty)),
        ("numeric_precision", precision),
        ("numeric_precision_radix", radix),
        ("numeric_scale", scale),
        ("datetime_precision", time_precision(column.ty)),
        ("udt_catalog", text(database)),
        ("udt_schema", text("pg_catalog")),
        ("udt_name", opt_text(info.map(|info| info.name))),
        ("dtd_identifier", text(column.attnum.to_string())),
        ("is_self_referencing", yes_no(false)),
        ("is_identity", yes_no(column.identity.is_some())),
        (
            "identity_generation",
            match column.identity {
                Some(Identity::Always) => text("ALWAYS"),
                Some(Identity::ByDefault) => text("BY DEFAULT"),
                None => Datum::Null,
            },
        ),
        ("is_generated", text(if column.generated.is_some() { "ALWAYS" } else { "NEVER" })),
        ("generation_expression", opt_text(column.generated.as_deref())),
        ("is_updatable", yes_no(is_updatable)),
    ]);
}

fn character_length(ty: SqlType) -> Datum {
    match ty.oid {
        oid::VARCHAR | oid::BPCHAR if ty.typmod > 4 => int(ty.typmod - 4),
        _ => Datum::Null,
    }
}

fn octet_length(ty: SqlType) -> Datum {
    match ty.oid {
        oid::VARCHAR | oid::BPCHAR if ty.typmod > 4 => int((ty.typmod - 4) * 4),
        oid::TEXT | oid::VARCHAR => int(1 << 30),
        _ => Datum::Null,
    }
}

fn numeric_facts(ty: SqlType) -> (Datum, Datum, Datum) {
    let binary = |bits: i64, scale: Datum| (int(bits), int(2), scale);
    match ty.oid {
        oid::INT2 => binary(16, int(0)),
        oid::INT4 => binary(32, int(0)),
        oid::INT8 => binary(64, int(0)),
        oid::FLOAT4 => binary(24, Datum::Null),
        oid::FLOAT8 => binary(53, Datum::Null),
        oid::NUMERIC if ty.typmod >= 4 => {
            let packed = ty.typmod - 4;
            let scale = ((packed & 0x7ff) ^ 1024) - 1024;
            (int((packed >> 16) & 0xffff), int(10), int(scale))
        }
        oid::NUMERIC => (Datum::Null, int(10), Datum::Null),
        _ => (Datum::Null, Datum::Null, Datum::Null),
    }
}

fn time_precision(ty: SqlType) -> Datum {
    match ty.oid {
        oid::DATE => int(0),
        oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::INTERVAL => {
            int(if ty.typmod >= 0 { ty.typmod & 0xffff } else { 6 })
        }
        _ => Datum::Null,
    }
}
