//! Counts what is stored, for people who look into a range.

use super::layout::{INTENT, lock_bounds};
use crate::{Keyspace, Snapshot, StorageResult};
use base::Span;
use base::api::stats::StoredCounts;

/// Versions and intents in a span. Reads all of them.
pub fn count(snapshot: &Snapshot, span: &Span) -> StorageResult<StoredCounts> {
    if span.is_empty() {
        return Ok(StoredCounts::default());
    }
    let (lower, upper) = lock_bounds(INTENT, span);
    Ok(StoredCounts {
        versions: entries(snapshot, Keyspace::Data, &span.start, &span.end)?,
        intents: entries(snapshot, Keyspace::Locks, &lower, &upper)?,
    })
}

fn entries(
    snapshot: &Snapshot,
    keyspace: Keyspace,
    lower: &[u8],
    upper: &[u8],
) -> StorageResult<u64> {
    let mut iter = snapshot.iter(keyspace, lower, upper);
    let mut count = 0;
    let mut is_valid = iter.seek_to_first()?;
    while is_valid {
        count += 1;
        is_valid = iter.next()?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::{Intent, TxnRecord, put_intent, put_record, put_version};
    use crate::{Durability, Engine, MemDisk, WriteBatch};
    use base::api::{TxnAnchor, TxnStatus, WriteOp};
    use base::{Key, NodeId, Timestamp, TxnId};

    #[test]
    fn versions_and_intents_of_the_span_are_counted_and_nothing_else() {
        let engine = Engine::in_memory(MemDisk::new());
        let key = |name: &str| Key::from(name.as_bytes().to_vec());
        let anchor = TxnAnchor { txn: TxnId::new(NodeId(1), 1), anchor: key("b") };
        let mut batch = WriteBatch::new();
        for name in ["a", "b", "c", "d"] {
            for ts in 1..=3 {
                let value = (ts > 1).then_some(&b"value"[..]);
                put_version(&mut batch, &key(name), Timestamp(ts), value, None);
            }
            let op = WriteOp::Delete;
            let intent = Intent { anchor: anchor.clone(), ts: Timestamp(9), op };
            put_intent(&mut batch, &key(name), &intent);
        }
        let record = TxnRecord {
            status: TxnStatus::Pending,
            heartbeat: Timestamp(9),
            min_commit_ts: Timestamp(0),
            keys: Vec::new(),
            spans: Vec::new(),
        };
        put_record(&mut batch, &anchor, &record);
        engine.write(batch, Durability::Synced).expect("write");
        let counts = count(&engine.snapshot(), &Span::new(key("b"), key("d"))).expect("counts");
        assert_eq!(counts, StoredCounts { versions: 6, intents: 2 });
        let nothing = count(&engine.snapshot(), &Span::new(key("d"), key("b"))).expect("counts");
        assert_eq!(nothing, StoredCounts::default());
    }
}
