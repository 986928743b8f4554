//! Binary input and output of every type: the dispatch. The layouts are PostgreSQL's send and
//! receive functions.

use crate::oid;
use crate::{
    Datum, Settings, SqlError, SqlResult, SqlType, array, datetime, json, jsonb, numeric, record,
    sqlstate, string, typmod,
};
use bytes::Bytes;
use std::sync::Arc;

/// Reads the binary form of a value and enforces the modifier as an assignment does.
pub fn decode(ty: SqlType, input: &[u8]) -> SqlResult<Datum> {
    let value = decode_plain(ty, input)?;
    if ty.typmod < 0 { Ok(value) } else { typmod::apply(value, ty, false) }
}

fn decode_plain(ty: SqlType, input: &[u8]) -> SqlResult<Datum> {
    Ok(match ty.oid {
        oid::BOOL => Datum::Bool(fixed::<1>(input)?[0] != 0),
        oid::INT2 => Datum::Int2(i16::from_be_bytes(fixed(input)?)),
        oid::INT4 => Datum::Int4(i32::from_be_bytes(fixed(input)?)),
        oid::INT8 | oid::XID8 => Datum::Int8(i64::from_be_bytes(fixed(input)?)),
        oid::FLOAT4 => Datum::Float4(f32::from_be_bytes(fixed(input)?)),
        oid::FLOAT8 => Datum::Float8(f64::from_be_bytes(fixed(input)?)),
        oid::NUMERIC => Datum::Numeric(Arc::new(numeric::decode(input)?)),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::UNKNOWN | oid::CSTRING => {
            Datum::Text(utf8(input)?.into())
        }
        oid::NAME => Datum::Text(name(utf8(input)?)?.into()),
        oid::JSON => {
            let text = utf8(input)?;
            json::validate(text)?;
            Datum::Text(text.into())
        }
        oid::JSONB => Datum::Jsonb(Arc::new(decode_jsonb(input)?)),
        oid::CHAR => Datum::Char(fixed::<1>(input)?[0]),
        oid::BYTEA => Datum::Bytea(Bytes::copy_from_slice(input)),
        oid::DATE => Datum::Date(datetime::check_date(i32::from_be_bytes(fixed(input)?))?),
        oid::TIME => Datum::Time(datetime::check_time(i64::from_be_bytes(fixed(input)?))?),
        oid::TIMESTAMP => {
            Datum::Timestamp(datetime::check_timestamp(i64::from_be_bytes(fixed(input)?))?)
        }
        oid::TIMESTAMPTZ => {
            Datum::Timestamptz(datetime::check_timestamp(i64::from_be_bytes(fixed(input)?))?)
        }
        oid::INTERVAL => Datum::Interval(datetime::decode_interval(&fixed::<16>(input)?)),
        oid::UUID => Datum::Uuid(fixed(input)?),
        oid::VOID => Datum::Text("".into()),
        oid::OID | oid::XID | oid::CID => Datum::Oid(u32::from_be_bytes(fixed(input)?)),
        other if crate::reg::is_reg(other) => Datum::Oid(u32::from_be_bytes(fixed(input)?)),
        oid::RECORD => record::decode(input)?,
        other => match crate::element_of(other) {
            Some(element) => Datum::Array(Arc::new(array::decode(
                SqlType::with_typmod(element, ty.typmod),
                input,
            )?)),
            None => {
                let name = crate::format_type(other, -1);
                return Err(SqlError::new(
                    sqlstate::UNDEFINED_FUNCTION,
                    format!("no binary input function available for type {name}"),
                ));
            }
        },
    })
}

/// Appends the binary form of a value; NULL appends nothing.
pub fn encode(value: &Datum, ty: SqlType, out: &mut Vec<u8>) {
    match value {
        Datum::Null => {}
        Datum::Bool(value) => out.push(u8::from(*value)),
        Datum::Int2(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Int4(value) | Datum::Date(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Int8(value)
        | Datum::Time(value)
        | Datum::Timestamp(value)
        | Datum::Timestamptz(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Float4(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Float8(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Numeric(value) => numeric::encode(value, out),
        Datum::Text(value) => out.extend_from_slice(value.as_bytes()),
        Datum::Bytea(value) => out.extend_from_slice(value),
        Datum::Interval(value) => datetime::encode_interval(*value, out),
        Datum::Uuid(value) => out.extend_from_slice(value),
        Datum::Jsonb(value) => {
            // The layout's own version, then the text form.
            out.push(1);
            let mut text = String::new();
            jsonb::format(value, &mut text);
            out.extend_from_slice(text.as_bytes());
        }
        Datum::Oid(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Char(value) => out.push(*value),
        Datum::Array(value) => array::encode(value, ty.oid, out),
        Datum::Record(values) => record::encode(values, out),
    }
}

/// Text forms of settings never reach binary values; this is for parsing nested text.
pub(crate) fn plain_settings() -> Settings {
    Settings::default()
}

/// The bytes as valid text without NUL.
pub(crate) fn utf8(input: &[u8]) -> SqlResult<&str> {
    let invalid = |at: usize| {
        let end = (at + utf8_length(input[at])).min(input.len());
        let bytes: Vec<String> = input[at..end].iter().map(|b| format!("0x{b:02x}")).collect();
        SqlError::new(
            sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" ")),
        )
    };
    let text = std::str::from_utf8(input).map_err(|error| invalid(error.valid_up_to()))?;
    match text.bytes().position(|byte| byte == 0) {
        Some(at) => Err(invalid(at)),
        None => Ok(text),
    }
}

fn utf8_length(first: u8) -> usize {
    match first {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => 1,
    }
}

fn name(text: &str) -> SqlResult<&str> {
    if text.len() >= string::NAME_BYTES {
        return Err(SqlError::new(sqlstate::NAME_TOO_LONG, "identifier too long").with_detail(
            format!("Identifier must be less than {} characters.", string::NAME_BYTES),
        ));
    }
    Ok(text)
}

fn decode_jsonb(input: &[u8]) -> SqlResult<jsonb::Jsonb> {
    match input.split_first() {
        Some((1, text)) => jsonb::parse(utf8(text)?),
        Some((version, _)) => {
            Err(SqlError::internal(format!("unsupported jsonb version number {version}")))
        }
        None => Err(short()),
    }
}

/// Exactly this many bytes: fewer and more are different errors.
pub(crate) fn fixed<const N: usize>(input: &[u8]) -> SqlResult<[u8; N]> {
    if input.len() < N {
        return Err(short());
    }
    input.try_into().map_err(|_| SqlError::bad_binary("incorrect binary data format"))
}

/// The message ended within a value.
pub(crate) fn short() -> SqlError {
    SqlError::new(sqlstate::PROTOCOL_VIOLATION, "insufficient data left in message")
}
