//! `uuid`.

use crate::{SqlError, SqlResult};

/// 32 hexadecimal digits; a hyphen may follow every fourth; braces may surround all.
pub(crate) fn parse(input: &str) -> SqlResult<[u8; 16]> {
    scan(input).ok_or_else(|| SqlError::invalid_text("uuid", input))
}

fn scan(input: &str) -> Option<[u8; 16]> {
    let text = match input.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => input,
    };
    let mut out = [0u8; 16];
    let mut bytes = text.bytes().peekable();
    for (at, slot) in out.iter_mut().enumerate() {
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        *slot = (high << 4 | low) as u8;
        if at % 2 == 1 && at < 15 && bytes.peek() == Some(&b'-') {
            bytes.next();
        }
    }
    bytes.next().is_none().then_some(out)
}

pub(crate) fn format(value: &[u8; 16], out: &mut String) {
    for (at, part) in [&value[..4], &value[4..6], &value[6..8], &value[8..10], &value[10..]]
        .into_iter()
        .enumerate()
    {
        if at > 0 {
            out.push('-');
        }
        crate::bytea::encode_hex(part, out);
    }
}
