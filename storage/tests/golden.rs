//! Golden scripts under `testdata/storage`: what is stored, byte by byte, and what is read back, on
//! both engines; those under `memory` need the simulated disk.

#[path = "../../testdata/support/script.rs"]
mod script;

use base::api::{TxnAnchor, TxnStatus, WriteOp};
use base::{Key, RangeId, Span, Timestamp, TxnId};
use std::fmt::Write as _;
use std::path::Path;
use storage::mvcc::{self, Intent, TxnRecord, Version};
use storage::raft_log::{self, LogEntry};
use storage::{BatchOp, Durability, Engine, EngineOptions, Keyspace, MemDisk, WriteBatch, chunks};

struct State {
    engine: Engine,
    /// The simulated disk, if it is one.
    disk: Option<MemDisk>,
    _directory: Option<tempfile::TempDir>,
}

fn in_memory() -> State {
    let disk = MemDisk::new();
    State { engine: Engine::in_memory(disk.clone()), disk: Some(disk), _directory: None }
}

fn on_rocks() -> State {
    let directory = tempfile::tempdir().expect("temporary directory");
    let options = EngineOptions { cache_bytes: 1 << 20, ..EngineOptions::default() };
    let engine = Engine::open(directory.path(), &options).expect("opens");
    State { engine, disk: None, _directory: Some(directory) }
}

#[test]
fn scripts_in_memory() {
    run("../testdata/storage", in_memory);
    run("../testdata/storage/memory", in_memory);
}

#[test]
fn scripts_on_rocks() {
    run("../testdata/storage", on_rocks);
}

fn run(directory: &str, start: fn() -> State) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    script::run_all(&directory, start, |state, words| {
        let result = match words[0] {
            "append" | "truncate" | "reset" | "destroy" | "hard" | "log" | "load" | "groups" => {
                state.raft(words)
            }
            "sync" | "crash" | "dump" | "export" => state.disk(words),
            _ => state.mvcc(words),
        };
        result.unwrap_or_else(|error| format!("error: {error}"))
    });
}

type Answer = storage::StorageResult<String>;

impl State {
    fn mvcc(&mut self, words: &[&str]) -> Answer {
        let snapshot = self.engine.snapshot();
        let mut batch = WriteBatch::new();
        let mut out = String::new();
        match words {
            ["put", name, at, value, rest @ ..] => {
                let value = (*value != "-").then_some(value.as_bytes());
                let requested = rest.first().map(|text| ts(text));
                mvcc::put_version(&mut batch, &key(name), ts(at), value, requested);
            }
            ["get", name, at] => {
                let found = mvcc::get(&snapshot, &key(name), ts(at))?;
                out = found.map_or("nothing".into(), |version| show(&version));
            }
            ["versions", name, above] => {
                for version in mvcc::versions(&snapshot, &key(name), ts(above))? {
                    let _ = writeln!(out, "{}", show(&version));
                }
            }
            ["newer", from, to, above, at_most] => {
                let found = mvcc::any_newer(&snapshot, &span(from, to), ts(above), ts(at_most))?;
                out =
                    found.map_or("none".into(), |(key, ts)| format!("{} at {}", text(&key), ts.0));
            }
            ["scan", from, to, at, rest @ ..] => {
                let reverse = rest.first() == Some(&"reverse");
                let mut scan = mvcc::Scan::new(&snapshot, &span(from, to), ts(at), reverse);
                while let Some((key, version)) = scan.next()? {
                    let _ = writeln!(out, "{} = {}", text(&key), show(&version));
                }
            }
            ["gc", from, to, safe_point, limit] => {
                let limit = limit.parse().expect("limit");
                let span = span(from, to);
                let (removals, resume) =
                    mvcc::gc::collect(&snapshot, &span, ts(safe_point), None, limit)?;
                out = show_batch(&removals);
                let _ = writeln!(out, "resume: {}", resume.map_or("-".into(), |key| text(&key)));
                batch = removals;
            }
            ["intent", name, txn, anchor, at, value] => {
                let op = match *value {
                    "-" => WriteOp::Delete,
                    "?" => WriteOp::Check,
                    value => WriteOp::Put(value.as_bytes().to_vec().into()),
                };
                let intent = Intent { anchor: anchor_of(txn, anchor), ts: ts(at), op };
                mvcc::put_intent(&mut batch, &key(name), &intent);
            }
            ["resolve", name] => mvcc::remove_intent(&mut batch, &key(name)),
            ["intents", from, to] => {
                for (key, intent) in mvcc::intents(&snapshot, &span(from, to), 0)? {
                    let _ = writeln!(out, "{}: {intent:?}", text(&key));
                }
            }
            ["stage", txn, anchor, at, keys @ ..] => {
                let record = TxnRecord {
                    status: TxnStatus::Staging(ts(at)),
                    heartbeat: ts(at),
                    min_commit_ts: Timestamp::ZERO,
                    keys: keys.iter().map(|name| key(name)).collect(),
                    spans: Vec::new(),
                };
                mvcc::put_record(&mut batch, &anchor_of(txn, anchor), &record);
            }
            ["record", txn, anchor] => {
                out = format!("{:?}", mvcc::record(&snapshot, &anchor_of(txn, anchor))?);
            }
            ["forget", txn, anchor] => mvcc::remove_record(&mut batch, &anchor_of(txn, anchor)),
            ["clear", from, to] => mvcc::clear(&mut batch, &span(from, to)),
            _ => panic!("unknown command {words:?}"),
        }
        self.write(batch)?;
        Ok(out)
    }

