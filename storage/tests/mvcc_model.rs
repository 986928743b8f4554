//! MVCC against the most naive model there is, on both engines.

use base::api::{TxnAnchor, TxnStatus, WriteOp};
use base::codec::{PRESENT, put_bytes};
use base::{Key, Span, Timestamp, TxnId, layout};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;
use storage::mvcc::{self, Intent, TxnRecord, Version};
use storage::{Durability, Engine, EngineOptions, MemDisk, WriteBatch, chunks};

type Value = (Option<Vec<u8>>, Option<Timestamp>);

/// Every version of every key, by key and timestamp.
#[derive(Default, Clone)]
struct Model(BTreeMap<Key, BTreeMap<Timestamp, Value>>);

impl Model {
    fn get(&self, key: &Key, at: Timestamp) -> Option<Version> {
        let (ts, (value, requested_ts)) = self.0.get(key)?.range(..=at).next_back()?;
        Some(Version { ts: *ts, value: value.clone().map(Into::into), requested_ts: *requested_ts })
    }

    fn live(&self, span: &Span, at: Timestamp) -> Vec<(Key, Version)> {
        let keys = self.0.keys().filter(|key| span.contains(key));
        keys.filter_map(|key| Some((key.clone(), self.get(key, at)?)))
            .filter(|(_, version)| version.value.is_some())
            .collect()
    }

    fn any_newer(&self, span: &Span, above: Timestamp, at_most: Timestamp) -> bool {
        self.0
            .iter()
            .filter(|(key, _)| span.contains(key))
            .any(|(_, versions)| versions.keys().any(|ts| *ts > above && *ts <= at_most))
    }
}

fn row_key(column: &[u8]) -> Key {
    let mut key = layout::index_prefix(16384, layout::PRIMARY_INDEX);
    key.push(PRESENT);
    put_bytes(&mut key, column);
    key.into()
}

fn key() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, b'a', 0xff]), 0..3)
        .prop_map(|column| row_key(&column))
}

/// A bound: a key, one behind a key, or outside all keys.
fn bound() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => key(),
        2 => key().prop_map(|key| key.after()),
        1 => Just(Key::MIN),
        1 => Just(Key::max()),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    (bound(), bound()).prop_map(|(start, end)| Span::new(start, end))
}

fn ts() -> impl Strategy<Value = Timestamp> {
    prop_oneof![10 => (0..24u64).prop_map(Timestamp), 1 => Just(Timestamp::MAX)]
}

#[derive(Clone, Debug)]
enum Op {
    Put(Key, Timestamp, Option<Vec<u8>>, Option<Timestamp>),
    Collect(Span, Timestamp, usize),
    Get(Key, Timestamp),
    Versions(Key, Timestamp),
    AnyNewer(Span, Timestamp, Timestamp),
    Scan { span: Span, at: Timestamp, reverse: bool, pause: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..12));
    let requested = prop::option::weighted(0.2, (0..24u64).prop_map(Timestamp));
    prop_oneof![
        20 => (key(), (1..24u64).prop_map(Timestamp), value, requested)
            .prop_map(|(key, ts, value, requested)| Op::Put(key, ts, value, requested)),
        1 => (span(), ts(), 1..5usize).prop_map(|(span, ts, limit)| Op::Collect(span, ts, limit)),
        3 => (key(), ts()).prop_map(|(key, ts)| Op::Get(key, ts)),
        2 => (key(), ts()).prop_map(|(key, ts)| Op::Versions(key, ts)),
        2 => (span(), ts(), ts()).prop_map(|(span, a, b)| Op::AnyNewer(span, a, b)),
        5 => (span(), ts(), any::<bool>(), 0..6usize)
            .prop_map(|(span, at, reverse, pause)| Op::Scan { span, at, reverse, pause }),
    ]
}

