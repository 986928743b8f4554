//! Statements of SQL clients.

use super::LATENCY_BUCKETS;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// How a statement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As a query string.
    Simple,
    /// Parsed, bound, executed.
    Extended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProtocolLabels {
    protocol: &'static str,
}

/// Classes only (the first two characters of the SQLSTATE): every state would be too many series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    class: String,
}

#[derive(Debug)]
pub(super) struct ProxyMetrics {
    simple: Counter,
    extended: Counter,
    errors: Family<ErrorLabels, Counter>,
    latency: Histogram,
}

impl ProxyMetrics {
    pub(super) fn register(registry: &mut Registry) -> ProxyMetrics {
        let statements = Family::<ProtocolLabels, Counter>::default();
        let counter = |protocol| statements.get_or_create(&ProtocolLabels { protocol }).clone();
        // The counters themselves are kept: no look-up for each statement.
        let (simple, extended) = (counter("simple"), counter("extended"));
        let metrics = ProxyMetrics {
            simple,
            extended,
            errors: Family::default(),
            latency: Histogram::new(LATENCY_BUCKETS),
        };
        registry.register("sql_requests", "Statements answered", statements);
        let help = "Statements that failed, by class of SQLSTATE";
        registry.register("sql_errors", help, metrics.errors.clone());
        let help = "Time to the answer of a statement";
        registry.register("sql_latency_seconds", help, metrics.latency.clone());
        metrics
    }

    pub(super) fn record(&self, protocol: Protocol, latency: Duration, error: Option<&str>) {
        match protocol {
            Protocol::Simple => self.simple.inc(),
            Protocol::Extended => self.extended.inc(),
        };
        if let Some(code) = error {
            let class = code.chars().take(2).collect();
            self.errors.get_or_create(&ErrorLabels { class }).inc();
        }
        self.latency.observe(latency.as_secs_f64());
    }
}
