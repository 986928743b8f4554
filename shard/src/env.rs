//! What the store needs from the process around it.

use base::meta_api::WaitEdge;
use base::{BoxFuture, Clock, Key, KvError, KvResult, NodeId, Pushdown, RangeId, Span};
use base::{Timestamp, Transport, TxnId};
use std::sync::Arc;
use std::time::Duration;
use storage::Engine;

/// Draws timestamps.
pub trait Oracle: Send + Sync {
    /// A fresh one: greater than every timestamp used before the call.
    fn now(&self) -> BoxFuture<'static, KvResult<Timestamp>>;
}

/// Where a key's range is believed to be. A hint: the range itself refuses what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The range.
    pub range: RangeId,
    /// Its epoch.
    pub epoch: u64,
    /// Its keys.
    pub span: Span,
    /// The node that leads it.
    pub leader: NodeId,
}

/// Finds ranges by key.
pub trait Lookup: Send + Sync {
    /// The range that holds a key.
    fn lookup(&self, key: Key) -> BoxFuture<'static, KvResult<Route>>;
    /// A request along this route was refused: whoever looks up next should be told better.
    fn refused(&self, route: &Route, error: &KvError);
}

/// Where waits that last are reported, so that deadlocks are found.
pub trait WaitReporter: Send + Sync {
    /// Reports a wait. Answers the cycle that it closes, waiter first; empty if there is none.
    fn wait(&self, edge: WaitEdge) -> BoxFuture<'static, KvResult<Vec<TxnId>>>;
    /// The wait is over.
    fn done(&self, waiter: TxnId) -> BoxFuture<'static, ()>;
}

/// What the store needs.
pub struct StoreEnv {
    /// The disk.
    pub engine: Engine,
    /// This node.
    pub node: NodeId,
    /// Time, and tasks in the background.
    pub clock: Arc<dyn Clock>,
    /// Timestamps.
    pub oracle: Arc<dyn Oracle>,
    /// The way to other nodes: to ask about their transactions, and to report waits to meta.
    pub peers: Arc<dyn Transport>,
    /// Finds ranges by key.
    pub router: Arc<dyn Lookup>,
    /// Runs plan fragments.
    pub pushdown: Arc<dyn Pushdown>,
    /// Limits.
    pub config: StoreConfig,
}

/// Limits of the evaluation of requests. The defaults suit a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Bytes for each of the two generations of a range's timestamp cache.
    pub ts_cache_bytes: usize,
    /// A wait that has lasted this long is reported to the deadlock detector.
    pub report_wait_after: Duration,
    /// A wait that goes on is reported again after this long, and the nodes of the holders are
    /// asked for a sign of life.
    pub report_wait_again: Duration,
    /// A transaction that this range has not heard of for this long loses its locks to those who
    /// wait for them; one whose node does not answer loses them at once.
    pub lock_expiry: Duration,
    /// First pause before a live transaction is asked about again; doubles up to `ask_again_max`.
    pub ask_again_min: Duration,
    /// Longest pause before a live transaction is asked about again.
    pub ask_again_max: Duration,
    /// How long a request waits for what other ranges answer, or for a leader to be ready, when it
    /// carries no timeout of its own.
    pub patience: Duration,
    /// Rows that a fragment looks at before its page ends, so that nobody is kept out for long.
    pub fragment_rows_max: u64,
    /// Bytes at which every page of rows ends, whatever was asked for.
    pub page_bytes_max: usize,
    /// Versions that one garbage collection command removes.
    pub gc_versions_max: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig {
            ts_cache_bytes: 2 << 20,
            report_wait_after: Duration::from_millis(100),
            report_wait_again: Duration::from_secs(1),
            lock_expiry: Duration::from_secs(60),
            ask_again_min: Duration::from_millis(2),
            ask_again_max: Duration::from_millis(100),
            patience: Duration::from_secs(10),
            fragment_rows_max: 32_768,
            page_bytes_max: 8 << 20,
            gc_versions_max: 4_096,
        }
    }
}
