//! Byte encodings that everything above and below agrees on.
//!
//! Two families. *Order-preserving* primitives build keys: comparing the bytes compares the values,
//! NULL sorts after every value, a descending column is the same bytes inverted, and every encoding
//! ends itself, which makes keys prefix-free. *Message* helpers wrap `bincode` for RPC payloads and
//! replicated commands, with a version byte in front.

use bincode::error::{DecodeError as BincodeError, EncodeError};
use bincode::{Decode, Encode};
use bytes::Bytes;

/// Marker of a present value; lower than [`NULL`].
pub const PRESENT: u8 = 0x01;
/// Marker of NULL: sorts after every present value.
pub const NULL: u8 = 0x02;

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xff;
const TERMINATOR: u8 = 0x01;

/// Bytes that do not form what they should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub struct CodecError(pub &'static str);

/// Sort direction of a key column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Small first, NULL last.
    Asc,
    /// Large first, NULL first: all bytes inverted.
    Desc,
}

/// Appends NULL.
pub fn put_null(out: &mut Vec<u8>, direction: Direction) {
    out.push(invert(NULL, direction));
}

/// Appends a present value whose order-preserving, self-ending bytes the closure writes.
pub fn put_present(out: &mut Vec<u8>, direction: Direction, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(PRESENT);
    write(out);
    if direction == Direction::Desc {
        out[start..].iter_mut().for_each(|b| *b = !*b);
    }
}

/// Appends an integer so that bytes sort like numbers.
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&((value as u64) ^ (1 << 63)).to_be_bytes());
}

/// Appends an integer so that bytes sort like numbers.
pub fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&((value as u32) ^ (1 << 31)).to_be_bytes());
}

/// Appends an integer so that bytes sort like numbers.
pub fn put_i16(out: &mut Vec<u8>, value: i16) {
    out.extend_from_slice(&((value as u16) ^ (1 << 15)).to_be_bytes());
}

/// Appends a float so that bytes sort as PostgreSQL sorts: -0 equals 0, NaN is above infinity.
pub fn put_f64(out: &mut Vec<u8>, value: f64) {
    let value = if value == 0.0 { 0.0 } else { value };
    let bits = if value.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { value.to_bits() };
    let mask = if bits >> 63 == 1 { u64::MAX } else { 1 << 63 };
    out.extend_from_slice(&(bits ^ mask).to_be_bytes());
}

/// Appends bytes, escaped and terminated.
pub fn put_bytes(out: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        out.push(byte);
        if byte == ESCAPE {
            out.push(ESCAPED_ZERO);
        }
    }
    out.extend_from_slice(&[ESCAPE, TERMINATOR]);
}

/// Reads key columns back, in the order in which they were written.
pub struct KeyReader<'a> {
    rest: &'a [u8],
    mask: u8,
}

impl<'a> KeyReader<'a> {
    /// Starts at the first column.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, mask: 0 }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads a column's marker: true when a value follows, which the caller then reads.
    pub fn present(&mut self, direction: Direction) -> Result<bool, CodecError> {
        self.mask = if direction == Direction::Desc { 0xff } else { 0 };
        match self.take(1)?[0] ^ self.mask {
            PRESENT => Ok(true),
            NULL => Ok(false),
            _ => Err(CodecError("key column marker")),
        }
    }

    /// Reads what [`put_i64`] wrote.
    pub fn i64(&mut self) -> Result<i64, CodecError> {
        Ok((u64::from_be_bytes(self.array()?) ^ (1 << 63)) as i64)
    }

    /// Reads what [`put_i32`] wrote.
    pub fn i32(&mut self) -> Result<i32, CodecError> {
        Ok((u32::from_be_bytes(self.array()?) ^ (1 << 31)) as i32)
    }

    /// Reads what [`put_i16`] wrote.
    pub fn i16(&mut self) -> Result<i16, CodecError> {
        Ok((u16::from_be_bytes(self.array()?) ^ (1 << 15)) as i16)
    }

    /// Reads what [`put_f64`] wrote.
    pub fn f64(&mut self) -> Result<f64, CodecError> {
        let bits = u64::from_be_bytes(self.array()?);
        let mask = if bits >> 63 == 1 { 1 << 63 } else { u64::MAX };
        Ok(f64::from_bits(bits ^ mask))
    }

    /// Reads one byte as it is (bool, type tags).
    pub fn byte(&mut self) -> Result<u8, CodecError> {
        Ok(self.array::<1>()?[0])
    }

    /// Reads this many bytes as they are.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mask = self.mask;
        let mut out: [u8; N] =
            self.take(N)?.try_into().map_err(|_| CodecError("key column length"))?;
        out.iter_mut().for_each(|b| *b ^= mask);
        Ok(out)
    }

    /// Reads what [`put_bytes`] wrote.
    pub fn bytes(&mut self) -> Result<Vec<u8>, CodecError> {
        let mut out = Vec::new();
        loop {
            match self.byte()? {
                ESCAPE => match self.byte()? {
                    ESCAPED_ZERO => out.push(0),
                    TERMINATOR => return Ok(out),
                    _ => return Err(CodecError("escape in key column")),
                },
                byte => out.push(byte),
            }
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (head, tail) =
            self.rest.split_at_checked(len).ok_or(CodecError("key: it ends early"))?;
        self.rest = tail;
        Ok(head)
    }
}

fn invert(byte: u8, direction: Direction) -> u8 {
    if direction == Direction::Desc { !byte } else { byte }
}

/// Version byte in front of every `bincode` message on the wire or in a log.
pub const MESSAGE_VERSION: u8 = 1;

/// Most bytes that a decoded message may claim: a damaged length never allocates more.
const MESSAGE_BYTES_MAX: usize = 1 << 30;

/// Encodes a message, version byte first.
pub fn to_message<T: Encode>(message: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.push(MESSAGE_VERSION);
    // Writing into memory fails for no message type of ours.
    bincode::encode_into_std_write(message, &mut out, config()).expect("message encodes");
    out
}

/// Decodes a message; trailing bytes are an error.
pub fn from_message<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.split_first() {
        Some((&MESSAGE_VERSION, body)) => {
            let (message, read) = bincode::decode_from_slice(body, config())
                .map_err(|_| CodecError("message body"))?;
            if read == body.len() { Ok(message) } else { Err(CodecError("message length")) }
        }
        _ => Err(CodecError("message version")),
    }
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<MESSAGE_BYTES_MAX>()
}

/// A cheaply cloned byte string that `bincode` can carry.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(pub Bytes);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::ops::Deref for Blob {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Blob(bytes.into())
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Blob(bytes)
    }
}

impl Encode for Blob {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_bytes(&self.0, encoder)
    }
}

impl<C> Decode<C> for Blob {
    fn decode<D: bincode::de::Decoder<Context = C>>(decoder: &mut D) -> Result<Self, BincodeError> {
        decode_bytes(decoder).map(Blob)
    }
}

bincode::impl_borrow_decode!(Blob);

/// Length, then the bytes.
pub(crate) fn encode_bytes<E: bincode::enc::Encoder>(
    bytes: &[u8],
    encoder: &mut E,
) -> Result<(), EncodeError> {
    bytes.encode(encoder)
}

/// Reads what [`encode_bytes`] wrote.
pub(crate) fn decode_bytes<C, D: bincode::de::Decoder<Context = C>>(
    decoder: &mut D,
) -> Result<Bytes, BincodeError> {
    Vec::<u8>::decode(decoder).map(Bytes::from)
}
