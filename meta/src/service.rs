//! The front of the meta group: takes requests, answers them if this process leads.

use crate::command::{Applied, Command};
use crate::config::MetaConfig;
use crate::deadlock::Detector;
use crate::liveness::Liveness;
use crate::machine::MetaView;
use crate::oracle::Oracle;
use crate::placement::{Repair, repair};
use base::codec::{Blob, from_message, to_message};
use base::meta_api::{
    IdKind, MetaRequest, MetaResponse, NodeHeartbeat, NodeStatus, RangeReport, RangeStatus,
};
use base::{
    BoxFuture, Clock, ClusterId, Key, KvError, KvResult, MonoTime, NodeDescriptor, NodeId,
    Timestamp,
};
use consensus::MetaGroup;
use futures::FutureExt;
use futures::future::Shared;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// Most timestamps in one draw.
const TIMESTAMPS_MAX: u32 = 1 << 20;
/// Tries of a draw: each failed one has reserved a new window, which somebody else used up.
const DRAW_TRIES: usize = 10;
/// Setting that overrides how long superseded versions are kept.
const RETENTION_SETTING: &str = "gc.retention_ms";

/// Work that several callers wait for together.
type Joint = Shared<BoxFuture<'static, KvResult<()>>>;

/// What a leader knows from its own term alone.
struct Leading {
    term: u64,
    liveness: Liveness,
    detector: Detector,
}

/// The front of the meta group in one process.
pub struct MetaService {
    group: Arc<dyn MetaGroup>,
    view: MetaView,
    clock: Arc<dyn Clock>,
    config: MetaConfig,
    oracle: Oracle,
    leading: Mutex<Leading>,
    /// The reservation of a window under way, with its term.
    reserving: Mutex<Option<(u64, Joint)>>,
    this: Weak<MetaService>,
}

impl MetaService {
    /// A service on a replica of the meta group and the view of that replica's machine.
    pub fn new(
        group: Arc<dyn MetaGroup>,
        view: MetaView,
        clock: Arc<dyn Clock>,
        config: MetaConfig,
    ) -> Arc<MetaService> {
        let detector = Detector::new(config.wait_expiry);
        let leading = Leading { term: 0, liveness: Liveness::default(), detector };
        Arc::new_cyclic(|this| MetaService {
            group,
            view,
            clock,
            config,
            oracle: Oracle::default(),
            leading: Mutex::new(leading),
            reserving: Mutex::new(None),
            this: this.clone(),
        })
    }

    /// Answers a request, or says who leads.
    pub async fn execute(&self, request: MetaRequest) -> KvResult<MetaResponse> {
        match request {
            MetaRequest::Leader => Ok(MetaResponse::Leader { leader: self.group.leader() }),
            MetaRequest::Timestamps { count } => {
                let first = self.timestamps(count).await?;
                Ok(MetaResponse::Timestamps { first, count: count.max(1) })
            }
            request => {
                let term = self.lead().await?;
                self.execute_leading(term, request).await
            }
        }
    }

    /// Draws timestamps without waiting: `None` when this process does not lead, its lease has run
    /// out, or a window has to be reserved first. Allocates nothing.
    pub fn try_timestamps(&self, count: u32) -> Option<Timestamp> {
        let term = self.oracle.term();
        let now = self.clock.now();
        if term == 0 {
            return None;
        }
        if self.oracle.is_stale(now) {
            self.oracle.refresh(self.clock.wall_millis(), now);
        }
        let first = self.oracle.take(count.max(1))?;
        // Only now: a lease that holds after the draw held when it was made.
        if self.group.lead(self.clock.now()) != Ok(term) {
            return None;
        }
        if first.0 + self.window() / 2 > self.oracle.end().0 {
            self.reserve_in_background(term);
        }
        Some(first)
    }

    /// The cluster's id, once the cluster has one.
    pub fn cluster(&self) -> Option<ClusterId> {
        self.view.read(|state| state.cluster)
    }

    /// The settings as last applied here, which may lag behind the leader.
    pub fn setting(&self, name: &str) -> Option<Blob> {
        self.view.read(|state| state.settings.get(name).cloned())
    }

