//! Golden scripts: blocks of commands, `---`, what happened. `UPDATE_GOLDEN=1` rewrites them.

use super::clock::{Runner, TestClock};
use super::cluster::{FakeCluster, Fault};
use super::show;
use base::api::lock::{LockStrength, LockWait};
use base::{FragmentRun, Key, KvError, KvResult, Pushdown, RowFlow, Span};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use txn::{Isolation, SavepointId, Txn, TxnClient, TxnConfig, TxnEnv, TxnLocked, TxnScan};

/// The state of one script.
struct Interpreter {
    cluster: FakeCluster,
    runner: Runner,
    client: TxnClient,
    txns: BTreeMap<String, Txn>,
    savepoints: BTreeMap<String, SavepointId>,
}

/// Runs a script and compares, or rewrites it.
pub(crate) fn run(path: &std::path::Path) {
    let text = std::fs::read_to_string(path).expect("the script can be read");
    let mut interpreter = Interpreter::new();
    let mut actual = String::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let commands: Vec<&str> = block.lines().take_while(|line| *line != "---").collect();
        let mut output = Vec::new();
        for command in commands.iter().filter(|line| !line.starts_with('#')) {
            let answer = interpreter.command(command);
            output.append(&mut interpreter.cluster.state.lock().trace);
            output.extend(answer.lines().map(str::to_owned));
        }
        if !actual.is_empty() {
            actual.push('\n');
        }
        actual.push_str(&commands.join("\n"));
        actual.push_str("\n---\n");
        actual.extend(output.iter().map(|line| format!("{line}\n")));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, actual).expect("the script can be written");
    } else {
        assert_eq!(actual.trim(), text.trim(), "{}", path.display());
    }
}

impl Interpreter {
    fn new() -> Interpreter {
        let cluster = FakeCluster::new(3);
        let runner = Runner::new(TestClock::default());
        let client = TxnClient::new(TxnEnv {
            transport: Arc::new(cluster.clone()),
            clock: Arc::new(runner.clock.clone()),
            pushdown: Arc::new(CountRows),
            config: TxnConfig {
                command_bytes_max: 200,
                record_bytes_max: 40,
                outage: Duration::from_millis(500),
                ..TxnConfig::default()
            },
        });
        Interpreter { cluster, runner, client, txns: BTreeMap::new(), savepoints: BTreeMap::new() }
    }

