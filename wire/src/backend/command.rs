//! Completion of statements and of the extended protocol's steps.

use super::{MessageTooLong, Writer};
use bytes::{BufMut, BytesMut};
use std::fmt::{self, Write};

impl Writer {
    /// A statement is done; the tag says which and how many rows.
    pub fn command_complete(&mut self, tag: &str) -> Result<(), MessageTooLong> {
        self.framed(b'C', |out| super::put_text(out, tag))
    }

    /// As [`Writer::command_complete`], formatted in place: `format_args!("SELECT {rows}")`.
    pub fn command_complete_fmt(&mut self, tag: fmt::Arguments<'_>) -> Result<(), MessageTooLong> {
        self.framed(b'C', |out: &mut BytesMut| {
            // Formatting into memory fails only when a Display does, and tags have none that do.
            let _ = out.write_fmt(tag);
            out.put_u8(0);
        })
    }

    /// The query string held no statement.
    pub fn empty_query_response(&mut self) {
        self.bare(b'I');
    }

    pub fn parse_complete(&mut self) {
        self.bare(b'1');
    }

    pub fn bind_complete(&mut self) {
        self.bare(b'2');
    }

    pub fn close_complete(&mut self) {
        self.bare(b'3');
    }

    /// Execute stopped at its row limit; another one goes on.
    pub fn portal_suspended(&mut self) {
        self.bare(b's');
    }
}
