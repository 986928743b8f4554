//! What a Raft group replicates, as the replication loop sees it. Implemented by `meta` for its
//! group; the groups of ranges have their own path in `shard`.

use base::KvResult;
use bytes::Bytes;

/// A deterministic state machine kept in memory, persisted as key/value pairs next to its applied
/// index.
pub trait StateMachine: Send {
    /// Applies one committed command. Returns the answer for the proposer and the pairs to persist
    /// in the same batch as the applied index (`None` removes). No clock, no randomness.
    fn apply(&mut self, index: u64, command: &[u8]) -> (Bytes, Vec<(Bytes, Option<Bytes>)>);
    /// All pairs, for a snapshot.
    fn snapshot(&self) -> Vec<(Bytes, Bytes)>;
    /// Replaces the whole state by these pairs (start of the process, snapshot received).
    fn restore(&mut self, pairs: Vec<(Bytes, Bytes)>) -> KvResult<()>;
    /// This replica has become leader of `term` and has applied all earlier entries.
    fn on_lead(&mut self, term: u64);
    /// This replica leads no more.
    fn on_follow(&mut self);
}
