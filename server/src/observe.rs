//! The node as its HTTP endpoints see it.

use crate::cli::Role;
use crate::http::HttpState;
use crate::metrics::{MetaSample, Metrics, ProxySample, Sample, ShardSample};
use crate::node::Node;
use crate::pg::PgServer;
use crate::settings::Settings;
use base::api::snapshot::{IngestRequest, SnapshotRequest, SnapshotResponse};
use base::api::{RangeOp, RangeResponse};
use base::codec::Blob;
use base::meta_api::{MetaRequest, MetaResponse, RangeStatus};
use base::{BoxFuture, Key, KvError, KvResult, NodeId, RangeId, Span, Timestamp};
use meta::MetaService;
use shard::Store;
use shard::raft::RaftHandle;
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::Engine;
use txn::TxnClient;

/// About this many bytes are exported at a time.
const EXPORT_BYTES: u64 = 4 << 20;

/// What the endpoints look at.
pub(crate) struct Observed {
    node: NodeId,
    client: TxnClient,
    store: Arc<Store>,
    disk: Engine,
    raft: RaftHandle,
    meta: Option<Arc<MetaService>>,
    server: Option<Arc<PgServer>>,
    metrics: Arc<Metrics>,
    is_shard: bool,
    token: String,
}

impl Observed {
    pub(crate) fn new(
        node: &Node,
        server: Option<Arc<PgServer>>,
        metrics: Arc<Metrics>,
        settings: &Settings,
    ) -> Observed {
        Observed {
            node: node.id,
            client: node.client.clone(),
            store: node.store.clone(),
            disk: node.disk.clone(),
            raft: node.replication.handle.clone(),
            meta: node.replication.meta.clone(),
            server,
            metrics,
            is_shard: settings.has(Role::Shard),
            token: settings.http_token.clone(),
        }
    }

    fn shard_sample(&self) -> ShardSample {
        let raft = self.raft.stats();
        let usage = self.disk.disk();
        let (locks_held, lock_waiting) = self.store.lock_counts();
        ShardSample {
            ranges: raft.groups,
            leaders: raft.leaders,
            raft_proposals: raft.proposals,
            raft_applied: raft.applied,
            raft_ready_batches: raft.groups_synced,
            raft_syncs: raft.syncs,
            storage_bytes: usage.used_bytes,
            storage_free_bytes: usage.free_bytes,
            locks_held: locks_held as u64,
            lock_waiting: lock_waiting as u64,
        }
    }
}

impl HttpState for Observed {
    fn node(&self) -> NodeId {
        self.node
    }

    fn metrics(&self) -> String {
        let proxy = self.server.as_ref().map(|s| ProxySample { connections: s.sessions() as u64 });
        let meta = self.meta.as_ref().map(|meta| {
            let counts = meta.counts();
            MetaSample { is_leader: counts.is_leader, nodes: counts.nodes, ranges: counts.ranges }
        });
        let shard = self.is_shard.then(|| self.shard_sample());
        self.metrics.render(&Sample { proxy, shard, meta })
    }

    /// A process whose disk failed ends; one that answers works.
    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    /// The endpoints are served once the node is put together.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn is_meta(&self) -> bool {
        self.meta.is_some()
    }

    fn is_shard(&self) -> bool {
        self.is_shard
    }

    fn token(&self) -> Option<String> {
        Some(self.token.clone()).filter(|token| !token.is_empty())
    }

    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<RangeStatus>> {
        let client = self.client.clone();
        Box::pin(async move {
            match client.meta(MetaRequest::Lookup { key: key.clone() }).await? {
                MetaResponse::Ranges(ranges) => {
                    let found = ranges.into_iter().next();
                    found.ok_or_else(|| KvError::Unavailable(format!("no range holds {key}")))
                }
                _ => Err(unexpected()),
            }
        })
    }

    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>> {
        let client = self.client.clone();
        Box::pin(async move { client.now().await })
    }

    fn export(&self, span: Span, at: Timestamp) -> BoxFuture<'static, KvResult<SnapshotResponse>> {
        let client = self.client.clone();
        Box::pin(async move {
            let start = span.start.clone();
            let op = RangeOp::Snapshot(SnapshotRequest { span, at, limit_bytes: EXPORT_BYTES });
            match client.admin_at(&start, op).await? {
                RangeResponse::Snapshot(page) => Ok(page),
                _ => Err(unexpected()),
            }
        })
    }

    fn ingest(&self, rows: Vec<(Key, Blob)>) -> BoxFuture<'static, KvResult<()>> {
        let client = self.client.clone();
        Box::pin(async move {
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
