//! The node as its HTTP endpoints see it.

use crate::cli::Role;
use crate::http::{Held, HttpState};
use crate::metrics::{MetaSample, Metrics, ProxySample, Sample, ShardSample};
use crate::node::{Node, Pulse};
use crate::pg::PgServer;
use crate::settings::Settings;
use base::api::snapshot::{IngestRequest, SnapshotRequest, SnapshotResponse};
use base::api::{RangeOp, RangeResponse};
use base::codec::Blob;
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{BoxFuture, Clock, Key, KvError, KvResult, NodeId, RangeId, Span, Timestamp};
use meta::MetaService;
use shard::Store;
use shard::raft::RaftHandle;
use sql::Engine as SqlEngine;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use storage::Engine;
use txn::TxnClient;

/// About this many bytes are exported at a time.
const EXPORT_BYTES: u64 = 4 << 20;

/// What the endpoints look at: from before the node is put together until the process ends.
pub(crate) struct Observed {
    metrics: Arc<Metrics>,
    is_meta: bool,
    is_shard: bool,
    token: String,
    running: OnceLock<Running>,
    is_stopping: AtomicBool,
}

/// The node, once it is put together.
struct Running {
    node: NodeId,
    client: TxnClient,
    store: Arc<Store>,
    disk: Engine,
    clock: Arc<dyn Clock>,
    raft: RaftHandle,
    meta: Option<Arc<MetaService>>,
    engine: Option<Arc<SqlEngine>>,
    server: Option<Arc<PgServer>>,
    pulse: Arc<Pulse>,
}

impl Observed {
    /// A process that starts.
    pub(crate) fn new(metrics: Arc<Metrics>, settings: &Settings) -> Observed {
        Observed {
            metrics,
            is_meta: settings.has(Role::Meta),
            is_shard: settings.has(Role::Shard),
            token: settings.http_token.clone(),
            running: OnceLock::new(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The node is put together.
    pub(crate) fn set_running(&self, node: &Node, server: Option<Arc<PgServer>>) {
        let running = Running {
            node: node.id,
            client: node.client.clone(),
            store: node.store.clone(),
            disk: node.disk.clone(),
            clock: node.clock.clone(),
            raft: node.replication.handle.clone(),
            meta: node.replication.meta.clone(),
            engine: node.engine.clone(),
            server,
            pulse: node.pulse.clone(),
        };
        // Called once, while the process is put together.
        let _ = self.running.set(running);
    }

    /// The process has been told to stop.
    pub(crate) fn set_stopping(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    fn running(&self) -> Result<&Running, String> {
        self.running.get().ok_or_else(|| "the node is starting".to_owned())
    }

    fn client(&self) -> KvResult<TxnClient> {
        let running = self.running().map_err(KvError::Unavailable)?;
        Ok(running.client.clone())
    }
}

impl Running {
    fn sample(&self, is_shard: bool) -> Sample {
        let proxy = self.server.as_ref().map(|s| ProxySample { connections: s.sessions() as u64 });
        let meta = self.meta.as_ref().map(|meta| {
            let counts = meta.counts();
            MetaSample { is_leader: counts.is_leader, nodes: counts.nodes, ranges: counts.ranges }
        });
        Sample { proxy, shard: is_shard.then(|| self.shard_sample()), meta }
    }

    fn shard_sample(&self) -> ShardSample {
        let raft = self.raft.stats();
        let usage = self.disk.disk();
        let (locks_held, lock_waiting) = self.store.lock_counts();
        // The meta group is no range.
        let groups = self.raft.groups();
        let ranges = || groups.iter().filter(|group| group.range != RangeId::META);
        ShardSample {
            ranges: ranges().count() as u64,
            leaders: ranges().filter(|group| group.is_leader).count() as u64,
            raft_proposals: raft.proposals,
            raft_applied: raft.applied,
            raft_ready_batches: raft.groups_synced,
            raft_syncs: raft.syncs,
            storage_bytes: usage.used_bytes,
            storage_free_bytes: usage.free_bytes,
            locks_held: locks_held as u64,
            lock_waiting: lock_waiting as u64,
            lock_waits: self.store.lock_waits(),
        }
    }

    /// Statements can run: the process hears from the cluster.
    fn ready(&self) -> Result<(), String> {
        if self.engine.as_ref().is_some_and(|engine| !engine.catalog().has_lease()) {
            return Err("the node is cut off from the cluster: its catalog lease has ended".into());
        }
        match self.pulse.is_felt(self.clock.now()) {
            true => Ok(()),
            false => Err("the node is cut off from the cluster: meta does not answer".into()),
        }
    }
}

impl HttpState for Observed {
    fn node(&self) -> NodeId {
        self.running.get().map_or(NodeId(0), |running| running.node)
    }

    fn metrics(&self) -> String {
        let running = self.running.get();
        let sample = running.map_or_else(Sample::default, |r| r.sample(self.is_shard));
        self.metrics.render(&sample)
    }

    /// A process whose disk failed ends; one that answers works.
    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err("the node is stopping".into());
        }
        self.running()?.ready()
    }

    fn is_meta(&self) -> bool {
        self.running.get().map_or(self.is_meta, |running| running.meta.is_some())
    }

    fn is_shard(&self) -> bool {
        self.is_shard
    }

    fn token(&self) -> Option<String> {
        Some(self.token.clone()).filter(|token| !token.is_empty())
    }

    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<RangeStatus>> {
        let client = self.client();
        Box::pin(async move {
            match client?.meta(MetaRequest::Lookup { key: key.clone() }).await? {
                MetaResponse::Ranges(ranges) => {
                    let found = ranges.into_iter().next();
                    found.ok_or_else(|| KvError::Unavailable(format!("no range holds {key}")))
                }
                _ => Err(unexpected()),
            }
        })
    }

    fn pin(&self) -> BoxFuture<'static, KvResult<(Timestamp, Held)>> {
        let client = self.client();
        Box::pin(async move {
            let snapshot = client?.pin_now().await?;
            Ok((snapshot.ts(), Box::new(snapshot) as Held))
        })
    }

    fn export(&self, span: Span, at: Timestamp) -> BoxFuture<'static, KvResult<SnapshotResponse>> {
        let client = self.client();
        Box::pin(async move {
            let start = span.start.clone();
            let op = RangeOp::Snapshot(SnapshotRequest { span, at, limit_bytes: EXPORT_BYTES });
            match client?.admin_at(&start, op).await? {
                RangeResponse::Snapshot(page) => Ok(page),
                _ => Err(unexpected()),
            }
        })
    }

    fn ingest(&self, rows: Vec<(Key, Blob)>) -> BoxFuture<'static, KvResult<()>> {
        let client = self.client();
        Box::pin(async move {
            let client = client?;
            let mut by_range: BTreeMap<RangeId, Vec<(Key, Blob)>> = BTreeMap::new();
            for (key, value) in rows {
                let range = client.router().lookup(&key).await?.descriptor.range;
                by_range.entry(range).or_default().push((key, value));
            }
            for (range, rows) in by_range {
                let ts = client.now().await?;
                client.admin(range, RangeOp::Ingest(IngestRequest { rows, ts })).await?;
            }
            Ok(())
        })
    }
}

fn unexpected() -> KvError {
    KvError::Fatal("the range gave an unexpected answer".into())
}
