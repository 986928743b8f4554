//! Conversion of values by cast.

use crate::jsonb::Jsonb;
use crate::oid;
use crate::{
    Array, Datum, Numeric, Settings, SqlError, SqlResult, SqlType, compare, datetime, element_of,
    numeric, sqlstate, string, text, typmod,
};
use std::sync::Arc;

/// Converts a value and enforces the target's modifier. `explicit` is true for written casts,
/// which cut overlong strings instead of refusing them.
pub fn cast(
    value: Datum,
    from: SqlType,
    to: SqlType,
    explicit: bool,
    settings: &Settings,
) -> SqlResult<Datum> {
    if matches!(value, Datum::Null) {
        return Ok(Datum::Null);
    }
    if from.oid == to.oid {
        return if from.typmod == to.typmod {
            Ok(value)
        } else {
            typmod::apply(value, to, explicit)
        };
    }
    let converted = convert(value, from, to, explicit, settings)?;
    typmod::apply(converted, to, explicit)
}

fn convert(
    value: Datum,
    from: SqlType,
    to: SqlType,
    explicit: bool,
    settings: &Settings,
) -> SqlResult<Datum> {
    Ok(match (&value, to.oid) {
        (Datum::Int2(_) | Datum::Int4(_) | Datum::Int8(_), _) if is_number(to.oid) => {
            return from_integer(&value, to.oid);
        }
        (Datum::Int4(v), oid::BOOL) => Datum::Bool(*v != 0),
        (Datum::Bool(v), oid::INT4) => Datum::Int4(i32::from(*v)),
        (Datum::Bool(v), oid::TEXT | oid::VARCHAR | oid::BPCHAR) => {
            Datum::Text(if *v { "true" } else { "false" }.into())
        }
        (Datum::Int4(v), oid::CHAR) => {
            let byte = i8::try_from(*v).map_err(|_| SqlError::out_of_range("\"char\""))?;
            Datum::Char(byte as u8)
        }
        (Datum::Char(v), oid::INT4) => Datum::Int4(i32::from(*v as i8)),
        (Datum::Float4(v), _) if is_number(to.oid) => return from_float4(*v, to.oid),
        (Datum::Float8(v), _) if is_number(to.oid) => return from_float8(*v, to.oid),
        (Datum::Numeric(v), _) if is_number(to.oid) => return from_numeric(v, to.oid),
        (Datum::Jsonb(v), oid::BOOL) => return from_jsonb(v, "boolean", to.oid),
        (Datum::Jsonb(v), _) if is_number(to.oid) => {
            return from_jsonb(v, jsonb_target(to.oid), to.oid);
        }
        (Datum::Oid(v), oid::INT4) => Datum::Int4(*v as i32),
        (Datum::Oid(v), oid::INT8) => Datum::Int8(i64::from(*v)),
        (Datum::Oid(v), other) if is_oid_like(other) => Datum::Oid(*v),
        (Datum::Date(v), oid::TIMESTAMP) => Datum::Timestamp(datetime::date_to_timestamp(*v)?),
        (Datum::Date(v), oid::TIMESTAMPTZ) => {
            Datum::Timestamptz(datetime::date_to_timestamptz(*v, settings)?)
        }
        (Datum::Time(v), oid::INTERVAL) => {
            Datum::Interval(crate::Interval { months: 0, days: 0, micros: *v })
        }
        (Datum::Interval(v), oid::TIME) => Datum::Time(datetime::interval_to_time(*v)),
        (Datum::Timestamp(v), oid::DATE) => Datum::Date(datetime::timestamp_to_date(*v)),
        (Datum::Timestamp(v), oid::TIME) => return time_of(*v),
        (Datum::Timestamp(v), oid::TIMESTAMPTZ) => {
            Datum::Timestamptz(datetime::timestamp_to_timestamptz(*v, settings)?)
        }
        (Datum::Timestamptz(v), oid::DATE) => Datum::Date(datetime::timestamp_to_date(
            datetime::timestamptz_to_timestamp(*v, settings)?,
        )),
        (Datum::Timestamptz(v), oid::TIME) => {
            return time_of(datetime::timestamptz_to_timestamp(*v, settings)?);
        }
        (Datum::Timestamptz(v), oid::TIMESTAMP) => {
            Datum::Timestamp(datetime::timestamptz_to_timestamp(*v, settings)?)
        }
        (Datum::Array(array), other) if element_of(other).is_some() => {
            return cast_array(array, to, explicit, settings);
        }
        (Datum::Text(_), _) => return from_text(value, from, to, explicit, settings),
        (_, other) if is_text(other) => to_text(&value, from, to, settings),
        _ => return through_text(&value, from, to, settings),
    })
}

