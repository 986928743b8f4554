//! The order-preserving key form of values: comparing the bytes compares the values, equal values
//! have equal bytes, and every form ends itself.
//!
//! Because equal values share their bytes, some types lose their look on the way: `1.50` comes
//! back as `1.5`, an interval of 24 hours as a day, `-0` as `0`. [`is_lossy`] names them; whoever
//! wants such a value as it was written reads it from the row.

use crate::oid::{self, Oid};
use crate::{Array, ArrayDimension, Datum, Direction, Interval, SqlType, compare, jsonb, numeric};
use base::codec::{
    CodecError, KeyReader, put_bytes, put_f64, put_i16, put_i32, put_i64, put_null, put_present,
};
use std::sync::Arc;

/// Markers within arrays and records: the end is below elements, NULL above.
const END: u8 = 0x00;
const ELEMENT: u8 = 0x01;
const NULL_ELEMENT: u8 = 0x02;

/// Whether a value read back from a key may look different from the one that was written.
pub fn is_lossy(type_oid: Oid) -> bool {
    let scalar = crate::element_of(type_oid).unwrap_or(type_oid);
    matches!(
        scalar,
        oid::NUMERIC
            | oid::INTERVAL
            | oid::FLOAT4
            | oid::FLOAT8
            | oid::JSONB
            | oid::RECORD
            | oid::BPCHAR
    )
}

/// Appends a column of a key.
pub fn put(value: &Datum, ty: SqlType, direction: Direction, out: &mut Vec<u8>) {
    if matches!(value, Datum::Null) {
        put_null(out, direction);
    } else {
        put_present(out, direction, |out| put_value(value, ty.oid, out));
    }
}

fn put_value(value: &Datum, type_oid: Oid, out: &mut Vec<u8>) {
    match value {
        Datum::Null => {}
        Datum::Bool(value) => out.push(u8::from(*value)),
        Datum::Int2(value) => put_i16(out, *value),
        Datum::Int4(value) | Datum::Date(value) => put_i32(out, *value),
        Datum::Int8(value)
        | Datum::Time(value)
        | Datum::Timestamp(value)
        | Datum::Timestamptz(value) => put_i64(out, *value),
        Datum::Float4(value) => put_f64(out, f64::from(*value)),
        Datum::Float8(value) => put_f64(out, *value),
        Datum::Numeric(value) => numeric::put_key(value, out),
        Datum::Text(value) if type_oid == oid::BPCHAR => {
            put_bytes(out, compare::trim_pad(value).as_bytes());
        }
        Datum::Text(value) => put_bytes(out, value.as_bytes()),
        Datum::Bytea(value) => put_bytes(out, value),
        Datum::Interval(value) => put_i128(out, value.span_micros()),
        Datum::Uuid(value) => out.extend_from_slice(value),
        Datum::Jsonb(value) => jsonb::put_key(value, true, out),
        Datum::Oid(value) => out.extend_from_slice(&value.to_be_bytes()),
        Datum::Char(value) => out.push(*value),
        Datum::Array(value) => put_array(value, type_oid, out),
        Datum::Record(values) => put_record(values, out),
    }
}

fn put_i128(out: &mut Vec<u8>, value: i128) {
    out.extend_from_slice(&((value as u128) ^ (1 << 127)).to_be_bytes());
}

fn put_array(array: &Array, type_oid: Oid, out: &mut Vec<u8>) {
    let element = crate::element_of(type_oid).unwrap_or(array.element_oid);
    put_elements(&array.values, out, |value, out| put_value(value, element, out));
    out.push(array.dimensions.len() as u8);
    array.dimensions.iter().for_each(|dimension| put_i32(out, dimension.length));
    array.dimensions.iter().for_each(|dimension| put_i32(out, dimension.lower_bound));
}

fn put_record(values: &[Datum], out: &mut Vec<u8>) {
    put_elements(values, out, |value, out| {
        let type_oid = compare::natural_oid(value);
        out.extend_from_slice(&type_oid.to_be_bytes());
        put_value(value, type_oid, out);
    });
}

fn put_elements(values: &[Datum], out: &mut Vec<u8>, write: impl Fn(&Datum, &mut Vec<u8>)) {
    for value in values {
        if matches!(value, Datum::Null) {
            out.push(NULL_ELEMENT);
        } else {
            out.push(ELEMENT);
            write(value, out);
        }
    }
    out.push(END);
}

