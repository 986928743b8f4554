//! The commands of the scripts.
//!
//! `draw a b`: draws timestamps and names them. `& x get k`: starts a request named x and goes on;
//! its answer is printed when it arrives. `advance 5000`: lets so many milliseconds pass. `hold`,
//! `release`: what range 1 (or `range=`) proposes waits. `elect 2`: node 2 leads, in a new term.
//! `lease off`: the leader has no lease. `cancel x`: drops a request. Everything else is a request
//! to the range of its first key; without `&` time passes until it is answered.

use super::parse::{Names, Words, blob, key};
use super::show;
use super::world::World;
use base::api::{
    self, RangeOp, RangeRequest, RangeResponse, ReadAt, TxnAnchor, TxnStatus, admin::SplitRequest,
    commit_1pc::Commit1PcRequest, end_txn::EndTxnAction, end_txn::EndTxnRequest, gc::GcRequest,
    get::GetRequest, increment::IncrementOp, increment::IncrementRequest, lock::LockRequest,
    lock::LockStrength, lock::LockWait, lock::UnlockRequest, prewrite::PrewriteRequest,
    prewrite::Staging, push::PushRequest, query_intent::QueryIntentRequest,
    recover::RecoverRequest, refresh::RefreshRequest, resolve::ResolveRequest, scan::ScanRequest,
    snapshot::IngestRequest, snapshot::SnapshotRequest, stats::StatsRequest,
};
use base::{Key, KvResult, NodeId, RangeId, Span};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest that a request in the foreground may take.
const PATIENCE_NANOS: u64 = 60_000_000_000;

type Answers = Arc<Mutex<Vec<(String, KvResult<RangeResponse>)>>>;

/// A script under way.
pub(crate) struct Session {
    pub(crate) world: World,
    pub(crate) names: Names,
    answers: Answers,
    running: BTreeMap<String, u64>,
}

impl Session {
    pub(crate) fn new(world: World) -> Session {
        Session {
            world,
            names: Names::default(),
            answers: Answers::default(),
            running: BTreeMap::new(),
        }
    }

    /// Carries one line out and answers what it printed.
    pub(crate) fn run(&mut self, words: &[&str]) -> String {
        let proposals = |session: &Session| {
            session.world.groups.lock().values().map(|group| group.proposals()).sum::<u64>()
        };
        match words {
            ["draw", names @ ..] => {
                names.iter().for_each(|name| self.names.bind(name, self.world.oracle.draw()));
            }
            ["advance", millis] => self.advance(millis.parse().expect("milliseconds")),
            ["cancel", label] => {
                let task = self.running.remove(*label).expect("a running request");
                self.world.executor.kill(task);
            }
            ["hold"] => self.world.group(RangeId(1)).hold(),
            ["release"] => self.world.group(RangeId(1)).release(),
            ["elect", node] => {
                let node: u64 = node.parse().expect("node");
                self.world.group(RangeId(1)).elect((node > 0).then_some(NodeId(node)));
            }
            ["lease", state] => self.world.group(RangeId(1)).set_lease(*state == "on"),
            ["lag", state] => self.world.group(RangeId(1)).lag(NodeId(2), *state == "on"),
            ["locks"] => {
                let (held, waiting) = self.world.store(NodeId(1)).lock_counts();
                return format!("{held} held, {waiting} waiting");
            }
            ["proposals"] => return format!("{} proposals", proposals(self)),
            ["&", label, words @ ..] => self.start(label, words),
            words => {
                self.start("", words);
                self.wait();
            }
        }
        self.world.executor.settle();
        self.print()
    }

    fn advance(&mut self, millis: u64) {
        let until = self.world.executor.nanos() + millis * 1_000_000;
        while self.world.executor.skip(until) {}
    }

    /// Lets time pass until the foreground request is answered.
    fn wait(&mut self) {
        let until = self.world.executor.nanos() + PATIENCE_NANOS;
        self.world.executor.settle();
        while !self.answers.lock().iter().any(|(label, _)| label.is_empty()) {
            assert!(
                self.world.executor.skip(until),
                "no answer, and nobody waits for time to pass"
            );
        }
    }

    fn print(&mut self) -> String {
        let mut out = String::new();
        for (label, answer) in std::mem::take(&mut *self.answers.lock()) {
            self.running.remove(&label);
            if !label.is_empty() {
                out.push_str(&format!("{label}: "));
            }
            out.push_str(&show::result(&self.names, &answer));
            out.push('\n');
        }
        out
    }

