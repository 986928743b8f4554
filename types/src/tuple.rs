//! Row values: a version byte, then each column as its id and a tagged payload.
//!
//! ```text
//! row    = version, column*
//! column = header, [varint delta], payload        ids ascending
//! header = delta (high 3 bits) | tag (low 5 bits)
//! ```
//!
//! The delta counts from the previous id (0 before the first); 7 says that it follows as a varint.
//! Integers are zigzag varints, strings have a length in front. A column that is not there was
//! added later: its default is the reader's affair; NULL is written as such.

use crate::jsonb::Jsonb;
use crate::{Array, ArrayDimension, Datum, Interval, Numeric};
use base::codec::CodecError;
use bytes::Bytes;
use std::sync::Arc;

/// First byte of every row.
pub const VERSION: u8 = 1;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT2: u8 = 3;
const INT4: u8 = 4;
const INT8: u8 = 5;
const FLOAT4: u8 = 6;
const FLOAT8: u8 = 7;
const NUMERIC: u8 = 8;
const TEXT: u8 = 9;
const BYTEA: u8 = 10;
const DATE: u8 = 11;
const TIME: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMPTZ: u8 = 14;
const INTERVAL: u8 = 15;
const UUID: u8 = 16;
const JSONB: u8 = 17;
const OID: u8 = 18;
const CHAR: u8 = 19;
const ARRAY: u8 = 20;
const RECORD: u8 = 21;

const TAG_MASK: u8 = 0x1f;
/// The delta that says "a varint follows".
const DELTA_FOLLOWS: u32 = 7;

/// Writes a row, column by column, ids ascending.
pub struct TupleWriter {
    out: Vec<u8>,
    last_id: u32,
}

impl Default for TupleWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl TupleWriter {
    /// An empty row.
    pub fn new() -> Self {
        Self { out: vec![VERSION], last_id: 0 }
    }

    /// Starts a row in a buffer that is reused; what it held is dropped.
    pub fn reuse(mut out: Vec<u8>) -> Self {
        out.clear();
        out.push(VERSION);
        Self { out, last_id: 0 }
    }

    /// Appends a column. Ids must ascend.
    pub fn put(&mut self, id: u32, value: &Datum) {
        debug_assert!(id > self.last_id || self.out.len() == 1, "column ids ascend");
        let delta = id.wrapping_sub(self.last_id);
        self.last_id = id;
        let tag = tag_of(value);
        if delta < DELTA_FOLLOWS {
            self.out.push((delta as u8) << 5 | tag);
        } else {
            self.out.push((DELTA_FOLLOWS as u8) << 5 | tag);
            put_varint(&mut self.out, u64::from(delta));
        }
        put_payload(&mut self.out, value);
    }

    /// The row's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Encodes a whole row; ids ascending.
pub fn encode<'a>(columns: impl IntoIterator<Item = (u32, &'a Datum)>) -> Vec<u8> {
    let mut writer = TupleWriter::new();
    columns.into_iter().for_each(|(id, value)| writer.put(id, value));
    writer.finish()
}

/// Reads a row's columns in the order of their ids, decoding only what is asked for.
#[derive(Clone)]
pub struct TupleReader<'a> {
    rest: &'a [u8],
    last_id: u32,
}

