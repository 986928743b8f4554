//! Cutting COPY data into rows and rows into fields: text and csv. Values may be split between
//! messages anywhere.

use super::options::{CopyForm, CopyOptions};
use crate::session::portal::invalid_utf8;
use types::{SqlError, sqlstate};

/// Longest row that is gathered before it is refused.
const ROW_BYTES_MAX: usize = 1 << 30;

/// Gathers data and hands out whole rows.
pub(super) struct Rows {
    buffer: Vec<u8>,
    start: usize,
    /// Where the search for the end of the row goes on.
    seen: usize,
    in_quotes: bool,
    is_csv: bool,
    quote: u8,
    escape: u8,
    /// `\.` was met: the rest is ignored.
    is_ended: bool,
}

impl Rows {
    pub(super) fn new(options: &CopyOptions) -> Rows {
        Rows {
            buffer: Vec::new(),
            start: 0,
            seen: 0,
            in_quotes: false,
            is_csv: options.form == CopyForm::Csv,
            quote: options.quote,
            escape: options.escape,
            is_ended: false,
        }
    }

    /// Adds data.
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), SqlError> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.seen -= self.start;
            self.start = 0;
        }
        if self.buffer.len() + data.len() > ROW_BYTES_MAX {
            return Err(SqlError::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                "a row of COPY data is too long",
            ));
        }
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    /// The next whole row without its line end. `is_last`: what is left is a row even without one.
    pub(super) fn next(&mut self, is_last: bool) -> Option<&[u8]> {
        if self.is_ended {
            return None;
        }
        let (mut end, next) = match self.find_end() {
            Some(at) => (at, at + 1),
            None if is_last && self.start < self.buffer.len() => {
                (self.buffer.len(), self.buffer.len())
            }
            None => return None,
        };
        let start = self.start;
        self.start = next;
        self.seen = next;
        self.in_quotes = false;
        if end > start && self.buffer[end - 1] == b'\r' {
            end -= 1;
        }
        if &self.buffer[start..end] == b"\\." {
            self.is_ended = true;
            return None;
        }
        Some(&self.buffer[start..end])
    }

    fn find_end(&mut self) -> Option<usize> {
        if !self.is_csv {
            return self.find_text_end();
        }
        while let Some(byte) = self.buffer.get(self.seen) {
            let byte = *byte;
            if self.in_quotes && byte == self.escape && self.escape != self.quote {
                // The escaped byte may not have arrived yet.
                self.buffer.get(self.seen + 1)?;
                self.seen += 2;
                continue;
            }
            if byte == self.quote {
                self.in_quotes = !self.in_quotes;
            } else if byte == b'\n' && !self.in_quotes {
                return Some(self.seen);
            }
            self.seen += 1;
        }
        None
    }

    /// A line feed ends a row of text unless a backslash stands in front of it.
    fn find_text_end(&mut self) -> Option<usize> {
        while let Some(offset) = self.buffer[self.seen..].iter().position(|b| *b == b'\n') {
            let at = self.seen + offset;
            let backslashes =
                self.buffer[self.start..at].iter().rev().take_while(|b| **b == b'\\').count();
            if backslashes % 2 == 0 {
                return Some(at);
            }
            self.seen = at + 1;
        }
        self.seen = self.buffer.len();
        None
    }
}

/// One field: its text, or NULL.
pub(super) type FieldText = Option<String>;

/// Cuts a row of text form into fields.
pub(super) fn split_text(
    row: &[u8],
    options: &CopyOptions,
    out: &mut Vec<FieldText>,
) -> Result<(), SqlError> {
    out.clear();
    let mut start = 0;
    let mut at = 0;
    loop {
        let byte = row.get(at).copied();
        if byte == Some(b'\\') {
            at += 2;
            continue;
        }
        if byte.is_none() || byte == Some(options.delimiter) {
            let raw = &row[start..at.min(row.len())];
            out.push(if raw == options.null.as_bytes() { None } else { Some(unescape(raw)?) });
            if byte.is_none() {
                return Ok(());
            }
            start = at + 1;
        }
        at += 1;
    }
}

