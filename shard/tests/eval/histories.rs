//! Random histories: clients that read, write and die, on two ranges, while leaders change, commands
//! are held up, requests are dropped and a range is split. Afterwards:
//!
//! * every read that was served reads the same again at its timestamp;
//! * every acknowledged write stands, at its timestamp, exactly once;
//! * a leader's read saw everything that was acknowledged before it began;
//! * nothing of a transaction that failed for certain is there, and no transaction is there by half.

use crate::common::group::Group;
use crate::common::world::World;
use base::api::admin::SplitRequest;
use base::api::commit_1pc::{Commit1PcRequest, Commit1PcResponse};
use base::api::end_txn::{EndTxnAction, EndTxnRequest};
use base::api::get::GetRequest;
use base::api::lock::UnlockRequest;
use base::api::lock::{LockRequest, LockStrength, LockWait, LockedValue};
use base::api::prewrite::{PrewriteRequest, PrewriteResponse, Staging};
use base::api::resolve::ResolveRequest;
use base::api::scan::ScanRequest;
use base::api::{RangeOp, RangeRequest, RangeResponse, ReadAt, TxnAnchor, TxnStatus, Write};
use base::api::{WriteCondition, WriteOp};
use base::{Clock, Key, KvError, KvResult, NodeId, RangeId, Span, Timestamp, TxnId};
use parking_lot::Mutex;
use shard::StoreConfig;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use storage::mvcc;

const KEYS: [&str; 6] = ["b", "d", "f", "n", "p", "r"];
const CLIENTS: u64 = 4;
const STEPS: usize = 1_500;

/// A small generator; every decision comes from it.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn key(&mut self) -> Key {
        Key::copy_from(KEYS[self.roll(KEYS.len() as u64) as usize].as_bytes())
    }

    fn keys(&mut self, count: u64) -> Vec<Key> {
        let keys: BTreeSet<Key> = (0..count).map(|_| self.key()).collect();
        keys.into_iter().collect()
    }
}

/// What happened.
#[derive(Default)]
struct History {
    /// Timestamp, key, value of everything that was read at a timestamp.
    served: Vec<(Timestamp, Key, Option<Vec<u8>>)>,
    /// Timestamp and value of acknowledged writes, by key.
    acked: BTreeMap<Key, Vec<(Timestamp, Vec<u8>)>>,
    /// Values that must not be there.
    failed: BTreeSet<Vec<u8>>,
    /// Per transaction's value, the keys it writes.
    attempted: BTreeMap<Vec<u8>, Vec<Key>>,
    counts: BTreeMap<&'static str, u64>,
}

impl History {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn ack(&mut self, keys: &[Key], ts: Timestamp, value: &[u8]) {
        self.count("committed");
        for key in keys {
            self.acked.entry(key.clone()).or_default().push((ts, value.to_vec()));
        }
    }
}

/// A client and its way to the ranges.
struct Client {
    world: Arc<World>,
    history: Arc<Mutex<History>>,
    dice: Dice,
    id: u64,
    next_txn: u64,
}

/// How a request ended: an answer, or an error and whether it may have been carried out.
type Sent = Result<RangeResponse, (KvError, bool)>;

impl Client {
    async fn send(&self, txn: Option<TxnId>, key: &Key, make: impl Fn(bool) -> RangeOp) -> Sent {
        let mut maybe_done = false;
        let mut last = KvError::Unavailable("not tried".into());
        for _ in 0..30 {
            let group = self.world.group_of(key);
            let descriptor = group.descriptor();
            let request = RangeRequest {
                range: descriptor.range,
                epoch: descriptor.epoch,
                txn,
                timeout_ms: 3_000,
                body: make(maybe_done),
            };
            let node = group.leader().map_or(NodeId(1), |leader| leader.node);
            match self.world.store(node).execute(request).await {
                Ok(response) => return Ok(response),
                Err(error) if error.is_ambiguous() => {
                    maybe_done = true;
                    last = error;
                }
                Err(error) if error.is_reroute() => last = error,
                Err(error) => return Err((error, maybe_done)),
            }
            self.world.executor.sleep(Duration::from_millis(7)).await;
        }
        Err((last, maybe_done))
    }

