//! Concatenation, quoting, numbers as text, encodings.

use crate::functions::native::{Native, bytes_of, integer_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function, Operator};
use bytes::Bytes;
use types::oid::*;
use types::{Datum, SqlError, SqlResult, SqlType, bytea, compare, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// The text of an argument of any type, by its output function.
pub(in crate::functions) fn shown(args: Args<'_>, at: usize, context: Context<'_, '_>) -> String {
    let ty = context.arg_type(at, &args[at]);
    types::text::to_string(&args[at], ty, context.settings)
}

fn concat_operator(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = (text_of(&args[0])?, text_of(&args[1])?);
    let mut out = String::with_capacity(a.len() + b.len());
    out.push_str(a);
    out.push_str(b);
    text_result(out)
}

/// `text || anything` and the reverse: by the cast to text, which writes booleans out.
fn concat_any(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let side = |at: usize| {
        let ty = context.arg_type(at, &args[at]);
        types::cast::cast(args[at].clone(), ty, SqlType::TEXT, true, context.settings)
    };
    concat_operator(&[side(0)?, side(1)?], context)
}

fn concat_bytea(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let joined = [&bytes_of(&args[0])?[..], &bytes_of(&args[1])?[..]].concat();
    Ok(Bytes::from(joined).put())
}

/// `concat(...)`: NULLs are left out.
fn concat(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let mut out = String::new();
    for at in (0..args.len()).filter(|&at| !matches!(args[at], Datum::Null)) {
        out.push_str(&shown(args, at, context));
    }
    text_result(out)
}

/// `concat_ws(separator, ...)`.
fn concat_ws(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) {
        return Ok(Datum::Null);
    }
    let parts: Vec<String> = (1..args.len())
        .filter(|&at| !matches!(args[at], Datum::Null))
        .map(|at| shown(args, at, context))
        .collect();
    text_result(parts.join(text_of(&args[0])?))
}

fn to_hex(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(match &args[0] {
        Datum::Int4(value) => format!("{value:x}"),
        other => format!("{:x}", integer_of(other)?),
    })
}

/// An identifier, quoted when it would not be read back as it is.
pub(in crate::functions) fn quote_identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !crate::functions::keywords::is_reserved(name);
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A string literal; backslashes make it an escape string.
pub(in crate::functions) fn quote_literal_text(text: &str) -> String {
    let prefix = if text.contains('\\') { "E" } else { "" };
    format!("{prefix}'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn quote_ident(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(quote_identifier(text_of(&args[0])?))
}

fn quote_literal(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(quote_literal_text(&shown(args, 0, context)))
}

fn quote_nullable(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) {
        return text_result("NULL");
    }
    quote_literal(args, context)
}

fn encode(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let bytes = bytes_of(&args[0])?;
    let mut out = String::new();
    match text_of(&args[1])?.to_ascii_lowercase().as_str() {
        "hex" => bytea::encode_hex(bytes, &mut out),
        "escape" => {
            // Only zero bytes, high bytes and the backslash are escaped here.
            for &byte in bytes {
                match byte {
                    0 | 0x80.. => out.push_str(&format!("\\{byte:03o}")),
                    b'\\' => out.push_str("\\\\"),
                    plain => out.push(char::from(plain)),
                }
            }
        }
        "base64" => base64_encode(bytes, &mut out),
        other => return Err(unknown_encoding(other)),
    }
    text_result(out)
}

fn decode(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let text = text_of(&args[0])?;
    let bytes = match text_of(&args[1])?.to_ascii_lowercase().as_str() {
        "hex" => bytea::decode_hex(text)?,
        "escape" => bytea::decode_escape(text)?,
        "base64" => base64_decode(text)?,
        other => return Err(unknown_encoding(other)),
    };
    Ok(Bytes::from(bytes).put())
}

fn unknown_encoding(name: &str) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, format!("unrecognized encoding: \"{name}\""))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 2045: a new line after every 76 characters.
fn base64_encode(bytes: &[u8], out: &mut String) {
    let mut column = 0;
    for chunk in bytes.chunks(3) {
        if column == 76 {
            out.push('\n');
            column = 0;
        }
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = BASE64[(word >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
        column += 4;
    }
}

fn base64_decode(text: &str) -> SqlResult<Vec<u8>> {
    let invalid = |message: String| SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message);
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut word, mut count, mut padding) = (0u32, 0, 0);
    for c in text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')) {
        let digit = if c == '=' {
            if count < 2 {
                return Err(invalid("unexpected \"=\" while decoding base64 sequence".to_owned()));
            }
            padding += 1;
            0
        } else {
            let digit = BASE64.iter().position(|&digit| char::from(digit) == c);
            match digit {
                Some(digit) if padding == 0 => digit as u32,
                _ => {
                    return Err(invalid(format!(
                        "invalid symbol \"{c}\" found while decoding base64 sequence"
                    )));
                }
            }
        };
        word = word << 6 | digit;
        count += 1;
        if count == 4 {
            out.extend_from_slice(&word.to_be_bytes()[1..4 - padding]);
            (word, count) = (0, 0);
        }
    }
    if count != 0 {
        return Err(invalid("invalid base64 end sequence".to_owned())
            .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}

/// `text(char(n))` and the like drop the padding.
fn trimmed(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(compare::trim_pad(text_of(&args[0])?))
}

fn convert_from(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    check_encoding(text_of(&args[1])?)?;
    types::binary::decode(SqlType::TEXT, bytes_of(&args[0])?)
}

fn convert_to(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    check_encoding(text_of(&args[1])?)?;
    Ok(Bytes::copy_from_slice(text_of(&args[0])?.as_bytes()).put())
}

/// Only UTF-8 is spoken.
fn check_encoding(name: &str) -> SqlResult<()> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if matches!(plain.as_str(), "utf8" | "unicode") {
        return Ok(());
    }
    Err(SqlError::not_supported(format!("conversion with encoding \"{name}\" is not supported")))
}

const T: &[Oid] = &[TEXT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("concat", &[ANY], TEXT, concat).variadic().null_aware().stable(),
    Function::new("concat_ws", &[TEXT, ANY], TEXT, concat_ws).variadic().null_aware().stable(),
    Function::new("textcat", &[TEXT, TEXT], TEXT, concat_operator),
    Function::new("to_hex", &[INT4], TEXT, to_hex),
    Function::new("to_hex", &[INT8], TEXT, to_hex),
    Function::new("quote_ident", T, TEXT, quote_ident),
    Function::new("quote_literal", T, TEXT, quote_literal),
    Function::new("quote_literal", &[ANYELEMENT], TEXT, quote_literal).stable(),
    Function::new("quote_nullable", T, TEXT, quote_nullable).null_aware(),
    Function::new("quote_nullable", &[ANYELEMENT], TEXT, quote_nullable).null_aware().stable(),
    Function::new("encode", &[BYTEA, TEXT], TEXT, encode),
    Function::new("decode", &[TEXT, TEXT], BYTEA, decode),
    Function::new("convert_from", &[BYTEA, NAME], TEXT, convert_from),
    Function::new("convert_to", &[TEXT, NAME], BYTEA, convert_to),
    Function::new("text", &[BPCHAR], TEXT, trimmed),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("||", TEXT, TEXT, TEXT, concat_operator),
    Operator::new("||", TEXT, ANYNONARRAY, TEXT, concat_any).stable(),
    Operator::new("||", ANYNONARRAY, TEXT, TEXT, concat_any).stable(),
    Operator::new("||", BYTEA, BYTEA, BYTEA, concat_bytea),
];