    /// What ranges lack for `wanted` live replicas each. Only the leader knows who is alive.
    pub fn repairs(&self, wanted: usize) -> KvResult<Vec<Repair>> {
        let now = self.clock.now();
        let term = self.group.lead(now)?;
        if self.leading.lock().term != term {
            return Ok(Vec::new());
        }
        let nodes = self.nodes(now);
        Ok(self.view.read(|state| {
            let from = Key::MIN;
            let ranges = state.ranges.current(&from);
            ranges.filter_map(|piece| repair(&nodes, &piece.descriptor, wanted)).collect()
        }))
    }

    async fn execute_leading(&self, term: u64, request: MetaRequest) -> KvResult<MetaResponse> {
        match request {
            MetaRequest::AllocateIds { kind, count } => self.allocate(kind, count).await,
            MetaRequest::Join { node, cluster } => self.join(node, cluster).await,
            MetaRequest::Heartbeat(heartbeat) => self.heartbeat(heartbeat).await,
            MetaRequest::Lookup { key } => self.lookup(&key),
            MetaRequest::Ranges { from, limit } => Ok(self.ranges(&from, limit)),
            MetaRequest::Nodes => Ok(MetaResponse::Nodes(self.nodes(self.clock.now()))),
            MetaRequest::ReportRange(report) => {
                self.report(vec![report]).await?;
                Ok(MetaResponse::Done)
            }
            MetaRequest::GetSettings { prefix } => Ok(self.settings(&prefix)),
            MetaRequest::SetSetting { name, value } => {
                self.propose(Command::SetSetting { name, value }).await?;
                Ok(MetaResponse::Done)
            }
            MetaRequest::SafePoint => {
                Ok(MetaResponse::SafePoint(self.safe_point(self.clock.now())))
            }
            MetaRequest::Wait(edge) => {
                let mut leading = self.leading.lock();
                if leading.term != term {
                    return Err(KvError::MetaNotLeader { leader: self.group.leader() });
                }
                let cycle = leading.detector.wait(edge, self.clock.now());
                Ok(MetaResponse::Deadlock { cycle })
            }
            MetaRequest::WaitDone { waiter } => {
                self.leading.lock().detector.done(waiter);
                Ok(MetaResponse::Done)
            }
            MetaRequest::Timestamps { .. } | MetaRequest::Leader => {
                Err(KvError::Fatal("answered before".into()))
            }
        }
    }

    /// Makes sure that this process leads; returns the term, for which everything is prepared.
    async fn lead(&self) -> KvResult<u64> {
        let term = match self.group.lead(self.clock.now()) {
            Ok(term) => term,
            // Somebody else is known to lead.
            Err(error @ KvError::MetaNotLeader { leader: Some(_) }) => return Err(error),
            // It may lead without a lease.
            Err(_) => self.group.read_index().await?,
        };
        if self.oracle.term() != term {
            self.prepare(term).await?;
        }
        Ok(term)
    }

    /// First steps of a leader: forgets what an earlier term knew, gives a new cluster its id, and
    /// starts the oracle above everything that was ever reserved.
    async fn prepare(&self, term: u64) -> KvResult<()> {
        if self.cluster().is_none() {
            let cluster = self.config.cluster_if_new;
            self.propose(Command::Found { cluster }).await?;
        }
        let now = self.clock.now();
        let mut leading = self.leading.lock();
        if leading.term < term {
            leading.term = term;
            leading.liveness = Liveness::start(now);
            leading.detector = Detector::new(self.config.wait_expiry);
            // All entries of earlier terms are applied: nobody has drawn at or above this.
            let from = self.view.read(|state| state.timestamp_end);
            self.oracle.start(term, from, self.clock.wall_millis(), now);
        }
        Ok(())
    }

    async fn timestamps(&self, count: u32) -> KvResult<Timestamp> {
        if count > TIMESTAMPS_MAX {
            return Err(KvError::Fatal(format!("{count} timestamps are too many for one draw")));
        }
        for _ in 0..DRAW_TRIES {
            if let Some(first) = self.try_timestamps(count) {
                return Ok(first);
            }
            let term = self.lead().await?;
            if let Some(first) = self.draw_confirmed(term, count).await? {
                return Ok(first);
            }
            self.reserve(term).await?;
        }
        Err(KvError::Unavailable("timestamps are used up faster than they are reserved".into()))
    }

