//! What two replicas of a group send each other, as bytes: the library's messages with a stamp for
//! the lease, and a few messages of our own.
//!
//! ```text
//! version 1 | kind 1 | stamp 8 LE | body
//! ```
//!
//! The stamp's meaning goes with the message: sending time of a leader's message, its echo in the
//! answer, time since the last sign of a leader in a granted vote, 1 in a hand-over that leaves no
//! lease behind.

use crate::ConsensusError;
use protobuf::Message as _;
use raft::eraftpb;

const VERSION: u8 = 1;
const KIND_RAFT: u8 = 1;
const KIND_HIBERNATE: u8 = 2;
const KIND_GONE: u8 = 3;
const KIND_SNAPSHOT_REFUSED: u8 = 4;
const KIND_PRESENT: u8 = 5;
const KIND_PARTS_RECEIVED: u8 = 6;
const HEADER_LEN: usize = 10;

/// A decoded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// See the module.
    pub stamp: u64,
    /// What it says.
    pub payload: Payload,
}

/// The kinds of messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The library's.
    Raft(Box<eraftpb::Message>),
    /// The leader of `term` goes to sleep with everything up to `commit` committed everywhere.
    Hibernate { term: u64, commit: u64 },
    /// The receiver is no member any more: destroy the replica.
    Gone,
    /// A snapshot could not be taken: try again later.
    SnapshotRefused,
    /// The sender has heard nothing for long: is it still a member?
    Present,
    /// The first so many parts of a stream's snapshot have arrived.
    PartsReceived { stream: u64, parts: u64 },
}

impl Envelope {
    /// A message without a stamp.
    pub fn plain(payload: Payload) -> Envelope {
        Envelope { stamp: 0, payload }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, size) = match &self.payload {
            Payload::Raft(message) => (KIND_RAFT, message.compute_size() as usize),
            Payload::Hibernate { .. } => (KIND_HIBERNATE, 16),
            Payload::Gone => (KIND_GONE, 0),
            Payload::SnapshotRefused => (KIND_SNAPSHOT_REFUSED, 0),
            Payload::Present => (KIND_PRESENT, 0),
            Payload::PartsReceived { .. } => (KIND_PARTS_RECEIVED, 16),
        };
        let mut out = Vec::with_capacity(HEADER_LEN + size);
        out.extend_from_slice(&[VERSION, kind]);
        out.extend_from_slice(&self.stamp.to_le_bytes());
        match &self.payload {
            // Writing into memory does not fail.
            Payload::Raft(message) => {
                message.write_to_vec(&mut out).expect("message is written to memory")
            }
            Payload::Hibernate { term, commit } => {
                out.extend_from_slice(&term.to_le_bytes());
                out.extend_from_slice(&commit.to_le_bytes());
            }
            Payload::PartsReceived { stream, parts } => {
                out.extend_from_slice(&stream.to_le_bytes());
                out.extend_from_slice(&parts.to_le_bytes());
            }
            Payload::Gone | Payload::SnapshotRefused | Payload::Present => {}
        }
        out
    }

    /// Reads it back.
    pub fn decode(bytes: &[u8]) -> Result<Envelope, ConsensusError> {
        let (header, body) =
            bytes.split_at_checked(HEADER_LEN).ok_or(ConsensusError::BadMessage("too short"))?;
        if header[0] != VERSION {
            return Err(ConsensusError::BadMessage("version"));
        }
        let payload = match header[1] {
            KIND_RAFT => Payload::Raft(Box::new(
                eraftpb::Message::parse_from_bytes(body)
                    .map_err(|_| ConsensusError::BadMessage("body"))?,
            )),
            KIND_HIBERNATE => {
                Payload::Hibernate { term: u64_at(body, 0)?, commit: u64_at(body, 8)? }
            }
            KIND_GONE => Payload::Gone,
            KIND_SNAPSHOT_REFUSED => Payload::SnapshotRefused,
            KIND_PRESENT => Payload::Present,
            KIND_PARTS_RECEIVED => {
                Payload::PartsReceived { stream: u64_at(body, 0)?, parts: u64_at(body, 8)? }
            }
            _ => return Err(ConsensusError::BadMessage("kind")),
        };
        Ok(Envelope { stamp: u64_at(header, 2)?, payload })
    }

    /// True for messages that only a leader sends to a member: the ones that may create a replica.
    pub fn is_from_leader(&self) -> bool {
        use eraftpb::MessageType::*;
        match &self.payload {
            Payload::Raft(m) => matches!(m.get_msg_type(), MsgAppend | MsgHeartbeat | MsgSnapshot),
            _ => false,
        }
    }
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ConsensusError> {
    bytes
        .get(at..at + 8)
        .and_then(|b| b.try_into().ok())
        .map(u64::from_le_bytes)
        .ok_or(ConsensusError::BadMessage("too short"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_wire() {
        let mut message = eraftpb::Message::default();
        message.set_msg_type(eraftpb::MessageType::MsgAppend);
        message.term = 7;
        for payload in [
            Payload::Raft(Box::new(message)),
            Payload::Hibernate { term: 3, commit: 9 },
            Payload::Gone,
            Payload::SnapshotRefused,
            Payload::Present,
            Payload::PartsReceived { stream: 7, parts: 3 },
        ] {
            let envelope = Envelope { stamp: 42, payload };
            assert_eq!(Envelope::decode(&envelope.encode()), Ok(envelope));
        }
    }

    #[test]
    fn refuses_what_is_cut_or_foreign() {
        let bytes = Envelope::plain(Payload::Hibernate { term: 1, commit: 2 }).encode();
        for len in 0..bytes.len() {
            assert!(Envelope::decode(&bytes[..len]).is_err(), "{len}");
        }
        assert!(Envelope::decode(&[2; 30]).is_err());
    }
}
