//! The same random work on RocksDB and on the engine in memory, through crashes and reopenings:
//! both must show the same at every moment.
//!
//! A crash of the machine is made by cutting RocksDB's write-ahead log anywhere behind the last sync
//! (closing flushes nothing: what is not in a file already lives in the log alone). A counter in every batch tells which batches survived; they
//! must be all synced ones and a prefix of the rest, and the simulated disk is told to keep as many.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use storage::{Durability, Engine, EngineOptions, Iter, Keyspace, MemDisk, Snapshot, WriteBatch};

const COUNTER: &[u8] = b"~counter";

#[derive(Clone, Debug)]
enum Op {
    Write(Vec<(Keyspace, BatchOp)>, bool),
    Sync,
    Snapshot,
    Release,
    Flush,
    /// Walks an iterator of the engine (or of the oldest snapshot) in both.
    Walk {
        keyspace: Keyspace,
        lower: Vec<u8>,
        upper: Vec<u8>,
        pinned: bool,
        steps: Vec<Step>,
    },
    /// Reads single keys of the engine (or of the oldest snapshot) in both.
    Get {
        keyspace: Keyspace,
        keys: Vec<Vec<u8>>,
        pinned: bool,
    },
    /// The process ends and starts again.
    Reopen,
    /// The machine ends; the log keeps this share of its unsynced tail.
    Crash(f64),
}

#[derive(Clone, Debug)]
enum BatchOp {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

#[derive(Clone, Debug)]
enum Step {
    First,
    Last,
    Seek(Vec<u8>),
    SeekForPrev(Vec<u8>),
    Next,
    Prev,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(vec![0u8, b'a', b'b', 0xff]), 0..4),
        prop::collection::vec(prop::sample::select(vec![0u8, b'a', 0xff]), 9..11),
    ]
}

fn keyspace() -> impl Strategy<Value = Keyspace> {
    prop::sample::select(Keyspace::ALL.to_vec())
}

