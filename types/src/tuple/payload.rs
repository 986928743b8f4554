//! Values as tag and payload.

use super::varint::{
    put_framed, put_sized, put_varint, take, take_array, take_count, take_signed, take_sized,
    take_str, take_varint, zigzag,
};
use crate::jsonb::Jsonb;
use crate::{Array, ArrayDimension, Datum, Interval, Numeric};
use base::codec::CodecError;
use bytes::Bytes;
use std::sync::Arc;

/// What a payload is. Numbers on disk: never reused.
pub(super) mod tag {
    pub(in crate::tuple) const NULL: u8 = 0;
    pub(in crate::tuple) const FALSE: u8 = 1;
    pub(in crate::tuple) const TRUE: u8 = 2;
    pub(in crate::tuple) const INT2: u8 = 3;
    pub(in crate::tuple) const INT4: u8 = 4;
    pub(in crate::tuple) const INT8: u8 = 5;
    pub(in crate::tuple) const FLOAT4: u8 = 6;
    pub(in crate::tuple) const FLOAT8: u8 = 7;
    pub(in crate::tuple) const NUMERIC: u8 = 8;
    pub(in crate::tuple) const TEXT: u8 = 9;
    pub(in crate::tuple) const BYTEA: u8 = 10;
    pub(in crate::tuple) const DATE: u8 = 11;
    pub(in crate::tuple) const TIME: u8 = 12;
    pub(in crate::tuple) const TIMESTAMP: u8 = 13;
    pub(in crate::tuple) const TIMESTAMPTZ: u8 = 14;
    pub(in crate::tuple) const INTERVAL: u8 = 15;
    pub(in crate::tuple) const UUID: u8 = 16;
    pub(in crate::tuple) const JSONB: u8 = 17;
    pub(in crate::tuple) const OID: u8 = 18;
    pub(in crate::tuple) const CHAR: u8 = 19;
    pub(in crate::tuple) const ARRAY: u8 = 20;
    pub(in crate::tuple) const RECORD: u8 = 21;
}

use tag::*;

pub(super) fn tag_of(value: &Datum) -> u8 {
    match value {
        Datum::Null => NULL,
        Datum::Bool(false) => FALSE,
        Datum::Bool(true) => TRUE,
        Datum::Int2(_) => INT2,
        Datum::Int4(_) => INT4,
        Datum::Int8(_) => INT8,
        Datum::Float4(_) => FLOAT4,
        Datum::Float8(_) => FLOAT8,
        Datum::Numeric(_) => NUMERIC,
        Datum::Text(_) => TEXT,
        Datum::Bytea(_) => BYTEA,
        Datum::Date(_) => DATE,
        Datum::Time(_) => TIME,
        Datum::Timestamp(_) => TIMESTAMP,
        Datum::Timestamptz(_) => TIMESTAMPTZ,
        Datum::Interval(_) => INTERVAL,
        Datum::Uuid(_) => UUID,
        Datum::Jsonb(_) => JSONB,
        Datum::Oid(_) => OID,
        Datum::Char(_) => CHAR,
        Datum::Array(_) => ARRAY,
        Datum::Record(_) => RECORD,
    }
}

/// A tag and a payload by themselves: array elements, record fields, aggregate states.
pub fn put_value(out: &mut Vec<u8>, value: &Datum) {
    out.push(tag_of(value));
    put_payload(out, value);
}

/// Reads what [`put_value`] wrote and moves the slice behind it.
pub fn take_value(rest: &mut &[u8]) -> Result<Datum, CodecError> {
    take_nested(rest, 0)
}

/// Deepest nesting of arrays and records that is read back.
const DEPTH_MAX: u32 = 256;

fn take_nested(rest: &mut &[u8], depth: u32) -> Result<Datum, CodecError> {
    if depth > DEPTH_MAX {
        return Err(CodecError("row: nested too deep"));
    }
    let tag = take(rest, 1)?[0];
    take_payload(tag, rest, depth)
}

