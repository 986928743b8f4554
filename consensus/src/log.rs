//! A group's log and what of it must survive: the shapes that cross the border to the disk.

use crate::{ConsensusError, Membership};
use bytes::{BufMut, Bytes};
use raft::eraftpb;

/// One log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the log.
    pub index: u64,
    /// Term of the leader that appended it.
    pub term: u64,
    /// What it is.
    pub kind: EntryKind,
    /// The command; empty in the entry with which a leader begins its term.
    pub data: Bytes,
}

/// Kinds of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A command for the state machine.
    Normal,
    /// A change of members; the bytes are the library's form of it.
    Change(Bytes),
}

const BODY_VERSION: u8 = 1;
const BODY_NORMAL: u8 = 0;
const BODY_CHANGE: u8 = 1;

impl Entry {
    /// What the disk keeps beside index and term: version, kind, the change's length and bytes if it
    /// is one, the command.
    pub fn encode_body(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.data.len() + 16);
        out.push(BODY_VERSION);
        match &self.kind {
            EntryKind::Normal => out.push(BODY_NORMAL),
            EntryKind::Change(change) => {
                out.push(BODY_CHANGE);
                out.put_u32_le(change.len() as u32);
                out.extend_from_slice(change);
            }
        }
        out.extend_from_slice(&self.data);
        out.into()
    }

    /// Reads an entry back.
    pub fn decode_body(index: u64, term: u64, body: &Bytes) -> Result<Entry, ConsensusError> {
        let damaged = || ConsensusError::Corrupt(format!("entry {index}"));
        match (body.first(), body.get(1)) {
            (Some(&BODY_VERSION), Some(&BODY_NORMAL)) => {
                Ok(Entry { index, term, kind: EntryKind::Normal, data: body.slice(2..) })
            }
            (Some(&BODY_VERSION), Some(&BODY_CHANGE)) => {
                let len: [u8; 4] =
                    body.get(2..6).and_then(|b| b.try_into().ok()).ok_or_else(damaged)?;
                let end = 6usize.saturating_add(u32::from_le_bytes(len) as usize);
                if end > body.len() {
                    return Err(damaged());
                }
                let kind = EntryKind::Change(body.slice(6..end));
                Ok(Entry { index, term, kind, data: body.slice(end..) })
            }
            _ => Err(damaged()),
        }
    }

    pub(crate) fn from_raft(entry: eraftpb::Entry) -> Entry {
        let is_change = entry.get_entry_type() != eraftpb::EntryType::EntryNormal;
        let (kind, data) = if is_change {
            (EntryKind::Change(entry.data), entry.context)
        } else {
            (EntryKind::Normal, entry.data)
        };
        Entry { index: entry.index, term: entry.term, kind, data }
    }

    pub(crate) fn into_raft(self) -> eraftpb::Entry {
        let (index, term) = (self.index, self.term);
        let mut entry = eraftpb::Entry { index, term, ..eraftpb::Entry::default() };
        match self.kind {
            EntryKind::Normal => entry.data = self.data,
            EntryKind::Change(change) => {
                entry.set_entry_type(eraftpb::EntryType::EntryConfChangeV2);
                entry.data = change;
                entry.context = self.data;
            }
        }
        entry
    }
}

/// Term, vote and commit of a replica: on disk before any answer that rests on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// The term.
    pub term: u64,
    /// The replica voted for in it, 0 for none.
    pub vote: u64,
    /// Everything up to here is committed; may lag.
    pub commit: u64,
}

const HARD_STATE_VERSION: u8 = 1;

impl HardState {
    /// Version, then three little-endian numbers.
    pub fn encode(&self) -> [u8; 25] {
        let mut out = [HARD_STATE_VERSION; 25];
        out[1..9].copy_from_slice(&self.term.to_le_bytes());
        out[9..17].copy_from_slice(&self.vote.to_le_bytes());
        out[17..].copy_from_slice(&self.commit.to_le_bytes());
        out
    }

    /// Reads it back.
    pub fn decode(bytes: &[u8]) -> Result<HardState, ConsensusError> {
        if bytes.len() != 25 || bytes[0] != HARD_STATE_VERSION {
            return Err(ConsensusError::Corrupt("hard state".to_string()));
        }
        let at = |i: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[i..i + 8]);
            u64::from_le_bytes(number)
        };
        Ok(HardState { term: at(1), vote: at(9), commit: at(17) })
    }

    pub(crate) fn to_raft(self) -> eraftpb::HardState {
        let HardState { term, vote, commit } = self;
        eraftpb::HardState { term, vote, commit, ..eraftpb::HardState::default() }
    }

    pub(crate) fn from_raft(state: &eraftpb::HardState) -> HardState {
        HardState { term: state.term, vote: state.vote, commit: state.commit }
    }
}

/// Everything a replica starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupState {
    /// As last persisted.
    pub hard_state: HardState,
    /// Index and term of the last entry that is not in the log any more.
    pub truncated: (u64, u64),
    /// Index and term of the last entry.
    pub last: (u64, u64),
    /// The members as of `applied`.
    pub membership: Membership,
    /// The state machine holds everything up to this index.
    pub applied: u64,
}

impl GroupState {
    /// The state in which every replica of a newly created group starts. Its log begins behind an
    /// imaginary prefix, so that a replica that starts from nothing needs a snapshot.
    pub fn initial(membership: Membership) -> GroupState {
        let start = (GroupState::INITIAL_INDEX, GroupState::INITIAL_TERM);
        GroupState {
            hard_state: HardState { term: start.1, vote: 0, commit: start.0 },
            truncated: start,
            last: start,
            membership,
            applied: start.0,
        }
    }

    /// Index of the imaginary last entry before the log of a new group.
    pub const INITIAL_INDEX: u64 = 10;
    /// Its term; the first leader's is one higher or more.
    pub const INITIAL_TERM: u64 = 5;
}

/// What a snapshot contains, without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// The state machine as of this entry.
    pub index: u64,
    /// The entry's term.
    pub term: u64,
    /// The members as of this entry.
    pub membership: Membership,
}

/// Reads entries that are no longer in memory.
pub trait LogReader: Send {
    /// Entries `low..high`, at least one, then until `bytes_max` is exceeded.
    fn entries(&self, low: u64, high: u64, bytes_max: u64) -> Result<Vec<Entry>, ConsensusError>;
    /// The term of an entry, `None` when it is not there.
    fn term(&self, index: u64) -> Result<Option<u64>, ConsensusError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_the_disk() {
        for kind in [EntryKind::Normal, EntryKind::Change(Bytes::from_static(b"change"))] {
            let entry = Entry { index: 3, term: 2, kind, data: Bytes::from_static(b"data") };
            let body = entry.encode_body();
            assert_eq!(Entry::decode_body(3, 2, &body), Ok(entry));
        }
        for body in [&b""[..], b"\x01", b"\x02\x00", b"\x01\x01\xff\xff\xff\xffx"] {
            assert!(Entry::decode_body(1, 1, &Bytes::from_static(body)).is_err());
        }
    }

    #[test]
    fn hard_state_survives_the_disk() {
        let state = HardState { term: 1, vote: 2, commit: u64::MAX };
        assert_eq!(HardState::decode(&state.encode()), Ok(state));
        assert!(HardState::decode(b"x").is_err());
    }
}
