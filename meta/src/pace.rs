//! The oracle's idea of the time: follows the wall clock, but at a bounded pace.
//!
//! Expiry of transactions and collection of old versions are measured in oracle time. A wall clock
//! that jumps must not make them jump: the pace advances with monotonic time, a quarter faster
//! while the wall clock is ahead and a quarter slower while it is behind.

use base::{MonoTime, Timestamp};

/// Nothing later than this is believed of a wall clock: the year 3084.
const MILLIS_MAX: u64 = 1 << 45;

/// Present time in oracle milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Oracle time in nanoseconds at `since`.
    nanos: u128,
    since: MonoTime,
}

impl Pace {
    /// Starts at `from`; a cluster without a past starts at the wall clock.
    pub(crate) fn start(from: Timestamp, wall_millis: u64, now: MonoTime) -> Pace {
        let millis = if from == Timestamp::ZERO { believed(wall_millis) } else { from.millis() };
        Pace { nanos: u128::from(millis) * 1_000_000, since: now }
    }

    /// Advances to now; returns the time in milliseconds.
    pub(crate) fn advance(&mut self, wall_millis: u64, now: MonoTime) -> u64 {
        let elapsed = now.since(self.since).as_nanos();
        let wall = u128::from(believed(wall_millis)) * 1_000_000;
        let (slow, fast) = (elapsed - elapsed / 4, elapsed + elapsed / 4);
        self.nanos = wall.clamp(self.nanos + slow, self.nanos + fast);
        self.since = now;
        (self.nanos / 1_000_000) as u64
    }
}

fn believed(wall_millis: u64) -> u64 {
    wall_millis.min(MILLIS_MAX)
}
