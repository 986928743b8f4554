//! The timestamp oracle of one process: draws from a window whose end is replicated.
//!
//! A leader reserves a window through Raft and gives out timestamps below its end, one compare and
//! swap each. A new leader starts at the replicated end, so it is above everything that any earlier
//! leader has given out. A draw counts only if the lease still holds *after* it: then nobody else
//! led when it was made.

use crate::pace::Pace;
use base::{MonoTime, Timestamp};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often the oracle's idea of the present is brought up to date.
const REFRESH_NANOS: u64 = 500_000;

/// The window. Term 0 serves nobody.
#[derive(Default)]
pub(crate) struct Oracle {
    /// The term for which the window was reserved.
    term: AtomicU64,
    /// The next timestamp to give out; only grows.
    next: AtomicU64,
    /// No timestamp at or above this may be given out.
    end: AtomicU64,
    /// The present, as a timestamp.
    present: AtomicU64,
    /// Monotonic time from which on `present` is too old.
    refresh_at: AtomicU64,
    pace: Mutex<Option<Pace>>,
}

impl Oracle {
    /// The term it serves.
    pub(crate) fn term(&self) -> u64 {
        self.term.load(Ordering::Acquire)
    }

    /// Starts to serve a term: everything below `from`, the replicated end, may have been given
    /// out. Draws nothing until a window is reserved.
    pub(crate) fn start(&self, term: u64, from: Timestamp, wall_millis: u64, now: MonoTime) {
        let mut pace = self.pace.lock();
        self.term.store(0, Ordering::Release);
        let fresh = Pace::start(from, wall_millis, now);
        self.end.store(from.0, Ordering::Release);
        // Never backward, whatever happened before; and 0 is before everything, nobody's timestamp.
        self.next.fetch_max(from.0.max(1), Ordering::AcqRel);
        *pace = Some(fresh);
        drop(pace);
        // The present of an earlier term may lie ahead: it must not stand still until it is reached.
        self.present.store(0, Ordering::Release);
        self.refresh_at.store(0, Ordering::Release);
        self.refresh(wall_millis, now);
        self.term.store(term, Ordering::Release);
    }

    /// Timestamps below `end` may be given out, as long as it still serves that term.
    pub(crate) fn extend(&self, term: u64, end: Timestamp) {
        // Under the same lock as `start`, so that an old term's window never serves a new one.
        let _pace = self.pace.lock();
        if self.term() == term {
            self.end.fetch_max(end.0, Ordering::AcqRel);
        }
    }

    /// Brings the present up to date if it is too old.
    pub(crate) fn refresh(&self, wall_millis: u64, now: MonoTime) {
        if let Some(mut pace) = self.pace.try_lock()
            && let Some(pace) = pace.as_mut()
        {
            let present = Timestamp::new(pace.advance(wall_millis, now), 0);
            self.present.fetch_max(present.0, Ordering::AcqRel);
            self.refresh_at.store(now.0.saturating_add(REFRESH_NANOS), Ordering::Release);
        }
    }

    /// True when [`Oracle::refresh`] is due.
    pub(crate) fn is_stale(&self, now: MonoTime) -> bool {
        now.0 >= self.refresh_at.load(Ordering::Acquire)
    }

    /// Takes `count` timestamps; `None` when the window does not reach that far. The caller checks
    /// the lease and the term afterwards.
    pub(crate) fn take(&self, count: u32) -> Option<Timestamp> {
        let present = self.present.load(Ordering::Acquire);
        let mut next = self.next.load(Ordering::Acquire);
        loop {
            let first = next.max(present);
            let behind = first.checked_add(u64::from(count))?;
            if behind > self.end.load(Ordering::Acquire) {
                return None;
            }
            match self.next.compare_exchange_weak(next, behind, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(Timestamp(first)),
                Err(seen) => next = seen,
            }
        }
    }

    /// Every draw from now on, by whichever leader, is at or above this.
    pub(crate) fn drawn(&self) -> Timestamp {
        Timestamp(self.next.load(Ordering::Acquire))
    }

    /// The present, or the next draw if that is later.
    pub(crate) fn present(&self) -> Timestamp {
        let next = self.next.load(Ordering::Acquire);
        Timestamp(next.max(self.present.load(Ordering::Acquire)))
    }

    /// Where the window ends.
    pub(crate) fn end(&self) -> Timestamp {
        Timestamp(self.end.load(Ordering::Acquire))
    }
}
