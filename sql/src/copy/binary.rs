//! The binary form of COPY: a signature, rows of counted fields, a trailer.

use types::{SqlError, sqlstate};

/// What every binary COPY starts with.
pub(super) const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Largest field.
const FIELD_BYTES_MAX: usize = 1 << 30;

/// Gathers data and hands out whole rows.
#[derive(Default)]
pub(super) struct BinaryRows {
    buffer: Vec<u8>,
    start: usize,
    has_header: bool,
    is_ended: bool,
}

/// A field's bytes, or NULL.
pub(super) type Field = Option<Vec<u8>>;

impl BinaryRows {
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), SqlError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    /// The next whole row, `None` when more data is needed or the trailer was met.
    pub(super) fn next(
        &mut self,
        columns: usize,
        is_last: bool,
    ) -> Result<Option<Vec<Field>>, SqlError> {
        if self.is_ended {
            return Ok(None);
        }
        if !self.has_header && !self.read_header()? {
            return if is_last { Err(bad("COPY file signature not recognized")) } else { Ok(None) };
        }
        match self.read_row(columns)? {
            Some(row) => Ok(row),
            None if is_last && self.start < self.buffer.len() => {
                Err(bad("unexpected EOF in COPY data"))
            }
            None => Ok(None),
        }
    }

    fn read_header(&mut self) -> Result<bool, SqlError> {
        let known = self.buffer.len().min(SIGNATURE.len());
        if self.buffer[..known] != SIGNATURE[..known] {
            return Err(bad("COPY file signature not recognized"));
        }
        let Some(fixed) = self.buffer.get(SIGNATURE.len()..SIGNATURE.len() + 8) else {
            return Ok(false);
        };
        let flags = number(&fixed[..4]);
        if flags & 0x0001_0000 != 0 {
            return Err(bad("invalid COPY file header (WITH OIDS)"));
        }
        if flags >> 16 != 0 {
            return Err(bad("unrecognized critical flags in COPY file header"));
        }
        let end = SIGNATURE.len() + 8 + number(&fixed[4..]) as usize;
        if self.buffer.len() < end {
            return Ok(false);
        }
        self.start = end;
        self.has_header = true;
        Ok(true)
    }

    /// `None`: incomplete. `Some(None)`: the trailer.
    fn read_row(&mut self, columns: usize) -> Result<Option<Option<Vec<Field>>>, SqlError> {
        let mut at = self.start;
        let Some(count) = self.buffer.get(at..at + 2) else { return Ok(None) };
        let count = i16::from_be_bytes([count[0], count[1]]);
        at += 2;
        if count == -1 {
            self.is_ended = true;
            self.start = self.buffer.len();
            return Ok(Some(None));
        }
        if usize::try_from(count).ok() != Some(columns) {
            return Err(bad(&format!("row field count is {count}, expected {columns}")));
        }
        let mut row = Vec::with_capacity(columns);
        for _ in 0..columns {
            let Some(len) = self.buffer.get(at..at + 4) else { return Ok(None) };
            let len = number(len) as i32;
            at += 4;
            if len == -1 {
                row.push(None);
                continue;
            }
            let len = usize::try_from(len).ok().filter(|len| *len <= FIELD_BYTES_MAX);
            let len = len.ok_or_else(|| bad("invalid field size"))?;
            let Some(bytes) = self.buffer.get(at..at + len) else { return Ok(None) };
            row.push(Some(bytes.to_vec()));
            at += len;
        }
        self.start = at;
        Ok(Some(Some(row)))
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |n, byte| (n << 8) | u32::from(*byte))
}

fn bad(message: &str) -> SqlError {
    SqlError::new(sqlstate::BAD_COPY_FILE_FORMAT, message)
}
