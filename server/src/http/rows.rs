//! Rows as lines of JSON: `{"key":"hex","value":"hex"}`, and a last line `{"rows":N}` that tells a
//! whole export from one that was cut.

use super::hex;
use base::Key;
use base::codec::Blob;
use serde::Deserialize;
use serde_json::json;

/// Longest line that is read.
const LINE_BYTES_MAX: usize = 64 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Row(Key, Blob),
    End { rows: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    key: Option<String>,
    value: Option<String>,
    rows: Option<u64>,
}

impl Line {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let value = match self {
            Line::Row(key, value) => json!({ "key": hex::text(key), "value": hex::text(value) }),
            Line::End { rows } => json!({ "rows": rows }),
        };
        out.extend_from_slice(value.to_string().as_bytes());
        out.push(b'\n');
    }

    fn parse(line: &[u8]) -> Result<Line, String> {
        let raw: Raw = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match (raw.key, raw.value, raw.rows) {
            (Some(key), Some(value), None) => {
                let key = hex::bytes(&key).ok_or("the key is not hex")?;
                let value = hex::bytes(&value).ok_or("the value is not hex")?;
                Ok(Line::Row(key.into(), value.into()))
            }
            (None, None, Some(rows)) => Ok(Line::End { rows }),
            _ => Err("neither key and value nor rows".into()),
        }
    }
}

/// Cuts pieces of any size into lines.
#[derive(Debug, Default)]
pub(super) struct LineReader {
    buffer: Vec<u8>,
    number: u64,
}

impl LineReader {
    /// Takes the next piece and returns the lines that are whole now.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.buffer.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            lines.push(self.line()?);
        }
        self.buffer.extend_from_slice(rest);
        if self.buffer.len() > LINE_BYTES_MAX {
            return Err(format!("line {}: longer than {LINE_BYTES_MAX} bytes", self.number + 1));
        }
        Ok(lines)
    }

    /// True when nothing is left behind the last line.
    pub(super) fn is_done(&self) -> bool {
        self.buffer.is_empty()
    }

    fn line(&mut self) -> Result<Line, String> {
        self.number += 1;
        let line = Line::parse(&self.buffer);
        self.buffer.clear();
        line.map_err(|error| format!("line {}: {error}", self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_any_cut() {
        let lines = vec![
            Line::Row(Key::copy_from(b"a"), Blob::from(vec![1, 2])),
            Line::Row(Key::copy_from(b""), Blob::default()),
            Line::End { rows: 2 },
        ];
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| line.write(&mut bytes));
        for size in 1..bytes.len() {
            let mut reader = LineReader::default();
            let mut read = Vec::new();
            bytes.chunks(size).for_each(|piece| read.extend(reader.feed(piece).unwrap()));
            assert_eq!(read, lines);
            assert!(reader.is_done());
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        for wrong in ["{}", "nonsense", r#"{"key":"0"}"#, r#"{"key":"00","value":"0","x":1}"#] {
            let error = LineReader::default().feed(format!("{wrong}\n").as_bytes()).unwrap_err();
            assert!(error.starts_with("line 1: "), "{error}");
        }
    }
}
