//! The fake cluster: ranges, versions, locks, intents and records in one place, each request
//! evaluated at once. Conditions, epochs and leaders are checked as the real thing does; nothing
//! waits: what would wait is refused.

use base::api::commit_1pc::Commit1PcResponse;
use base::api::end_txn::{EndTxnAction, EndTxnResponse};
use base::api::get::GetResponse;
use base::api::lock::{LockResponse, LockWait, LockedValue};
use base::api::prewrite::{PrewriteRequest, PrewriteResponse};
use base::api::scan::{ScanRequest, ScanResponse};
use base::api::{
    RangeOp, RangeRequest, RangeResponse, ReadAt, TxnStatus, Write, WriteCondition, WriteOp,
};
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{
    BoxFuture, Key, KvError, KvResult, NodeId, RangeDescriptor, RangeId, Span, Timestamp,
    Transport, TxnId,
};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A range and who leads it.
#[derive(Clone)]
pub(crate) struct FakeRange {
    pub(crate) descriptor: RangeDescriptor,
    pub(crate) leader: NodeId,
}

/// What goes wrong with a coming request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It takes effect, its answer is lost.
    LoseAnswer,
    /// It never arrives.
    LoseRequest,
    /// It is answered like this.
    Answer(KvError),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) ranges: Vec<FakeRange>,
    /// What meta tells, if it lags behind.
    pub(crate) meta_ranges: Option<Vec<FakeRange>>,
    pub(crate) meta_leader: u64,
    pub(crate) down: BTreeSet<NodeId>,
    pub(crate) faults: VecDeque<(String, Fault)>,
    pub(crate) versions: BTreeMap<Key, BTreeMap<Timestamp, Option<Bytes>>>,
    pub(crate) locks: BTreeMap<Key, TxnId>,
    pub(crate) intents: BTreeMap<Key, (TxnId, Timestamp, WriteOp)>,
    pub(crate) records: BTreeMap<TxnId, TxnStatus>,
    /// Highest read per key, for TooLate and for higher commit timestamps.
    pub(crate) read: BTreeMap<Key, Timestamp>,
    pub(crate) next_ts: u64,
    pub(crate) next_id: u64,
    pub(crate) trace: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct FakeCluster {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) nodes: Vec<NodeId>,
}

impl FakeCluster {
    /// One range over everything, led by node 1; meta is led by node 1 too.
    pub(crate) fn new(nodes: u64) -> FakeCluster {
        let nodes: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        let first = FakeRange { descriptor: RangeDescriptor::first(&nodes), leader: NodeId(1) };
        let state = State {
            ranges: vec![first],
            meta_leader: 1,
            next_ts: 100,
            next_id: 1,
            ..State::default()
        };
        FakeCluster { state: Arc::new(Mutex::new(state)), nodes }
    }
}

impl Transport for FakeCluster {
    fn local_node(&self) -> NodeId {
        NodeId(1)
    }

    fn send_range(
        &self,
        node: NodeId,
        request: RangeRequest,
    ) -> BoxFuture<'static, KvResult<RangeResponse>> {
        let result = self.state.lock().range_request(node, request);
        Box::pin(async move { result })
    }

    fn send_meta(
        &self,
        node: NodeId,
        request: MetaRequest,
    ) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let result = self.state.lock().meta_request(node, request);
        Box::pin(async move { result })
    }

    fn meta_nodes(&self) -> Vec<NodeId> {
        self.nodes.clone()
    }
}

impl State {
    pub(crate) fn draw(&mut self, count: u64) -> Timestamp {
        let first = Timestamp(self.next_ts);
        self.next_ts += count;
        first
    }

    pub(crate) fn range_of(&mut self, key: &[u8]) -> &mut FakeRange {
        let at = self.ranges.iter().position(|range| range.descriptor.contains(key));
        &mut self.ranges[at.expect("ranges cover everything")]
    }

    /// Splits as a real range does; routers find out later.
    pub(crate) fn split(&mut self, key: &Key) {
        let new = RangeId(self.ranges.len() as u64 + 1);
        let left = self.range_of(key);
        let mut right = left.clone();
        left.descriptor.span.end = key.clone();
        left.descriptor.epoch += 1;
        right.descriptor.range = new;
        right.descriptor.span.start = key.clone();
        right.descriptor.epoch = left.descriptor.epoch;
        self.ranges.push(right);
    }