    fn start(&mut self, label: &str, words: &[&str]) {
        let (node, request) = self.request(words);
        let future = self.world.store(node).execute(request);
        let answers = Arc::clone(&self.answers);
        let label = label.to_string();
        let name = label.clone();
        let task = self.world.executor.start(Box::pin(async move {
            let answer = future.await;
            answers.lock().push((name, answer));
        }));
        self.running.insert(label, task);
    }

    fn request(&self, words: &[&str]) -> (NodeId, RangeRequest) {
        let mut args = Words::new(&words[1..], &self.names);
        let (at, body) = body(words[0], &mut args);
        let group = self.world.group_of(&at);
        let descriptor = group.descriptor();
        let leader = group.leader().map_or(NodeId(1), |leader| leader.node);
        let request = RangeRequest {
            range: descriptor.range,
            epoch: args.number("epoch").unwrap_or(descriptor.epoch),
            txn: args.txn(),
            timeout_ms: args.number("timeout").unwrap_or(20_000),
            body,
        };
        (args.number("node").map_or(leader, NodeId), request)
    }
}

fn anchor(args: &Words<'_>) -> TxnAnchor {
    let anchor = args.arg("anchor").map(key).expect("anchor=");
    TxnAnchor { txn: args.txn().expect("txn="), anchor }
}

fn read_at(args: &Words<'_>) -> ReadAt {
    match args.arg("at") {
        None | Some("leader") => ReadAt::Leader,
        Some(name) => match name.strip_prefix("follower:") {
            Some(name) => ReadAt::Follower(args.names.get(name)),
            None => ReadAt::Snapshot(args.names.get(name)),
        },
    }
}

fn span(args: &Words<'_>) -> Span {
    match args.bare[..] {
        [start, end] => Span::new(key(start), key(end)),
        _ => panic!("a span has two bounds"),
    }
}

/// The key that says which range is asked, and what is asked.
fn body(command: &str, args: &mut Words<'_>) -> (Key, RangeOp) {
    match command {
        "get" => {
            let keys = args.keys();
            (keys[0].clone(), RangeOp::Get(GetRequest { keys, at: read_at(args) }))
        }
        "scan" => scan(args),
        "lock" => lock(args),
        "unlock" => {
            let keys = args.keys();
            let at = keys.first().cloned().unwrap_or_default();
            (at, RangeOp::Unlock(UnlockRequest { keys }))
        }
        "1pc" => {
            let (exact, is_retry) = (args.flag("exact"), args.flag("retry"));
            let (writes, commit_ts) = (args.writes(), args.ts("ts"));
            let at = writes[0].key.clone();
            let request = Commit1PcRequest { writes, commit_ts, exact, is_retry };
            (at, RangeOp::Commit1Pc(request))
        }
        "prewrite" => prewrite(args),
        "end" => end(args),
        "resolve" => {
            let keys = args.keys();
            let request = ResolveRequest {
                txn: args.txn().expect("txn="),
                status: status(args),
                keys: keys.clone(),
                spans: Vec::new(),
            };
            (keys[0].clone(), RangeOp::Resolve(request))
        }
        "push" => {
            let anchor = anchor(args);
            let push_above = args.arg("above").map(|_| args.ts("above")).unwrap_or_default();
            let (now, intent_ts) = (args.ts("now"), args.ts("met"));
            let at = anchor.anchor.clone();
            (at, RangeOp::Push(PushRequest { anchor, push_above, now, intent_ts }))
        }
        "query" => {
            let keys = args.keys();
            let (txn, ts) = (args.txn().expect("txn="), args.ts("ts"));
            let request = QueryIntentRequest { txn, ts, keys: keys.clone() };
            (keys[0].clone(), RangeOp::QueryIntent(request))
        }
        "recover" => {
            let all_present = args.flag("present");
            let anchor = anchor(args);
            let at = anchor.anchor.clone();
            let staged_ts = args.ts("staged");
            (at, RangeOp::Recover(RecoverRequest { anchor, staged_ts, all_present }))
        }
        "refresh" => {
            let span = span(args);
            let (from, to) = (args.ts("from"), args.ts("to"));
            let at = span.start.clone();
            (at, RangeOp::Refresh(RefreshRequest { spans: vec![span], from, to }))
        }
        "increment" => increment(args),
        _ => admin(command, args),
    }
}

