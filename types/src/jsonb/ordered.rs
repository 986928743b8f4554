//! Order, hash and key form of `jsonb`.
//!
//! PostgreSQL's order: Object > Array > Boolean > Number > String > Null; containers by their
//! number of members, then member by member. An empty array by itself is below even null, a quirk
//! that its on-disk indexes have frozen.

use super::{DEPTH_MAX, Jsonb};
use crate::numeric;
use base::codec::{CodecError, KeyReader, put_bytes};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

const EMPTY_TOP_ARRAY: u8 = 0x01;
const NULL: u8 = 0x02;
const STRING: u8 = 0x03;
const NUMBER: u8 = 0x04;
const FALSE: u8 = 0x05;
const TRUE: u8 = 0x06;
const ARRAY: u8 = 0x07;
const OBJECT: u8 = 0x08;

/// Orders two values.
pub fn cmp(a: &Jsonb, b: &Jsonb) -> Ordering {
    let quirk = |value: &Jsonb| u8::from(!matches!(value, Jsonb::Array(list) if list.is_empty()));
    quirk(a).cmp(&quirk(b)).then_with(|| cmp_nested(a, b))
}

fn cmp_nested(a: &Jsonb, b: &Jsonb) -> Ordering {
    match (a, b) {
        (Jsonb::String(a), Jsonb::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Jsonb::Number(a), Jsonb::Number(b)) => a.cmp(b),
        (Jsonb::Bool(a), Jsonb::Bool(b)) => a.cmp(b),
        (Jsonb::Array(a), Jsonb::Array(b)) => a
            .len()
            .cmp(&b.len())
            .then_with(|| first_difference(a.iter().zip(b).map(|(a, b)| cmp_nested(a, b)))),
        (Jsonb::Object(a), Jsonb::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
            first_difference(a.iter().zip(b).map(|((a_key, a), (b_key, b))| {
                a_key.as_bytes().cmp(b_key.as_bytes()).then_with(|| cmp_nested(a, b))
            }))
        }),
        (a, b) => class(a).cmp(&class(b)),
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn class(value: &Jsonb) -> u8 {
    match value {
        Jsonb::Null => NULL,
        Jsonb::String(_) => STRING,
        Jsonb::Number(_) => NUMBER,
        Jsonb::Bool(false) => FALSE,
        Jsonb::Bool(true) => TRUE,
        Jsonb::Array(_) => ARRAY,
        Jsonb::Object(_) => OBJECT,
    }
}

/// Feeds a value to a hasher.
pub fn hash<H: Hasher>(value: &Jsonb, state: &mut H) {
    state.write_u8(class(value));
    match value {
        Jsonb::Null | Jsonb::Bool(_) => {}
        Jsonb::Number(value) => value.hash(state),
        Jsonb::String(value) => value.hash(state),
        Jsonb::Array(values) => values.iter().for_each(|value| hash(value, state)),
        Jsonb::Object(pairs) => pairs.iter().for_each(|(key, value)| {
            key.hash(state);
            hash(value, state);
        }),
    }
}

/// Appends the key form.
pub(crate) fn put_key(value: &Jsonb, top: bool, out: &mut Vec<u8>) {
    if top && matches!(value, Jsonb::Array(list) if list.is_empty()) {
        return out.push(EMPTY_TOP_ARRAY);
    }
    out.push(class(value));
    match value {
        Jsonb::Null | Jsonb::Bool(_) => {}
        Jsonb::Number(value) => numeric::put_key(value, out),
        Jsonb::String(value) => put_bytes(out, value.as_bytes()),
        Jsonb::Array(values) => {
            out.extend_from_slice(&(values.len() as u32).to_be_bytes());
            values.iter().for_each(|value| put_key(value, false, out));
        }
        Jsonb::Object(pairs) => {
            out.extend_from_slice(&(pairs.len() as u32).to_be_bytes());
            for (key, value) in pairs {
                put_bytes(out, key.as_bytes());
                put_key(value, false, out);
            }
        }
    }
}

/// Reads what [`put_key`] wrote.
pub(crate) fn read_key(reader: &mut KeyReader<'_>, depth: u32) -> Result<Jsonb, CodecError> {
    if depth > DEPTH_MAX {
        return Err(CodecError("jsonb key: nested too deep"));
    }
    let text = |reader: &mut KeyReader<'_>| {
        String::from_utf8(reader.bytes()?).map_err(|_| CodecError("jsonb key: not UTF-8"))
    };
    Ok(match reader.byte()? {
        EMPTY_TOP_ARRAY => Jsonb::Array(Vec::new()),
        NULL => Jsonb::Null,
        STRING => Jsonb::String(text(reader)?.into()),
        NUMBER => Jsonb::Number(numeric::read_key(reader)?),
        FALSE => Jsonb::Bool(false),
        TRUE => Jsonb::Bool(true),
        ARRAY => {
            let count = u32::from_be_bytes(reader.array()?);
            let values = (0..count).map(|_| read_key(reader, depth + 1));
            Jsonb::Array(values.collect::<Result<_, _>>()?)
        }
        OBJECT => {
            let count = u32::from_be_bytes(reader.array()?);
            let pairs = (0..count).map(|_| {
                let key = text(reader)?;
                Ok((key.into(), read_key(reader, depth + 1)?))
            });
            Jsonb::Object(pairs.collect::<Result<_, CodecError>>()?)
        }
        _ => return Err(CodecError("jsonb key class")),
    })
}
