//! The timestamp cache against a list of all reads: never lower than the truth, and exactly the truth
//! as long as nothing had to be forgotten.

use base::{Key, NodeId, Span, Timestamp, TxnId};
use proptest::prelude::*;
use shard::ts_cache::TsCache;

#[derive(Clone, Debug)]
struct Read {
    span: Span,
    is_key: bool,
    ts: Timestamp,
    owner: Option<TxnId>,
}

fn txn() -> impl Strategy<Value = Option<TxnId>> {
    proptest::option::of((1u64..4).prop_map(|unique| TxnId::new(NodeId(1), unique)))
}

fn key() -> impl Strategy<Value = Key> {
    (0u8..8).prop_map(|byte| Key::copy_from(&[b'a' + byte]))
}

fn read() -> impl Strategy<Value = Read> {
    (key(), key(), any::<bool>(), 1u64..30, txn()).prop_map(|(a, b, is_key, ts, owner)| {
        let span = if is_key { Span::point(a) } else { Span::new(a, b) };
        Read { span, is_key, ts: Timestamp(ts), owner }
    })
}

/// What a write of `txn` to the key has to exceed, from first principles.
fn truth(reads: &[Read], low_water: Timestamp, key: &Key, txn: Option<TxnId>) -> Timestamp {
    let seen = reads.iter().filter(|read| read.span.contains(key) && read.ts > low_water);
    let highest = seen.clone().map(|read| read.ts).max().unwrap_or(low_water);
    let mut owners = seen.filter(|read| read.ts == highest).map(|read| read.owner);
    let is_own = highest > low_water && txn.is_some() && owners.all(|owner| owner == txn);
    if is_own { highest.prev() } else { highest }
}

fn record(cache: &mut TsCache, read: &Read) {
    match read.is_key {
        true => cache.read_key(&read.span.start, read.ts, read.owner),
        false => cache.read_span(&read.span, read.ts, read.owner),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn is_exact_within_its_memory(
        reads in proptest::collection::vec(read(), 0..40),
        low_water in 0u64..10,
        asked in proptest::collection::vec((key(), txn()), 1..20),
    ) {
        let low_water = Timestamp(low_water);
        let mut cache = TsCache::new(low_water, 1 << 20);
        reads.iter().for_each(|read| record(&mut cache, read));
        for (key, txn) in asked {
            prop_assert_eq!(cache.floor(&key, txn), truth(&reads, low_water, &key, txn));
        }
    }

    #[test]
    fn never_forgets_a_read(
        reads in proptest::collection::vec(read(), 0..80),
        weight_max in 100usize..2_000,
        reset in proptest::option::of((0usize..80, 0u64..40)),
    ) {
        let mut cache = TsCache::new(Timestamp::ZERO, weight_max);
        for (i, read) in reads.iter().enumerate() {
            if let Some((at, low_water)) = reset
                && at == i
            {
                cache.reset(Timestamp(low_water));
                prop_assert!(cache.low_water() >= Timestamp(low_water));
            }
            record(&mut cache, read);
            for byte in b'a'..=b'i' {
                let key = Key::copy_from(&[byte]);
                let truth = truth(&reads[..=i], Timestamp::ZERO, &key, None);
                prop_assert!(cache.floor(&key, None) >= truth);
            }
        }
    }
}
