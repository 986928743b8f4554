//! Removes versions that no snapshot at or above a safe point can see.

use super::layout::split_version_key;
use super::version::RawVersion;
use crate::{Keyspace, Snapshot, StorageResult, WriteBatch};
use base::{Key, Span, Timestamp};

/// Versions that one round looks at: it is short where there is little to remove, too.
const VISITED_MAX: usize = 16_384;

/// One round of collection over a span: finds up to about `limit` versions that are superseded at
/// the safe point and returns a batch that removes them, and the key from which the next round goes
/// on (`None`: the span is done). A round may find nothing and have a next one all the same.
///
/// A key's newest version at or below the safe point stays, unless it is a tombstone: that goes
/// together with everything older, never before it.
pub fn collect(
    snapshot: &Snapshot,
    span: &Span,
    safe_point: Timestamp,
    resume: Option<Key>,
    limit: usize,
) -> StorageResult<(WriteBatch, Option<Key>)> {
    let start = resume.unwrap_or_default().max(span.start.clone());
    let mut batch = WriteBatch::new();
    if start >= span.end {
        return Ok((batch, None));
    }
    let mut iter = snapshot.iter(Keyspace::Data, &start, &span.end);
    let mut current = Current::default();
    let mut is_valid = iter.seek_to_first()?;
    let mut visited = 0;
    while is_valid {
        visited += 1;
        let (key, ts) = split_version_key(iter.key())?;
        if !current.is(key) {
            current.finish(&mut batch);
            if batch.len() >= limit || visited > VISITED_MAX {
                return Ok((batch, Some(Key::copy_from(key))));
            }
            current.start(key);
        } else if batch.len() >= limit {
            // In the middle of a key: its tombstone, if any, waits until the rest is gone.
            return Ok((batch, Some(Key::copy_from(key))));
        }
        if ts <= safe_point {
            let is_tombstone = RawVersion::parse(iter.value())?.value.is_none();
            current.take(iter.key(), is_tombstone, &mut batch);
        }
        is_valid = iter.next()?;
    }
    current.finish(&mut batch);
    Ok((batch, None))
}

/// The key under examination.
#[derive(Default)]
struct Current {
    key: Option<Vec<u8>>,
    /// A version at or below the safe point has been seen: older ones are invisible.
    is_settled: bool,
    /// The version that settled it, if it is a tombstone: removed last.
    tombstone: Option<Vec<u8>>,
}

impl Current {
    fn is(&self, key: &[u8]) -> bool {
        self.key.as_deref() == Some(key)
    }

    fn start(&mut self, key: &[u8]) {
        self.key = Some(key.to_vec());
        self.is_settled = false;
        self.tombstone = None;
    }

    /// The next version at or below the safe point, newest first.
    fn take(&mut self, entry_key: &[u8], is_tombstone: bool, batch: &mut WriteBatch) {
        if self.is_settled {
            batch.delete(Keyspace::Data, entry_key);
            return;
        }
        self.is_settled = true;
        self.tombstone = is_tombstone.then(|| entry_key.to_vec());
    }

    /// All versions of the key have been seen.
    fn finish(&mut self, batch: &mut WriteBatch) {
        if let Some(entry_key) = self.tombstone.take() {
            batch.delete(Keyspace::Data, &entry_key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::put_version;
    use crate::{Durability, Engine, MemDisk};

    #[test]
    fn a_round_ends_where_there_is_nothing_to_remove() {
        let engine = Engine::in_memory(MemDisk::new());
        let mut batch = WriteBatch::new();
        let key = |i: usize| Key::copy_from(format!("k{i:06}").as_bytes());
        for i in 0..=VISITED_MAX {
            put_version(&mut batch, &key(i), Timestamp(5), Some(b"v"), None);
        }
        engine.write(batch, Durability::Buffered).expect("writes");
        let (snapshot, all) = (engine.snapshot(), Span::all());
        let round = |resume| collect(&snapshot, &all, Timestamp(9), resume, 10).expect("collects");
        let (batch, next) = round(None);
        assert_eq!((batch.len(), &next), (0, &Some(key(VISITED_MAX))));
        assert_eq!(round(next).1, None);
    }
}