    async fn run(mut self) {
        loop {
            let pause = self.dice.roll(20);
            self.world.executor.sleep(Duration::from_millis(pause)).await;
            match self.dice.roll(10) {
                0..=1 => self.read_snapshot().await,
                2 => self.read_leader().await,
                3 => self.scan().await,
                4..=5 => self.commit_in_one_range().await,
                6..=7 => self.read_modify_write().await,
                _ => self.commit_in_two_ranges().await,
            }
        }
    }

    fn begin(&mut self) -> (TxnId, Vec<u8>) {
        self.next_txn += 1;
        let txn = TxnId::new(NodeId(1), self.id * 1_000_000 + self.next_txn);
        (txn, txn.to_string().into_bytes())
    }

    async fn read_snapshot(&mut self) {
        let ts = self.world.oracle.draw();
        let pause = self.dice.roll(30);
        self.world.executor.sleep(Duration::from_millis(pause)).await;
        let key = self.dice.key();
        let at = if self.dice.roll(4) == 0 { ReadAt::Follower(ts) } else { ReadAt::Snapshot(ts) };
        self.read(key, at).await;
    }

    async fn read(&mut self, key: Key, at: ReadAt) -> Option<Timestamp> {
        let make = |_| RangeOp::Get(GetRequest { keys: vec![key.clone()], at });
        let group = self.world.group_of(&key);
        let answer = match at {
            ReadAt::Follower(_) => {
                let descriptor = group.descriptor();
                let request = RangeRequest {
                    range: descriptor.range,
                    epoch: descriptor.epoch,
                    txn: None,
                    timeout_ms: 3_000,
                    body: make(false),
                };
                let node = NodeId(1 + self.dice.roll(2));
                self.world.store(node).execute(request).await.ok()
            }
            _ => self.send(None, &key, make).await.ok(),
        };
        let Some(RangeResponse::Get(mut answer)) = answer else { return None };
        let value = answer.values.remove(0).map(|value| value.to_vec());
        let mut history = self.history.lock();
        history.count("read");
        history.served.push((answer.read_ts, key, value));
        Some(answer.read_ts)
    }

    async fn read_leader(&mut self) {
        let key = self.dice.key();
        let acked = self.history.lock().acked.get(&key).and_then(|a| a.iter().max().cloned());
        let read_ts = self.read(key.clone(), ReadAt::Leader).await;
        if let (Some((ts, value)), Some(read_ts)) = (acked, read_ts) {
            assert!(read_ts >= ts, "read of {key} at {read_ts} misses {value:?} at {ts}");
        }
    }

    async fn scan(&mut self) {
        let ts = self.world.oracle.draw();
        let reverse = self.dice.roll(2) == 0;
        let bound = Key::copy_from(b"m");
        let span = Span::new(Key::copy_from(b"a"), bound);
        let make = |_| {
            RangeOp::Scan(ScanRequest {
                span: span.clone(),
                reverse,
                at: ReadAt::Snapshot(ts),
                limit_rows: 0,
                limit_bytes: 0,
                fragment: None,
            })
        };
        let Ok(RangeResponse::Scan(page)) = self.send(None, &span.start, make).await else {
            return;
        };
        let mut rows: BTreeMap<Key, Vec<u8>> =
            page.rows.into_iter().map(|(key, value)| (key, value.to_vec())).collect();
        let mut history = self.history.lock();
        history.count("scanned");
        for key in KEYS.map(|key| Key::copy_from(key.as_bytes())) {
            if span.contains(&key) && page.resume.is_none() {
                let value = rows.remove(&key);
                history.served.push((ts, key, value));
            }
        }
    }

    async fn commit_in_one_range(&mut self) {
        let key = self.dice.key();
        self.one_phase(key, WriteCondition::NotNewerThan(Timestamp::MAX), None).await;
    }

    async fn one_phase(&mut self, key: Key, condition: WriteCondition, txn: Option<TxnId>) {
        let (fresh, value) = self.begin();
        let txn = txn.unwrap_or(fresh);
        let ts = self.world.oracle.draw();
        let pause = self.dice.roll(15);
        self.world.executor.sleep(Duration::from_millis(pause)).await;
        let op = WriteOp::Put(value.clone().into());
        let writes = vec![Write { key: key.clone(), op, condition }];
        self.history.lock().attempted.insert(value.clone(), vec![key.clone()]);
        let make = |is_retry| {
            let (writes, exact) = (writes.clone(), false);
            RangeOp::Commit1Pc(Commit1PcRequest { writes, commit_ts: ts, exact, is_retry })
        };
        let result = self.send(Some(txn), &key, make).await;
        let mut history = self.history.lock();
        match result {
            Ok(RangeResponse::Commit1Pc(Commit1PcResponse::Committed(at))) => {
                history.ack(&[key], at, &value);
            }
            Ok(other) => panic!("unexpected {other:?}"),
            Err((_, true)) => history.count("unknown"),
            Err((_, false)) => {
                history.count("refused");
                history.failed.insert(value);
            }
        }
    }