fn scan(args: &mut Words<'_>) -> (Key, RangeOp) {
    let reverse = args.flag("reverse");
    let span = span(args);
    let at = if reverse && span.end != Key::max() { &span.end } else { &span.start };
    let at = if reverse && span.end == Key::max() { key("z") } else { at.clone() };
    let request = ScanRequest {
        span,
        reverse,
        at: read_at(args),
        limit_rows: args.number("limit").unwrap_or(0),
        limit_bytes: args.number("bytes").unwrap_or(0),
        fragment: args.arg("fragment").map(blob),
    };
    (at, RangeOp::Scan(request))
}

fn lock(args: &mut Words<'_>) -> (Key, RangeOp) {
    let strength = if args.flag("shared") { LockStrength::Shared } else { LockStrength::Exclusive };
    let wait = match (args.flag("nowait"), args.flag("skip")) {
        (true, _) => LockWait::Error,
        (_, true) => LockWait::Skip,
        _ => LockWait::Block,
    };
    let keys = args.keys();
    let at = keys.first().cloned().unwrap_or_default();
    (at, RangeOp::Lock(LockRequest { keys, strength, wait }))
}

fn prewrite(args: &mut Words<'_>) -> (Key, RangeOp) {
    let (exact, staging) = (args.flag("exact"), args.flag("staging"));
    let ts = args.ts("ts");
    let writes = args.writes();
    let at = writes[0].key.clone();
    let staging = staging.then(|| Staging { ts, keys: args.key_list() });
    let request = PrewriteRequest { anchor: anchor(args), writes, ts, exact, staging };
    (at, RangeOp::Prewrite(request))
}

fn end(args: &mut Words<'_>) -> (Key, RangeOp) {
    let action = match args.bare[..] {
        ["heartbeat"] => EndTxnAction::Heartbeat { now: args.ts("now") },
        ["commit"] => EndTxnAction::Commit {
            ts: args.ts("ts"),
            keys: args.key_list(),
            spans: args.span_list(),
        },
        ["abort"] => EndTxnAction::Abort,
        ["forget"] => EndTxnAction::Forget,
        _ => panic!("end how?"),
    };
    let anchor = anchor(args);
    (anchor.anchor.clone(), RangeOp::EndTxn(EndTxnRequest { anchor, action }))
}

fn status(args: &Words<'_>) -> TxnStatus {
    match args.arg("status") {
        Some("aborted") => TxnStatus::Aborted,
        Some(name) => TxnStatus::Committed(args.names.get(name)),
        None => panic!("status= is missing"),
    }
}

fn increment(args: &mut Words<'_>) -> (Key, RangeOp) {
    let is_called = !args.flag("uncalled");
    let cycle = args.flag("cycle");
    let op = match args.number("value") {
        Some(value) => IncrementOp::Set { value, is_called },
        None => IncrementOp::Next {
            by: args.number("by").unwrap_or(1),
            count: args.number("count").unwrap_or(1),
            min: args.number("min").unwrap_or(1),
            max: args.number("max").unwrap_or(i64::MAX),
            start: args.number("start").unwrap_or(1),
            cycle,
        },
    };
    let key = args.keys().remove(0);
    (key.clone(), RangeOp::Increment(IncrementRequest { key, op, ts: args.ts("ts") }))
}

fn admin(command: &str, args: &mut Words<'_>) -> (Key, RangeOp) {
    match command {
        "gc" => (Key::MIN, RangeOp::Gc(GcRequest { safe_point: args.ts("at") })),
        "split" => {
            let at = args.keys().remove(0);
            let new_range = args.number("range").map_or(RangeId(2), RangeId);
            (at.clone(), RangeOp::Split(SplitRequest { key: at, new_range }))
        }
        "export" => {
            let span = span(args);
            let limit_bytes = args.number("bytes").unwrap_or(0);
            let request = SnapshotRequest { span: span.clone(), at: args.ts("at"), limit_bytes };
            (span.start, RangeOp::Snapshot(request))
        }
        "ingest" => {
            let pair = |write: api::Write| match write.op {
                api::WriteOp::Put(value) => (write.key, value),
                other => panic!("cannot ingest {other:?}"),
            };
            let rows: Vec<_> = args.writes().into_iter().map(pair).collect();
            (rows[0].0.clone(), RangeOp::Ingest(IngestRequest { rows, ts: args.ts("ts") }))
        }
        "stats" => (Key::MIN, RangeOp::Stats(StatsRequest::default())),
        other => panic!("unknown command {other}"),
    }
}
