//! The front of the meta group: takes requests, answers them if this process leads.

mod cluster;
mod counts;
mod timestamps;

pub use counts::MetaCounts;

use crate::command::{Applied, Command};
use crate::config::MetaConfig;
use crate::deadlock::Detector;
use crate::liveness::Liveness;
use crate::machine::MetaView;
use crate::oracle::Oracle;
use crate::placement::{Repair, repair};
use base::codec::{Blob, from_message, to_message};
use base::meta_api::{IdKind, MetaRequest, MetaResponse};
use base::{BoxFuture, Clock, ClusterId, Key, KvError, KvResult};
use consensus::MetaGroup;
use futures::future::Shared;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

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
            MetaRequest::ReportSplit { left, right } => {
                self.report_split(left, right).await?;
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
            let nodes = self.config.first_nodes;
            self.propose(Command::Found { cluster, nodes }).await?;
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

    fn settings(&self, prefix: &str) -> MetaResponse {
        MetaResponse::Settings(self.view.read(|state| {
            let settings = state.settings.range(prefix.to_string()..);
            settings
                .take_while(|(name, _)| name.starts_with(prefix))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }))
    }
}

fn unexpected(applied: &Applied) -> KvError {
    KvError::Fatal(format!("unexpected answer of the meta machine: {applied:?}"))
}
