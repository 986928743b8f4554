//! One version of one key.

use super::layout::version_key;
use crate::{Keyspace, StorageError, StorageResult, WriteBatch};
use base::{Key, Timestamp};
use bytes::Bytes;

/// Layout of a version's value: version byte, flags, the requested timestamp if the flag says so
/// (u64 LE), the value if it is a put.
const LAYOUT: u8 = 1;
const FLAG_DELETE: u8 = 0x01;
const FLAG_REQUESTED: u8 = 0x02;

/// What stood under a key from a timestamp on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// When it was committed.
    pub ts: Timestamp,
    /// The value, `None` for a tombstone.
    pub value: Option<Bytes>,
    /// The commit timestamp that the coordinator had asked for, where a higher one was taken: a
    /// retried command recognises its first try by it.
    pub requested_ts: Option<Timestamp>,
}

/// Adds a version; `value` `None` is a tombstone.
pub fn put_version(
    batch: &mut WriteBatch,
    key: &Key,
    ts: Timestamp,
    value: Option<&[u8]>,
    requested_ts: Option<Timestamp>,
) {
    let (entry_key, entry) = encode_version(key, ts, value, requested_ts);
    batch.put(Keyspace::Data, &entry_key, &entry);
}

/// The key and value in [`Keyspace::Data`] of a version, for those that carry writes as bytes.
pub fn encode_version(
    key: &Key,
    ts: Timestamp,
    value: Option<&[u8]>,
    requested_ts: Option<Timestamp>,
) -> (Vec<u8>, Vec<u8>) {
    let mut entry_key = Vec::new();
    version_key(&mut entry_key, key, ts);
    let mut flags = 0;
    flags |= if value.is_none() { FLAG_DELETE } else { 0 };
    flags |= if requested_ts.is_some() { FLAG_REQUESTED } else { 0 };
    let mut entry = Vec::with_capacity(10 + value.map_or(0, <[u8]>::len));
    entry.extend_from_slice(&[LAYOUT, flags]);
    if let Some(requested) = requested_ts {
        entry.extend_from_slice(&requested.0.to_le_bytes());
    }
    entry.extend_from_slice(value.unwrap_or_default());
    (entry_key, entry)
}

/// Removes one version. Only garbage collection does.
pub fn remove_version(batch: &mut WriteBatch, key: &Key, ts: Timestamp) {
    let mut entry_key = Vec::new();
    version_key(&mut entry_key, key, ts);
    batch.delete(Keyspace::Data, &entry_key);
}

/// A version's value as it lies in the store.
#[derive(Clone, Copy)]
pub(super) struct RawVersion<'a> {
    pub(super) value: Option<&'a [u8]>,
    pub(super) requested_ts: Option<Timestamp>,
}

impl<'a> RawVersion<'a> {
    /// Reads the layout; copies nothing.
    pub(super) fn parse(entry: &'a [u8]) -> StorageResult<RawVersion<'a>> {
        let [LAYOUT, flags, rest @ ..] = entry else { return Err(malformed()) };
        if flags & !(FLAG_DELETE | FLAG_REQUESTED) != 0 {
            return Err(malformed());
        }
        let (requested_ts, value) = if flags & FLAG_REQUESTED != 0 {
            let (ts, value) = rest.split_first_chunk::<8>().ok_or_else(malformed)?;
            (Some(Timestamp(u64::from_le_bytes(*ts))), value)
        } else {
            (None, rest)
        };
        match (flags & FLAG_DELETE != 0, value) {
            (true, []) => Ok(RawVersion { value: None, requested_ts }),
            (true, _) => Err(malformed()),
            (false, value) => Ok(RawVersion { value: Some(value), requested_ts }),
        }
    }

    /// Copies it out.
    pub(super) fn to_version(self, ts: Timestamp) -> Version {
        Version {
            ts,
            value: self.value.map(Bytes::copy_from_slice),
            requested_ts: self.requested_ts,
        }
    }
}

fn malformed() -> StorageError {
    StorageError::Corrupt("malformed version".into())
}
