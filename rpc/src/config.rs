//! Bounds and times of the internal protocol.

use std::time::Duration;

/// One for a process; clients and servers need not agree, except on what fits in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// Longest payload of a frame. Longer requests are refused before they are sent; a longer
    /// frame that arrives ends its connection.
    pub payload_bytes_max: usize,
    /// Bytes waiting for a connection to take them. Beyond it requests are refused and Raft messages
    /// dropped (client), or nothing more is read (server).
    pub queue_bytes_max: usize,
    /// Requests without an answer on one connection; the client waits, the server refuses.
    pub in_flight_max: usize,
    /// Connections a server holds; one more is closed at once.
    pub connections_max: usize,
    /// Connecting and shaking hands.
    pub connect_timeout: Duration,
    /// First pause after a failed connection; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// Longest pause after a failed connection.
    pub backoff_max: Duration,
    /// A connection that was silent this long is asked for a sign of life.
    pub ping_interval: Duration,
    /// A connection that was silent this long is closed; by the server, which does not ask, after
    /// four times as long.
    pub silence_max: Duration,
    /// How much longer than the request's own timeout the caller waits for the answer.
    pub answer_grace: Duration,
    /// The timeout of requests that carry none.
    pub default_timeout: Duration,
}

impl Default for RpcConfig {
    fn default() -> RpcConfig {
        RpcConfig {
            payload_bytes_max: 128 << 20,
            queue_bytes_max: 64 << 20,
            in_flight_max: 16_384,
            connections_max: 4_096,
            connect_timeout: Duration::from_secs(2),
            backoff_min: Duration::from_millis(20),
            backoff_max: Duration::from_millis(500),
            ping_interval: Duration::from_secs(1),
            silence_max: Duration::from_secs(5),
            answer_grace: Duration::from_millis(500),
            default_timeout: Duration::from_secs(30),
        }
    }
}
