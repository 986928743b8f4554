//! Lengths, positions, codes.

use crate::functions::native::{bytes_of, int4_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function};
use types::oid::*;
use types::{Datum, SqlError, SqlResult, compare, sqlstate};

fn char_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(text_of(&args[0])?.chars().count() as i32))
}

/// `char(n)`: padding does not count.
fn bpchar_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(compare::trim_pad(text_of(&args[0])?).chars().count() as i32))
}

fn octet_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(text_of(&args[0])?.len() as i32))
}

fn bit_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(text_of(&args[0])?.len() as i32 * 8))
}

fn bytea_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(bytes_of(&args[0])?.len() as i32))
}

fn bytea_bit_length(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(bytes_of(&args[0])?.len() as i32 * 8))
}

/// Character position of the first occurrence, from 1; 0 when there is none.
fn strpos(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (text, wanted) = (text_of(&args[0])?, text_of(&args[1])?);
    let position = text.find(wanted).map_or(0, |at| text[..at].chars().count() + 1);
    Ok(Datum::Int4(position as i32))
}

fn bytea_position(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (bytes, wanted) = (bytes_of(&args[0])?, bytes_of(&args[1])?);
    if wanted.is_empty() {
        return Ok(Datum::Int4(1));
    }
    let position = bytes.windows(wanted.len()).position(|window| window == &wanted[..]);
    Ok(Datum::Int4(position.map_or(0, |at| at as i32 + 1)))
}

/// The code point of the first character.
fn ascii(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(text_of(&args[0])?.chars().next().map_or(0, |c| c as i32)))
}

fn chr(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let code = int4_of(&args[0])?;
    let problem = |message: String| SqlError::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, message);
    if code == 0 {
        return Err(problem("null character not permitted".to_owned()));
    }
    if code < 0 {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            "character number must be positive",
        ));
    }
    if code > 0x10_ffff {
        return Err(problem(format!("requested character too large for encoding: {code}")));
    }
    let c = char::from_u32(code as u32)
        .ok_or_else(|| problem(format!("requested character not valid for encoding: {code}")))?;
    text_result(c.to_string())
}

fn starts_with(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(text_of(&args[0])?.starts_with(text_of(&args[1])?)))
}

const T: &[Oid] = &[TEXT];
const TT: &[Oid] = &[TEXT, TEXT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("length", T, INT4, char_length),
    Function::new("length", &[BPCHAR], INT4, bpchar_length),
    Function::new("length", &[BYTEA], INT4, bytea_length),
    Function::new("char_length", T, INT4, char_length),
    Function::new("char_length", &[BPCHAR], INT4, bpchar_length),
    Function::new("character_length", T, INT4, char_length),
    Function::new("character_length", &[BPCHAR], INT4, bpchar_length),
    Function::new("octet_length", T, INT4, octet_length),
    Function::new("octet_length", &[BPCHAR], INT4, octet_length),
    Function::new("octet_length", &[BYTEA], INT4, bytea_length),
    Function::new("bit_length", T, INT4, bit_length),
    Function::new("bit_length", &[BYTEA], INT4, bytea_bit_length),
    Function::new("strpos", TT, INT4, strpos),
    Function::new("position", TT, INT4, strpos),
    Function::new("position", &[BYTEA, BYTEA], INT4, bytea_position),
    Function::new("ascii", T, INT4, ascii),
    Function::new("chr", &[INT4], TEXT, chr),
    Function::new("starts_with", TT, BOOL, starts_with),
];
