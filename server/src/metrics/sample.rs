//! Numbers that other parts of the process keep, taken when somebody asks.

use super::histogram::SampledHistogram;
use super::role;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shard::LockWaits;
use std::sync::atomic::Ordering;

/// A moment's numbers; `None` for a role that the process does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) proxy: Option<ProxySample>,
    pub(crate) shard: Option<ShardSample>,
    pub(crate) meta: Option<MetaSample>,
}

/// The proxy role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProxySample {
    /// SQL connections open now.
    pub(crate) connections: u64,
}

/// The shard role. Counts are since start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardSample {
    /// Replicas held.
    pub(crate) ranges: u64,
    /// Ranges led.
    pub(crate) leaders: u64,
    pub(crate) raft_proposals: u64,
    pub(crate) raft_applied: u64,
    /// Rounds in which some group had something to persist.
    pub(crate) raft_ready_batches: u64,
    /// Synced writes of the log.
    pub(crate) raft_syncs: u64,
    /// Bytes on disk.
    pub(crate) storage_bytes: u64,
    /// Free bytes on that disk.
    pub(crate) storage_free_bytes: u64,
    /// Keys that are locked now.
    pub(crate) locks_held: u64,
    /// Requests that wait for a lock now.
    pub(crate) lock_waiting: u64,
    /// Those that have waited.
    pub(crate) lock_waits: LockWaits,
}

/// The meta role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MetaSample {
    /// This process leads the meta group.
    pub(crate) is_leader: bool,
    /// Nodes registered.
    pub(crate) nodes: u64,
    /// Ranges in the RangeMap.
    pub(crate) ranges: u64,
}

/// The metrics that samples go into, by role.
#[derive(Debug)]
pub(super) struct SampleMetrics {
    proxy: ProxyMetrics,
    shard: ShardMetrics,
    meta: MetaMetrics,
}

impl SampleMetrics {
    pub(super) fn register(registry: &mut Registry) -> SampleMetrics {
        SampleMetrics {
            proxy: ProxyMetrics::register(role(registry, "proxy")),
            shard: ShardMetrics::register(role(registry, "shard")),
            meta: MetaMetrics::register(role(registry, "meta")),
        }
    }

    pub(super) fn update(&self, sample: &Sample) {
        sample.proxy.iter().for_each(|sample| self.proxy.update(sample));
        sample.shard.iter().for_each(|sample| self.shard.update(sample));
        sample.meta.iter().for_each(|sample| self.meta.update(sample));
    }
}

#[derive(Debug)]
struct ProxyMetrics {
    connections: Gauge,
}

impl ProxyMetrics {
    fn register(registry: &mut Registry) -> ProxyMetrics {
        ProxyMetrics { connections: gauge(registry, "sql_connections", "SQL connections open") }
    }

    fn update(&self, sample: &ProxySample) {
        set(&self.connections, sample.connections);
    }
}

#[derive(Debug)]
struct ShardMetrics {
    ranges: Gauge,
    leaders: Gauge,
    raft_proposals: Counter,
    raft_applied: Counter,
    raft_ready_batches: Counter,
    raft_syncs: Counter,
    storage_bytes: Gauge,
    storage_free_bytes: Gauge,
    locks_held: Gauge,
    lock_waiting: Gauge,
    lock_waits: Counter,
    lock_wait_seconds: SampledHistogram,
}

impl ShardMetrics {
    fn register(to: &mut Registry) -> ShardMetrics {
        let lock_wait_seconds = SampledHistogram::default();
        let help = "How long requests waited for a lock";
        to.register("lock_wait_seconds", help, lock_wait_seconds.clone());
        ShardMetrics {
            ranges: gauge(to, "ranges", "Replicas held"),
            leaders: gauge(to, "leaders", "Ranges led"),
            raft_proposals: counter(to, "raft_proposals", "Commands proposed"),
            raft_applied: counter(to, "raft_applied", "Log entries applied"),
            raft_ready_batches: counter(to, "raft_ready_batches", "Rounds that persisted"),
            raft_syncs: counter(to, "raft_syncs", "Synced writes of the log"),
            storage_bytes: gauge(to, "storage_bytes", "Bytes on disk"),
            storage_free_bytes: gauge(to, "storage_free_bytes", "Free bytes on the disk"),
            locks_held: gauge(to, "locks_held", "Keys that are locked now"),
            lock_waiting: gauge(to, "lock_waiting", "Requests that wait for a lock now"),
            lock_waits: counter(to, "lock_waits", "Requests that had to wait for a lock"),
            lock_wait_seconds,
        }
    }

    fn update(&self, sample: &ShardSample) {
        set(&self.ranges, sample.ranges);
        set(&self.leaders, sample.leaders);
        count(&self.raft_proposals, sample.raft_proposals);
        count(&self.raft_applied, sample.raft_applied);
        count(&self.raft_ready_batches, sample.raft_ready_batches);
        count(&self.raft_syncs, sample.raft_syncs);
        set(&self.storage_bytes, sample.storage_bytes);
        set(&self.storage_free_bytes, sample.storage_free_bytes);
        set(&self.locks_held, sample.locks_held);
        set(&self.lock_waiting, sample.lock_waiting);
        count(&self.lock_waits, sample.lock_waits.begun);
        self.lock_wait_seconds.set(&sample.lock_waits);
    }
}

#[derive(Debug)]
struct MetaMetrics {
    is_leader: Gauge,
    nodes: Gauge,
    ranges: Gauge,
}

impl MetaMetrics {
    fn register(to: &mut Registry) -> MetaMetrics {
        MetaMetrics {
            is_leader: gauge(to, "meta_is_leader", "1 on the meta group's leader"),
            nodes: gauge(to, "meta_nodes", "Nodes registered"),
            ranges: gauge(to, "meta_ranges", "Ranges in the RangeMap"),
        }
    }

    fn update(&self, sample: &MetaSample) {
        set(&self.is_leader, sample.is_leader.into());
        set(&self.nodes, sample.nodes);
        set(&self.ranges, sample.ranges);
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// A counter that is counted elsewhere.
fn count(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}