    fn command(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, args) = words.split_first().expect("a command");
        match *name {
            "split" => self.cluster.state.lock().split(&key(args[0])),
            "lead" => {
                let node = base::NodeId(args[1].parse().expect("a node"));
                self.cluster.state.lock().range_of(&key(args[0])).leader = node;
            }
            "meta-leader" => {
                self.cluster.state.lock().meta_leader = args[0].parse().expect("a node");
            }
            "meta-lags" => {
                let mut state = self.cluster.state.lock();
                state.meta_ranges = Some(state.ranges.clone());
            }
            "meta-knows" => self.cluster.state.lock().meta_ranges = None,
            "down" | "up" => {
                let node = base::NodeId(args[0].parse().expect("a node"));
                let mut state = self.cluster.state.lock();
                if *name == "down" {
                    state.down.insert(node)
                } else {
                    state.down.remove(&node)
                };
            }
            // Somebody has read the key at this timestamp.
            "read" => {
                let ts = base::Timestamp(args[1].parse().expect("a timestamp"));
                let mut state = self.cluster.state.lock();
                state.read.insert(key(args[0]), ts);
                state.next_ts = state.next_ts.max(ts.0);
            }
            "lose-lock" => drop(self.cluster.state.lock().locks.remove(&key(args[0]))),
            "fault" => self.fault(args),
            "wait" => {
                let millis = args[0].parse().expect("milliseconds");
                self.runner.pass(Duration::from_millis(millis));
            }
            "dump" => return self.dump(),
            "begin" => {
                let isolation = match args[1] {
                    "rr" => Isolation::RepeatableRead,
                    "ser" => Isolation::Serializable,
                    _ => Isolation::ReadCommitted,
                };
                let mut txn = self.client.begin(isolation, false);
                txn.begin_statement(args.get(2) == Some(&"alone"));
                self.txns.insert(args[0].into(), txn);
            }
            "drop" => {
                self.txns.remove(args[0]);
                self.runner.settle();
            }
            "set" => {
                let mut state = self.cluster.state.lock();
                let ts = state.draw(1);
                let value = Some(Bytes::copy_from_slice(args[1].as_bytes()));
                state.versions.entry(key(args[0])).or_default().insert(ts, value);
            }
            "commit" | "rollback" => return self.end(name, args[0]),
            _ => return self.in_txn(name, args),
        }
        String::new()
    }

    fn fault(&mut self, args: &[&str]) {
        let fault = match args[1] {
            "lose-answer" => Fault::LoseAnswer,
            "lose-request" => Fault::LoseRequest,
            "disk-full" => Fault::Answer(KvError::DiskFull),
            "ambiguous" => Fault::Answer(KvError::Ambiguous("leadership lost".into())),
            "no-leader" => {
                Fault::Answer(KvError::NotLeader { range: base::RangeId(1), leader: None })
            }
            _ => Fault::Answer(KvError::Unavailable("no quorum".into())),
        };
        let times = args.get(2).map_or(1, |times| times.parse().expect("a count"));
        let mut state = self.cluster.state.lock();
        for _ in 0..times {
            state.faults.push_back((args[0].replace('_', " "), fault.clone()));
        }
    }

    fn end(&mut self, how: &str, name: &str) -> String {
        let txn = self.txns.remove(name).expect("a transaction");
        if how == "rollback" {
            let cell = self.runner.start(txn.rollback());
            self.runner.finish(&cell).expect("rollback ends");
            return String::new();
        }
        let cell = self.runner.start(txn.commit());
        match self.runner.finish(&cell).expect("commit ends") {
            Ok(Some(ts)) => format!("{name} committed at {}", ts.0),
            Ok(None) => format!("{name} committed, nothing written"),
            Err(error) => format!("{name} failed: {}", show::error(&error)),
        }
    }

    fn in_txn(&mut self, name: &str, args: &[&str]) -> String {
        let (id, args) = args.split_first().expect("a transaction");
        let mut txn = self.txns.remove(*id).expect("a transaction");
        let command: Vec<String> =
            std::iter::once(&name).chain(args).map(|word| (*word).to_owned()).collect();
        let savepoint = args.first().and_then(|name| self.savepoints.get(*name)).copied();
        let cell = self.runner.start(async move {
            let answer = statement(&mut txn, &command, savepoint).await;
            (txn, answer)
        });
        let (txn, answer) = self.runner.finish(&cell).expect("the statement ends");
        self.txns.insert((*id).into(), txn);
        match answer {
            Ok(Answer::Text(text)) => text,
            Ok(Answer::Savepoint(savepoint)) => {
                self.savepoints.insert(args[0].into(), savepoint);
                String::new()
            }
            Err(error) => format!("error: {}", show::error(&error)),
        }
    }

    fn dump(&self) -> String {
        let state = self.cluster.state.lock();
        let mut lines = Vec::new();
        for (key, versions) in &state.versions {
            let newest = versions.last_key_value();
            if let Some((ts, Some(value))) = newest {
                let value = String::from_utf8_lossy(value);
                lines.push(format!("{} = {value} @{}", show::key(key), ts.0));
            }
        }
        lines.extend(state.locks.iter().map(|(key, txn)| format!("lock {} {txn}", show::key(key))));
        for (key, (txn, ts, _)) in &state.intents {
            lines.push(format!("intent {} {txn} @{}", show::key(key), ts.0));
        }
        for (txn, status) in &state.records {
            lines.push(format!("record {txn} {}", show::status(*status)));
        }
        lines.join("\n")
    }
}

enum Answer {
    Text(String),
    Savepoint(SavepointId),
}