impl<'a> TupleReader<'a> {
    /// Checks the version.
    pub fn new(bytes: &'a [u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest, last_id: 0 }),
            _ => Err(CodecError("row version")),
        }
    }

    /// The next column, its payload still raw.
    #[inline]
    pub fn next_column(&mut self) -> Result<Option<(u32, RawValue<'a>)>, CodecError> {
        let Some((&header, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let mut delta = u32::from(header >> 5);
        if delta == DELTA_FOLLOWS {
            delta = u32::try_from(take_varint(&mut self.rest)?)
                .map_err(|_| CodecError("row column id"))?;
        }
        self.last_id = self.last_id.wrapping_add(delta);
        let tag = header & TAG_MASK;
        let length = payload_length(tag, self.rest)?;
        let (payload, rest) =
            self.rest.split_at_checked(length).ok_or(CodecError("row: it ends early"))?;
        self.rest = rest;
        Ok(Some((self.last_id, RawValue { tag, payload })))
    }

    /// The column with this id; None when the row was written before the column existed. Reads
    /// forward only: ask for ids in ascending order, or clone the reader.
    pub fn column(&mut self, id: u32) -> Result<Option<RawValue<'a>>, CodecError> {
        loop {
            let here = self.clone();
            match self.next_column()? {
                Some((found, value)) if found == id => return Ok(Some(value)),
                Some((found, _)) if found < id => continue,
                Some(_) => {
                    *self = here;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
    }
}

/// Decodes the wanted columns into slots: `wanted` pairs column ids, ascending, with places in
/// `slots`. Slots of columns that the row lacks are left as they are (the caller puts defaults
/// there first).
pub fn read_into(
    bytes: &[u8],
    wanted: &[(u32, usize)],
    slots: &mut [Datum],
) -> Result<(), CodecError> {
    let mut reader = TupleReader::new(bytes)?;
    let mut wanted = wanted.iter().peekable();
    while let Some(&&(id, slot)) = wanted.peek() {
        let Some((found, raw)) = reader.next_column()? else { return Ok(()) };
        if found == id {
            slots[slot] = raw.to_datum()?;
            wanted.next();
        } else if found > id {
            // The row lacks some of what is wanted; this column may still be among the rest.
            while wanted.next_if(|(id, _)| *id < found).is_some() {}
            if let Some(&(_, slot)) = wanted.next_if(|(id, _)| *id == found) {
                slots[slot] = raw.to_datum()?;
            }
        }
    }
    Ok(())
}

/// A column's value, not decoded yet.
#[derive(Clone, Copy)]
pub struct RawValue<'a> {
    tag: u8,
    payload: &'a [u8],
}

impl<'a> RawValue<'a> {
    pub fn is_null(&self) -> bool {
        self.tag == NULL
    }

    /// The number under an integer, date or time type.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        match self.tag {
            INT2 | INT4 | INT8 | DATE | TIME | TIMESTAMP | TIMESTAMPTZ => {
                let mut rest = self.payload;
                take_varint(&mut rest).ok().map(unzigzag)
            }
            _ => None,
        }
    }

    /// The number under a float type.
    pub fn as_f64(&self) -> Option<f64> {
        match self.tag {
            FLOAT4 => self.payload.try_into().ok().map(|b| f64::from(f32::from_le_bytes(b))),
            FLOAT8 => self.payload.try_into().ok().map(f64::from_le_bytes),
            _ => None,
        }
    }

    /// The bytes of a text.
    pub fn as_str_bytes(&self) -> Option<&'a [u8]> {
        let mut rest = self.payload;
        if self.tag != TEXT || take_varint(&mut rest).is_err() {
            return None;
        }
        Some(rest)
    }

    /// Decodes.
    #[inline]
    pub fn to_datum(&self) -> Result<Datum, CodecError> {
        let mut rest = self.payload;
        take_payload(self.tag, &mut rest, 0)
    }
}

fn tag_of(value: &Datum) -> u8 {
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

fn put_payload(out: &mut Vec<u8>, value: &Datum) {
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

fn take_payload(tag: u8, rest: &mut &[u8], depth: u32) -> Result<Datum, CodecError> {
    Ok(match tag {
        NULL => Datum::Null,
        FALSE => Datum::Bool(false),
        TRUE => Datum::Bool(true),
        INT2 => Datum::Int2(take_signed(rest)? as i16),
        INT4 => Datum::Int4(take_signed(rest)? as i32),
        INT8 => Datum::Int8(take_signed(rest)?),
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
fn payload_length(tag: u8, rest: &[u8]) -> Result<usize, CodecError> {
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

/// Writes what the closure appends with its length in front.
fn put_framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inside = Vec::new();
    write(&mut inside);
    put_sized(out, &inside);
}

/// Length, then the bytes.
pub fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what [`put_sized`] wrote.
pub fn take_sized<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let length = take_varint(rest)?;
    take(rest, usize::try_from(length).map_err(|_| CodecError("row: length"))?)
}

fn take_str<'a>(rest: &mut &'a [u8]) -> Result<&'a str, CodecError> {
    std::str::from_utf8(take_sized(rest)?).map_err(|_| CodecError("row text: not UTF-8"))
}

/// A number of things of at least one byte each: more than bytes are left is damage.
fn take_count(rest: &mut &[u8]) -> Result<usize, CodecError> {
    let count = take_varint(rest)?;
    if count > rest.len() as u64 {
        return Err(CodecError("row: count"));
    }
    Ok(count as usize)
}

/// Appends an unsigned integer, seven bits a byte, low bits first.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads what [`put_varint`] wrote.
#[inline]
pub fn take_varint(rest: &mut &[u8]) -> Result<u64, CodecError> {
    let mut value = 0u64;
    for (at, &byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 1..];
            return Ok(value);
        }
    }
    Err(CodecError("row integer"))
}

fn take_signed(rest: &mut &[u8]) -> Result<i64, CodecError> {
    take_varint(rest).map(unzigzag)
}

/// Small magnitudes of either sign become small unsigned numbers.
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], CodecError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(CodecError("row: it ends early"))?;
    *rest = tail;
    Ok(head)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodecError> {
    take(rest, N)?.try_into().map_err(|_| CodecError("row: it ends early"))
}
