//! `LIKE` and `ILIKE`.

use crate::functions::native::{bytes_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function, Operator};
use types::oid::*;
use types::{Datum, SqlError, SqlResult, sqlstate};

/// Whether a text matches a pattern whose escape character is the backslash.
pub(in crate::functions) fn like_matches(text: &[u8], pattern: &[u8]) -> SqlResult<bool> {
    let (mut t, mut p) = (0, 0);
    // Where to go on when what follows the last `%` fails: one character further into the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'%') => {
                p += 1;
                retry = Some((t, p));
                continue;
            }
            Some(b'_') if t < text.len() => Some((character_length(text[t]), 1)),
            Some(b'\\') => match pattern.get(p + 1) {
                None => return Err(dangling_escape()),
                Some(literal) => (text.get(t) == Some(literal)).then_some((1, 2)),
            },
            Some(literal) => (text.get(t) == Some(literal)).then_some((1, 1)),
            None => (t == text.len()).then_some((0, 0)),
        };
        match step {
            Some((0, 0)) => return Ok(true),
            Some((text_step, pattern_step)) => {
                t += text_step;
                p += pattern_step;
            }
            None => match retry {
                Some((from, after)) if from < text.len() => {
                    let next = from + character_length(text[from]);
                    retry = Some((next, after));
                    (t, p) = (next, after);
                }
                _ => return Ok(false),
            },
        }
    }
}

/// Bytes of the UTF-8 character that starts with this byte.
fn character_length(first: u8) -> usize {
    match first {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => 1,
    }
}

fn dangling_escape() -> SqlError {
    SqlError::new(
        sqlstate::INVALID_ESCAPE_SEQUENCE,
        "LIKE pattern must not end with escape character",
    )
}

fn like(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (text, pattern) = (text_of(&args[0])?, text_of(&args[1])?);
    Ok(Datum::Bool(like_matches(text.as_bytes(), pattern.as_bytes())?))
}

fn not_like(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (text, pattern) = (text_of(&args[0])?, text_of(&args[1])?);
    Ok(Datum::Bool(!like_matches(text.as_bytes(), pattern.as_bytes())?))
}

fn ilike_matches(args: &[Datum]) -> SqlResult<bool> {
    let (text, pattern) = (text_of(&args[0])?.to_lowercase(), text_of(&args[1])?.to_lowercase());
    like_matches(text.as_bytes(), pattern.as_bytes())
}

fn ilike(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(ilike_matches(args)?))
}

fn not_ilike(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(!ilike_matches(args)?))
}

fn bytea_like(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    // Bytes are no characters, but the only difference shows under `_` beside bytes above 127.
    Ok(Datum::Bool(like_matches(bytes_of(&args[0])?, bytes_of(&args[1])?)?))
}

fn bytea_not_like(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(!like_matches(bytes_of(&args[0])?, bytes_of(&args[1])?)?))
}

/// `like_escape(pattern, escape)`: the pattern with the backslash as its escape character.
fn like_escape(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (pattern, escape) = (text_of(&args[0])?, text_of(&args[1])?);
    let mut characters = escape.chars();
    let escape = match (characters.next(), characters.next()) {
        (None, _) => return text_result(pattern.replace('\\', "\\\\")),
        (Some('\\'), None) => return Ok(args[0].clone()),
        (Some(escape), None) => escape,
        _ => {
            return Err(SqlError::new(sqlstate::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                .with_hint("Escape string must be empty or one character."));
        }
    };
    let mut out = String::with_capacity(pattern.len());
    let mut after_escape = false;
    for c in pattern.chars() {
        if c == escape && !after_escape {
            out.push('\\');
            after_escape = true;
        } else if c == '\\' {
            out.push('\\');
            if !after_escape {
                out.push('\\');
            }
            after_escape = false;
        } else {
            out.push(c);
            after_escape = false;
        }
    }
    text_result(out)
}

const TT: &[Oid] = &[TEXT, TEXT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("like", TT, BOOL, like),
    Function::new("notlike", TT, BOOL, not_like),
    Function::new("like_escape", TT, TEXT, like_escape),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::test("~~", TEXT, TEXT, like),
    Operator::test("~~", BPCHAR, TEXT, like),
    Operator::test("~~", NAME, TEXT, like),
    Operator::test("~~", BYTEA, BYTEA, bytea_like),
    Operator::test("!~~", TEXT, TEXT, not_like),
    Operator::test("!~~", BPCHAR, TEXT, not_like),
    Operator::test("!~~", NAME, TEXT, not_like),
    Operator::test("!~~", BYTEA, BYTEA, bytea_not_like),
    Operator::test("~~*", TEXT, TEXT, ilike),
    Operator::test("~~*", BPCHAR, TEXT, ilike),
    Operator::test("~~*", NAME, TEXT, ilike),
    Operator::test("!~~*", TEXT, TEXT, not_ilike),
    Operator::test("!~~*", BPCHAR, TEXT, not_ilike),
    Operator::test("!~~*", NAME, TEXT, not_ilike),
];
