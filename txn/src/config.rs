//! Settings of the coordinator.

use std::time::Duration;

/// Limits and deadlines. The defaults suit a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnConfig {
    /// How long a request is retried while its range or meta is unavailable.
    pub outage: Duration,
    /// How long one attempt at meta may take before the next node is asked.
    pub meta_attempt: Duration,
    /// First pause between attempts; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// Longest pause between attempts.
    pub backoff_max: Duration,
    /// Most bytes of writes in one command; more is cut in chunks of this size.
    pub command_bytes_max: usize,
    /// Most bytes of keys in one record; transactions with more commit without STAGING, and their
    /// record names spans instead.
    pub record_bytes_max: usize,
    /// Pause between heartbeats of a transaction that is writing its intents.
    pub heartbeat: Duration,
    /// How many times SERIALIZABLE moves its commit up before it gives up with 40001.
    pub refresh_attempts: u32,
    /// Requests that one statement keeps in flight at most.
    pub parallelism: usize,
    /// Transaction ids fetched from meta at once.
    pub id_block: u64,
}

impl Default for TxnConfig {
    fn default() -> Self {
        TxnConfig {
            outage: Duration::from_secs(30),
            meta_attempt: Duration::from_secs(2),
            backoff_min: Duration::from_millis(5),
            backoff_max: Duration::from_millis(250),
            command_bytes_max: 4 << 20,
            record_bytes_max: 1 << 20,
            heartbeat: Duration::from_secs(1),
            refresh_attempts: 5,
            parallelism: 16,
            id_block: 1 << 16,
        }
    }
}