    fn meta_request(&mut self, node: NodeId, request: MetaRequest) -> KvResult<MetaResponse> {
        if self.down.contains(&node) {
            return Err(KvError::Unreachable { node, maybe_sent: false });
        }
        if node.0 != self.meta_leader {
            self.trace.push(format!("{node} meta: not the leader"));
            return Err(KvError::MetaNotLeader { leader: Some(NodeId(self.meta_leader)) });
        }
        Ok(match request {
            MetaRequest::Timestamps { count } => {
                MetaResponse::Timestamps { first: self.draw(u64::from(count)), count }
            }
            MetaRequest::AllocateIds { count, .. } => {
                self.next_id += count;
                MetaResponse::Ids { first: self.next_id - count }
            }
            MetaRequest::Lookup { key } => {
                self.trace.push(format!("{node} meta lookup {}", crate::support::show::key(&key)));
                let ranges = self.meta_ranges.as_ref().unwrap_or(&self.ranges);
                let found = ranges.iter().filter(|range| range.descriptor.contains(&key));
                MetaResponse::Ranges(found.map(status).collect())
            }
            _ => return Err(KvError::Fatal("not in the fake".into())),
        })
    }

    fn range_request(&mut self, node: NodeId, request: RangeRequest) -> KvResult<RangeResponse> {
        let name = crate::support::show::request(node, &request);
        let fault = match self.faults.front() {
            Some((on, _)) if name.contains(on.as_str()) => {
                self.faults.pop_front().map(|(_, fault)| fault)
            }
            _ => None,
        };
        let result = match fault {
            Some(Fault::LoseRequest) => Err(KvError::Unreachable { node, maybe_sent: true }),
            Some(Fault::Answer(error)) => Err(error),
            Some(Fault::LoseAnswer) => {
                let _ = self.evaluate(node, request);
                Err(KvError::Unreachable { node, maybe_sent: true })
            }
            None => self.evaluate(node, request),
        };
        self.trace.push(format!("{name} => {}", crate::support::show::result(&result)));
        result
    }

    fn evaluate(&mut self, node: NodeId, request: RangeRequest) -> KvResult<RangeResponse> {
        if self.down.contains(&node) {
            return Err(KvError::Unreachable { node, maybe_sent: false });
        }
        let range = self.ranges.iter().find(|range| range.descriptor.range == request.range);
        let range = range.cloned().ok_or(KvError::RangeNotFound(request.range))?;
        if range.leader != node {
            let leader = range.descriptor.replica_on(range.leader).copied();
            return Err(KvError::NotLeader { range: request.range, leader });
        }
        if range.descriptor.epoch != request.epoch {
            return Err(KvError::StaleEpoch { current: range.descriptor });
        }
        let txn = request.txn;
        match request.body {
            RangeOp::Get(get) => self.get(&get.keys, get.at),
            RangeOp::Scan(scan) => self.scan(&range.descriptor, scan),
            RangeOp::Lock(lock) => self.lock(txn, lock.keys, lock.wait),
            RangeOp::Unlock(unlock) => {
                self.locks.retain(|key, holder| {
                    Some(*holder) != txn || !(unlock.keys.is_empty() || unlock.keys.contains(key))
                });
                Ok(RangeResponse::Done)
            }
            RangeOp::Commit1Pc(commit) => self.commit_1pc(txn, commit, &range.descriptor.span),
            RangeOp::Prewrite(prewrite) => self.prewrite(prewrite),
            RangeOp::EndTxn(end) => Ok(self.end_txn(end.anchor.txn, end.action)),
            RangeOp::Resolve(resolve) => {
                for key in resolve.keys {
                    self.resolve(&key, resolve.txn, resolve.status);
                }
                Ok(RangeResponse::Done)
            }
            RangeOp::Refresh(refresh) => self.refresh(&refresh.spans, refresh.from, refresh.to),
            _ => Err(KvError::Fatal("not in the fake".into())),
        }
    }

    fn read_ts(&self, at: ReadAt) -> Timestamp {
        match at {
            ReadAt::Snapshot(ts) | ReadAt::Follower(ts) => ts,
            ReadAt::Leader => Timestamp(self.next_ts - 1),
        }
    }

    fn visible(&self, key: &Key, at: Timestamp) -> Option<Bytes> {
        let versions = self.versions.get(key)?;
        versions.range(..=at).next_back().and_then(|(_, value)| value.clone())
    }

