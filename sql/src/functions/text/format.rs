//! `format`.

use super::build::{quote_identifier, quote_literal_text, shown};
use crate::functions::native::{text as text_result, text_of};
use crate::functions::{EvalContext, Function};
use types::oid::*;
use types::{Datum, SqlError, SqlResult, sqlstate};

/// One `%` specification.
#[derive(Default)]
struct Specification {
    position: Option<usize>,
    left: bool,
    width: Width,
}

#[derive(Default)]
enum Width {
    #[default]
    None,
    Fixed(i64),
    /// `*` or `*n$`: an argument says.
    Argument(Option<usize>),
}

fn problem(message: impl Into<String>) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn unterminated() -> SqlError {
    problem("unterminated format() type specifier").with_hint("For a single \"%\" use \"%%\".")
}

/// `format(text, ...)`.
fn format(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) {
        return Ok(Datum::Null);
    }
    let mut out = String::new();
    let mut next = 1;
    let mut rest = text_of(&args[0])?;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (specification, after) = parse(rest)?;
        let kind = after.chars().next().ok_or_else(unterminated)?;
        rest = &after[kind.len_utf8()..];
        if !matches!(kind, 's' | 'I' | 'L') {
            return Err(problem(format!("unrecognized format() type specifier \"{kind}\""))
                .with_hint("For a single \"%\" use \"%%\"."));
        }
        let width = width_of(&specification, args, &mut next, context)?;
        let at = match specification.position {
            Some(position) => {
                next = position + 1;
                position
            }
            None => {
                next += 1;
                next - 1
            }
        };
        if at >= args.len() {
            return Err(problem("too few arguments for format()"));
        }
        let piece = convert(kind, args, at, context)?;
        pad(&piece, width, specification.left, &mut out);
    }
    out.push_str(rest);
    text_result(out)
}

/// `[n$][-][width]`.
fn parse(text: &str) -> SqlResult<(Specification, &str)> {
    let mut specification = Specification::default();
    let (number, mut rest) = digits(text)?;
    if let (Some(position), Some(after)) = (number, rest.strip_prefix('$')) {
        specification.position = Some(argument_number(position)?);
        rest = after;
    } else if let Some(width) = number {
        specification.width = Width::Fixed(width);
        return Ok((specification, rest));
    }
    while let Some(after) = rest.strip_prefix('-') {
        specification.left = true;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('*') {
        let (number, tail) = digits(after)?;
        specification.width = match (number, tail.strip_prefix('$')) {
            (Some(position), Some(end)) => {
                rest = end;
                Width::Argument(Some(argument_number(position)?))
            }
            (Some(_), None) => {
                return Err(problem("width argument position must be ended by \"$\""));
            }
            (None, _) => {
                rest = after;
                Width::Argument(None)
            }
        };
        return Ok((specification, rest));
    }
    let (width, tail) = digits(rest)?;
    if let Some(width) = width {
        specification.width = Width::Fixed(width);
    }
    Ok((specification, tail))
}

fn argument_number(position: i64) -> SqlResult<usize> {
    if position == 0 {
        return Err(problem("format specifies argument 0, but arguments are numbered from 1"));
    }
    Ok(position as usize)
}

fn digits(text: &str) -> SqlResult<(Option<i64>, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    if end == 0 {
        return Ok((None, text));
    }
    let number: i32 = text[..end].parse().map_err(|_| {
        SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range")
    })?;
    if end == text.len() {
        return Err(unterminated());
    }
    Ok((Some(i64::from(number)), &text[end..]))
}

fn width_of(
    specification: &Specification,
    args: &[Datum],
    next: &mut usize,
    context: &EvalContext<'_>,
) -> SqlResult<i64> {
    let at = match specification.width {
        Width::None => return Ok(0),
        Width::Fixed(width) => return Ok(width),
        Width::Argument(Some(position)) => {
            *next = position + 1;
            position
        }
        Width::Argument(None) => {
            *next += 1;
            *next - 1
        }
    };
    match args.get(at) {
        None => Err(problem("too few arguments for format()")),
        Some(Datum::Null) => Ok(0),
        Some(_) => {
            let text = shown(args, at, context);
            text.trim().parse().map_err(|_| SqlError::invalid_text("integer", &text))
        }
    }
}

fn convert(kind: char, args: &[Datum], at: usize, context: &EvalContext<'_>) -> SqlResult<String> {
    if matches!(args[at], Datum::Null) {
        return match kind {
            's' => Ok(String::new()),
            'L' => Ok("NULL".to_owned()),
            _ => Err(SqlError::new(
                sqlstate::NULL_VALUE_NOT_ALLOWED,
                "null values cannot be formatted as an SQL identifier",
            )),
        };
    }
    let text = shown(args, at, context);
    Ok(match kind {
        's' => text,
        'I' => quote_identifier(&text),
        _ => quote_literal_text(&text),
    })
}

/// A negative width pads on the right, as the flag does.
fn pad(piece: &str, width: i64, left: bool, out: &mut String) {
    let missing = (width.unsigned_abs() as usize).saturating_sub(piece.chars().count());
    let blanks = || std::iter::repeat_n(' ', missing.min(super::TEXT_BYTES_MAX));
    if left || width < 0 {
        out.push_str(piece);
        out.extend(blanks());
    } else {
        out.extend(blanks());
        out.push_str(piece);
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("format", &[TEXT], TEXT, format).null_aware().stable(),
    Function::new("format", &[TEXT, ANY], TEXT, format).variadic().null_aware().stable(),
];