    fn raft(&mut self, words: &[&str]) -> Answer {
        let number = |text: &str| text.parse::<u64>().expect("number");
        let range = RangeId(words.get(1).map_or(0, |text| number(text)));
        let mut batch = WriteBatch::new();
        let mut out = String::new();
        match words {
            // append RANGE TERM FIRST [from=INDEX] DATA...
            ["append", _, term, first, data @ ..] => {
                let from = data.first().and_then(|word| word.strip_prefix("from=")).map(number);
                let data = data.iter().skip(usize::from(from.is_some()));
                let entries: Vec<LogEntry> = (number(first)..)
                    .zip(data)
                    .map(|(index, data)| LogEntry {
                        index,
                        term: number(term),
                        data: data.as_bytes().to_vec().into(),
                    })
                    .collect();
                raft_log::append(&mut batch, range, &entries, from);
            }
            ["truncate", _, first, through, term] => {
                raft_log::truncate(&mut batch, range, number(first), number(through), number(term));
            }
            ["reset", _, index, term] => {
                raft_log::reset(&mut batch, range, number(index), number(term));
            }
            ["destroy", _] => raft_log::destroy(&mut batch, range),
            ["hard", _, state] => raft_log::set_hard_state(&mut batch, range, state.as_bytes()),
            ["log", _, low, high, bytes] => {
                let indexes = number(low)..number(high);
                let bytes = number(bytes) as usize;
                for entry in raft_log::entries(&self.engine, range, indexes, bytes)? {
                    let data = String::from_utf8_lossy(&entry.data).into_owned();
                    let _ = writeln!(out, "{}/{} {data}", entry.index, entry.term);
                }
            }
            ["load", _] => out = format!("{:?}", raft_log::load(&self.engine, range)?),
            ["groups"] => out = format!("{:?}", raft_log::groups(&self.engine)?),
            _ => panic!("unknown command {words:?}"),
        }
        self.write(batch)?;
        Ok(out)
    }

    fn disk(&mut self, words: &[&str]) -> Answer {
        let mut out = String::new();
        match words {
            ["sync"] => self.engine.sync()?,
            ["crash", survivors] => {
                let disk = self.disk.as_ref().expect("a simulated disk");
                disk.crash(survivors.parse().expect("number"));
                self.engine = Engine::in_memory(disk.clone());
            }
            ["dump"] => {
                for keyspace in Keyspace::ALL {
                    let mut iter = self.engine.iter(keyspace, &[], &[]);
                    let mut is_valid = iter.seek_to_first()?;
                    while is_valid {
                        let (key, value) = (hex(iter.key()), hex(iter.value()));
                        let _ = writeln!(out, "{} {key} = {value}", keyspace.name());
                        is_valid = iter.next()?;
                    }
                }
            }
            ["export", from, to, bytes] => {
                let bytes = bytes.parse().expect("number");
                let span = span(from, to);
                for chunk in chunks::export(&self.engine.snapshot(), &span, bytes) {
                    let chunk = chunk?;
                    let mut batch = WriteBatch::new();
                    chunks::ingest(&mut batch, &span, &chunk)?;
                    let _ = writeln!(out, "chunk of {} bytes", chunk.len());
                    out.push_str(&show_batch(&batch));
                }
            }
            _ => panic!("unknown command {words:?}"),
        }
        Ok(out)
    }

    fn write(&self, batch: WriteBatch) -> storage::StorageResult<()> {
        if batch.is_empty() { Ok(()) } else { self.engine.write(batch, Durability::Buffered) }
    }
}

fn key(name: &str) -> Key {
    Key::copy_from(name.as_bytes())
}

/// `-` is the lowest, `+` the highest bound.
fn span(from: &str, to: &str) -> Span {
    let bound = |name: &str| match name {
        "-" => Key::MIN,
        "+" => Key::max(),
        name => key(name),
    };
    Span::new(bound(from), bound(to))
}

fn ts(text: &str) -> Timestamp {
    if text == "max" { Timestamp::MAX } else { Timestamp(text.parse().expect("timestamp")) }
}

fn anchor_of(txn: &str, anchor: &str) -> TxnAnchor {
    TxnAnchor { txn: TxnId(txn.parse().expect("transaction")), anchor: key(anchor) }
}

fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn show(version: &Version) -> String {
    let value = version.value.as_deref().map_or("deleted".into(), text);
    let requested = version.requested_ts.map_or(String::new(), |ts| format!(" (asked {})", ts.0));
    format!("{value} at {}{requested}", version.ts.0)
}

fn show_batch(batch: &WriteBatch) -> String {
    let mut out = String::new();
    for (keyspace, op) in batch.iter() {
        let name = keyspace.name();
        let _ = match op {
            BatchOp::Put(key, value) => writeln!(out, "put {name} {} = {}", hex(key), hex(value)),
            BatchOp::Delete(key) => writeln!(out, "delete {name} {}", hex(key)),
            BatchOp::DeleteRange(lower, upper) => {
                writeln!(out, "delete {name} [{}, {})", hex(lower), hex(upper))
            }
        };
    }
    out
}
