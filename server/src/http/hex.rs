//! Keys in hex, as `cluster ranges` prints them.

use super::Refusal;
use base::Key;

/// Reads a key.
pub(super) fn key(name: &str, text: &str) -> Result<Key, Refusal> {
    match bytes(text) {
        Some(bytes) => Ok(Key::from(bytes)),
        None => Err(Refusal::bad_request(format!("{name} is not a key in hex"))),
    }
}

/// Reads bytes; `None` for anything but pairs of hex digits.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

/// Writes bytes.
pub(super) fn text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(digit.into(), 16));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&text(&all)), Some(all));
        assert_eq!(bytes("0aFf"), Some(vec![10, 255]));
        for wrong in ["0", "0g", "+1", "ä"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