    /// Draws although there is no lease: leadership is confirmed with a quorum after the draw.
    async fn draw_confirmed(&self, term: u64, count: u32) -> KvResult<Option<Timestamp>> {
        self.oracle.refresh(self.clock.wall_millis(), self.clock.now());
        let Some(first) = self.oracle.take(count.max(1)) else { return Ok(None) };
        let confirmed = match self.group.lead(self.clock.now()) {
            Ok(term) => term,
            Err(_) => self.group.read_index().await?,
        };
        Ok((confirmed == term && self.oracle.term() == term).then_some(first))
    }

    /// Reserves a window beyond the present one; callers at the same time share the work.
    fn reserve(&self, term: u64) -> Joint {
        let mut reserving = self.reserving.lock();
        if let Some((for_term, joint)) = &*reserving
            && *for_term == term
            && joint.peek().is_none()
        {
            return joint.clone();
        }
        let this = self.this.upgrade();
        let work = async move {
            let this = this.ok_or(KvError::Shutdown)?;
            let end = Timestamp(this.oracle.present().0.saturating_add(this.window()));
            this.propose(Command::ReserveTimestamps { end }).await?;
            this.oracle.extend(term, end);
            Ok(())
        };
        let joint = work.boxed().shared();
        *reserving = Some((term, joint.clone()));
        joint
    }

    fn reserve_in_background(&self, term: u64) {
        let is_running = self
            .reserving
            .lock()
            .as_ref()
            .is_some_and(|(for_term, joint)| *for_term == term && joint.peek().is_none());
        if !is_running {
            let joint = self.reserve(term);
            // Whoever needs the window notices a failure.
            self.clock.spawn(Box::pin(async move { joint.await.unwrap_or_default() }));
        }
    }

    /// The length of a window in timestamps.
    fn window(&self) -> u64 {
        let window = Timestamp::new(self.config.oracle_window.as_millis() as u64, 0);
        window.0.max(u64::from(TIMESTAMPS_MAX))
    }

    async fn propose(&self, command: Command) -> KvResult<Applied> {
        let answer = self.group.propose(to_message(&command).into()).await?;
        let applied = from_message(&answer)
            .map_err(|error| KvError::Fatal(format!("answer of the meta machine: {error}")))?;
        match applied {
            Applied::Refused(reason) => Err(KvError::Fatal(reason)),
            applied => Ok(applied),
        }
    }

    async fn allocate(&self, kind: IdKind, count: u64) -> KvResult<MetaResponse> {
        match self.propose(Command::AllocateIds { kind, count: count.max(1) }).await? {
            Applied::Ids(first) => Ok(MetaResponse::Ids { first }),
            other => Err(unexpected(&other)),
        }
    }

    async fn join(
        &self,
        node: NodeDescriptor,
        cluster: Option<ClusterId>,
    ) -> KvResult<MetaResponse> {
        let own = self.cluster().ok_or_else(|| KvError::Unavailable("no cluster yet".into()))?;
        if let Some(theirs) = cluster.filter(|theirs| *theirs != own) {
            return Err(KvError::Fatal(format!(
                "node belongs to cluster {:032x}, this is cluster {:032x}",
                theirs.0, own.0
            )));
        }
        let is_known = self.view.read(|state| state.nodes.get(&node.node) == Some(&node));
        let id = if is_known {
            node.node
        } else {
            match self.propose(Command::Join { node }).await? {
                Applied::Joined(id) => id,
                other => return Err(unexpected(&other)),
            }
        };
        let nodes = self.view.read(|state| state.nodes.values().cloned().collect());
        Ok(MetaResponse::Joined { node: id, cluster: own, nodes })
    }

