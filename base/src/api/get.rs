//! Reads keys at a snapshot without locking.

use super::*;
use crate::codec::Blob;

/// Reads one or more keys of one range, in any order.
#[derive(Clone, Debug, Encode, Decode)]
pub struct GetRequest {
    /// Keys, all inside the range.
    pub keys: Vec<Key>,
    /// Snapshot.
    pub at: ReadAt,
}

/// Answers in the order of the keys.
#[derive(Clone, Debug, Encode, Decode)]
pub struct GetResponse {
    /// The value under each key, `None` where there is none.
    pub values: Vec<Option<Blob>>,
    /// The timestamp that was read at.
    pub read_ts: Timestamp,
}
