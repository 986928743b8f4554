//! Answers about nodes and ranges, and what their reports change.

use super::{MetaService, unexpected};
use crate::command::{Applied, Command};
use crate::state::MetaState;
use base::meta_api::{
    GC_RETENTION_MS, MetaResponse, NodeHeartbeat, NodeStatus, RangeReport, RangeStatus,
};
use base::{ClusterId, Key, KvError, KvResult, MonoTime, NodeDescriptor, NodeId, Timestamp};

impl MetaService {
    pub(super) async fn join(
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

    pub(super) async fn heartbeat(&self, heartbeat: NodeHeartbeat) -> KvResult<MetaResponse> {
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
        let (drawn, gc_retention_ms) = (self.oracle.drawn(), self.retention_millis());
        Ok(MetaResponse::Heartbeat { nodes, safe_point, catalog_version, drawn, gc_retention_ms })
    }

    /// Replicates those reports that bring news.
    pub(super) async fn report(&self, reports: Vec<RangeReport>) -> KvResult<()> {
        let reports: Vec<RangeReport> = self.view.read(|state| {
            reports.into_iter().filter(|report| state.ranges.is_news(report)).collect()
        });
        if !reports.is_empty() {
            self.propose(Command::ReportRanges { reports }).await?;
        }
        Ok(())
    }

    /// Replicates a split, unless a heartbeat was faster.
    pub(super) async fn report_split(
        &self,
        left: Box<RangeReport>,
        right: Box<RangeReport>,
    ) -> KvResult<()> {
        let is_news =
            |state: &MetaState| state.ranges.is_news(&left) || state.ranges.is_news(&right);
        if self.view.read(is_news) {
            self.propose(Command::ReportSplit { left, right }).await?;
        }
        Ok(())
    }

    pub(super) fn lookup(&self, key: &Key) -> KvResult<MetaResponse> {
        let found = self.view.read(|state| state.ranges.get(key).map(|piece| piece.status()));
        let status = found
            .ok_or_else(|| KvError::Unavailable(format!("no range has reported key {key} yet")))?;
        Ok(MetaResponse::Ranges(vec![self.with_size(status)]))
    }

    pub(super) fn ranges(&self, from: &Key, limit: u64) -> MetaResponse {
        let limit = if limit == 0 { usize::MAX } else { limit as usize };
        let found: Vec<RangeStatus> = self.view.read(|state| {
            state.ranges.current(from).take(limit).map(|piece| piece.status()).collect()
        });
        MetaResponse::Ranges(found.into_iter().map(|status| self.with_size(status)).collect())
    }

    pub(super) fn with_size(&self, mut status: RangeStatus) -> RangeStatus {
        if let Some(bytes) = self.leading.lock().liveness.bytes(status.descriptor.range) {
            status.bytes = bytes;
        }
        status
    }

    pub(super) fn nodes(&self, now: MonoTime) -> Vec<NodeStatus> {
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

    pub(super) fn safe_point(&self, now: MonoTime) -> Timestamp {
        let retention = self.retention_millis();
        let nodes: Vec<NodeId> = self.view.read(|state| state.nodes.keys().copied().collect());
        // Not from the present: a next leader starts behind what was drawn, and its snapshots must
        // not lie below this.
        let drawn = self.oracle.drawn().millis();
        let limit = Timestamp::new(drawn.saturating_sub(retention), 0);
        let timeout = self.config.heartbeat_timeout;
        self.leading.lock().liveness.safe_point(nodes.into_iter(), limit, now, timeout)
    }

    pub(super) fn retention_millis(&self) -> u64 {
        let text = self.setting(GC_RETENTION_MS);
        let number = text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        number.unwrap_or(self.config.gc_retention.as_millis() as u64)
    }
}
