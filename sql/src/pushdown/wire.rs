//! Column batches as bytes.

use super::fragment::take_byte;
use crate::exec::Batch;
use crate::exec::vector::{Typed, Vector};
use base::codec::CodecError;
use std::borrow::Borrow;
use std::sync::Arc;
use types::Datum;
use types::tuple::{put_value, put_varint, take_value, take_varint};

/// Version of the encoding.
const VERSION: u8 = 1;

const INT4: u8 = 1;
const INT8: u8 = 2;
const FLOAT8: u8 = 3;
const BOOL: u8 = 4;
const ANY: u8 = 5;

/// Encodes a batch.
pub(super) fn encode_batch(columns: &[impl Borrow<Vector>], rows: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + rows * columns.len() * 8);
    out.push(VERSION);
    put_varint(&mut out, columns.len() as u64);
    put_varint(&mut out, rows as u64);
    for column in columns {
        match column.borrow() {
            Vector::Int4(v) => put_typed(&mut out, INT4, v, |x| x.to_le_bytes()),
            Vector::Int8(v) => put_typed(&mut out, INT8, v, |x| x.to_le_bytes()),
            Vector::Float8(v) => put_typed(&mut out, FLOAT8, v, |x| x.to_le_bytes()),
            Vector::Bool(v) => put_typed(&mut out, BOOL, v, |x| [u8::from(x)]),
            Vector::Any(values) => {
                out.push(ANY);
                values.iter().for_each(|v| put_value(&mut out, v));
            }
            Vector::Const(value, _) => {
                out.push(ANY);
                (0..rows).for_each(|_| put_value(&mut out, value));
            }
        }
    }
    out
}

fn put_typed<T: Copy, const N: usize>(
    out: &mut Vec<u8>,
    tag: u8,
    column: &Typed<T>,
    bytes: impl Fn(T) -> [u8; N],
) {
    out.push(tag);
    out.push(u8::from(column.nulls.is_some()));
    if let Some(nulls) = &column.nulls {
        out.extend(nulls.iter().map(|n| u8::from(*n)));
    }
    column.values.iter().for_each(|v| out.extend_from_slice(&bytes(*v)));
}

/// Decodes a batch.
pub fn decode_batch(bytes: &[u8]) -> Result<Batch, CodecError> {
    let rest = &mut &bytes[..];
    if take_byte(rest)? != VERSION {
        return Err(CodecError("batch version"));
    }
    let count = take_varint(rest)? as usize;
    let rows = take_varint(rest)? as usize;
    // Every value takes at least a byte: a damaged length allocates nothing.
    if count.saturating_mul(rows) > rest.len() {
        return Err(CodecError("batch length"));
    }
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        let column = match take_byte(rest)? {
            INT4 => Vector::Int4(take_typed(rest, rows, i32::from_le_bytes)?),
            INT8 => Vector::Int8(take_typed(rest, rows, i64::from_le_bytes)?),
            FLOAT8 => Vector::Float8(take_typed(rest, rows, f64::from_le_bytes)?),
            BOOL => Vector::Bool(take_typed(rest, rows, |b: [u8; 1]| b[0] != 0)?),
            ANY => {
                let values: Result<Vec<Datum>, CodecError> =
                    (0..rows).map(|_| take_value(rest)).collect();
                Vector::Any(values?)
            }
            _ => return Err(CodecError("batch column")),
        };
        columns.push(Arc::new(column));
    }
    Ok(Batch::new(columns, rows))
}

fn take_typed<T: Copy + Default, const N: usize>(
    rest: &mut &[u8],
    rows: usize,
    value: impl Fn([u8; N]) -> T,
) -> Result<Typed<T>, CodecError> {
    let nulls = match take_byte(rest)? {
        0 => None,
        _ => {
            let bytes = take(rest, rows)?;
            Some(bytes.iter().map(|b| *b != 0).collect())
        }
    };
    let bytes = take(rest, rows.saturating_mul(N))?;
    let values = bytes
        .chunks_exact(N)
        .map(|chunk| {
            let mut array = [0u8; N];
            array.copy_from_slice(chunk);
            value(array)
        })
        .collect();
    Ok(Typed { values, nulls })
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], CodecError> {
    let (head, tail) = rest.split_at_checked(len).ok_or(CodecError("batch: it ends early"))?;
    *rest = tail;
    Ok(head)
}