fn is_number(type_oid: u32) -> bool {
    matches!(
        type_oid,
        oid::INT2 | oid::INT4 | oid::INT8 | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC | oid::OID
    ) || crate::reg::is_reg(type_oid)
}

fn is_oid_like(type_oid: u32) -> bool {
    matches!(type_oid, oid::OID | oid::XID | oid::CID) || crate::reg::is_reg(type_oid)
}

fn is_text(type_oid: u32) -> bool {
    matches!(
        type_oid,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN | oid::CSTRING
    )
}

fn from_integer(value: &Datum, to: u32) -> SqlResult<Datum> {
    let (wide, from) = match value {
        Datum::Int2(v) => (i64::from(*v), oid::INT2),
        Datum::Int4(v) => (i64::from(*v), oid::INT4),
        Datum::Int8(v) => (*v, oid::INT8),
        _ => return Err(SqlError::internal("integer cast of no integer")),
    };
    Ok(match to {
        oid::INT2 => {
            Datum::Int2(i16::try_from(wide).map_err(|_| SqlError::out_of_range("smallint"))?)
        }
        oid::INT4 => {
            Datum::Int4(i32::try_from(wide).map_err(|_| SqlError::out_of_range("integer"))?)
        }
        oid::INT8 => Datum::Int8(wide),
        oid::FLOAT4 => Datum::Float4(wide as f32),
        oid::FLOAT8 => Datum::Float8(wide as f64),
        oid::NUMERIC => Datum::Numeric(Arc::new(Numeric::from(wide))),
        // The oid is the same 32 bits; only bigint is checked.
        _ if from == oid::INT8 => {
            Datum::Oid(u32::try_from(wide).map_err(|_| SqlError::out_of_range("OID"))?)
        }
        _ => Datum::Oid(wide as i32 as u32),
    })
}

/// Rounds a double to an integer, halves to even, as C's rint does.
fn float_to_integer(value: f64, to: u32) -> SqlResult<Datum> {
    let rounded = value.round_ties_even();
    let within = |low: f64, high: f64| rounded >= low && rounded < high;
    match to {
        oid::INT2 if within(-32768.0, 32768.0) => Ok(Datum::Int2(rounded as i16)),
        oid::INT4 if within(-2_147_483_648.0, 2_147_483_648.0) => Ok(Datum::Int4(rounded as i32)),
        oid::INT8 if within(-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0) => {
            Ok(Datum::Int8(rounded as i64))
        }
        oid::INT2 => Err(SqlError::out_of_range("smallint")),
        oid::INT4 => Err(SqlError::out_of_range("integer")),
        _ => Err(SqlError::out_of_range("bigint")),
    }
}

fn from_float4(value: f32, to: u32) -> SqlResult<Datum> {
    match to {
        oid::FLOAT8 => Ok(Datum::Float8(f64::from(value))),
        oid::NUMERIC => Ok(Datum::Numeric(Arc::new(numeric::from_f32(value)?))),
        _ => float_to_integer(f64::from(value), to),
    }
}

fn from_float8(value: f64, to: u32) -> SqlResult<Datum> {
    match to {
        oid::FLOAT4 => narrow_float(value).map(Datum::Float4),
        oid::NUMERIC => Ok(Datum::Numeric(Arc::new(numeric::from_f64(value)?))),
        _ => float_to_integer(value, to),
    }
}

/// Double to real, refusing what becomes infinite or zero on the way.
fn narrow_float(value: f64) -> SqlResult<f32> {
    let narrow = value as f32;
    let problem = |what: &str| {
        SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("value out of range: {what}"))
    };
    if narrow.is_infinite() && value.is_finite() {
        return Err(problem("overflow"));
    }
    if narrow == 0.0 && value != 0.0 {
        return Err(problem("underflow"));
    }
    Ok(narrow)
}

