//! Cutting the log: every replica cuts its own, behind what is applied.
//!
//! A leader keeps what live followers and snapshots on their way still need, up to a limit; a
//! follower that needs more gets a snapshot.

use crate::raft::error::RaftError;
use crate::raft::raft_loop::RaftLoop;
use base::RangeId;
use storage::raft_log;

/// A follower may hold the log back until it is this many times its usual size.
const PATIENCE: u64 = 4;

impl RaftLoop {
    /// Cuts the log when it has grown.
    pub(crate) fn cut_log(&mut self, range: RangeId) -> Result<(), RaftError> {
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        let status = slot.group.status();
        let entries = status.applied.saturating_sub(status.first);
        let is_long = entries > self.config.log_entries_max;
        let is_large = slot.log_bytes > self.config.log_bytes_max && entries > 0;
        if !is_long && !is_large {
            return Ok(());
        }
        let kept = if is_large { 0 } else { self.config.log_entries_kept };
        let wanted = status.applied.saturating_sub(kept);
        let is_patient = slot.log_bytes <= self.config.log_bytes_max * PATIENCE
            && entries <= self.config.log_entries_max * PATIENCE;
        let needed = slot.sends.values().filter_map(|send| send.index).min();
        let mut cut = wanted.min(needed.unwrap_or(u64::MAX));
        if slot.group.is_leader() && is_patient {
            let lags =
                slot.group.progress().into_iter().filter(|p| p.is_active && !p.is_in_snapshot);
            cut = lags.map(|p| p.matched).fold(cut, u64::min);
        }
        if cut <= status.first {
            return Ok(());
        }
        self.cut_log_to(range, cut)
    }

    /// Cuts the log behind an entry, as far as it is applied.
    pub(crate) fn cut_log_to(&mut self, range: RangeId, index: u64) -> Result<(), RaftError> {
        let Some(slot) = self.slots.get_mut(&range) else { return Ok(()) };
        slot.sync_applied();
        let first = slot.group.status().first;
        let (index, term) = slot.group.compact(index)?;
        if index >= first {
            raft_log::truncate(&mut self.batch, range, first, index, term);
            slot.log_bytes = 0;
        }
        Ok(())
    }
}