pub(super) fn put_payload(out: &mut Vec<u8>, value: &Datum) {
    match value {
        Datum::Null | Datum::Bool(_) => {}
        Datum::Int2(value) => put_varint(out, zigzag(i64::from(*value))),
        Datum::Int4(value) | Datum::Date(value) => put_varint(out, zigzag(i64::from(*value))),
        Datum::Int8(value)
        | Datum::Time(value)
        | Datum::Timestamp(value)
        | Datum::Timestamptz(value) => put_varint(out, zigzag(*value)),
        Datum::Float4(value) => out.extend_from_slice(&value.to_le_bytes()),
        Datum::Float8(value) => out.extend_from_slice(&value.to_le_bytes()),
        Datum::Numeric(value) => put_numeric(out, value),
        Datum::Text(value) => put_sized(out, value.as_bytes()),
        Datum::Bytea(value) => put_sized(out, value),
        Datum::Interval(value) => put_interval(out, *value),
        Datum::Uuid(value) => out.extend_from_slice(value),
        Datum::Jsonb(value) => put_framed(out, |out| put_jsonb(out, value)),
        Datum::Oid(value) => put_varint(out, u64::from(*value)),
        Datum::Char(value) => out.push(*value),
        Datum::Array(value) => put_framed(out, |out| put_array(out, value)),
        Datum::Record(values) => put_framed(out, |out| {
            put_varint(out, values.len() as u64);
            values.iter().for_each(|value| put_value(out, value));
        }),
    }
}

#[inline]
pub(super) fn take_payload(tag: u8, rest: &mut &[u8], depth: u32) -> Result<Datum, CodecError> {
    // Integers before all else, so that this much is inlined into the loops over columns.
    match tag {
        INT4 => Ok(Datum::Int4(take_signed(rest)? as i32)),
        INT8 => Ok(Datum::Int8(take_signed(rest)?)),
        NULL => Ok(Datum::Null),
        tag => take_other_payload(tag, rest, depth),
    }
}

fn take_other_payload(tag: u8, rest: &mut &[u8], depth: u32) -> Result<Datum, CodecError> {
    Ok(match tag {
        FALSE => Datum::Bool(false),
        TRUE => Datum::Bool(true),
        INT2 => Datum::Int2(take_signed(rest)? as i16),
        FLOAT4 => Datum::Float4(f32::from_le_bytes(take_array(rest)?)),
        FLOAT8 => Datum::Float8(f64::from_le_bytes(take_array(rest)?)),
        NUMERIC => Datum::Numeric(Arc::new(take_numeric(rest)?)),
        TEXT => Datum::Text(take_str(rest)?.into()),
        BYTEA => Datum::Bytea(Bytes::copy_from_slice(take_sized(rest)?)),
        DATE => Datum::Date(take_signed(rest)? as i32),
        TIME => Datum::Time(take_signed(rest)?),
        TIMESTAMP => Datum::Timestamp(take_signed(rest)?),
        TIMESTAMPTZ => Datum::Timestamptz(take_signed(rest)?),
        INTERVAL => Datum::Interval(take_interval(rest)?),
        UUID => Datum::Uuid(take_array(rest)?),
        JSONB => Datum::Jsonb(Arc::new(take_jsonb(&mut take_sized(rest)?, depth)?)),
        OID => Datum::Oid(take_varint(rest)? as u32),
        CHAR => Datum::Char(take(rest, 1)?[0]),
        ARRAY => Datum::Array(Arc::new(take_datum_array(&mut take_sized(rest)?, depth)?)),
        RECORD => {
            let mut inside = take_sized(rest)?;
            let count = take_count(&mut inside)?;
            let values = (0..count)
                .map(|_| take_nested(&mut inside, depth + 1))
                .collect::<Result<Vec<_>, _>>()?;
            Datum::Record(values.into())
        }
        _ => return Err(CodecError("row column tag")),
    })
}

/// Bytes of a payload at the start of the slice.
#[inline]
pub(super) fn payload_length(tag: u8, rest: &[u8]) -> Result<usize, CodecError> {
    let varint_length = || {
        rest.iter()
            .position(|byte| byte & 0x80 == 0)
            .map(|at| at + 1)
            .ok_or(CodecError("row: it ends early"))
    };
    match tag {
        NULL | FALSE | TRUE => Ok(0),
        INT2 | INT4 | INT8 | DATE | TIME | TIMESTAMP | TIMESTAMPTZ | OID => varint_length(),
        FLOAT4 => Ok(4),
        FLOAT8 => Ok(8),
        UUID => Ok(16),
        CHAR => Ok(1),
        INTERVAL => {
            let mut after = rest;
            take_interval(&mut after)?;
            Ok(rest.len() - after.len())
        }
        NUMERIC | TEXT | BYTEA | JSONB | ARRAY | RECORD => {
            let mut after = rest;
            let length = take_varint(&mut after)?;
            let length = usize::try_from(length).map_err(|_| CodecError("row: length"))?;
            Ok((rest.len() - after.len()).saturating_add(length))
        }
        _ => Err(CodecError("row column tag")),
    }
}

