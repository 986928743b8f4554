//! Functions that change text: case, parts, trimming, padding, replacing.

use super::{TEXT_BYTES_MAX, too_long};
use crate::functions::native::{Native, bytes_of, int4_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function};
use bytes::Bytes;
use types::oid::*;
use types::{Datum, SqlError, SqlResult, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

fn lower(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let text = text_of(&args[0])?;
    // Character by character, as C's towlower: a final sigma is no special case.
    text_result(text.chars().map(|c| single(c, c.to_lowercase())).collect::<String>())
}

fn upper(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let text = text_of(&args[0])?;
    text_result(text.chars().map(|c| single(c, c.to_uppercase())).collect::<String>())
}

/// The mapping when it is one character, else the character itself (`ß` stays).
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

fn initcap(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let mut in_word = false;
    let mut out = String::new();
    for c in text_of(&args[0])?.chars() {
        out.push(if in_word { single(c, c.to_lowercase()) } else { single(c, c.to_uppercase()) });
        in_word = c.is_alphanumeric();
    }
    text_result(out)
}

/// The slice of so many characters from a place counted from 1; places before 1 count too.
fn slice(text: &str, from: i32, count: Option<i32>) -> SqlResult<&str> {
    let start = i64::from(from) - 1;
    let end = match count {
        None => i64::MAX,
        Some(count) => {
            let end = start + i64::from(count);
            if end < start {
                return Err(SqlError::new(
                    sqlstate::SUBSTRING_ERROR,
                    "negative substring length not allowed",
                ));
            }
            end
        }
    };
    let (start, end) = (start.max(0) as usize, end.max(0) as usize);
    let place = |n: usize| {
        if text.is_ascii() {
            return n.min(text.len());
        }
        text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
    };
    let first = place(start);
    Ok(&text[first..place(end).max(first)])
}

fn substring(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let count = args.get(2).map(int4_of).transpose()?;
    text_result(slice(text_of(&args[0])?, int4_of(&args[1])?, count)?)
}

fn substring_bytea(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let bytes = bytes_of(&args[0])?;
    let start = i64::from(int4_of(&args[1])?) - 1;
    let end = match args.get(2).map(int4_of).transpose()? {
        None => i64::MAX,
        Some(count) if count < 0 => {
            return Err(SqlError::new(
                sqlstate::SUBSTRING_ERROR,
                "negative substring length not allowed",
            ));
        }
        Some(count) => start + i64::from(count),
    };
    let length = bytes.len() as i64;
    let first = start.clamp(0, length) as usize;
    let last = (end.clamp(0, length) as usize).max(first);
    Ok(bytes.slice(first..last).put())
}

/// `left(text, n)`; a negative n leaves out so many at the end.
fn left(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, count) = (text_of(&args[0])?, int4_of(&args[1])?);
    let kept = signed_count(text, count);
    text_result(text.chars().take(kept).collect::<String>())
}

/// `right(text, n)`; a negative n leaves out so many at the start.
fn right(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, count) = (text_of(&args[0])?, int4_of(&args[1])?);
    let skipped = text.chars().count() - signed_count(text, count);
    text_result(text.chars().skip(skipped).collect::<String>())
}

fn signed_count(text: &str, count: i32) -> usize {
    let length = text.chars().count();
    if count < 0 {
        length.saturating_sub(count.unsigned_abs() as usize)
    } else {
        length.min(count as usize)
    }
}

fn trim_set(args: &[Datum]) -> SqlResult<&str> {
    args.get(1).map_or(Ok(" "), text_of)
}

fn btrim(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let set = trim_set(args)?;
    text_result(text_of(&args[0])?.trim_matches(|c| set.contains(c)))
}

fn ltrim(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let set = trim_set(args)?;
    text_result(text_of(&args[0])?.trim_start_matches(|c| set.contains(c)))
}

fn rtrim(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let set = trim_set(args)?;
    text_result(text_of(&args[0])?.trim_end_matches(|c| set.contains(c)))
}

fn trim_bytes(args: Args<'_>, front: bool, back: bool) -> SqlResult<Datum> {
    let (bytes, set) = (bytes_of(&args[0])?, bytes_of(&args[1])?);
    let (mut start, mut end) = (0, bytes.len());
    while front && start < end && set.contains(&bytes[start]) {
        start += 1;
    }
    while back && end > start && set.contains(&bytes[end - 1]) {
        end -= 1;
    }
    Ok(bytes.slice(start..end).put())
}

fn btrim_bytea(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    trim_bytes(args, true, true)
}

fn ltrim_bytea(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    trim_bytes(args, true, false)
}

fn rtrim_bytea(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    trim_bytes(args, false, true)
}

/// Text and fill characters of a padding, cut to the wanted length.
fn padding(args: Args<'_>) -> SqlResult<(String, String)> {
    let text = text_of(&args[0])?;
    let wanted = int4_of(&args[1])?.max(0) as usize;
    if wanted.saturating_mul(4) > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    let fill = args.get(2).map_or(Ok(" "), text_of)?;
    let kept: String = text.chars().take(wanted).collect();
    let missing = if fill.is_empty() { 0 } else { wanted - kept.chars().count() };
    Ok((kept, fill.chars().cycle().take(missing).collect()))
}

fn lpad(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, fill) = padding(args)?;
    text_result(fill + &text)
}

fn rpad(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, fill) = padding(args)?;
    text_result(text + &fill)
}

fn replace(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, from, to) = (text_of(&args[0])?, text_of(&args[1])?, text_of(&args[2])?);
    if from.is_empty() {
        return Ok(args[0].clone());
    }
    text_result(text.replace(from, to))
}