fn run(engine: &Engine, model: &mut Model, safe_point: &mut Timestamp, op: &Op) {
    let snapshot = engine.snapshot();
    match op {
        Op::Put(key, ts, value, requested) => {
            let mut batch = WriteBatch::new();
            mvcc::put_version(&mut batch, key, *ts, value.as_deref(), *requested);
            engine.write(batch, Durability::Buffered).expect("writes");
            model.0.entry(key.clone()).or_default().insert(*ts, (value.clone(), *requested));
        }
        Op::Collect(span, ts, limit) => {
            collect(engine, span, *ts, *limit);
            *safe_point = (*safe_point).max(*ts);
            // The model forgets what a full collection leaves out; reads below are not compared.
            model.0 = reload(engine);
        }
        Op::Get(key, at) => {
            assert_eq!(mvcc::get(&snapshot, key, *at).expect("reads"), model.get(key, *at));
        }
        Op::Versions(key, above) => {
            let found = mvcc::versions(&snapshot, key, *above).expect("reads");
            let expected = model.0.get(key).into_iter().flatten();
            let expected: Vec<_> = expected.map(|(ts, _)| *ts).filter(|ts| ts > above).collect();
            assert!(found.iter().map(|version| version.ts).eq(expected.into_iter().rev()));
        }
        Op::AnyNewer(span, above, at_most) => {
            let found = mvcc::any_newer(&snapshot, span, *above, *at_most).expect("reads");
            assert_eq!(found.is_some(), model.any_newer(span, *above, *at_most));
            if let Some((key, ts)) = found {
                assert!(span.contains(&key) && model.0[&key].contains_key(&ts));
            }
        }
        Op::Scan { span, at, reverse, pause } => {
            let mut expected = model.live(span, *at);
            if *reverse {
                expected.reverse();
            }
            let mut scan = mvcc::Scan::new(&snapshot, span, *at, *reverse);
            let visited = visit(&mut scan, *pause);
            let pairs = |rows: &[(Key, Version)]| -> Vec<(Key, Vec<u8>)> {
                let value = |version: &Version| version.value.clone().unwrap_or_default().to_vec();
                rows.iter().map(|(key, version)| (key.clone(), value(version))).collect()
            };
            let head = expected.len().min(*pause);
            assert_eq!(visited, pairs(&expected[..head]));
            for row in &expected[head..] {
                assert_eq!(scan.next().expect("scans").as_ref(), Some(row));
            }
            assert_eq!(scan.next().expect("scans"), None);
        }
    }
}

