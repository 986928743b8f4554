//! Numbers for metrics.

use super::MetaService;

/// What this process's replica of the meta group knows at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetaCounts {
    /// It leads.
    pub is_leader: bool,
    /// Nodes registered.
    pub nodes: u64,
    /// Ranges in the RangeMap.
    pub ranges: u64,
}

impl MetaService {
    /// Counts as applied here; a follower's may lag.
    pub fn counts(&self) -> MetaCounts {
        let is_leader = self.group.lead(self.clock.now()).is_ok();
        self.view.read(|state| MetaCounts {
            is_leader,
            nodes: state.nodes.len() as u64,
            ranges: state.ranges.current(&base::Key::MIN).count() as u64,
        })
    }
}