    fn newest(&self, key: &Key) -> (Timestamp, Option<Bytes>) {
        let newest = self.versions.get(key).and_then(|versions| versions.last_key_value());
        newest.map_or((Timestamp::ZERO, None), |(ts, value)| (*ts, value.clone()))
    }

    fn get(&mut self, keys: &[Key], at: ReadAt) -> KvResult<RangeResponse> {
        let read_ts = self.read_ts(at);
        let values = keys.iter().map(|key| self.visible(key, read_ts).map(Into::into)).collect();
        for key in keys {
            let read = self.read.entry(key.clone()).or_default();
            *read = read_ts.max(*read);
        }
        Ok(RangeResponse::Get(GetResponse { values, read_ts }))
    }

    fn scan(&mut self, range: &RangeDescriptor, scan: ScanRequest) -> KvResult<RangeResponse> {
        let read_ts = self.read_ts(scan.at);
        let part = scan.span.intersect(&range.span);
        let limit = if scan.limit_rows == 0 { usize::MAX } else { scan.limit_rows as usize };
        let keys = self.versions.keys().filter(|key| part.contains(key)).cloned();
        let mut keys: Vec<Key> = keys.collect();
        if scan.reverse {
            keys.reverse();
        }
        let mut rows = Vec::new();
        let mut resume = (!range.span.covers(&scan.span)).then(|| match scan.reverse {
            false => Span::new(range.span.end.clone(), scan.span.end.clone()),
            true => Span::new(scan.span.start.clone(), range.span.start.clone()),
        });
        for key in keys {
            let Some(value) = self.visible(&key, read_ts) else { continue };
            if rows.len() == limit {
                resume = Some(match scan.reverse {
                    false => Span::new(key, scan.span.end.clone()),
                    true => Span::new(scan.span.start.clone(), key.after()),
                });
                break;
            }
            rows.push((key, value.into()));
        }
        let rows_read = rows.len() as u64;
        let resume = resume.filter(|rest| !rest.is_empty());
        let output = None;
        Ok(RangeResponse::Scan(ScanResponse {
            rows,
            output,
            resume,
            done: false,
            read_ts,
            rows_read,
        }))
    }

    fn lock(
        &mut self,
        txn: Option<TxnId>,
        keys: Vec<Key>,
        wait: LockWait,
    ) -> KvResult<RangeResponse> {
        let txn = txn.ok_or_else(|| KvError::Fatal("a lock needs a transaction".into()))?;
        let mut values = Vec::new();
        for key in keys {
            match self.locks.get(&key) {
                Some(holder) if *holder != txn && wait == LockWait::Skip => {
                    values.push(LockedValue::Skipped);
                }
                Some(holder) if *holder != txn => return Err(KvError::LockNotAvailable { key }),
                _ => {
                    let (observed, value) = self.newest(&key);
                    self.locks.insert(key, txn);
                    values.push(LockedValue::Held { value: value.map(Into::into), observed });
                }
            }
        }
        Ok(RangeResponse::Lock(LockResponse { values }))
    }

    fn check(&self, txn: Option<TxnId>, write: &Write) -> KvResult<()> {
        let key = write.key.clone();
        if matches!(write.condition, WriteCondition::Held(_))
            && self.locks.get(&key) != txn.as_ref()
        {
            return Err(KvError::WriteConflict { key, newer: Timestamp::ZERO });
        }
        if self.locks.get(&key).is_some_and(|holder| Some(*holder) != txn) {
            return Err(KvError::LockNotAvailable { key });
        }
        let (newer, value) = self.newest(&key);
        match write.condition {
            WriteCondition::NotNewerThan(ts) if newer > ts => {
                Err(KvError::WriteConflict { key, newer })
            }
            WriteCondition::Unchanged(ts) | WriteCondition::Held(ts) if newer != ts => {
                Err(KvError::WriteConflict { key, newer })
            }
            WriteCondition::Absent if value.is_some() => Err(KvError::KeyExists { key }),
            _ => Ok(()),
        }
    }

    /// The timestamp at which the keys may be written: above every read of them.
    fn allowed(&mut self, writes: &[Write], ts: Timestamp) -> Timestamp {
        let read = writes.iter().filter_map(|write| self.read.get(&write.key)).max();
        if read.is_some_and(|read| *read >= ts) { self.draw(1) } else { ts }
    }