fn batch_op() -> impl Strategy<Value = BatchOp> {
    prop_oneof![
        6 => (key(), prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(k, v)| BatchOp::Put(k, v)),
        2 => key().prop_map(BatchOp::Delete),
        1 => (key(), key()).prop_map(|(a, b)| BatchOp::DeleteRange(a, b)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::First),
        1 => Just(Step::Last),
        2 => key().prop_map(Step::Seek),
        2 => key().prop_map(Step::SeekForPrev),
        4 => Just(Step::Next),
        4 => Just(Step::Prev),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let writes = prop::collection::vec((keyspace(), batch_op()), 1..6);
    prop_oneof![
        12 => (writes, prop::bool::weighted(0.2)).prop_map(|(ops, synced)| Op::Write(ops, synced)),
        1 => Just(Op::Sync),
        2 => Just(Op::Snapshot),
        1 => Just(Op::Release),
        1 => Just(Op::Flush),
        6 => (keyspace(), key(), key(), any::<bool>(), prop::collection::vec(step(), 1..12))
            .prop_map(|(keyspace, lower, upper, pinned, steps)| Op::Walk {
                keyspace, lower, upper, pinned, steps
            }),
        4 => (keyspace(), prop::collection::vec(key(), 1..6), any::<bool>())
            .prop_map(|(keyspace, keys, pinned)| Op::Get { keyspace, keys, pinned }),
        1 => Just(Op::Reopen),
        1 => (0.0..1.0f64).prop_map(Op::Crash),
    ]
}

/// Both engines and what is known about the files of RocksDB.
struct Pair {
    root: tempfile::TempDir,
    rocks: Option<Engine>,
    disk: MemDisk,
    memory: Engine,
    snapshots: Vec<(Snapshot, Snapshot)>,
    written: u64,
    synced: u64,
    synced_logs: BTreeMap<PathBuf, u64>,
}

impl Pair {
    fn new() -> Pair {
        let root = tempfile::tempdir().expect("temporary directory");
        let disk = MemDisk::new();
        let mut pair = Pair {
            root,
            rocks: None,
            memory: Engine::in_memory(disk.clone()),
            disk,
            snapshots: Vec::new(),
            written: 0,
            synced: 0,
            synced_logs: BTreeMap::new(),
        };
        pair.open();
        pair
    }

    fn rocks(&self) -> &Engine {
        self.rocks.as_ref().expect("open")
    }

    fn open(&mut self) {
        self.rocks = Some(Engine::open(self.root.path(), &options()).expect("opens"));
        self.memory = Engine::in_memory(self.disk.clone());
        self.mark_synced();
    }

    fn mark_synced(&mut self) {
        self.synced = self.written;
        self.synced_logs = logs(self.root.path()).into_iter().collect();
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Write(ops, synced) => self.write(&ops, synced),
            Op::Sync => self.sync(),
            Op::Snapshot => {
                self.snapshots.push((self.rocks().snapshot(), self.memory.snapshot()));
            }
            Op::Release => drop(self.snapshots.pop()),
            Op::Flush => {
                self.sync();
                Keyspace::ALL.iter().for_each(|ks| self.rocks().compact(*ks, &[], &[]));
                self.mark_synced();
            }
            Op::Walk { keyspace, lower, upper, pinned, steps } => {
                self.walk(keyspace, &lower, &upper, pinned, &steps);
            }
            Op::Get { keyspace, keys, pinned } => self.get(keyspace, &keys, pinned),
            Op::Reopen => self.reopen(),
            Op::Crash(share) => self.crash(share),
        }
    }

    fn write(&mut self, ops: &[(Keyspace, BatchOp)], synced: bool) {
        let mut batch = WriteBatch::new();
        for (keyspace, op) in ops {
            match op {
                BatchOp::Put(key, value) => batch.put(*keyspace, key, value),
                BatchOp::Delete(key) => batch.delete(*keyspace, key),
                BatchOp::DeleteRange(lower, upper) => batch.delete_range(*keyspace, lower, upper),
            }
        }
        self.written += 1;
        batch.put(Keyspace::Local, COUNTER, &self.written.to_le_bytes());
        let durability = if synced { Durability::Synced } else { Durability::Buffered };
        self.rocks().write(batch.clone(), durability).expect("rocks writes");
        self.memory.write(batch, durability).expect("memory writes");
        if synced {
            self.mark_synced();
        }
    }

    fn sync(&mut self) {
        self.rocks().sync().expect("rocks syncs");
        self.memory.sync().expect("memory syncs");
        self.mark_synced();
    }

    fn walk(&self, keyspace: Keyspace, lower: &[u8], upper: &[u8], pinned: bool, steps: &[Step]) {
        let (mut left, mut right) = match self.snapshots.first().filter(|_| pinned) {
            Some((rocks, memory)) => {
                (rocks.iter(keyspace, lower, upper), memory.iter(keyspace, lower, upper))
            }
            None => (
                self.rocks().iter(keyspace, lower, upper),
                self.memory.iter(keyspace, lower, upper),
            ),
        };
        for step in steps {
            let found = apply(&mut left, step);
            assert_eq!(found, apply(&mut right, step), "{step:?}");
            assert_eq!((left.valid(), left.key()), (right.valid(), right.key()), "{step:?}");
            assert_eq!(left.value(), right.value(), "{step:?}");
            assert!(!left.valid() || lower <= left.key());
        }
    }

    fn get(&self, keyspace: Keyspace, keys: &[Vec<u8>], pinned: bool) {
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let all = |view: &Snapshot| view.multi_get(keyspace, &keys).expect("reads");
        if let Some((rocks, memory)) = self.snapshots.first().filter(|_| pinned) {
            return assert_eq!(all(rocks), all(memory), "{keys:?}");
        }
        assert_eq!(all(&self.rocks().snapshot()), all(&self.memory.snapshot()), "{keys:?}");
        let one = |engine: &Engine, key| engine.get(keyspace, key).expect("reads");
        for key in keys {
            assert_eq!(one(self.rocks(), key), one(&self.memory, key), "{key:?}");
        }
    }

    fn reopen(&mut self) {
        self.snapshots.clear();
        self.rocks = None;
        self.open();
        self.compare();
    }

    fn crash(&mut self, share: f64) {
        self.snapshots.clear();
        self.rocks = None;
        let directory = self.root.path().to_path_buf();
        for (name, length) in logs(&directory) {
            let kept = self.synced_logs.get(&name).copied().unwrap_or(0).min(length);
            let kept = kept + ((length - kept) as f64 * share) as u64;
            let file = fs::OpenOptions::new().write(true).open(directory.join(&name)).expect("log");
            file.set_len(kept).expect("cut");
        }
        let rocks = Engine::open(&directory, &options()).expect("opens after a crash");
        let counter = rocks.get(Keyspace::Local, COUNTER).expect("reads");
        let survived =
            counter.map_or(0, |bytes| u64::from_le_bytes(bytes[..].try_into().expect("8 bytes")));
        assert!(survived >= self.synced, "{survived} of {} synced batches", self.synced);
        let lost = (self.written - survived) as usize;
        self.disk.crash(self.disk.unsynced() - lost);
        self.memory = Engine::in_memory(self.disk.clone());
        self.written = survived;
        self.rocks = Some(rocks);
        self.mark_synced();
        self.compare();
    }

    fn compare(&self) {
        for keyspace in Keyspace::ALL {
            assert_eq!(
                contents(self.rocks().iter(keyspace, &[], &[])),
                contents(self.memory.iter(keyspace, &[], &[])),
                "{keyspace:?}"
            );
        }
    }
}

fn options() -> EngineOptions {
    EngineOptions { cache_bytes: 1 << 20, ..EngineOptions::default() }
}

fn apply(iter: &mut Iter, step: &Step) -> bool {
    match step {
        Step::First => iter.seek_to_first(),
        Step::Last => iter.seek_to_last(),
        Step::Seek(key) => iter.seek(key),
        Step::SeekForPrev(key) => iter.seek_for_prev(key),
        Step::Next => iter.next(),
        Step::Prev => iter.prev(),
    }
    .expect("a healthy iterator")
}

fn contents(mut iter: Iter) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut out = Vec::new();
    let mut is_valid = iter.seek_to_first().expect("iterates");
    while is_valid {
        out.push((iter.key().to_vec(), iter.value().to_vec()));
        is_valid = iter.next().expect("iterates");
    }
    out
}

/// The write-ahead logs below a data directory, relative to it, with their lengths.
fn logs(directory: &Path) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(directory.join("store")).expect("store");
    let files = entries.map(|entry| entry.expect("entry"));
    files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "log"))
        .map(|file| {
            (Path::new("store").join(file.file_name()), file.metadata().expect("metadata").len())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn rocks_and_memory_show_the_same(ops in prop::collection::vec(op(), 1..80)) {
        let mut pair = Pair::new();
        for op in ops {
            pair.run(op);
        }
        pair.compare();
        pair.crash(0.5);
        pair.reopen();
    }
}