    async fn read_modify_write(&mut self) {
        let key = self.dice.key();
        let (txn, _) = self.begin();
        let make = |_| {
            let (strength, wait) = (LockStrength::Exclusive, LockWait::Block);
            RangeOp::Lock(LockRequest { keys: vec![key.clone()], strength, wait })
        };
        let Ok(RangeResponse::Lock(locked)) = self.send(Some(txn), &key, make).await else {
            return;
        };
        let LockedValue::Held { observed, .. } = &locked.values[0] else { return };
        let condition = WriteCondition::NotNewerThan(*observed);
        if self.dice.roll(10) > 0 {
            self.one_phase(key.clone(), condition, Some(txn)).await;
        }
        let unlock = |_| RangeOp::Unlock(UnlockRequest { keys: Vec::new() });
        let _ = self.send(Some(txn), &key, unlock).await;
    }

    async fn commit_in_two_ranges(&mut self) {
        let keys = self.dice.keys(3);
        let (txn, value) = self.begin();
        let anchor = TxnAnchor { txn, anchor: keys[0].clone() };
        let ts = self.world.oracle.draw();
        self.history.lock().attempted.insert(value.clone(), keys.clone());
        let mut highest = ts;
        let mut failure = None;
        for key in &keys {
            let pause = self.dice.roll(10);
            self.world.executor.sleep(Duration::from_millis(pause)).await;
            let observed = if self.dice.roll(8) == 0 { ts } else { Timestamp::MAX };
            let write = Write {
                key: key.clone(),
                op: WriteOp::Put(value.clone().into()),
                condition: WriteCondition::NotNewerThan(observed),
            };
            let staging = (*key == anchor.anchor).then(|| Staging { ts, keys: keys.clone() });
            let make = |_| {
                let (anchor, writes) = (anchor.clone(), vec![write.clone()]);
                let staging = staging.clone();
                RangeOp::Prewrite(PrewriteRequest { anchor, writes, ts, exact: false, staging })
            };
            match self.send(Some(txn), key, make).await {
                Ok(RangeResponse::Prewrite(PrewriteResponse::Written(at))) => {
                    highest = highest.max(at);
                }
                Ok(other) => panic!("unexpected {other:?}"),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            if self.dice.roll(25) == 0 {
                self.history.lock().count("died");
                return;
            }
        }
        match failure {
            Some((_, maybe_done)) => self.abort(&anchor, &keys, &value, maybe_done).await,
            None => self.decide(&anchor, &keys, &value, ts, highest).await,
        }
    }

    async fn abort(&mut self, anchor: &TxnAnchor, keys: &[Key], value: &[u8], maybe_done: bool) {
        let status = self.end(anchor, EndTxnAction::Abort).await;
        if status == Ok(TxnStatus::Aborted) {
            self.history.lock().failed.insert(value.to_vec());
            self.history.lock().count("aborted");
            self.clean_up(anchor, keys, TxnStatus::Aborted).await;
        } else {
            assert!(maybe_done || status.is_err(), "{status:?} although nothing was staged");
        }
    }

    async fn decide(
        &mut self,
        anchor: &TxnAnchor,
        keys: &[Key],
        value: &[u8],
        ts: Timestamp,
        mut at: Timestamp,
    ) {
        let is_implicit = at == ts;
        if is_implicit {
            self.history.lock().ack(keys, ts, value);
            if self.dice.roll(4) == 0 {
                self.history.lock().count("died after commit");
                return;
            }
        }
        for _ in 0..5 {
            let keys = keys.to_vec();
            match self
                .end(anchor, EndTxnAction::Commit { ts: at, keys: keys.clone(), spans: Vec::new() })
                .await
            {
                Ok(TxnStatus::Committed(at)) => {
                    if !is_implicit {
                        self.history.lock().ack(&keys, at, value);
                    }
                    assert!(!is_implicit || at == ts, "committed at {at} instead of {ts}");
                    self.clean_up(anchor, &keys, TxnStatus::Committed(at)).await;
                    return;
                }
                Ok(TxnStatus::Aborted) => {
                    assert!(!is_implicit, "{} was acknowledged and then aborted", anchor.txn);
                    self.history.lock().failed.insert(value.to_vec());
                    self.clean_up(anchor, &keys, TxnStatus::Aborted).await;
                    return;
                }
                Ok(_) => at = self.world.oracle.draw(),
                Err(_) => return,
            }
        }
    }

    async fn clean_up(&mut self, anchor: &TxnAnchor, keys: &[Key], status: TxnStatus) {
        for key in keys {
            let txn = anchor.txn;
            let make = |_| {
                RangeOp::Resolve(ResolveRequest {
                    txn,
                    status,
                    keys: vec![key.clone()],
                    spans: Vec::new(),
                })
            };
            if self.send(Some(txn), key, make).await.is_err() {
                return;
            }
        }
        let _ = self.end(anchor, EndTxnAction::Forget).await;
    }

    async fn end(&self, anchor: &TxnAnchor, action: EndTxnAction) -> KvResult<TxnStatus> {
        let make = |_| {
            let (anchor, action) = (anchor.clone(), action.clone());
            RangeOp::EndTxn(EndTxnRequest { anchor, action })
        };
        match self.send(Some(anchor.txn), &anchor.anchor, make).await {
            Ok(RangeResponse::EndTxn(answer)) => Ok(answer.status),
            Ok(other) => panic!("unexpected {other:?}"),
            Err((error, _)) => Err(error),
        }
    }
}

/// Runs one history; answers how often what happened.
fn run(seed: u64) -> BTreeMap<&'static str, u64> {
    let config = StoreConfig { ts_cache_bytes: 400, ..StoreConfig::default() };
    let world = Arc::new(World::new(config));
    let history: Arc<Mutex<History>> = Arc::default();
    let mut dice = Dice(seed);
    let start = |id: u64, dice: &mut Dice| {
        let (world, history) = (Arc::clone(&world), Arc::clone(&history));
        let dice = Dice(dice.roll(u64::MAX));
        let client = Client { world: world.clone(), history, dice, id, next_txn: 0 };
        world.executor.start(Box::pin(client.run()))
    };
    let mut clients: Vec<u64> = (0..CLIENTS).map(|id| start(id, &mut dice)).collect();
    let mut next_client = CLIENTS;
    let mut has_split = false;
    for _ in 0..STEPS {
        let until = world.executor.nanos() + dice.roll(12_000_000);
        while world.executor.skip(until) {}
        let ranges: Vec<RangeId> = world.groups.lock().keys().copied().collect();
        let group = world.group(ranges[dice.roll(ranges.len() as u64) as usize]);
        match dice.roll(60) {
            0..=4 => group.hold(),
            5..=24 => group.release(),
            25 => {
                group.lag(NodeId(2), false);
                group.elect(Some(NodeId(1 + dice.roll(2))));
            }
            // The stand-in gives the right-hand range no data of its own: whoever leads or reads it
            // must have applied the left-hand one.
            26 if !has_split => {
                group.lag(NodeId(2), group.leader().map(|l| l.node) != Some(NodeId(2)));
            }
            27..=28 => group.lag(NodeId(2), false),
            29 => group.set_lease(false),
            30..=31 => group.set_lease(true),
            32 => {
                // A client dies and another takes its place.
                let place = dice.roll(CLIENTS) as usize;
                world.executor.kill(clients[place]);
                clients[place] = start(next_client, &mut dice);
                next_client += 1;
            }
            33 if !has_split => {
                has_split = true;
                group.lag(NodeId(2), false);
                split(&world);
            }
            _ => {}
        }
        // A leader applies what it leads.
        for group in groups(&world) {
            if group.leader().map(|l| l.node) == Some(NodeId(2)) {
                group.lag(NodeId(2), false);
            }
        }
        world.executor.settle();
    }
    clients.iter().for_each(|client| world.executor.kill(*client));
    let mut history = std::mem::take(&mut *history.lock());
    heal(&world, &mut dice);
    check(&world, &history);
    std::mem::take(&mut history.counts)
}