fn from_numeric(value: &Numeric, to: u32) -> SqlResult<Datum> {
    let beyond = |name: &str| {
        SqlError::new(
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("\"{value}\" is out of range for type {name}"),
        )
    };
    Ok(match to {
        oid::INT2 => Datum::Int2(numeric::to_i16(value)?),
        oid::INT4 => Datum::Int4(numeric::to_i32(value)?),
        oid::INT8 => Datum::Int8(numeric::to_i64(value)?),
        oid::FLOAT4 => {
            let wide = numeric::to_f64(value).ok_or_else(|| beyond("real"))?;
            if wide.is_finite() {
                Datum::Float4(crate::float::parse_float4(&value.to_string())?)
            } else {
                Datum::Float4(wide as f32)
            }
        }
        _ => Datum::Float8(numeric::to_f64(value).ok_or_else(|| beyond("double precision"))?),
    })
}

fn jsonb_target(type_oid: u32) -> &'static str {
    match type_oid {
        oid::INT2 => "smallint",
        oid::INT4 => "integer",
        oid::INT8 => "bigint",
        oid::FLOAT4 => "real",
        oid::FLOAT8 => "double precision",
        _ => "numeric",
    }
}

fn from_jsonb(value: &Jsonb, target: &str, to: u32) -> SqlResult<Datum> {
    match value {
        Jsonb::Bool(v) if to == oid::BOOL => Ok(Datum::Bool(*v)),
        Jsonb::Number(v) if to == oid::NUMERIC => Ok(Datum::Numeric(Arc::new(v.clone()))),
        Jsonb::Number(v) if to != oid::BOOL => from_numeric(v, to),
        other => {
            let found = match other {
                Jsonb::Null => "null",
                Jsonb::String(_) => "string",
                Jsonb::Number(_) => "numeric",
                Jsonb::Bool(_) => "boolean",
                Jsonb::Array(_) => "array",
                Jsonb::Object(_) => "object",
            };
            Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("cannot cast jsonb {found} to type {target}"),
            ))
        }
    }
}

fn time_of(timestamp: i64) -> SqlResult<Datum> {
    Ok(datetime::timestamp_to_time(timestamp).map_or(Datum::Null, Datum::Time))
}

fn cast_array(array: &Array, to: SqlType, explicit: bool, settings: &Settings) -> SqlResult<Datum> {
    let element = SqlType::with_typmod(element_of(to.oid).unwrap_or(array.element_oid), to.typmod);
    let from = SqlType::new(array.element_oid);
    let values = array
        .values
        .iter()
        .map(|value| cast(value.clone(), from, element, explicit, settings))
        .collect::<SqlResult<Vec<_>>>()?;
    Ok(Datum::Array(Arc::new(Array {
        element_oid: element.oid,
        dimensions: array.dimensions.clone(),
        values,
    })))
}

/// From a string type: to another one, or by the target's input function.
fn from_text(
    value: Datum,
    from: SqlType,
    to: SqlType,
    explicit: bool,
    settings: &Settings,
) -> SqlResult<Datum> {
    let Datum::Text(body) = &value else { return Ok(value) };
    if is_text(to.oid) && is_text(from.oid) {
        return Ok(match (from.oid, to.oid) {
            // Padding has no meaning outside `char(n)`.
            (oid::BPCHAR, oid::TEXT | oid::VARCHAR) => Datum::Text(compare::trim_pad(body).into()),
            (oid::BPCHAR, oid::NAME) => {
                Datum::Text(string::truncate_name(compare::trim_pad(body)).into())
            }
            (_, oid::NAME) => Datum::Text(string::truncate_name(body).into()),
            _ => value,
        });
    }
    match (from.oid, to.oid) {
        (oid::JSON | oid::PG_NODE_TREE, other) if is_text(other) => Ok(value),
        (oid::BPCHAR, oid::CHAR) => Ok(Datum::Char(string::parse_char(compare::trim_pad(body)))),
        (oid::BPCHAR, _) => {
            let bare = SqlType { typmod: if explicit { -1 } else { to.typmod }, ..to };
            text::parse(bare, body, settings)
        }
        _ => text::parse(SqlType::new(to.oid), body, settings),
    }
}

fn to_text(value: &Datum, from: SqlType, to: SqlType, settings: &Settings) -> Datum {
    let body = text::to_string(value, from, settings);
    match to.oid {
        oid::NAME => Datum::Text(string::truncate_name(&body).into()),
        _ => Datum::Text(body.into()),
    }
}

/// The last resort, which PostgreSQL calls an I/O conversion.
fn through_text(
    value: &Datum,
    from: SqlType,
    to: SqlType,
    settings: &Settings,
) -> SqlResult<Datum> {
    let body = text::to_string(value, from, settings);
    text::parse(SqlType::new(to.oid), &body, settings)
}
