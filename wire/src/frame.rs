//! Cuts the stream into frames: type byte, length word, body. Whether the type is known and whether
//! the length is allowed is decided from the first five bytes, before any of the body is waited for.

use crate::error::{PROGRAM_LIMIT_EXCEEDED, PROTOCOL_VIOLATION, WireError};
use crate::limits::Limits;
use bytes::{Buf, Bytes, BytesMut};

/// Type byte and length word.
const HEADER_BYTES: usize = 5;
/// The length word counts itself.
const LENGTH_BYTES: usize = 4;

/// Frontend message types after startup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Query,
    Parse,
    Bind,
    Describe,
    Execute,
    Close,
    Flush,
    Sync,
    Terminate,
    CopyData,
    CopyDone,
    CopyFail,
    FunctionCall,
}

impl Tag {
    /// The type of a byte. The password family is not in here: after authentication it is as
    /// unknown as any other letter.
    pub(crate) fn from_byte(byte: u8) -> Option<Tag> {
        Some(match byte {
            b'Q' => Tag::Query,
            b'P' => Tag::Parse,
            b'B' => Tag::Bind,
            b'D' => Tag::Describe,
            b'E' => Tag::Execute,
            b'C' => Tag::Close,
            b'H' => Tag::Flush,
            b'S' => Tag::Sync,
            b'X' => Tag::Terminate,
            b'd' => Tag::CopyData,
            b'c' => Tag::CopyDone,
            b'f' => Tag::CopyFail,
            b'F' => Tag::FunctionCall,
            _ => return None,
        })
    }

    /// True for the messages after whose failure everything up to Sync is dropped.
    pub(crate) fn is_extended(self) -> bool {
        use Tag::*;
        matches!(self, Parse | Bind | Describe | Execute | Close | Flush)
    }

    /// True for the messages that may arrive while the server reads COPY data.
    pub(crate) fn is_copy(self) -> bool {
        matches!(self, Tag::CopyData | Tag::CopyDone | Tag::CopyFail | Tag::Flush | Tag::Sync)
    }

    fn bytes_max(self, limits: &Limits) -> usize {
        match self {
            Tag::Query | Tag::Parse | Tag::Bind | Tag::CopyData | Tag::FunctionCall => {
                limits.message_bytes_max
            }
            _ => limits.small_message_bytes_max,
        }
    }
}

/// One whole message.
pub(crate) struct Frame {
    pub(crate) tag: Tag,
    pub(crate) body: Bytes,
}

/// Takes the first frame off the input; `None` while it is not complete. Every error is FATAL: with
/// a wrong type or length nobody knows where the next message begins.
pub(crate) fn take(
    input: &mut BytesMut,
    limits: &Limits,
    in_copy: bool,
) -> Result<Option<Frame>, WireError> {
    let Some(&byte) = input.first() else { return Ok(None) };
    let tag = known(byte, in_copy)?;
    let Some(length) = input.get(1..HEADER_BYTES).and_then(|word| word.try_into().ok()) else {
        return Ok(None);
    };
    let length = checked_length(i32::from_be_bytes(length), tag, limits)?;
    if input.len() < 1 + length {
        return Ok(None);
    }
    input.advance(HEADER_BYTES);
    let body = match length - LENGTH_BYTES {
        // Sync, Flush: nothing to share.
        0 => Bytes::new(),
        length => input.split_to(length).freeze(),
    };
    Ok(Some(Frame { tag, body }))
}

fn known(byte: u8, in_copy: bool) -> Result<Tag, WireError> {
    let tag = Tag::from_byte(byte);
    if in_copy && !tag.is_some_and(Tag::is_copy) {
        let message = format!("unexpected message type 0x{byte:02X} during COPY from stdin");
        return Err(WireError::fatal(PROTOCOL_VIOLATION, message));
    }
    tag.ok_or_else(|| {
        WireError::fatal(PROTOCOL_VIOLATION, format!("invalid frontend message type {byte}"))
    })
}

fn checked_length(length: i32, tag: Tag, limits: &Limits) -> Result<usize, WireError> {
    match usize::try_from(length) {
        Ok(length) if length > tag.bytes_max(limits) => {
            // Lengths that PostgreSQL would refuse too are a breach of the protocol; those between
            // its gigabyte and our lower cap are a limit of ours.
            let code = if tag.bytes_max(limits) == limits.message_bytes_max && length < 1 << 30 {
                PROGRAM_LIMIT_EXCEEDED
            } else {
                PROTOCOL_VIOLATION
            };
            Err(WireError::fatal(code, "invalid message length").with_detail(format!(
                "The message has {length} bytes, the limit is {}.",
                tag.bytes_max(limits)
            )))
        }
        Ok(length) if length >= LENGTH_BYTES => Ok(length),
        _ => Err(WireError::fatal(PROTOCOL_VIOLATION, "invalid message length")),
    }
}