/// Reads `count` rows through the visitor.
fn visit(scan: &mut mvcc::Scan, count: usize) -> Vec<(Key, Vec<u8>)> {
    let mut out = Vec::new();
    if count > 0 {
        let _ = scan
            .visit(&mut |key, value| {
                out.push((Key::copy_from(key), value.to_vec()));
                if out.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .expect("scans");
    }
    out
}

/// Runs a whole collection in rounds, and checks that nothing at or above the safe point changes,
/// not even between two rounds.
fn collect(engine: &Engine, span: &Span, safe_point: Timestamp, limit: usize) {
    let before = Model(reload(engine));
    let all = Span::all();
    let mut resume = None;
    for _ in 0..10_000 {
        let snapshot = engine.snapshot();
        let (batch, next) =
            mvcc::gc::collect(&snapshot, span, safe_point, resume, limit).expect("collects");
        engine.write(batch, Durability::Buffered).expect("writes");
        let after = Model(reload(engine));
        for at in (safe_point.0.min(24)..=24).map(Timestamp) {
            assert_eq!(before.live(&all, at), after.live(&all, at), "at {at}");
        }
        resume = next;
        if resume.is_none() {
            break;
        }
    }
    assert_eq!(resume, None, "collection ends");
    for (key, versions) in reload(engine).into_iter().filter(|(key, _)| span.contains(key)) {
        let mut old = versions.range(..=safe_point);
        let kept = old.next_back();
        assert!(old.next().is_none(), "{key} keeps superseded versions");
        assert!(kept.is_none_or(|(_, (value, _))| value.is_some()), "{key} keeps a tombstone");
    }
}

fn reload(engine: &Engine) -> BTreeMap<Key, BTreeMap<Timestamp, Value>> {
    let snapshot = engine.snapshot();
    let mut out: BTreeMap<Key, BTreeMap<Timestamp, Value>> = BTreeMap::new();
    let mut iter = snapshot.iter(storage::Keyspace::Data, &[], &[]);
    let mut is_valid = iter.seek_to_first().expect("iterates");
    while is_valid {
        let key = Key::copy_from(&iter.key()[..iter.key().len() - 8]);
        if let Entry::Vacant(entry) = out.entry(key.clone()) {
            let versions = mvcc::versions(&snapshot, &key, Timestamp::ZERO).expect("reads");
            let stored = |v: Version| (v.ts, (v.value.map(|value| value.to_vec()), v.requested_ts));
            entry.insert(versions.into_iter().map(stored).collect());
        }
        is_valid = iter.next().expect("iterates");
    }
    out
}

fn check(engine: &Engine, ops: &[Op]) {
    let mut model = Model::default();
    let mut safe_point = Timestamp::ZERO;
    for op in ops {
        run(engine, &mut model, &mut safe_point, op);
    }
    // Everything of a span travels in chunks, and nothing else does.
    let span = Span::new(row_key(b"\x01"), row_key(b"\xff"));
    let target = Engine::in_memory(MemDisk::new());
    for chunk in chunks::export(&engine.snapshot(), &span, 64) {
        let mut batch = WriteBatch::new();
        chunks::ingest(&mut batch, &span, &chunk.expect("exports")).expect("ingests");
        target.write(batch, Durability::Buffered).expect("writes");
    }
    model.0.retain(|key, _| span.contains(key));
    assert!(reload(&target) == model.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn memory_follows_the_model(ops in prop::collection::vec(op(), 1..120)) {
        check(&Engine::in_memory(MemDisk::new()), &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn rocks_follows_the_model(ops in prop::collection::vec(op(), 1..250)) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let engine = Engine::open(directory.path(), &EngineOptions::default()).expect("opens");
        let half = ops.len() / 2;
        let mut model = Model::default();
        let mut safe_point = Timestamp::ZERO;
        for (i, op) in ops.iter().enumerate() {
            run(&engine, &mut model, &mut safe_point, op);
            if i == half {
                // Half from files, half from memory.
                engine.compact(storage::Keyspace::Data, &[], &[]);
            }
        }
    }

    #[test]
    fn intents_and_records_return(
        writes in prop::collection::btree_map(key(), (any::<u128>(), ts(), any::<Option<Vec<u8>>>()), 0..12),
        span in span(),
    ) {
        let engine = Engine::in_memory(MemDisk::new());
        let mut batch = WriteBatch::new();
        let mut intents = Vec::new();
        let mut records = Vec::new();
        for (key, (txn, ts, value)) in writes {
            let anchor = TxnAnchor { txn: TxnId(txn), anchor: key.clone() };
            let op = value.map_or(WriteOp::Delete, |value| WriteOp::Put(value.into()));
            let intent = Intent { anchor: anchor.clone(), ts, op };
            let record = TxnRecord {
                status: TxnStatus::Staging(ts),
                heartbeat: ts,
                min_commit_ts: ts,
                keys: vec![key.clone()],
                spans: vec![Span::point(key.clone())],
            };
            mvcc::put_intent(&mut batch, &key, &intent);
            mvcc::put_record(&mut batch, &anchor, &record);
            intents.push((key, intent));
            records.push((anchor, record));
        }
        engine.write(batch, Durability::Synced).expect("writes");
        let snapshot = engine.snapshot();
        for (key, intent) in &intents {
            prop_assert_eq!(mvcc::intent(&snapshot, key).expect("reads"), Some(intent.clone()));
        }
        for (anchor, record) in &records {
            prop_assert_eq!(mvcc::record(&snapshot, anchor).expect("reads"), Some(record.clone()));
        }
        intents.retain(|(key, _)| span.contains(key));
        records.retain(|(anchor, _)| span.contains(&anchor.anchor));
        prop_assert_eq!(mvcc::intents(&snapshot, &span, 0).expect("reads"), intents);
        prop_assert_eq!(mvcc::records(&snapshot, &span, 0).expect("reads"), records);
    }
}
