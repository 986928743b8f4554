//! Text input and output of every type: the dispatch. The rules are in the type's own file.

use crate::oid::{self, Oid};
use crate::{
    Datum, Settings, SqlError, SqlResult, SqlType, array, boolean, bytea, compare, datetime, float,
    int, json, jsonb, numeric, record, reg, string, typmod, uuid,
};
use std::sync::Arc;

/// Reads the text form of a value, as PostgreSQL's input function of the type does, and enforces
/// the modifier as an assignment does.
pub fn parse(ty: SqlType, input: &str, settings: &Settings) -> SqlResult<Datum> {
    let value = parse_plain(ty, input, settings)?;
    if ty.typmod < 0 { Ok(value) } else { typmod::apply(value, ty, false) }
}

fn parse_plain(ty: SqlType, input: &str, settings: &Settings) -> SqlResult<Datum> {
    Ok(match ty.oid {
        oid::BOOL => Datum::Bool(boolean::parse(input)?),
        oid::INT2 => Datum::Int2(int::parse_int2(input)?),
        oid::INT4 => Datum::Int4(int::parse_int4(input)?),
        oid::INT8 | oid::XID8 => Datum::Int8(int::parse_int8(input)?),
        oid::OID | oid::XID | oid::CID => Datum::Oid(int::parse_oid(input, type_name(ty.oid))?),
        oid::FLOAT4 => Datum::Float4(float::parse_float4(input)?),
        oid::FLOAT8 => Datum::Float8(float::parse_float8(input)?),
        oid::NUMERIC => Datum::Numeric(Arc::new(numeric::parse(input)?)),
        oid::TEXT
        | oid::VARCHAR
        | oid::BPCHAR
        | oid::UNKNOWN
        | oid::CSTRING
        | oid::PG_NODE_TREE
        | oid::ACLITEM
        | oid::PG_LSN
        | oid::TID => Datum::Text(input.into()),
        oid::NAME => Datum::Text(string::truncate_name(input).into()),
        oid::CHAR => Datum::Char(string::parse_char(input)),
        oid::BYTEA => Datum::Bytea(bytea::parse(input)?.into()),
        oid::DATE => Datum::Date(datetime::parse_date(input, settings)?),
        oid::TIME => Datum::Time(datetime::parse_time(input, settings)?),
        oid::TIMESTAMP => Datum::Timestamp(datetime::parse_timestamp(input, settings)?),
        oid::TIMESTAMPTZ => Datum::Timestamptz(datetime::parse_timestamptz(input, settings)?),
        oid::INTERVAL => Datum::Interval(datetime::parse_interval(input, ty.typmod, settings)?),
        oid::UUID => Datum::Uuid(uuid::parse(input)?),
        oid::JSON => {
            json::validate(input)?;
            Datum::Text(input.into())
        }
        oid::JSONB => Datum::Jsonb(Arc::new(jsonb::parse(input)?)),
        oid::INT2VECTOR | oid::OIDVECTOR => array::parse_vector(ty.oid, input)?,
        oid::VOID => Datum::Text("".into()),
        oid::RECORD => return Err(record::input_error()),
        other if reg::is_reg(other) => Datum::Oid(reg::parse(input, other)?),
        other => match crate::element_of(other) {
            Some(element) => {
                let element = SqlType::with_typmod(element, ty.typmod);
                Datum::Array(Arc::new(array::parse(element, input, settings)?))
            }
            None => return Err(no_input(other)),
        },
    })
}

/// Appends the text form of a value. NULL appends nothing: what stands for it is the caller's
/// affair.
pub fn format(value: &Datum, ty: SqlType, settings: &Settings, out: &mut String) {
    match value {
        Datum::Null => {}
        Datum::Bool(value) => out.push(if *value { 't' } else { 'f' }),
        Datum::Int2(value) => int::format(i64::from(*value), out),
        Datum::Int4(value) => int::format(i64::from(*value), out),
        Datum::Int8(value) => int::format(*value, out),
        Datum::Float4(value) => float::format_float4(*value, settings.extra_float_digits, out),
        Datum::Float8(value) => float::format_float8(*value, settings.extra_float_digits, out),
        Datum::Numeric(value) => numeric::format(value, out),
        Datum::Text(value) => out.push_str(value),
        Datum::Bytea(value) => bytea::format(value, settings.bytea_output, out),
        Datum::Date(value) => datetime::format_date(*value, settings, out),
        Datum::Time(value) => datetime::format_time(*value, out),
        Datum::Timestamp(value) => datetime::format_timestamp(*value, settings, out),
        Datum::Timestamptz(value) => datetime::format_timestamptz(*value, settings, out),
        Datum::Interval(value) => {
            datetime::format_interval(*value, settings.interval_style, out);
        }
        Datum::Uuid(value) => uuid::format(value, out),
        Datum::Jsonb(value) => jsonb::format(value, out),
        Datum::Oid(value) => reg::format(*value, ty.oid, settings, out),
        Datum::Char(value) => string::format_char(*value, out),
        Datum::Array(value) => array::format(value, ty.oid, settings, out),
        Datum::Record(values) => record::format(values, settings, out),
    }
}

/// The text form of a value as a new string.
pub fn to_string(value: &Datum, ty: SqlType, settings: &Settings) -> String {
    let mut out = String::new();
    format(value, ty, settings, &mut out);
    out
}

/// The type that a value shows by itself, for the fields of a record, which carry no types: an
/// approximation that tells everything output needs.
pub(crate) fn natural_type(value: &Datum) -> SqlType {
    SqlType::new(compare::natural_oid(value))
}

fn type_name(oid: Oid) -> &'static str {
    crate::type_by_oid(oid).map_or("???", |info| info.sql_name)
}

fn no_input(oid: Oid) -> SqlError {
    SqlError::not_supported(format!("cannot accept a value of type {}", type_name(oid)))
}