fn groups(world: &World) -> Vec<Group> {
    world.groups.lock().values().cloned().collect()
}

fn split(world: &Arc<World>) {
    let descriptor = world.group(RangeId(1)).descriptor();
    let leader = world.group(RangeId(1)).leader().map_or(NodeId(1), |leader| leader.node);
    let request = RangeRequest {
        range: RangeId(1),
        epoch: descriptor.epoch,
        txn: None,
        timeout_ms: 1_000,
        body: RangeOp::Split(SplitRequest { key: Key::copy_from(b"m"), new_range: RangeId(2) }),
    };
    let future = world.store(leader).execute(request);
    world.executor.start(Box::pin(async move {
        let _ = future.await;
    }));
}

/// Everything works again; whatever was left standing is decided by a reader.
fn heal(world: &Arc<World>, dice: &mut Dice) {
    groups(world).iter().for_each(|group| group.set_lease(true));
    for group in groups(world) {
        group.release();
        group.lag(NodeId(2), false);
        group.elect(Some(NodeId(1)));
        world.executor.settle();
    }
    let until = world.executor.nanos() + 20_000_000_000;
    while world.executor.skip(until) {}
    let history: Arc<Mutex<History>> = Arc::default();
    for key in KEYS.map(|key| Key::copy_from(key.as_bytes())) {
        let (world, history) = (Arc::clone(world), Arc::clone(&history));
        let dice = Dice(dice.roll(u64::MAX));
        let mut client = Client { world: world.clone(), history, dice, id: 0, next_txn: 0 };
        let ts = world.oracle.draw();
        world.executor.start(Box::pin(async move {
            let read = client.read(key, ReadAt::Snapshot(ts)).await;
            assert!(read.is_some(), "the range does not answer");
        }));
    }
    let until = world.executor.nanos() + 60_000_000_000;
    while world.executor.skip(until) {}
    assert_eq!(history.lock().served.len(), KEYS.len(), "somebody still waits");
}