/// Reads a column of a key.
pub fn read(
    ty: SqlType,
    direction: Direction,
    reader: &mut KeyReader<'_>,
) -> Result<Datum, CodecError> {
    if reader.present(direction)? { read_value(ty, reader, 0) } else { Ok(Datum::Null) }
}

/// Deepest nesting of arrays and records that is read back.
const DEPTH_MAX: u32 = 64;

fn read_value(ty: SqlType, reader: &mut KeyReader<'_>, depth: u32) -> Result<Datum, CodecError> {
    if depth > DEPTH_MAX {
        return Err(CodecError("key: nested too deep"));
    }
    Ok(match ty.oid {
        oid::BOOL => Datum::Bool(reader.byte()? != 0),
        oid::INT2 => Datum::Int2(reader.i16()?),
        oid::INT4 => Datum::Int4(reader.i32()?),
        oid::INT8 | oid::XID8 => Datum::Int8(reader.i64()?),
        oid::FLOAT4 => Datum::Float4(reader.f64()? as f32),
        oid::FLOAT8 => Datum::Float8(reader.f64()?),
        oid::NUMERIC => Datum::Numeric(Arc::new(numeric::read_key(reader)?)),
        oid::BPCHAR => Datum::Text(pad(read_str(reader)?, ty.typmod).into()),
        oid::BYTEA => Datum::Bytea(reader.bytes()?.into()),
        oid::DATE => Datum::Date(reader.i32()?),
        oid::TIME => Datum::Time(reader.i64()?),
        oid::TIMESTAMP => Datum::Timestamp(reader.i64()?),
        oid::TIMESTAMPTZ => Datum::Timestamptz(reader.i64()?),
        oid::INTERVAL => Datum::Interval(Interval::from_span(read_i128(reader)?)),
        oid::UUID => Datum::Uuid(reader.array()?),
        oid::JSONB => Datum::Jsonb(Arc::new(jsonb::read_key(reader, 0)?)),
        oid::OID | oid::XID | oid::CID => Datum::Oid(u32::from_be_bytes(reader.array()?)),
        other if crate::reg::is_reg(other) => Datum::Oid(u32::from_be_bytes(reader.array()?)),
        oid::CHAR => Datum::Char(reader.byte()?),
        oid::RECORD => {
            let values = read_elements(reader, |reader| {
                let type_oid = u32::from_be_bytes(reader.array()?);
                read_value(SqlType::new(type_oid), reader, depth + 1)
            })?;
            Datum::Record(values.into())
        }
        other => match crate::element_of(other) {
            Some(element) => Datum::Array(Arc::new(read_array(element, reader, depth)?)),
            None => Datum::Text(read_str(reader)?.into()),
        },
    })
}

fn read_str(reader: &mut KeyReader<'_>) -> Result<String, CodecError> {
    String::from_utf8(reader.bytes()?).map_err(|_| CodecError("key text: not UTF-8"))
}

fn pad(mut text: String, typmod: i32) -> String {
    if typmod > 4 {
        let missing = ((typmod - 4) as usize).saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n(' ', missing));
    }
    text
}

fn read_i128(reader: &mut KeyReader<'_>) -> Result<i128, CodecError> {
    Ok((u128::from_be_bytes(reader.array()?) ^ (1 << 127)) as i128)
}

fn read_array(element: Oid, reader: &mut KeyReader<'_>, depth: u32) -> Result<Array, CodecError> {
    let ty = SqlType::new(element);
    let values = read_elements(reader, |reader| read_value(ty, reader, depth + 1))?;
    let count = usize::from(reader.byte()?);
    let lengths = (0..count).map(|_| reader.i32()).collect::<Result<Vec<_>, _>>()?;
    let dimensions = lengths
        .into_iter()
        .map(|length| Ok(ArrayDimension { length, lower_bound: reader.i32()? }))
        .collect::<Result<Vec<_>, CodecError>>()?;
    Ok(Array { element_oid: element, dimensions, values })
}

fn read_elements(
    reader: &mut KeyReader<'_>,
    mut read: impl FnMut(&mut KeyReader<'_>) -> Result<Datum, CodecError>,
) -> Result<Vec<Datum>, CodecError> {
    let mut values = Vec::new();
    loop {
        match reader.byte()? {
            END => return Ok(values),
            ELEMENT => values.push(read(reader)?),
            NULL_ELEMENT => values.push(Datum::Null),
            _ => return Err(CodecError("key element marker")),
        }
    }
}
