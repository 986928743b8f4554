//! Making rows by column name.

use std::sync::Arc;
use types::{Array, Datum, Oid, oid};

/// Rows of one relation.
pub(super) struct Rows {
    columns: &'static [(&'static str, Oid)],
    rows: Vec<Vec<Datum>>,
}

impl Rows {
    pub(super) fn new(columns: &'static [(&'static str, Oid)]) -> Rows {
        Rows { columns, rows: Vec::new() }
    }

    /// Adds a row. Values are of the columns' types up to the width of numbers and the kind of
    /// text.
    pub(super) fn add(&mut self, values: &[(&str, Datum)]) {
        let mut row: Vec<Datum> = self.columns.iter().map(|(_, ty)| empty(*ty)).collect();
        for (name, value) in values {
            let position = self.columns.iter().position(|(column, _)| column == name);
            debug_assert!(position.is_some(), "no column {name}");
            if let Some(position) = position {
                row[position] = fit(value.clone(), self.columns[position].1);
            }
        }
        self.rows.push(row);
    }

    pub(super) fn finish(self) -> Vec<Vec<Datum>> {
        self.rows
    }
}

fn empty(ty: Oid) -> Datum {
    match ty {
        oid::BOOL => Datum::Bool(false),
        oid::INT2 => Datum::Int2(0),
        oid::INT4 => Datum::Int4(0),
        oid::INT8 => Datum::Int8(0),
        oid::FLOAT4 => Datum::Float4(0.0),
        oid::FLOAT8 => Datum::Float8(0.0),
        oid::OID | oid::REGPROC => Datum::Oid(0),
        _ => Datum::Null,
    }
}

fn fit(value: Datum, ty: Oid) -> Datum {
    match (value, ty) {
        (Datum::Int8(n), oid::INT2) => Datum::Int2(n as i16),
        (Datum::Int8(n), oid::INT4) => Datum::Int4(n as i32),
        (Datum::Int8(n), oid::OID) => Datum::Oid(n as u32),
        (Datum::Int8(n), oid::FLOAT4) => Datum::Float4(n as f32),
        (Datum::Int8(n), oid::FLOAT8) => Datum::Float8(n as f64),
        (Datum::Text(text), oid::CHAR) => {
            Datum::Char(text.as_bytes().first().copied().unwrap_or(0))
        }
        (value, _) => value,
    }
}

pub(super) fn text(value: impl AsRef<str>) -> Datum {
    Datum::Text(value.as_ref().into())
}

pub(super) fn opt_text(value: Option<impl AsRef<str>>) -> Datum {
    value.map_or(Datum::Null, text)
}

pub(super) fn id(value: Oid) -> Datum {
    Datum::Oid(value)
}

pub(super) fn int(value: impl TryInto<i64>) -> Datum {
    Datum::Int8(value.try_into().unwrap_or(i64::MAX))
}

pub(super) fn yes(value: bool) -> Datum {
    Datum::Bool(value)
}

/// `YES` or `NO`, as the information schema says it.
pub(super) fn yes_no(value: bool) -> Datum {
    text(if value { "YES" } else { "NO" })
}

pub(super) fn array(element: Oid, values: Vec<Datum>) -> Datum {
    Datum::Array(Arc::new(Array::one_dimensional(element, values)))
}

/// Milliseconds since 1970 as a timestamptz.
pub(super) fn moment(millis: u64) -> Datum {
    Datum::Timestamptz(millis as i64 * 1000 - 946_684_800_000_000)
}
