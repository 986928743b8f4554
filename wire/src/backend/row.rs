//! DataRow, written value by value into the output buffer.

use super::{MessageTooLong, Writer, begin, end};
use bytes::{BufMut, BytesMut};

/// Length on the wire that means NULL.
const NULL: i32 = -1;

/// A row under construction. Exactly as many values as announced must be written before
/// [`RowWriter::finish`]; a row that is dropped unfinished leaves nothing behind.
#[derive(Debug)]
pub struct RowWriter<'a> {
    out: &'a mut BytesMut,
    start: usize,
    missing: u16,
    is_finished: bool,
}

impl Writer {
    /// Begins a row of this many values.
    pub fn data_row(&mut self, values: u16) -> RowWriter<'_> {
        let start = begin(&mut self.out, b'D');
        self.out.put_u16(values);
        RowWriter { out: &mut self.out, start, missing: values, is_finished: false }
    }
}

impl RowWriter<'_> {
    /// Appends NULL.
    pub fn null(&mut self) {
        self.count_one();
        self.out.put_i32(NULL);
    }

    /// Appends a value.
    pub fn value(&mut self, bytes: &[u8]) {
        self.value_with(|out| out.put_slice(bytes));
    }

    /// Appends a value that the closure writes straight into the buffer.
    pub fn value_with<R>(&mut self, write: impl FnOnce(&mut BytesMut) -> R) -> R {
        self.count_one();
        let at = self.out.len();
        self.out.put_i32(0);
        let result = write(self.out);
        // A value beyond the limit makes the whole row too long, which `finish` reports.
        let length = i32::try_from(self.out.len() - at - 4).unwrap_or(i32::MAX);
        self.out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        result
    }

    /// Ends the row.
    pub fn finish(mut self) -> Result<(), MessageTooLong> {
        assert_eq!(self.missing, 0, "a row has as many values as announced");
        self.is_finished = true;
        end(self.out, self.start)
    }

    fn count_one(&mut self) {
        assert!(self.missing > 0, "a row has no more values than announced");
        self.missing -= 1;
    }
}

impl Drop for RowWriter<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.out.truncate(self.start);
        }
    }
}
