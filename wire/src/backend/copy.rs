//! COPY in both directions.

use super::{MessageTooLong, Writer};
use crate::frontend::Format;
use bytes::{BufMut, BytesMut};

/// The overall format of a COPY and the number of its columns, all of which have that format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyFormat {
    pub format: Format,
    pub columns: u16,
}

impl Writer {
    /// The client shall send data. [`crate::Connection::enter_copy_in`] goes with it.
    pub fn copy_in_response(&mut self, copy: CopyFormat) {
        self.copy_response(b'G', copy);
    }

    /// Data follows.
    pub fn copy_out_response(&mut self, copy: CopyFormat) {
        self.copy_response(b'H', copy);
    }

    /// A piece of COPY output, usually a row.
    pub fn copy_data(&mut self, data: &[u8]) -> Result<(), MessageTooLong> {
        self.framed(b'd', |out| out.put_slice(data))
    }

    /// As [`Writer::copy_data`], written in place.
    pub fn copy_data_with(
        &mut self,
        write: impl FnOnce(&mut BytesMut),
    ) -> Result<(), MessageTooLong> {
        self.framed(b'd', write)
    }

    /// The end of COPY output.
    pub fn copy_done(&mut self) {
        self.bare(b'c');
    }

    fn copy_response(&mut self, tag: u8, copy: CopyFormat) {
        let length = 4 + 1 + 2 + 2 * u32::from(copy.columns);
        self.out.put_u8(tag);
        self.out.put_u32(length);
        self.out.put_u8(copy.format.code() as u8);
        self.out.put_u16(copy.columns);
        (0..copy.columns).for_each(|_| self.out.put_u16(copy.format.code()));
    }
}
