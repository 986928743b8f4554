//! Drawing timestamps: without waiting while a window is reserved and the lease holds.

use super::{Joint, MetaService};
use crate::command::Command;
use base::{KvError, KvResult, Timestamp};
use futures::FutureExt;

/// Most timestamps in one draw.
const TIMESTAMPS_MAX: u32 = 1 << 20;
/// Tries of a draw: each failed one has reserved a new window, which somebody else used up.
const DRAW_TRIES: usize = 10;

impl MetaService {
    /// Draws timestamps without waiting: `None` when this process does not lead, its lease has run
    /// out, or a window has to be reserved first. Allocates nothing.
    pub fn try_timestamps(&self, count: u32) -> Option<Timestamp> {
        let term = self.oracle.term();
        let now = self.clock.now();
        if term == 0 {
            return None;
        }
        if self.oracle.is_stale(now) {
            self.oracle.refresh(self.clock.wall_millis(), now);
        }
        let first = self.oracle.take(count.max(1))?;
        // Only now: a lease that holds after the draw held when it was made.
        if self.group.lead(self.clock.now()) != Ok(term) {
            return None;
        }
        if first.0 + self.window() / 2 > self.oracle.end().0 {
            self.reserve_in_background(term);
        }
        Some(first)
    }

    pub(super) async fn timestamps(&self, count: u32) -> KvResult<Timestamp> {
        if count > TIMESTAMPS_MAX {
            return Err(KvError::Fatal(format!("{count} timestamps are too many for one draw")));
        }
        for _ in 0..DRAW_TRIES {
            if let Some(first) = self.try_timestamps(count) {
                return Ok(first);
            }
            let term = self.lead().await?;
            if let Some(first) = self.draw_confirmed(term, count).await? {
                return Ok(first);
            }
            self.reserve(term).await?;
        }
        Err(KvError::Unavailable("timestamps are used up faster than they are reserved".into()))
    }

    /// Draws although there is no lease: leadership is confirmed with a quorum after the draw.
    pub(super) async fn draw_confirmed(
        &self,
        term: u64,
        count: u32,
    ) -> KvResult<Option<Timestamp>> {
        self.oracle.refresh(self.clock.wall_millis(), self.clock.now());
        let Some(first) = self.oracle.take(count.max(1)) else { return Ok(None) };
        let confirmed = match self.group.lead(self.clock.now()) {
            Ok(term) => term,
            Err(_) => self.group.read_index().await?,
        };
        Ok((confirmed == term && self.oracle.term() == term).then_some(first))
    }

    /// Reserves a window beyond the present one; callers at the same time share the work.
    pub(super) fn reserve(&self, term: u64) -> Joint {
        let mut reserving = self.reserving.lock();
        if let Some((for_term, joint)) = &*reserving
            && *for_term == term
            && joint.peek().is_none()
        {
            return joint.clone();
        }
        let this = self.this.upgrade();
        let work = async move {
            let this = this.ok_or(KvError::Shutdown)?;
            let end = Timestamp(this.oracle.present().0.saturating_add(this.window()));
            this.propose(Command::ReserveTimestamps { end }).await?;
            this.oracle.extend(term, end);
            Ok(())
        };
        let joint = work.boxed().shared();
        *reserving = Some((term, joint.clone()));
        joint
    }

    pub(super) fn reserve_in_background(&self, term: u64) {
        let is_running = self
            .reserving
            .lock()
            .as_ref()
            .is_some_and(|(for_term, joint)| *for_term == term && joint.peek().is_none());
        if !is_running {
            let joint = self.reserve(term);
            // Whoever needs the window notices a failure.
            self.clock.spawn(Box::pin(async move { joint.await.unwrap_or_default() }));
        }
    }

    /// The length of a window in timestamps.
    pub(super) fn window(&self) -> u64 {
        let window = Timestamp::new(self.config.oracle_window.as_millis() as u64, 0);
        window.0.max(u64::from(TIMESTAMPS_MAX))
    }
}
