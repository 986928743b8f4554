//! `bytea`: hex and escape formats.

use crate::{ByteaOutput, SqlError, SqlResult, sqlstate};

pub(crate) fn parse(input: &str) -> SqlResult<Vec<u8>> {
    match input.strip_prefix("\\x") {
        Some(digits) => decode_hex(digits),
        None => decode_escape(input),
    }
}

/// Pairs of hexadecimal digits; white space between pairs is skipped.
pub fn decode_hex(text: &str) -> SqlResult<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut chars = text.chars();
    while let Some(high) = chars.next() {
        if matches!(high, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = hex_digit(high)?;
        let low = chars
            .next()
            .ok_or_else(|| invalid("invalid hexadecimal data: odd number of digits".to_owned()))?;
        out.push(high << 4 | hex_digit(low)?);
    }
    Ok(out)
}

fn hex_digit(digit: char) -> SqlResult<u8> {
    digit
        .to_digit(16)
        .map(|value| value as u8)
        .ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{digit}\"")))
}

fn invalid(message: String) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

/// `\\` is a backslash, `\ooo` a byte, everything else itself.
pub fn decode_escape(text: &str) -> SqlResult<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            out.push(bytes[at]);
            at += 1;
        } else if bytes.get(at + 1) == Some(&b'\\') {
            out.push(b'\\');
            at += 2;
        } else {
            out.push(octal(&bytes[at + 1..]).ok_or_else(|| {
                SqlError::new(
                    sqlstate::INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type bytea",
                )
            })?);
            at += 4;
        }
    }
    Ok(out)
}

fn octal(digits: &[u8]) -> Option<u8> {
    match digits {
        [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
        }
        _ => None,
    }
}

pub(crate) fn format(value: &[u8], output: ByteaOutput, out: &mut String) {
    match output {
        ByteaOutput::Hex => {
            out.push_str("\\x");
            encode_hex(value, out);
        }
        ByteaOutput::Escape => encode_escape(value, out),
    }
}

/// Appends lower-case hexadecimal digits.
pub fn encode_hex(value: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(value.len() * 2);
    for byte in value {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Appends printable ASCII as it is, the rest in octal.
pub fn encode_escape(value: &[u8], out: &mut String) {
    for &byte in value {
        match byte {
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(byte)),
            other => out.push_str(&format!("\\{other:03o}")),
        }
    }
}
