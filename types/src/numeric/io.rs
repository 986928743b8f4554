//! Text and binary forms of `numeric`.

use super::coefficient::Coefficient;
use super::{Decimal, Numeric, SCALE_MAX, overflow};
use crate::int::is_space;
use crate::{SqlError, SqlResult, binary, sqlstate};
use num_bigint::BigInt;

const SIGN_POSITIVE: u16 = 0x0000;
const SIGN_NEGATIVE: u16 = 0x4000;
const SIGN_NAN: u16 = 0xc000;
const SIGN_INFINITY: u16 = 0xd000;
const SIGN_NEG_INFINITY: u16 = 0xf000;

/// Reads the text form.
pub fn parse(input: &str) -> SqlResult<Numeric> {
    let text = input.trim_matches(is_space);
    let invalid = || SqlError::invalid_text("numeric", input);
    if let Some(special) = special(text) {
        return Ok(special);
    }
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], parse_exponent(&body[at + 1..]).ok_or_else(invalid)?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits_only(whole) || !digits_only(fraction) {
        return Err(invalid());
    }
    if exponent.abs() >= i64::from(i32::MAX / 2) {
        return Err(overflow());
    }
    build(negative, whole, fraction, exponent)
}

fn special(text: &str) -> Option<Numeric> {
    if text.len() < 3 || text.len() > 9 {
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(Numeric::NaN),
        "inf" | "+inf" | "infinity" | "+infinity" => Some(Numeric::Infinity),
        "-inf" | "-infinity" => Some(Numeric::NegInfinity),
        _ => None,
    }
}

/// A C long; beyond that the saturated value serves, since it is refused anyway.
fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i64>().unwrap_or(i64::from(i32::MAX));
    Some(if text.starts_with('-') { -value } else { value })
}

fn build(negative: bool, whole: &str, fraction: &str, exponent: i64) -> SqlResult<Numeric> {
    let coefficient = read_digits(whole, fraction);
    let coefficient = if negative { coefficient.neg() } else { coefficient };
    let scale = fraction.len() as i64 - exponent;
    if scale <= 0 {
        if coefficient.is_zero() {
            return Ok(Numeric::ZERO);
        }
        if coefficient.digits() as i64 - scale > super::WHOLE_DIGITS_MAX {
            return Err(overflow());
        }
        return Decimal::checked(coefficient.scale_up(scale.unsigned_abs() as u32), 0);
    }
    if scale > i64::from(SCALE_MAX) {
        return Err(overflow());
    }
    Decimal::checked(coefficient, scale as i32)
}

fn read_digits(whole: &str, fraction: &str) -> Coefficient {
    if whole.len() + fraction.len() <= 38 {
        let value = whole
            .bytes()
            .chain(fraction.bytes())
            .fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        return Coefficient::Small(value);
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    Coefficient::from_big(BigInt::parse_bytes(&digits, 10).unwrap_or_default())
}

/// Appends the text form.
pub(crate) fn format(value: &Numeric, out: &mut String) {
    let decimal = match value {
        Numeric::NaN => return out.push_str("NaN"),
        Numeric::Infinity => return out.push_str("Infinity"),
        Numeric::NegInfinity => return out.push_str("-Infinity"),
        Numeric::Finite(decimal) => decimal,
    };
    if decimal.coefficient.signum() < 0 {
        out.push('-');
    }
    let digits = decimal.coefficient.to_digits();
    let scale = usize::from(decimal.scale);
    if scale == 0 {
        out.push_str(&digits);
    } else if digits.len() > scale {
        let point = digits.len() - scale;
        out.push_str(&digits[..point]);
        out.push('.');
        out.push_str(&digits[point..]);
    } else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', scale - digits.len()));
        out.push_str(&digits);
    }
}