/// `translate(text, from, to)`: character by character; what has no counterpart goes.
fn translate(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (from, to) = (text_of(&args[1])?, text_of(&args[2])?);
    let mapped = text_of(&args[0])?.chars().filter_map(|c| {
        match from.chars().position(|candidate| candidate == c) {
            Some(at) => to.chars().nth(at),
            None => Some(c),
        }
    });
    text_result(mapped.collect::<String>())
}

/// `split_part(text, delimiter, n)`; negative n counts from the end.
fn split_part(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, delimiter, n) = (text_of(&args[0])?, text_of(&args[1])?, int4_of(&args[2])?);
    if n == 0 {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            "field position must not be zero",
        ));
    }
    if delimiter.is_empty() {
        return text_result(if n == 1 || n == -1 { text } else { "" });
    }
    let part = if n > 0 {
        text.split(delimiter).nth(n as usize - 1)
    } else {
        text.split(delimiter)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .nth(n.unsigned_abs() as usize - 1)
    };
    text_result(part.unwrap_or(""))
}

fn reverse(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(text_of(&args[0])?.chars().rev().collect::<String>())
}

fn repeat(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, count) = (text_of(&args[0])?, int4_of(&args[1])?.max(0) as usize);
    if text.len().saturating_mul(count) > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    text_result(text.repeat(count))
}

/// `overlay(text placing other from start [for count])`.
fn overlay(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (text, other, start) = (text_of(&args[0])?, text_of(&args[1])?, int4_of(&args[2])?);
    let count = match args.get(3) {
        Some(count) => int4_of(count)?,
        None => other.chars().count() as i32,
    };
    if start <= 0 {
        return Err(SqlError::new(
            sqlstate::SUBSTRING_ERROR,
            "negative substring length not allowed",
        ));
    }
    let after = start.checked_add(count).ok_or_else(|| SqlError::out_of_range("integer"))?;
    let head = slice(text, 1, Some(start - 1))?;
    text_result(format!("{head}{other}{}", slice(text, after, None)?))
}

fn get_byte(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (bytes, at) = (bytes_of(&args[0])?, int4_of(&args[1])?);
    match usize::try_from(at).ok().and_then(|at| bytes.get(at)) {
        Some(byte) => Ok(Datum::Int4(i32::from(*byte))),
        None => Err(index_range(at, bytes)),
    }
}

fn set_byte(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (bytes, at) = (bytes_of(&args[0])?, int4_of(&args[1])?);
    let mut changed = bytes.to_vec();
    match usize::try_from(at).ok().and_then(|at| changed.get_mut(at)) {
        Some(byte) => *byte = int4_of(&args[2])? as u8,
        None => return Err(index_range(at, bytes)),
    }
    Ok(Bytes::from(changed).put())
}

fn index_range(at: i32, bytes: &Bytes) -> SqlError {
    SqlError::new(
        sqlstate::ARRAY_SUBSCRIPT_ERROR,
        format!("index {at} out of valid range, 0..{}", bytes.len() as i64 - 1),
    )
}

const T: &[Oid] = &[TEXT];
const TT: &[Oid] = &[TEXT, TEXT];
const BB: &[Oid] = &[BYTEA, BYTEA];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("lower", T, TEXT, lower),
    Function::new("upper", T, TEXT, upper),
    Function::new("initcap", T, TEXT, initcap),
    Function::new("substring", &[TEXT, INT4], TEXT, substring),
    Function::new("substring", &[TEXT, INT4, INT4], TEXT, substring),
    Function::new("substring", &[BYTEA, INT4], BYTEA, substring_bytea),
    Function::new("substring", &[BYTEA, INT4, INT4], BYTEA, substring_bytea),
    Function::new("substr", &[TEXT, INT4], TEXT, substring),
    Function::new("substr", &[TEXT, INT4, INT4], TEXT, substring),
    Function::new("substr", &[BYTEA, INT4], BYTEA, substring_bytea),
    Function::new("substr", &[BYTEA, INT4, INT4], BYTEA, substring_bytea),
    Function::new("left", &[TEXT, INT4], TEXT, left),
    Function::new("right", &[TEXT, INT4], TEXT, right),
    Function::new("btrim", T, TEXT, btrim),
    Function::new("btrim", TT, TEXT, btrim),
    Function::new("ltrim", T, TEXT, ltrim),
    Function::new("ltrim", TT, TEXT, ltrim),
    Function::new("rtrim", T, TEXT, rtrim),
    Function::new("rtrim", TT, TEXT, rtrim),
    Function::new("btrim", BB, BYTEA, btrim_bytea),
    Function::new("ltrim", BB, BYTEA, ltrim_bytea),
    Function::new("rtrim", BB, BYTEA, rtrim_bytea),
    Function::new("lpad", &[TEXT, INT4], TEXT, lpad),
    Function::new("lpad", &[TEXT, INT4, TEXT], TEXT, lpad),
    Function::new("rpad", &[TEXT, INT4], TEXT, rpad),
    Function::new("rpad", &[TEXT, INT4, TEXT], TEXT, rpad),
    Function::new("replace", &[TEXT, TEXT, TEXT], TEXT, replace),
    Function::new("translate", &[TEXT, TEXT, TEXT], TEXT, translate),
    Function::new("split_part", &[TEXT, TEXT, INT4], TEXT, split_part),
    Function::new("reverse", T, TEXT, reverse),
    Function::new("repeat", &[TEXT, INT4], TEXT, repeat),
    Function::new("overlay", &[TEXT, TEXT, INT4], TEXT, overlay),
    Function::new("overlay", &[TEXT, TEXT, INT4, INT4], TEXT, overlay),
    Function::new("get_byte", &[BYTEA, INT4], INT4, get_byte),
    Function::new("set_byte", &[BYTEA, INT4, INT4], BYTEA, set_byte),
];