    fn commit_1pc(
        &mut self,
        txn: Option<TxnId>,
        commit: base::api::commit_1pc::Commit1PcRequest,
        span: &Span,
    ) -> KvResult<RangeResponse> {
        let done = |ts| Ok(RangeResponse::Commit1Pc(Commit1PcResponse::Committed(ts)));
        if commit.is_retry {
            let carries = |write: &Write| {
                let versions = self.versions.get(&write.key);
                versions.is_some_and(|versions| versions.contains_key(&commit.commit_ts))
            };
            if commit.writes.iter().any(carries) {
                return done(commit.commit_ts);
            }
        }
        commit.writes.iter().try_for_each(|write| self.check(txn, write))?;
        let ts = self.allowed(&commit.writes, commit.commit_ts);
        if commit.exact && ts != commit.commit_ts {
            return Ok(RangeResponse::Commit1Pc(Commit1PcResponse::TooLate(ts)));
        }
        for write in commit.writes {
            self.apply(write.key, ts, write.op);
        }
        self.locks.retain(|key, holder| Some(*holder) != txn || !span.contains(key));
        done(ts)
    }

    fn prewrite(&mut self, prewrite: PrewriteRequest) -> KvResult<RangeResponse> {
        let txn = prewrite.anchor.txn;
        prewrite.writes.iter().try_for_each(|write| self.check(Some(txn), write))?;
        if self.records.get(&txn) == Some(&TxnStatus::Aborted) && prewrite.staging.is_some() {
            return Err(KvError::TxnAborted { txn });
        }
        let ts = self.allowed(&prewrite.writes, prewrite.ts);
        if prewrite.exact && ts != prewrite.ts {
            return Ok(RangeResponse::Prewrite(PrewriteResponse::TooLate(ts)));
        }
        for write in prewrite.writes {
            self.intents.insert(write.key, (txn, ts, write.op));
        }
        if let Some(staging) = prewrite.staging {
            self.records.insert(txn, TxnStatus::Staging(staging.ts));
        }
        Ok(RangeResponse::Prewrite(PrewriteResponse::Written(ts)))
    }

    fn end_txn(&mut self, txn: TxnId, action: EndTxnAction) -> RangeResponse {
        let now = self.records.get(&txn).copied();
        let decided = matches!(now, Some(TxnStatus::Committed(_) | TxnStatus::Aborted));
        let status = match action {
            EndTxnAction::Forget => {
                self.records.remove(&txn);
                return RangeResponse::EndTxn(EndTxnResponse { status: TxnStatus::Pending });
            }
            _ if decided => now.unwrap_or(TxnStatus::Pending),
            EndTxnAction::Heartbeat { .. } => now.unwrap_or(TxnStatus::Pending),
            EndTxnAction::Commit { ts, .. } => TxnStatus::Committed(ts),
            EndTxnAction::Abort => TxnStatus::Aborted,
        };
        self.records.insert(txn, status);
        RangeResponse::EndTxn(EndTxnResponse { status })
    }

    fn resolve(&mut self, key: &Key, txn: TxnId, status: TxnStatus) {
        if self.locks.get(key) == Some(&txn) {
            self.locks.remove(key);
        }
        if self.intents.get(key).is_some_and(|(owner, ..)| *owner == txn)
            && let Some((_, _, op)) = self.intents.remove(key)
            && let TxnStatus::Committed(ts) = status
        {
            self.apply(key.clone(), ts, op);
        }
    }

    fn apply(&mut self, key: Key, ts: Timestamp, op: WriteOp) {
        let value = match op {
            WriteOp::Put(value) => Some(value.0),
            WriteOp::Delete => None,
            WriteOp::Check => return,
        };
        self.versions.entry(key).or_default().insert(ts, value);
    }

    fn refresh(
        &mut self,
        spans: &[Span],
        from: Timestamp,
        to: Timestamp,
    ) -> KvResult<RangeResponse> {
        for (key, versions) in &self.versions {
            let newer = versions.range(from.next()..=to).next();
            if let (true, Some((newer, _))) = (spans.iter().any(|span| span.contains(key)), newer) {
                return Err(KvError::WriteConflict { key: key.clone(), newer: *newer });
            }
        }
        Ok(RangeResponse::Done)
    }
}

fn status(range: &FakeRange) -> RangeStatus {
    RangeStatus { descriptor: range.descriptor.clone(), leader: Some(range.leader), bytes: 0 }
}
