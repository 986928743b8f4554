//! Requests of the internal API: how many, how long, how many failed, by operation.

use super::LATENCY_BUCKETS;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
}

/// One service's requests.
#[derive(Debug)]
pub(super) struct RequestMetrics {
    requests: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
    latency: Histogram,
}

impl RequestMetrics {
    /// `service` begins the metrics' names.
    pub(super) fn register(registry: &mut Registry, service: &str) -> RequestMetrics {
        let metrics = RequestMetrics {
            requests: Family::default(),
            errors: Family::default(),
            latency: Histogram::new(LATENCY_BUCKETS),
        };
        let name = |what: &str| format!("{service}_{what}");
        registry.register(name("requests"), "Requests answered", metrics.requests.clone());
        let help = "Requests answered with an error";
        registry.register(name("errors"), help, metrics.errors.clone());
        let help = "Time to the answer of a request";
        registry.register(name("latency_seconds"), help, metrics.latency.clone());
        metrics
    }

    pub(super) fn record(&self, operation: &'static str, latency: Duration, is_ok: bool) {
        self.requests.get_or_create(&Labels { operation }).inc();
        if !is_ok {
            self.errors.get_or_create(&Labels { operation }).inc();
        }
        self.latency.observe(latency.as_secs_f64());
    }
}
