//! A histogram that is counted elsewhere.

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use shard::LockWaits;
use std::sync::Arc;
use std::time::Duration;

/// The last sample.
#[derive(Clone, Debug, Default)]
pub(super) struct SampledHistogram(Arc<Mutex<LockWaits>>);

impl SampledHistogram {
    pub(super) fn set(&self, waits: &LockWaits) {
        self.0.lock().clone_from(waits);
    }
}

impl EncodeMetric for SampledHistogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let waits = self.0.lock();
        let seconds = |bound: &Duration| match *bound {
            Duration::MAX => f64::INFINITY,
            bound => bound.as_secs_f64(),
        };
        let buckets: Vec<(f64, u64)> =
            waits.ended.iter().map(|(bound, count)| (seconds(bound), *count)).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(waits.total.as_secs_f64(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
