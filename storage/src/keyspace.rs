//! The four keyspaces of a process's store.

/// A keyspace: one column family of the engine. One write batch may touch all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Keyspace {
    /// MVCC versions of all ranges.
    Data = 1,
    /// Intents and transaction records of all ranges.
    Locks = 2,
    /// Raft logs and hard states.
    Raft = 3,
    /// What concerns this process alone: identity, descriptors, applied indexes, meta pairs.
    Local = 4,
}

impl Keyspace {
    /// Every keyspace, in the order of their bytes.
    pub const ALL: [Keyspace; 4] =
        [Keyspace::Data, Keyspace::Locks, Keyspace::Raft, Keyspace::Local];

    /// Name of the column family.
    pub fn name(self) -> &'static str {
        match self {
            Keyspace::Data => "data",
            Keyspace::Locks => "locks",
            Keyspace::Raft => "raft",
            Keyspace::Local => "local",
        }
    }
}

impl TryFrom<u8> for Keyspace {
    type Error = crate::StorageError;

    fn try_from(byte: u8) -> Result<Self, Self::Error> {
        Keyspace::ALL
            .into_iter()
            .find(|keyspace| *keyspace as u8 == byte)
            .ok_or_else(|| crate::StorageError::Corrupt(format!("keyspace {byte}")))
    }
}