fn check(world: &World, history: &History) {
    let snapshot = world.engine(NodeId(1)).snapshot();
    let intents = mvcc::intents(&snapshot, &Span::all(), 0).expect("intents");
    assert!(intents.is_empty(), "left behind: {intents:?}");
    for (ts, key, value) in &history.served {
        let version = mvcc::get(&snapshot, key, *ts).expect("get");
        let found = version.and_then(|version| version.value).map(|value| value.to_vec());
        assert_eq!(&found, value, "{key} was read differently at {ts}");
    }
    for (key, acked) in &history.acked {
        for (ts, value) in acked {
            let version = mvcc::get(&snapshot, key, *ts).expect("get");
            let found = version.filter(|v| v.ts == *ts).and_then(|v| v.value);
            let name = String::from_utf8_lossy(value);
            assert_eq!(found.as_deref(), Some(&value[..]), "{name} under {key} at {ts}");
        }
    }
    let mut found: BTreeMap<Vec<u8>, BTreeMap<Key, Vec<Timestamp>>> = BTreeMap::new();
    for key in KEYS.map(|key| Key::copy_from(key.as_bytes())) {
        for version in mvcc::versions(&snapshot, &key, Timestamp::ZERO).expect("versions") {
            let value = version.value.expect("no deletes").to_vec();
            found.entry(value).or_default().entry(key.clone()).or_default().push(version.ts);
        }
    }
    for (value, keys) in found {
        let name = String::from_utf8_lossy(&value).into_owned();
        assert!(!history.failed.contains(&value), "{name} failed and is there");
        let places: BTreeSet<Timestamp> = keys.values().flatten().copied().collect();
        assert_eq!(places.len(), 1, "{name} is there at {places:?}");
        assert!(keys.values().all(|versions| versions.len() == 1), "{name} is there twice");
        let written: Vec<Key> = keys.into_keys().collect();
        assert_eq!(written, history.attempted[&value], "{name} is there by half");
    }
}

#[test]
fn random_histories_hold_the_promises() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(300),
    };
    let mut totals: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| run(seed));
        let counts = outcome.unwrap_or_else(|_| panic!("SEED={seed} breaks a promise"));
        counts.into_iter().for_each(|(what, count)| *totals.entry(what).or_default() += count);
    }
    eprintln!("{totals:?}");
}
