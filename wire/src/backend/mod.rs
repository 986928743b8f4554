//! Messages of the server, appended to one output buffer that lives as long as its connection.

mod command;
mod copy;
mod describe;
mod error;
mod row;
mod session;

pub use copy::CopyFormat;
pub use describe::Column;
pub use row::RowWriter;

use bytes::{BufMut, BytesMut};
use pgwire::messages::Message;

/// Longest message that a length word of the protocol may announce (PostgreSQL's `MaxAllocSize`).
const MESSAGE_BYTES_MAX: usize = (1 << 30) - 1;

/// A message would be longer than the protocol allows; nothing of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message is longer than {MESSAGE_BYTES_MAX} bytes")]
pub struct MessageTooLong;

/// One connection's output side. Messages gather here; the caller decides when to send.
#[derive(Debug, Default)]
pub struct Writer {
    out: BytesMut,
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Bytes not sent yet.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The bytes to send. Call [`Writer::clear`] once they are on their way.
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// The buffer itself, for `write_buf`, which consumes what it has sent.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    /// Forgets everything; keeps the memory.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// Takes everything off.
    pub fn take(&mut self) -> BytesMut {
        self.out.split()
    }

    /// Undoes what was appended since [`Writer::len`] was `mark`.
    pub fn truncate(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// One of the seldom messages, by `pgwire`. Its only failure is a message above its size limit,
    /// which none of ours reaches: those whose size a user controls are written here.
    fn message(&mut self, message: impl Message) {
        let mark = self.out.len();
        if message.encode(&mut self.out).is_err() {
            self.out.truncate(mark);
        }
    }

    /// A message of type and length only.
    fn bare(&mut self, tag: u8) {
        self.out.put_slice(&[tag, 0, 0, 0, 4]);
    }

    /// Type, length, and whatever the closure appends.
    fn framed(&mut self, tag: u8, body: impl FnOnce(&mut BytesMut)) -> Result<(), MessageTooLong> {
        let start = begin(&mut self.out, tag);
        body(&mut self.out);
        end(&mut self.out, start)
    }
}

/// Appends the type and room for the length; returns where the message starts.
fn begin(out: &mut BytesMut, tag: u8) -> usize {
    let start = out.len();
    out.put_slice(&[tag, 0, 0, 0, 0]);
    start
}

/// Fills in the length, or takes the message back when it is too long.
fn end(out: &mut BytesMut, start: usize) -> Result<(), MessageTooLong> {
    let length = out.len() - start - 1;
    if length > MESSAGE_BYTES_MAX {
        out.truncate(start);
        return Err(MessageTooLong);
    }
    out[start + 1..start + 5].copy_from_slice(&(length as u32).to_be_bytes());
    Ok(())
}

/// Appends a NUL-terminated string; a NUL inside would end it early, so the rest is cut.
fn put_text(out: &mut BytesMut, text: &str) {
    let end = text.bytes().position(|byte| byte == 0).unwrap_or(text.len());
    out.put_slice(&text.as_bytes()[..end]);
    out.put_u8(0);
}