fn put_numeric(out: &mut Vec<u8>, value: &Numeric) {
    put_framed(out, |out| match value {
        Numeric::NaN => out.push(1),
        Numeric::Infinity => out.push(2),
        Numeric::NegInfinity => out.push(3),
        Numeric::Finite(decimal) => {
            let (scale, bytes) = decimal.tuple_parts();
            out.push(0);
            put_varint(out, u64::from(scale));
            out.extend_from_slice(&bytes);
        }
    });
}

fn take_numeric(rest: &mut &[u8]) -> Result<Numeric, CodecError> {
    let mut inside = take_sized(rest)?;
    Ok(match take(&mut inside, 1)?[0] {
        0 => {
            let scale = take_varint(&mut inside)?;
            let scale = u16::try_from(scale).map_err(|_| CodecError("row numeric scale"))?;
            Numeric::Finite(crate::numeric::Decimal::from_tuple(scale, inside))
        }
        1 => Numeric::NaN,
        2 => Numeric::Infinity,
        3 => Numeric::NegInfinity,
        _ => return Err(CodecError("row numeric class")),
    })
}

fn put_interval(out: &mut Vec<u8>, value: Interval) {
    put_varint(out, zigzag(i64::from(value.months)));
    put_varint(out, zigzag(i64::from(value.days)));
    put_varint(out, zigzag(value.micros));
}

fn take_interval(rest: &mut &[u8]) -> Result<Interval, CodecError> {
    Ok(Interval {
        months: take_signed(rest)? as i32,
        days: take_signed(rest)? as i32,
        micros: take_signed(rest)?,
    })
}

fn put_array(out: &mut Vec<u8>, array: &Array) {
    put_varint(out, u64::from(array.element_oid));
    put_varint(out, array.dimensions.len() as u64);
    for dimension in &array.dimensions {
        put_varint(out, zigzag(i64::from(dimension.length)));
        put_varint(out, zigzag(i64::from(dimension.lower_bound)));
    }
    put_varint(out, array.values.len() as u64);
    array.values.iter().for_each(|value| put_value(out, value));
}

fn take_datum_array(rest: &mut &[u8], depth: u32) -> Result<Array, CodecError> {
    let element_oid = take_varint(rest)? as u32;
    let dimensions = (0..take_count(rest)?)
        .map(|_| {
            let length = take_signed(rest)? as i32;
            Ok(ArrayDimension { length, lower_bound: take_signed(rest)? as i32 })
        })
        .collect::<Result<Vec<_>, CodecError>>()?;
    let values = (0..take_count(rest)?)
        .map(|_| take_nested(rest, depth + 1))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Array { element_oid, dimensions, values })
}

fn put_jsonb(out: &mut Vec<u8>, value: &Jsonb) {
    match value {
        Jsonb::Null => out.push(0),
        Jsonb::Bool(value) => out.push(1 + u8::from(*value)),
        Jsonb::Number(value) => {
            out.push(3);
            put_numeric(out, value);
        }
        Jsonb::String(value) => {
            out.push(4);
            put_sized(out, value.as_bytes());
        }
        Jsonb::Array(values) => {
            out.push(5);
            put_varint(out, values.len() as u64);
            values.iter().for_each(|value| put_jsonb(out, value));
        }
        Jsonb::Object(pairs) => {
            out.push(6);
            put_varint(out, pairs.len() as u64);
            for (key, value) in pairs {
                put_sized(out, key.as_bytes());
                put_jsonb(out, value);
            }
        }
    }
}

fn take_jsonb(rest: &mut &[u8], depth: u32) -> Result<Jsonb, CodecError> {
    if depth > crate::jsonb::DEPTH_MAX {
        return Err(CodecError("row jsonb: nested too deep"));
    }
    Ok(match take(rest, 1)?[0] {
        0 => Jsonb::Null,
        1 => Jsonb::Bool(false),
        2 => Jsonb::Bool(true),
        3 => Jsonb::Number(take_numeric(rest)?),
        4 => Jsonb::String(take_str(rest)?.into()),
        5 => {
            let count = take_count(rest)?;
            Jsonb::Array((0..count).map(|_| take_jsonb(rest, depth + 1)).collect::<Result<_, _>>()?)
        }
        6 => {
            let count = take_count(rest)?;
            Jsonb::Object(
                (0..count)
                    .map(|_| Ok((take_str(rest)?.into(), take_jsonb(rest, depth + 1)?)))
                    .collect::<Result<_, CodecError>>()?,
            )
        }
        _ => return Err(CodecError("row jsonb tag")),
    })
}
