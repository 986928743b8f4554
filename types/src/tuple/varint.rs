//! Integers of variable length, and bytes with their length in front.

use base::codec::CodecError;

/// Writes what the closure appends with its length in front.
pub(super) fn put_framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
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

pub(super) fn take_str<'a>(rest: &mut &'a [u8]) -> Result<&'a str, CodecError> {
    std::str::from_utf8(take_sized(rest)?).map_err(|_| CodecError("row text: not UTF-8"))
}

/// A number of things of at least one byte each: more than bytes are left is damage.
pub(super) fn take_count(rest: &mut &[u8]) -> Result<usize, CodecError> {
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
    match rest.split_first() {
        // Most are small.
        Some((&byte, after)) if byte < 0x80 => {
            *rest = after;
            Ok(u64::from(byte))
        }
        _ => take_long_varint(rest),
    }
}

fn take_long_varint(rest: &mut &[u8]) -> Result<u64, CodecError> {
    let mut value = 0u64;
    for (at, &byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at as u32);
        if byte < 0x80 {
            *rest = &rest[at + 1..];
            return Ok(value);
        }
    }
    Err(CodecError("row integer"))
}

#[inline]
pub(super) fn take_signed(rest: &mut &[u8]) -> Result<i64, CodecError> {
    take_varint(rest).map(unzigzag)
}

/// Small magnitudes of either sign become small unsigned numbers.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
#[inline]
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub(super) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], CodecError> {
    let (head, tail) = rest.split_at_checked(length).ok_or(CodecError("row: it ends early"))?;
    *rest = tail;
    Ok(head)
}

pub(super) fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodecError> {
    take(rest, N)?.try_into().map_err(|_| CodecError("row: it ends early"))
}