async fn statement(
    txn: &mut Txn,
    words: &[String],
    savepoint: Option<SavepointId>,
) -> KvResult<Answer> {
    let (name, args) = words.split_first().expect("a command");
    let bytes = |i: usize| Bytes::copy_from_slice(args[i].as_bytes());
    let mut answer = String::new();
    match name.as_str() {
        "statement" => txn.begin_statement(args.first().is_some_and(|arg| arg == "alone")),
        "get" => {
            let keys: Vec<Key> = args.iter().map(|arg| key(arg)).collect();
            let values = txn.get(&keys).await?;
            let one = |(name, value): (&String, &Option<Bytes>)| match value {
                Some(value) => format!("{name}={}", String::from_utf8_lossy(value)),
                None => format!("{name} absent"),
            };
            answer = args.iter().zip(&values).map(one).collect::<Vec<_>>().join(" ");
        }
        "scan" => answer = scan(txn, args).await?,
        "lock" => {
            let has = |word: &str| args.iter().any(|arg| arg == word);
            let flags = ["share", "skip", "nowait"];
            let keys = args.iter().filter(|arg| !flags.contains(&arg.as_str()));
            let strength =
                if has("share") { LockStrength::Shared } else { LockStrength::Exclusive };
            let wait = if has("skip") { LockWait::Skip } else { LockWait::Block };
            let held = txn.lock(keys.map(|arg| key(arg)).collect(), strength, wait).await?;
            let one = |locked: &TxnLocked| match locked {
                TxnLocked::Held { value, changed } => {
                    let value = value.as_deref().map(String::from_utf8_lossy);
                    let changed = if *changed { " (changed)" } else { "" };
                    format!("{}{changed}", value.unwrap_or("absent".into()))
                }
                TxnLocked::Skipped => "skipped".into(),
            };
            answer = held.iter().map(one).collect::<Vec<_>>().join(", ");
        }
        "put" => txn.put(key(&args[0]), bytes(1)),
        "put-free" => txn.put_unconditional(key(&args[0]), bytes(1)),
        "insert" => txn.insert(key(&args[0]), bytes(1)),
        "delete" => txn.delete(key(&args[0])),
        "check" => txn.check_inserts().await?,
        "hold" => txn.hold(args.iter().map(|arg| key(arg)).collect()).await?,
        "newest" => txn.read_newest().await?,
        "snapshot" => txn.read_snapshot(),
        "savepoint" => return Ok(Answer::Savepoint(txn.savepoint())),
        "rollback-to" => txn.rollback_to(savepoint.expect("a savepoint")).await?,
        "release" => txn.release(savepoint.expect("a savepoint")),
        other => panic!("unknown command {other}"),
    }
    Ok(Answer::Text(answer))
}

async fn scan(txn: &mut Txn, args: &[String]) -> KvResult<String> {
    let has = |word: &str| args.iter().any(|arg| arg == word);
    let limit = args.iter().find_map(|arg| arg.strip_prefix("limit=")).map(str::parse);
    let end = if args[1] == "max" { Key::max() } else { key(&args[1]) };
    let mut request = TxnScan {
        span: Span::new(key(&args[0]), end),
        reverse: has("reverse"),
        limit_rows: limit.map_or(0, |limit| limit.expect("a limit")),
        fragment: has("count").then(Bytes::new),
        scatter: has("scatter"),
        ..TxnScan::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = txn.scan(request.clone()).await?;
        let row = |(key, value): &(Key, Bytes)| {
            format!("{}={}", show::key(key), String::from_utf8_lossy(value))
        };
        let rows = page.rows.iter().map(row);
        let outputs =
            page.outputs.iter().map(|count| format!("count {}", String::from_utf8_lossy(count)));
        pages.push(rows.chain(outputs).collect::<Vec<_>>().join(" "));
        let mut left = page.resume.into_iter().chain(page.more);
        match left.next() {
            Some(rest) => request.span = rest,
            None => return Ok(pages.join("\n")),
        }
        request.also = left.collect();
    }
}

fn key(name: &str) -> Key {
    Key::copy_from(name.as_bytes())
}

/// A fragment that counts rows; the fake ranges do not run fragments.
struct CountRows;

impl Pushdown for CountRows {
    fn start(&self, _: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        Ok(Box::new(Counted(0)))
    }
}

struct Counted(usize);

impl FragmentRun for Counted {
    fn push(&mut self, _: &[u8], _: &[u8]) -> KvResult<RowFlow> {
        self.0 += 1;
        Ok(RowFlow::Continue)
    }
    fn output_bytes(&self) -> usize {
        8
    }
    fn finish(self: Box<Self>) -> KvResult<Bytes> {
        Ok(Bytes::from(self.0.to_string()))
    }
}