/// Appends the binary form: base-10000 digits, first weight, sign, display scale.
pub(crate) fn encode(value: &Numeric, out: &mut Vec<u8>) {
    let decimal = match value {
        Numeric::NaN => return put_header(out, 0, 0, SIGN_NAN, 0),
        // The display scale of the infinities says NUMERIC_MAX_PRECISION-free 32 in PostgreSQL's
        // own output functions; receivers ignore it.
        Numeric::Infinity => return put_header(out, 0, 0, SIGN_INFINITY, 0x20),
        Numeric::NegInfinity => return put_header(out, 0, 0, SIGN_NEG_INFINITY, 0x20),
        Numeric::Finite(decimal) => decimal,
    };
    let (groups, weight) = base_10000(decimal);
    let sign = if decimal.coefficient.signum() < 0 { SIGN_NEGATIVE } else { SIGN_POSITIVE };
    put_header(out, groups.len() as u16, weight as u16, sign, decimal.scale);
    groups.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
}

fn put_header(out: &mut Vec<u8>, count: u16, weight: u16, sign: u16, scale: u16) {
    for field in [count, weight, sign, scale] {
        out.extend_from_slice(&field.to_be_bytes());
    }
}

/// The digits in groups of four aligned at the point, without zero groups at either end, and the
/// weight of the first.
fn base_10000(decimal: &Decimal) -> (Vec<u16>, i16) {
    if decimal.coefficient.is_zero() {
        return (Vec::new(), 0);
    }
    let mut digits = decimal.coefficient.to_digits();
    let scale = usize::from(decimal.scale);
    let fraction_pad = (4 - scale % 4) % 4;
    digits.extend(std::iter::repeat_n('0', fraction_pad));
    let lead_pad = (4 - digits.len() % 4) % 4;
    digits.insert_str(0, &"000"[..lead_pad]);
    let groups: Vec<u16> = digits
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0')))
        .collect();
    let fraction_groups = (scale + fraction_pad) / 4;
    let mut weight = groups.len() as i32 - 1 - fraction_groups as i32;
    let leading = groups.iter().take_while(|&&group| group == 0).count();
    weight -= leading as i32;
    let trailing = groups.iter().rev().take_while(|&&group| group == 0).count();
    (groups[leading..groups.len() - trailing].to_vec(), weight as i16)
}

/// Reads the binary form.
pub(crate) fn decode(input: &[u8]) -> SqlResult<Numeric> {
    let mut fields = input.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut next = || fields.next().ok_or_else(binary::short);
    let (count, weight, sign, scale) = (next()?, next()? as i16, next()?, next()?);
    match sign {
        SIGN_POSITIVE | SIGN_NEGATIVE => {}
        SIGN_NAN => return Ok(Numeric::NaN),
        SIGN_INFINITY => return Ok(Numeric::Infinity),
        SIGN_NEG_INFINITY => return Ok(Numeric::NegInfinity),
        _ => return Err(bad("invalid sign in external \"numeric\" value")),
    }
    if scale & !0x3fff != 0 {
        return Err(bad("invalid scale in external \"numeric\" value"));
    }
    if input.len() < 8 + 2 * usize::from(count) {
        return Err(binary::short());
    }
    let mut digits = String::with_capacity(usize::from(count) * 4);
    for _ in 0..count {
        let group = next()?;
        if group > 9999 {
            return Err(bad("invalid digit in external \"numeric\" value"));
        }
        digits.push_str(&format!("{group:04}"));
    }
    if input.len() != 8 + 2 * usize::from(count) {
        return Err(SqlError::bad_binary("incorrect binary data format"));
    }
    assemble(sign == SIGN_NEGATIVE, &digits, i64::from(count), i64::from(weight), i32::from(scale))
}

fn bad(message: &str) -> SqlError {
    SqlError::new(sqlstate::INVALID_BINARY_REPRESENTATION, message)
}

/// Puts the groups at their weight and cuts (not rounds) to the display scale.
fn assemble(
    negative: bool,
    digits: &str,
    count: i64,
    weight: i64,
    scale: i32,
) -> SqlResult<Numeric> {
    let exponent = (weight - count + 1) * 4;
    let coefficient = read_digits(digits, "");
    let coefficient = if negative { coefficient.neg() } else { coefficient };
    // The number is coefficient * 10^exponent.
    let shift = exponent + i64::from(scale);
    let coefficient = if shift >= 0 {
        coefficient.scale_up(shift as u32)
    } else {
        coefficient.div_power(shift.unsigned_abs() as u32).0
    };
    Decimal::checked(coefficient, scale)
}
