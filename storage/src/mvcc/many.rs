//! Reads of many keys at once. Ascending keys share one iterator that walks on from one to the
//! next, so that keys in a stretch without entries cost a comparison each.

use super::layout::{INTENT, intent_key, lock_bounds, split_version_key, version_key};
use super::locks::{Intent, intent};
use super::point::Reader;
use super::version::{RawVersion, Version};
use crate::{Iter, Keyspace, Snapshot, StorageResult};
use base::codec::from_message;
use base::{Key, Span, Timestamp};

/// Fewer keys than this are read one by one, which filters make cheap.
const WALK_KEYS_MIN: usize = 16;

/// The newest committed version under each key, in the order of the keys.
pub fn newest_of(snapshot: &Snapshot, keys: &[&Key]) -> StorageResult<Vec<Option<Version>>> {
    let Some(span) = walked(keys) else {
        let mut reader = Reader::new(snapshot);
        return keys.iter().map(|key| reader.get(key, Timestamp::MAX)).collect();
    };
    let mut walk = Walk::new(snapshot.iter(Keyspace::Data, &span.start, &span.end))?;
    let mut target = Vec::new();
    let mut out = Vec::with_capacity(keys.len());
    for key in keys {
        version_key(&mut target, key, Timestamp::MAX);
        let mut found = None;
        if walk.to(&target)? {
            let (at, ts) = split_version_key(walk.iter.key())?;
            if at == &key[..] {
                found = Some(RawVersion::parse(walk.iter.value())?.to_version(ts));
            }
        }
        out.push(found);
    }
    Ok(out)
}

/// The intent under each key, in the order of the keys.
pub fn intents_of(snapshot: &Snapshot, keys: &[&Key]) -> StorageResult<Vec<Option<Intent>>> {
    let Some(span) = walked(keys) else {
        return keys.iter().map(|key| intent(snapshot, key)).collect();
    };
    let (lower, upper) = lock_bounds(INTENT, &span);
    let mut walk = Walk::new(snapshot.iter(Keyspace::Locks, &lower, &upper))?;
    let mut out = Vec::with_capacity(keys.len());
    for key in keys {
        let target = intent_key(key);
        let is_there = walk.to(&target)? && walk.iter.key() == &target[..];
        out.push(if is_there { Some(from_message(walk.iter.value())?) } else { None });
    }
    Ok(out)
}

/// The span of keys that are worth a walk: many, and each behind the one before.
fn walked(keys: &[&Key]) -> Option<Span> {
    let is_ascending = keys.is_sorted_by(|a, b| a < b);
    match (keys.first(), keys.last()) {
        (Some(first), Some(last)) if is_ascending && keys.len() >= WALK_KEYS_MIN => {
            Some(Span::new((*first).clone(), last.after()))
        }
        _ => None,
    }
}

/// An iterator that only goes forward.
struct Walk {
    iter: Iter,
    is_valid: bool,
}

impl Walk {
    fn new(mut iter: Iter) -> StorageResult<Walk> {
        let is_valid = iter.seek_to_first()?;
        Ok(Walk { iter, is_valid })
    }

    /// Goes to the first entry at or behind the target; false at the end. The next entry is often
    /// the one, and a step is much cheaper than a seek.
    fn to(&mut self, target: &[u8]) -> StorageResult<bool> {
        if self.is_valid && self.iter.key() < target {
            self.is_valid = self.iter.next()?;
        }
        if self.is_valid && self.iter.key() < target {
            self.is_valid = self.iter.seek(target)?;
        }
        Ok(self.is_valid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::{get, put_intent, put_version};
    use crate::{Durability, Engine, MemDisk, WriteBatch};
    use base::TxnId;
    use base::api::{TxnAnchor, WriteOp};

    fn key(n: u32) -> Key {
        Key::from(format!("k{n:05}").into_bytes())
    }

    /// Keys with none, one and several versions, with and without intents.
    fn filled() -> Engine {
        let engine = Engine::in_memory(MemDisk::default());
        let mut batch = WriteBatch::new();
        for n in (0..300).filter(|n| n % 7 != 0) {
            for ts in 1..=(u64::from(n) % 4) {
                put_version(&mut batch, &key(n), Timestamp(ts), Some(b"v"), None);
            }
            if n % 5 == 0 {
                let anchor = TxnAnchor { txn: TxnId(1), anchor: key(n) };
                let intent = Intent { anchor, ts: Timestamp(9), op: WriteOp::Delete };
                put_intent(&mut batch, &key(n), &intent);
            }
        }
        engine.write(batch, Durability::Buffered).expect("writes");
        engine
    }

    #[test]
    fn many_keys_read_as_one_by_one() {
        let snapshot = filled().snapshot();
        for step in [1, 3, 11] {
            let keys: Vec<Key> = (0..330).step_by(step).map(key).collect();
            let mut refs: Vec<&Key> = keys.iter().collect();
            for _ in 0..2 {
                let newest = newest_of(&snapshot, &refs).expect("reads");
                let intents = intents_of(&snapshot, &refs).expect("reads");
                for ((key, newest), found) in refs.iter().zip(newest).zip(intents) {
                    assert_eq!(newest, get(&snapshot, key, Timestamp::MAX).expect("reads"));
                    assert_eq!(found, intent(&snapshot, key).expect("reads"));
                }
                // Out of order they are still answered, if more slowly.
                refs.reverse();
            }
        }
    }
}
