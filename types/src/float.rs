//! `real` and `double precision`: PostgreSQL 12's shortest exact output and C's strtod input.

use crate::float_digits::{Digits, shortest, split};
use crate::int::is_space;
use crate::{SqlError, SqlResult};
use std::fmt::Write as _;

pub(crate) fn parse_float8(input: &str) -> SqlResult<f64> {
    let text = input.trim_matches(is_space);
    let value = match special(text) {
        Some(value) => return Ok(value),
        None => {
            parse_digits(text).ok_or_else(|| SqlError::invalid_text("double precision", input))?
        }
    };
    // The message quotes the number without the spaces around it.
    if value.is_infinite() || (value == 0.0 && !is_zero(text)) {
        return Err(range("double precision", text));
    }
    Ok(value)
}

pub(crate) fn parse_float4(input: &str) -> SqlResult<f32> {
    let text = input.trim_matches(is_space);
    let value =
        match special(text) {
            Some(value) => return Ok(value as f32),
            None => parse_digits(text).ok_or_else(|| SqlError::invalid_text("real", input)).map(
                |wide| if is_hex(text) { wide as f32 } else { text.parse().unwrap_or(wide as f32) },
            )?,
        };
    if value.is_infinite() || (value == 0.0 && !is_zero(text)) {
        return Err(range("real", text));
    }
    Ok(value)
}

fn range(type_name: &str, text: &str) -> SqlError {
    SqlError::new(
        crate::sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("\"{text}\" is out of range for type {type_name}"),
    )
}

fn special(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" | "+nan" => Some(f64::NAN),
        // The sign of a NaN shows only in its binary form.
        "-nan" => Some(-f64::NAN),
        "inf" | "+inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn parse_digits(text: &str) -> Option<f64> {
    if is_hex(text) {
        return parse_hex(text);
    }
    // Rust also reads words such as "infinity" here; those were handled before.
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    text.parse().ok()
}

fn is_hex(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    text.starts_with("0x") || text.starts_with("0X")
}

/// C's hexadecimal floats: `0x1.8p3`.
fn parse_hex(text: &str) -> Option<f64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let body = text.get(2..)?;
    let (mantissa, exponent) = match body.split_once(['p', 'P']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let value = value * 2f64.powi(exponent - 4 * i32::try_from(fraction.len()).ok()?);
    Some(if negative { -value } else { value })
}

/// Whether the digits before the exponent are all zero, so that a result of zero is no underflow.
fn is_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E', 'p', 'P']).next().unwrap_or(text);
    mantissa.bytes().all(|b| !matches!(b, b'1'..=b'9'))
}

pub(crate) fn format_float8(value: f64, extra_digits: i32, out: &mut String) {
    if special_name(value, out) {
        return;
    }
    if extra_digits > 0 {
        put(&shortest(value), 15, out);
    } else {
        rounded(value, (15 + extra_digits).max(1), out);
    }
}

pub(crate) fn format_float4(value: f32, extra_digits: i32, out: &mut String) {
    if special_name(f64::from(value), out) {
        return;
    }
    if extra_digits > 0 {
        put(&shortest(value), 6, out);
    } else {
        rounded(f64::from(value), (6 + extra_digits).max(1), out);
    }
}

fn special_name(value: f64, out: &mut String) -> bool {
    let name = match value {
        value if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => return false,
    };
    out.push_str(name);
    true
}

/// Fixed notation for decimal exponents from -4 to below the limit, scientific with at least two
/// exponent digits otherwise.
fn lay_out(digits: &str, exponent: i32, exponent_limit: i32, out: &mut String) {
    if !(-4..exponent_limit).contains(&exponent) {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        // Writing to a String does not fail.
        let _ = write!(out, "e{sign}{:02}", exponent.abs());
    } else if exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        out.push_str(digits);
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            out.push_str(digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
        } else {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
    }
}

/// C's `%.*g`: a fixed number of significant digits, trailing zeros dropped.
fn rounded(value: f64, precision: i32, out: &mut String) {
    put(&split(&format!("{:.*e}", (precision - 1) as usize, value)), precision, out);
}

fn put(found: &Digits, exponent_limit: i32, out: &mut String) {
    if found.negative {
        out.push('-');
    }
    lay_out(&found.digits, found.exponent, exponent_limit, out);
}
