//! `smallint`, `integer`, `bigint`, `oid`.

use crate::{SqlError, SqlResult};

/// C's isspace, which PostgreSQL's input functions skip.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Why a text is no integer.
enum Problem {
    Syntax,
    Range,
}

pub(crate) fn parse_int2(input: &str) -> SqlResult<i16> {
    narrow(input, "smallint")
}

pub(crate) fn parse_int4(input: &str) -> SqlResult<i32> {
    narrow(input, "integer")
}

pub(crate) fn parse_int8(input: &str) -> SqlResult<i64> {
    narrow(input, "bigint")
}

fn narrow<T: TryFrom<i128>>(input: &str, type_name: &str) -> SqlResult<T> {
    match parse_wide(input).and_then(|wide| T::try_from(wide).map_err(|_| Problem::Range)) {
        Ok(value) => Ok(value),
        Err(Problem::Syntax) => Err(SqlError::invalid_text(type_name, input)),
        Err(Problem::Range) => Err(SqlError::text_out_of_range(type_name, input)),
    }
}

/// Optional sign and decimal digits with spaces around. Saturates far beyond every integer type.
fn parse_wide(input: &str) -> Result<i128, Problem> {
    let text = input.trim_matches(is_space);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits_end = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    if digits_end == 0 {
        return Err(Problem::Syntax);
    }
    let mut value: i128 = 0;
    for digit in digits[..digits_end].bytes() {
        value = value.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
        if value > i128::from(u64::MAX) {
            // PostgreSQL stops at the overflow and does not look at what follows.
            return Err(Problem::Range);
        }
    }
    if digits_end < digits.len() {
        return Err(Problem::Syntax);
    }
    Ok(if negative { -value } else { value })
}

/// C's strtoul, then the check of `oidin`: negative numbers wrap as 32-bit values do.
pub(crate) fn parse_oid(input: &str, type_name: &str) -> SqlResult<u32> {
    match parse_wide(input) {
        Ok(value) => u32::try_from(value)
            .ok()
            // An unsigned long that is a negative int when read so, as C reads "-1".
            .or_else(|| i32::try_from(value as i64).ok().map(|negative| negative as u32))
            .ok_or_else(|| SqlError::text_out_of_range(type_name, input)),
        Err(Problem::Syntax) => Err(SqlError::invalid_text(type_name, input)),
        Err(Problem::Range) => Err(SqlError::text_out_of_range(type_name, input)),
    }
}

/// Appends decimal digits without going through the formatting machinery.
pub(crate) fn format(value: i64, out: &mut String) {
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.extend(buffer[at..].iter().map(|&digit| char::from(digit)));
}