    async fn heartbeat(&self, heartbeat: NodeHeartbeat) -> KvResult<MetaResponse> {
        let node = heartbeat.node;
        if !self.view.read(|state| state.nodes.contains_key(&node)) {
            return Err(KvError::Fatal(format!("node {node} has not joined this cluster")));
        }
        self.leading.lock().liveness.hear(&heartbeat, self.clock.now());
        self.report(heartbeat.leads).await?;
        let now = self.clock.now();
        let nodes = self.nodes(now);
        let safe_point = self.safe_point(now);
        let catalog_version = self.view.read(|state| state.catalog_version());
        Ok(MetaResponse::Heartbeat { nodes, safe_point, catalog_version })
    }

    /// Replicates those reports that bring news.
    async fn report(&self, reports: Vec<RangeReport>) -> KvResult<()> {
        let reports: Vec<RangeReport> = self.view.read(|state| {
            reports.into_iter().filter(|report| state.ranges.is_news(report)).collect()
        });
        if !reports.is_empty() {
            self.propose(Command::ReportRanges { reports }).await?;
        }
        Ok(())
    }

    fn lookup(&self, key: &Key) -> KvResult<MetaResponse> {
        let found = self.view.read(|state| state.ranges.get(key).map(|piece| piece.status()));
        let status = found
            .ok_or_else(|| KvError::Unavailable(format!("no range has reported key {key} yet")))?;
        Ok(MetaResponse::Ranges(vec![self.with_size(status)]))
    }

    fn ranges(&self, from: &Key, limit: u64) -> MetaResponse {
        let limit = if limit == 0 { usize::MAX } else { limit as usize };
        let found: Vec<RangeStatus> = self.view.read(|state| {
            state.ranges.current(from).take(limit).map(|piece| piece.status()).collect()
        });
        MetaResponse::Ranges(found.into_iter().map(|status| self.with_size(status)).collect())
    }

    fn with_size(&self, mut status: RangeStatus) -> RangeStatus {
        if let Some(bytes) = self.leading.lock().liveness.bytes(status.descriptor.range) {
            status.bytes = bytes;
        }
        status
    }

    fn settings(&self, prefix: &str) -> MetaResponse {
        MetaResponse::Settings(self.view.read(|state| {
            let settings = state.settings.range(prefix.to_string()..);
            settings
                .take_while(|(name, _)| name.starts_with(prefix))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }))
    }

    fn nodes(&self, now: MonoTime) -> Vec<NodeStatus> {
        let leader = self.group.leader();
        let descriptors: Vec<NodeDescriptor> =
            self.view.read(|state| state.nodes.values().cloned().collect());
        let leading = self.leading.lock();
        let timeout = self.config.heartbeat_timeout;
        let status = |descriptor: NodeDescriptor| {
            let id = descriptor.node;
            let last = leading.liveness.last(id);
            NodeStatus {
                is_live: leading.liveness.is_live(id, now, timeout),
                replicas: last.map_or(0, |heartbeat| heartbeat.replicas),
                leaders: last.map_or(0, |heartbeat| heartbeat.leaders),
                bytes: last.map_or(0, |heartbeat| heartbeat.bytes),
                leads_meta: leader == Some(id),
                descriptor,
            }
        };
        descriptors.into_iter().map(status).collect()
    }

    fn safe_point(&self, now: MonoTime) -> Timestamp {
        let retention = self.retention_millis();
        let nodes: Vec<NodeId> = self.view.read(|state| state.nodes.keys().copied().collect());
        // Not from the present: a next leader starts behind what was drawn, and its snapshots must
        // not lie below this.
        let drawn = self.oracle.drawn().millis();
        let limit = Timestamp::new(drawn.saturating_sub(retention), 0);
        let timeout = self.config.heartbeat_timeout;
        self.leading.lock().liveness.safe_point(nodes.into_iter(), limit, now, timeout)
    }

    fn retention_millis(&self) -> u64 {
        let text = self.setting(RETENTION_SETTING);
        let number = text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        number.unwrap_or(self.config.gc_retention.as_millis() as u64)
    }
}

fn unexpected(applied: &Applied) -> KvError {
    KvError::Fatal(format!("unexpected answer of the meta machine: {applied:?}"))
}
