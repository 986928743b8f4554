//! Metrics of a process, in the text format that Prometheus reads.
//!
//! Two kinds. *Recorded* ones are counted where things happen: [`Metrics::sql`] for a statement,
//! [`Metrics::range`] and [`Metrics::meta`] for a request of the internal API. *Sampled* ones are
//! numbers that other parts keep anyway; whoever is asked for `/metrics` takes a [`Sample`] and hands
//! it to [`Metrics::render`]. Every metric carries the role it belongs to.

mod histogram;
mod operation;
mod proxy;
mod requests;
mod sample;

pub(crate) use operation::{meta_operation, range_operation};
pub(crate) use proxy::Protocol;
pub(crate) use sample::{MetaSample, ProxySample, Sample, ShardSample};

use prometheus_client::registry::Registry;
use proxy::ProxyMetrics;
use requests::RequestMetrics;
use sample::SampleMetrics;
use std::borrow::Cow;
use std::time::Duration;

/// Upper bounds of the latency buckets, in seconds: 50 µs to 25 s.
const LATENCY_BUCKETS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 25.0,
];

/// All metrics of a process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    proxy: ProxyMetrics,
    shard: RequestMetrics,
    meta: RequestMetrics,
    samples: SampleMetrics,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("sharddb");
        let proxy = ProxyMetrics::register(role(&mut registry, "proxy"));
        let shard = RequestMetrics::register(role(&mut registry, "shard"), "range");
        let meta = RequestMetrics::register(role(&mut registry, "meta"), "meta");
        let samples = SampleMetrics::register(&mut registry);
        Metrics { registry, proxy, shard, meta, samples }
    }

    /// A statement has been answered; `error` is its SQLSTATE.
    pub(crate) fn sql(&self, protocol: Protocol, latency: Duration, error: Option<&str>) {
        self.proxy.record(protocol, latency, error);
    }

    /// A request to a range has been answered.
    pub(crate) fn range(&self, operation: &'static str, latency: Duration, is_ok: bool) {
        self.shard.record(operation, latency, is_ok);
    }

    /// A request to meta has been answered.
    pub(crate) fn meta(&self, operation: &'static str, latency: Duration, is_ok: bool) {
        self.meta.record(operation, latency, is_ok);
    }

    /// Everything as text. Parts of the sample that are `None` (roles that this process does not
    /// have) stay at zero.
    pub(crate) fn render(&self, sample: &Sample) -> String {
        self.samples.update(sample);
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// Where the metrics of a role go.
fn role<'a>(registry: &'a mut Registry, role: &'static str) -> &'a mut Registry {
    registry.sub_registry_with_label((Cow::Borrowed("role"), Cow::Borrowed(role)))
}

#[cfg(test)]
mod tests;