fn unescape(raw: &[u8]) -> Result<String, SqlError> {
    if !raw.contains(&b'\\') {
        return utf8(raw.to_vec());
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'v') => out.push(11),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(next) = bytes.next_if(|b| (b'0'..=b'7').contains(b)) else { break };
                    value = value * 8 + u32::from(next - b'0');
                }
                out.push(value as u8);
            }
            Some(b'x') => {
                let mut value = None;
                for _ in 0..2 {
                    let Some(next) = bytes.next_if(u8::is_ascii_hexdigit) else { break };
                    let digit = (next as char).to_digit(16).unwrap_or(0);
                    value = Some(value.unwrap_or(0) * 16 + digit);
                }
                out.push(value.map_or(b'x', |value: u32| value as u8));
            }
            Some(other) => out.push(other),
            None => out.push(b'\\'),
        }
    }
    utf8(out)
}

/// Cuts a row of csv form into fields; for each also says whether it was quoted.
pub(super) fn split_csv(
    row: &[u8],
    options: &CopyOptions,
    out: &mut Vec<(String, bool)>,
) -> Result<(), SqlError> {
    out.clear();
    let mut field = Vec::new();
    let (mut is_quoted, mut in_quotes) = (false, false);
    let mut at = 0;
    loop {
        let byte = row.get(at).copied();
        match byte {
            None if in_quotes => {
                return Err(SqlError::new(
                    sqlstate::BAD_COPY_FILE_FORMAT,
                    "unterminated CSV quoted field",
                ));
            }
            Some(b) if in_quotes && b == options.escape => match row.get(at + 1) {
                Some(next) if *next == options.quote || *next == options.escape => {
                    field.push(*next);
                    at += 1;
                }
                _ if b == options.quote => in_quotes = false,
                _ => field.push(b),
            },
            Some(b) if in_quotes && b == options.quote => in_quotes = false,
            Some(b) if !in_quotes && b == options.quote => {
                in_quotes = true;
                is_quoted = true;
            }
            Some(b) if in_quotes || b != options.delimiter => field.push(b),
            _ => {
                out.push((utf8(std::mem::take(&mut field))?, is_quoted));
                is_quoted = false;
                if byte.is_none() {
                    return Ok(());
                }
            }
        }
        at += 1;
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, SqlError> {
    if bytes.contains(&0) {
        return Err(invalid_utf8(&bytes));
    }
    String::from_utf8(bytes).map_err(|error| invalid_utf8(error.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::ast::{CopyOption, Ident};

    fn csv() -> CopyOptions {
        CopyOptions::of(&[CopyOption::Format(Ident::new("csv"))], &[]).unwrap()
    }

    fn text() -> CopyOptions {
        CopyOptions::of(&[], &[]).unwrap()
    }

    #[test]
    fn rows_are_found_wherever_messages_are_cut() {
        let data = b"a\\\nb\tc\r\n\\N\t1\nlast";
        for cut in 0..data.len() {
            let options = text();
            let mut rows = Rows::new(&options);
            let mut out: Vec<Vec<u8>> = Vec::new();
            rows.push(&data[..cut]).unwrap();
            while let Some(row) = rows.next(false) {
                out.push(row.to_vec());
            }
            rows.push(&data[cut..]).unwrap();
            while let Some(row) = rows.next(true) {
                out.push(row.to_vec());
            }
            assert_eq!(out, [&b"a\\\nb\tc"[..], b"\\N\t1", b"last"], "cut at {cut}");
        }
    }

    #[test]
    fn text_escapes() {
        let mut out = Vec::new();
        split_text(b"a\\tb\t\\N\t\t\\x41\\101\\\\", &text(), &mut out).unwrap();
        let want = [Some("a\tb"), None, Some(""), Some("AA\\")];
        assert_eq!(out, want.map(|field| field.map(str::to_owned)));
    }

    #[test]
    fn csv_quotes() {
        let mut out = Vec::new();
        split_csv(b"\"a,\"\"b\",,\"\",x", &csv(), &mut out).unwrap();
        let plain: Vec<_> = out.iter().map(|(field, quoted)| (field.as_str(), *quoted)).collect();
        assert_eq!(plain, [("a,\"b", true), ("", false), ("", true), ("x", false)]);
        assert!(split_csv(b"\"a", &csv(), &mut out).is_err());
    }

    #[test]
    fn quoted_line_ends_belong_to_the_field() {
        let options = csv();
        let mut rows = Rows::new(&options);
        rows.push(b"\"a\nb\",1\n2,3\n").unwrap();
        assert_eq!(rows.next(false), Some(&b"\"a\nb\",1"[..]));
        assert_eq!(rows.next(false), Some(&b"2,3"[..]));
        assert_eq!(rows.next(true), None);
    }
}
