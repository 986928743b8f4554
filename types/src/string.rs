//! `text`, `varchar`, `char(n)`, `name` and the one-byte `"char"`.

use crate::{Datum, SqlError, SqlResult, sqlstate};
use std::sync::Arc;

/// Bytes of a `name`, its terminator included.
pub(crate) const NAME_BYTES: usize = 64;

/// The longest prefix that fits a `name`.
pub fn truncate_name(text: &str) -> &str {
    if text.len() < NAME_BYTES {
        return text;
    }
    let mut end = NAME_BYTES - 1;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Byte position behind the first `count` characters; None when the text is not longer than that.
fn cut_position(text: &str, count: i32) -> Option<usize> {
    let count = count.max(0) as usize;
    if text.len() <= count {
        return None;
    }
    text.char_indices().nth(count).map(|(at, _)| at)
}

/// `varchar(n)`: what is too long must be spaces, or the cast explicit.
pub(crate) fn fit_varchar(text: Arc<str>, length: i32, explicit: bool) -> SqlResult<Datum> {
    let Some(cut) = cut_position(&text, length) else { return Ok(Datum::Text(text)) };
    if explicit || text[cut..].bytes().all(|b| b == b' ') {
        return Ok(Datum::Text(text[..cut].into()));
    }
    Err(too_long(&format!("character varying({length})")))
}

/// `char(n)`: padded with spaces to the length.
pub(crate) fn fit_bpchar(text: Arc<str>, length: i32, explicit: bool) -> SqlResult<Datum> {
    if let Some(cut) = cut_position(&text, length) {
        if explicit || text[cut..].bytes().all(|b| b == b' ') {
            return Ok(Datum::Text(text[..cut].into()));
        }
        return Err(too_long(&format!("character({length})")));
    }
    let missing = (length.max(0) as usize).saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(Datum::Text(text));
    }
    let mut padded = String::with_capacity(text.len() + missing);
    padded.push_str(&text);
    padded.extend(std::iter::repeat_n(' ', missing));
    Ok(Datum::Text(padded.into()))
}

fn too_long(type_name: &str) -> SqlError {
    SqlError::new(
        sqlstate::STRING_DATA_RIGHT_TRUNCATION,
        format!("value too long for type {type_name}"),
    )
}

/// `"char"` takes the first byte, or three octal digits behind a backslash; the empty string is
/// byte zero.
pub(crate) fn parse_char(input: &str) -> u8 {
    if let [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'] = input.as_bytes() {
        return (high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0');
    }
    input.as_bytes().first().copied().unwrap_or(0)
}

/// Byte zero prints as nothing. A byte above 127 is no text by itself and prints in octal.
pub(crate) fn format_char(value: u8, out: &mut String) {
    match value {
        0 => {}
        1..=127 => out.push(char::from(value)),
        high => out.push_str(&format!("\\{high:03o}")),
    }
}
