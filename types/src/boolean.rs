//! `boolean`.

use crate::{SqlError, SqlResult};

/// Unambiguous prefixes of true/false/yes/no, on/off/of, 1/0; any case, spaces around.
pub(crate) fn parse(input: &str) -> SqlResult<bool> {
    let text = input.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "" => Err(SqlError::invalid_text("boolean", input)),
        "on" | "1" => Ok(true),
        "of" | "off" | "0" => Ok(false),
        word if "true".starts_with(word) || "yes".starts_with(word) => Ok(true),
        word if "false".starts_with(word) || "no".starts_with(word) => Ok(false),
        _ => Err(SqlError::invalid_text("boolean", input)),
    }
}
