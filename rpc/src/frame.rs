//! Frames.
//!
//! ```text
//!   offset  0        4       8         9      10   18        22
//!          ┌────────┬───────┬─────────┬──────┬────┬─────────┬─────────┐
//!          │ length │ crc32 │ version │ kind │ id │ timeout │ payload │   big endian
//!          └────────┴───────┴─────────┴──────┴────┴─────────┴─────────┘
//! ```
//!
//! The length counts what follows the checksum, and the checksum covers it. The timeout is the
//! deadline of a request, in milliseconds from its arrival, because clocks of two machines do not
//! agree; 0 in frames that nobody waits for.

use bytes::{Buf, Bytes, BytesMut};

/// Version of the frame layout and of the protocol as a whole.
pub const VERSION: u8 = 2;
/// Length and checksum.
const PREFIX_BYTES: usize = 8;
/// Version, kind, id and timeout.
const HEADER_BYTES: usize = 14;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// First frame of a client.
    Hello = 1,
    /// The server accepts.
    Welcome = 2,
    /// The server does not, and says why.
    Refused = 3,
    /// A request to a range.
    Range = 4,
    /// A request to meta.
    Meta = 5,
    /// Anything else.
    Control = 6,
    /// The answer to the request with the same id.
    Answer = 7,
    /// Raft traffic, unanswered.
    Peer = 8,
    /// A sign of life is asked for.
    Ping = 9,
    /// A sign of life.
    Pong = 10,
    /// The server does not accept a client of another cluster.
    Stranger = 11,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        use Kind::*;
        [Hello, Welcome, Refused, Range, Meta, Control, Answer, Peer, Ping, Pong, Stranger]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// One frame that arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: Kind,
    pub id: u64,
    pub timeout_ms: u32,
    pub payload: Bytes,
}

/// Bytes that are no frame. The connection they came on is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame of {0} bytes is too long or too short")]
    Length(usize),
    #[error("frame checksum does not match")]
    Checksum,
    #[error("frame version {0} is not known")]
    Version(u8),
    #[error("frame kind {0} is not known")]
    Kind(u8),
}

/// Appends a frame. The payload's length has been checked.
pub fn encode(out: &mut Vec<u8>, kind: Kind, id: u64, timeout_ms: u32, payload: &[u8]) {
    let length = u32::try_from(HEADER_BYTES + payload.len()).expect("payload was checked");
    out.reserve(PREFIX_BYTES + HEADER_BYTES + payload.len());
    let start = out.len();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(VERSION);
    out.push(kind as u8);
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&timeout_ms.to_be_bytes());
    out.extend_from_slice(payload);
    let checksum = crc32fast::hash(&out[start + PREFIX_BYTES..]);
    out[start + 4..start + PREFIX_BYTES].copy_from_slice(&checksum.to_be_bytes());
}

/// Takes the first frame off the input; `None` while it is not complete.
pub fn take(input: &mut BytesMut, payload_bytes_max: usize) -> Result<Option<Frame>, FrameError> {
    let Some(mut prefix) = input.get(..PREFIX_BYTES) else { return Ok(None) };
    let (length, checksum) = (prefix.get_u32() as usize, prefix.get_u32());
    if !(HEADER_BYTES..=HEADER_BYTES + payload_bytes_max).contains(&length) {
        return Err(FrameError::Length(length));
    }
    if input.len() < PREFIX_BYTES + length {
        input.reserve(PREFIX_BYTES + length - input.len());
        return Ok(None);
    }
    input.advance(PREFIX_BYTES);
    let mut body = input.split_to(length).freeze();
    if crc32fast::hash(&body) != checksum {
        return Err(FrameError::Checksum);
    }
    let version = body.get_u8();
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let kind = body.get_u8();
    let kind = Kind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
    let (id, timeout_ms) = (body.get_u64(), body.get_u32());
    Ok(Some(Frame { kind, id, timeout_ms, payload: body }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            frames in prop::collection::vec(
                (1u8..=11, any::<u64>(), any::<u32>(), any::<Vec<u8>>()),
                1..9,
            ),
            piece in 1usize..64,
        ) {
            let mut bytes = Vec::new();
            for (kind, id, timeout_ms, payload) in &frames {
                encode(&mut bytes, Kind::from_byte(*kind).unwrap(), *id, *timeout_ms, payload);
            }
            let (mut input, mut out) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(piece) {
                input.extend_from_slice(piece);
                while let Some(frame) = take(&mut input, 1 << 20).unwrap() {
                    let Frame { kind, id, timeout_ms, payload } = frame;
                    out.push((kind as u8, id, timeout_ms, payload.to_vec()));
                }
            }
            prop_assert_eq!(out, frames);
        }

        /// One wrong bit anywhere: an error or a wait for more, never a frame.
        #[test]
        fn a_flipped_bit_is_noticed(payload in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&mut bytes, Kind::Peer, 7, 0, &payload);
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut input = BytesMut::from(&bytes[..]);
            prop_assert!(!matches!(take(&mut input, 1 << 20), Ok(Some(_))));
        }

        #[test]
        fn random_bytes_do_not_panic(bytes in any::<Vec<u8>>()) {
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut input, 1 << 10) {}
        }
    }

    #[test]
    fn an_oversize_frame_is_refused_by_its_length() {
        let mut input = BytesMut::from(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0][..]);
        assert_eq!(take(&mut input, 1 << 20), Err(FrameError::Length(0x7fff_ffff)));
    }
}
