//! Stats: what a replica knows about its range. Any replica answers; touches nothing.

use crate::call::Call;
use crate::replica::Replica;
use base::api::stats::{StatsRequest, StatsResponse};
use base::{Key, KvResult, Span};
use std::sync::atomic::Ordering;
use storage::{Engine, Keyspace, mvcc};

/// Below this a range is not worth splitting.
const SPLIT_BYTES_MIN: u64 = 4 << 20;
/// Halvings on the way to a key in the middle.
const BISECTIONS: usize = 40;
/// Good enough: this fraction of the bytes off the middle.
const TOLERANCE: u64 = 20;

pub(super) fn run(call: &Call, request: StatsRequest) -> KvResult<StatsResponse> {
    let mut answer = stats(&call.replica, true);
    if request.count {
        let snapshot = call.replica.env.engine.snapshot();
        answer.counts = Some(mvcc::count(&snapshot, &answer.descriptor.span)?);
    }
    Ok(answer)
}

/// `with_hint` also looks for a key to split at, which takes longer.
pub(crate) fn stats(replica: &Replica, with_hint: bool) -> StatsResponse {
    let descriptor = (*replica.replication.descriptor()).clone();
    let (term, applied) = replica.replication.progress();
    let engine = &replica.env.engine;
    let parts = mvcc::range_parts(&descriptor.span);
    let size =
        |(ks, lower, upper): &(_, Vec<u8>, Vec<u8>)| engine.approximate_bytes(*ks, lower, upper);
    let bytes = parts.iter().map(size).sum();
    let is_worth_it = with_hint && bytes >= SPLIT_BYTES_MIN;
    let split_hint = if is_worth_it { middle(engine, &descriptor.span) } else { None };
    StatsResponse {
        leader: replica.replication.leader(),
        term,
        applied,
        bytes,
        reads: replica.reads.load(Ordering::Relaxed),
        writes: replica.writes.load(Ordering::Relaxed),
        written: replica.seen(),
        has_intents: replica
            .leadership
            .serving()
            .is_some_and(|term| !replica.intents.is_zero(term)),
        safe_point: replica.safe_point(),
        split_hint,
        counts: None,
        descriptor,
    }
}

/// A key with about as many bytes before it as behind it: bisects the byte strings between the
/// first key and the last.
fn middle(engine: &Engine, span: &Span) -> Option<Key> {
    let first = edge_key(engine, span, false)?;
    let bytes = |lower: &Key, upper: &Key| engine.approximate_bytes(Keyspace::Data, lower, upper);
    let total = bytes(&span.start, &span.end);
    let (mut low, mut high) = (first.clone(), edge_key(engine, span, true)?);
    for _ in 0..BISECTIONS {
        let between = midpoint(&low, &high);
        if between <= low || between >= high {
            break;
        }
        let left = bytes(&first, &between);
        let is_near = left.abs_diff(total / 2) <= total / TOLERANCE;
        match left < total / 2 && !is_near {
            true => low = between,
            false => high = between,
        }
        if is_near {
            break;
        }
    }
    edge_key(engine, &Span::new(high, span.end.clone()), false).filter(|key| *key > first)
}

/// A byte string about halfway between two.
fn midpoint(low: &[u8], high: &[u8]) -> Key {
    let shared = low.iter().zip(high).take_while(|(a, b)| a == b).count();
    let tail = |bytes: &[u8]| {
        let mut word = [0; 8];
        let rest = bytes.get(shared..).unwrap_or_default();
        let len = rest.len().min(word.len());
        word[..len].copy_from_slice(&rest[..len]);
        u64::from_be_bytes(word)
    };
    let (a, b) = (tail(low), tail(high));
    let between = a + b.saturating_sub(a) / 2;
    let mut key = low[..shared].to_vec();
    key.extend_from_slice(&between.to_be_bytes());
    key.into()
}

/// The key of the first row in a span, or of the last.
fn edge_key(engine: &Engine, span: &Span, is_last: bool) -> Option<Key> {
    let snapshot = engine.snapshot();
    let mut scan = mvcc::Scan::new(&snapshot, span, base::Timestamp::MAX, is_last);
    scan.next().ok().flatten().map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;
    use storage::{Durability, MemDisk, WriteBatch};

    #[test]
    fn hint_lies_near_the_middle() {
        let engine = Engine::in_memory(MemDisk::new());
        let key = |row: u64| -> Key {
            let mut key = base::layout::index_prefix(20_000, 1);
            base::codec::put_i64(&mut key, row as i64);
            key.into()
        };
        let mut batch = WriteBatch::new();
        for row in 0..2_000 {
            mvcc::put_version(&mut batch, &key(row), Timestamp(9), Some(&[7; 100]), None);
        }
        engine.write(batch, Durability::Synced).expect("write");
        for span in [Span::all(), base::layout::table_span(20_000)] {
            let hint = middle(&engine, &span).expect("a hint");
            assert!(hint > key(600) && hint < key(1_400), "{hint}");
        }
        // A single row cannot be split.
        assert_eq!(middle(&engine, &Span::point(key(3))), None);
    }
}
