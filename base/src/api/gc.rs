//! Removes versions that no snapshot needs.

use super::*;

/// Raises the range's safe point (replicated) and removes, below it, all but the newest version of
/// every key, and that too if it is a tombstone. Snapshots below the safe point are refused from
/// then on.
#[derive(Clone, Debug, Encode, Decode)]
pub struct GcRequest {
    /// No reader will ever need a snapshot below this.
    pub safe_point: Timestamp,
}
