//! A strict cursor over one frame's body: it never looks past the end, and whoever is done says so
//! with [`BodyReader::end`], which refuses bytes that nobody has read.

use crate::error::{CHARACTER_NOT_IN_REPERTOIRE, PROTOCOL_VIOLATION, WireError};
use bytes::Bytes;

/// Reads one body.
pub(crate) struct BodyReader<'a> {
    body: &'a Bytes,
    at: usize,
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(body: &'a Bytes) -> Self {
        BodyReader { body, at: 0 }
    }

    /// Bytes not read yet.
    pub(crate) fn remaining(&self) -> usize {
        self.body.len() - self.at
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, WireError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, WireError> {
        self.array().map(i32::from_be_bytes)
    }

    /// A count of elements that take at least `element_bytes` each. Refused before anything is
    /// allocated for them when the body cannot hold that many.
    pub(crate) fn count(&mut self, element_bytes: usize) -> Result<usize, WireError> {
        let count = usize::from(self.u16()?);
        if count * element_bytes > self.remaining() { Err(insufficient()) } else { Ok(count) }
    }

    /// Skips bytes and returns where they began.
    pub(crate) fn skip(&mut self, len: usize) -> Result<usize, WireError> {
        let start = self.at;
        self.take(len)?;
        Ok(start)
    }

    /// A NUL-terminated string in valid UTF-8.
    pub(crate) fn text(&mut self) -> Result<&'a str, WireError> {
        let rest = &self.body[self.at..];
        let len = rest
            .iter()
            .position(|&byte| byte == 0)
            .ok_or_else(|| WireError::error(PROTOCOL_VIOLATION, "invalid string in message"))?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len]).map_err(|error| invalid_utf8(&rest[..len], error))
    }

    /// The body must end here.
    pub(crate) fn end(self) -> Result<(), WireError> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            Err(WireError::error(PROTOCOL_VIOLATION, "invalid message format"))
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| insufficient())
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.body.len());
        let end = end.ok_or_else(insufficient)?;
        let bytes = &self.body[self.at..end];
        self.at = end;
        Ok(bytes)
    }
}

fn insufficient() -> WireError {
    WireError::error(PROTOCOL_VIOLATION, "insufficient data left in message")
}

/// PostgreSQL names the bytes of the broken character, as many as its first byte announces.
fn invalid_utf8(text: &[u8], error: std::str::Utf8Error) -> WireError {
    let rest = &text[error.valid_up_to()..];
    let announced = match rest.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let bytes: Vec<String> =
        rest.iter().take(announced).map(|byte| format!("0x{byte:02x}")).collect();
    let message = format!("invalid byte sequence for encoding \"UTF8\": {}", bytes.join(" "));
    WireError::error(CHARACTER_NOT_IN_REPERTOIRE, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_broken_bytes_as_postgresql_does() {
        for (text, named) in [
            (&b"a\xff\0"[..], "0xff"),
            (b"\xc3(\0", "0xc3 0x28"),
            (b"\xe2\x82\0", "0xe2 0x82"),
            (b"ok \xf0\x9f\x98(\0", "0xf0 0x9f 0x98 0x28"),
        ] {
            let body = Bytes::copy_from_slice(text);
            let error = BodyReader::new(&body).text().unwrap_err();
            assert_eq!(error.fields.code, "22021");
            assert!(error.fields.message.ends_with(&format!(": {named}")), "{error}");
        }
    }

    #[test]
    fn refuses_to_read_past_the_end_and_to_leave_bytes() {
        let body = Bytes::from_static(&[0, 1, 2]);
        let mut reader = BodyReader::new(&body);
        assert_eq!(reader.u16().unwrap(), 1);
        assert!(reader.u16().is_err());
        assert!(reader.end().is_err());
        let mut reader = BodyReader::new(&body);
        assert!(reader.text().is_ok());
        assert!(reader.text().is_err(), "no terminator");
    }

    #[test]
    fn a_count_that_cannot_be_true_is_refused() {
        let body = Bytes::from_static(&[0xff, 0xff, 0, 0]);
        assert!(BodyReader::new(&body).count(1).is_err());
    }
}
