//! Reads of single keys.

use super::layout::{split_version_key, version_key};
use super::version::{RawVersion, Version};
use crate::{Iter, Keyspace, Snapshot, StorageResult};
use base::{Key, Span, Timestamp};

/// The newest version at or below `at`, tombstones included.
pub fn get(snapshot: &Snapshot, key: &Key, at: Timestamp) -> StorageResult<Option<Version>> {
    Reader::new(snapshot).get(key, at)
}

/// The newest version of all.
pub fn newest(snapshot: &Snapshot, key: &Key) -> StorageResult<Option<Version>> {
    get(snapshot, key, Timestamp::MAX)
}

/// All versions above `above`, newest first.
pub fn versions(snapshot: &Snapshot, key: &Key, above: Timestamp) -> StorageResult<Vec<Version>> {
    Reader::new(snapshot).versions(key, above)
}

/// Reads one key after another with one iterator, which saves most of a read's cost.
pub struct Reader {
    iter: Iter,
    target: Vec<u8>,
}

impl Reader {
    /// Reads what the snapshot shows.
    pub fn new(snapshot: &Snapshot) -> Reader {
        Reader { iter: snapshot.point_iter(), target: Vec::new() }
    }

    /// The newest version of the key at or below `at`, tombstones included.
    pub fn get(&mut self, key: &[u8], at: Timestamp) -> StorageResult<Option<Version>> {
        version_key(&mut self.target, key, at);
        if !self.iter.seek(&self.target)? {
            return Ok(None);
        }
        let (found, ts) = split_version_key(self.iter.key())?;
        if found != key {
            return Ok(None);
        }
        RawVersion::parse(self.iter.value()).map(|raw| Some(raw.to_version(ts)))
    }

    /// All versions of the key above `above`, newest first.
    pub fn versions(&mut self, key: &[u8], above: Timestamp) -> StorageResult<Vec<Version>> {
        version_key(&mut self.target, key, Timestamp::MAX);
        let mut out = Vec::new();
        let mut is_valid = self.iter.seek(&self.target)?;
        while is_valid {
            let (found, ts) = split_version_key(self.iter.key())?;
            if found != key || ts <= above {
                break;
            }
            out.push(RawVersion::parse(self.iter.value())?.to_version(ts));
            is_valid = self.iter.next()?;
        }
        Ok(out)
    }
}

/// A key of the span with a version in `(above, at_most]`, and that version's timestamp; `None`
/// proves that a read of the span gives the same at both timestamps.
pub fn any_newer(
    snapshot: &Snapshot,
    span: &Span,
    above: Timestamp,
    at_most: Timestamp,
) -> StorageResult<Option<(Key, Timestamp)>> {
    if span.is_empty() || at_most <= above {
        return Ok(None);
    }
    let mut iter = snapshot.iter(Keyspace::Data, &span.start, &span.end);
    let mut target = Vec::new();
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        let (key, ts) = split_version_key(iter.key())?;
        if ts > at_most {
            version_key(&mut target, key, at_most);
            is_valid = iter.seek(&target)?;
        } else if ts > above {
            return Ok(Some((Key::copy_from(key), ts)));
        } else {
            is_valid = next_key(&mut iter, &mut target)?;
        }
    }
    Ok(None)
}

/// Goes to the first version of the next key. `scratch` is overwritten.
pub(super) fn next_key(iter: &mut Iter, scratch: &mut Vec<u8>) -> StorageResult<bool> {
    let (key, _) = split_version_key(iter.key())?;
    scratch.clear();
    scratch.extend_from_slice(key);
    for _ in 0..super::scan::STEPS_BEFORE_SEEK {
        if !iter.next()? {
            return Ok(false);
        }
        if split_version_key(iter.key())?.0 != &scratch[..] {
            return Ok(true);
        }
    }
    // Behind the key's oldest possible version.
    scratch.extend_from_slice(&[0xff; super::layout::TIMESTAMP_LEN]);
    scratch.push(0);
    iter.seek(scratch)
}
