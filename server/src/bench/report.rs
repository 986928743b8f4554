//! What a run has measured.

use super::client::describe;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use tokio_postgres::Error;

/// Latencies are kept in microseconds up to ten minutes, to three digits.
const LATENCY_MICROS_MAX: u64 = 600_000_000;
const LATENCY_DIGITS: u8 = 3;
/// Distinct error texts that are printed.
const ERROR_TEXTS_MAX: usize = 10;

/// Latencies of requests that succeeded, and errors by text.
#[derive(Debug)]
pub(super) struct Report {
    latencies: Histogram<u64>,
    errors: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn new() -> Report {
        let latencies = Histogram::new_with_bounds(1, LATENCY_MICROS_MAX, LATENCY_DIGITS)
            .expect("the bounds are constants that fit");
        Report { latencies, errors: BTreeMap::new() }
    }

    pub(super) fn success(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(micros.max(1));
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.count_error(describe(error));
    }

    fn count_error(&mut self, text: String) {
        *self.errors.entry(text).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: &Report) {
        // Both have the same bounds.
        let _ = self.latencies.add(&other.latencies);
        for (text, count) in &other.errors {
            *self.errors.entry(text.clone()).or_default() += count;
        }
    }

    /// Requests that succeeded.
    pub(super) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    pub(super) fn render(&self, elapsed: Duration) -> String {
        let rate = self.requests() as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        let millis = |micros: f64| format!("{:.3} ms", micros / 1_000.0);
        let at = |quantile: f64| millis(self.latencies.value_at_quantile(quantile) as f64);
        let errors: u64 = self.errors.values().sum();
        let mut out = String::new();
        // Writing into a string does not fail.
        let _ = writeln!(out, "total requests: {}", self.requests());
        let _ = writeln!(out, "requests/s:     {rate:.1}");
        let _ = writeln!(out, "mean:           {}", millis(self.latencies.mean()));
        let _ = writeln!(out, "p50:            {}", at(0.50));
        let _ = writeln!(out, "p95:            {}", at(0.95));
        let _ = writeln!(out, "p99:            {}", at(0.99));
        let _ = write!(out, "errors:         {errors}");
        let mut texts: Vec<_> = self.errors.iter().collect();
        texts.sort_by_key(|(text, count)| (std::cmp::Reverse(**count), text.as_str()));
        for (text, count) in texts.into_iter().take(ERROR_TEXTS_MAX) {
            let _ = write!(out, "\n  {count} × {text}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let (mut whole, mut part) = (Report::new(), Report::new());
        for millis in 1..=100 {
            let to = if millis % 2 == 0 { &mut whole } else { &mut part };
            to.success(Duration::from_millis(millis));
        }
        part.count_error("no".into());
        part.count_error("no".into());
        whole.count_error("never".into());
        whole.merge(&part);
        let text = whole.render(Duration::from_secs(2));
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).expect("a line");
            line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).expect("a number")
        };
        assert_eq!(value("total requests:"), 100.0);
        assert_eq!(value("requests/s:"), 50.0);
        assert_eq!(value("errors:"), 3.0);
        for (name, millis) in [("mean:", 50.5), ("p50:", 50.0), ("p95:", 95.0), ("p99:", 99.0)] {
            assert!((value(name) - millis).abs() < 0.1, "{name} {}", value(name));
        }
        assert!(text.ends_with("\n  2 × no\n  1 × never"));
    }

    #[test]
    fn an_empty_run_has_numbers_too() {
        assert!(Report::new().render(Duration::ZERO).starts_with("total requests: 0\n"));
    }
}
