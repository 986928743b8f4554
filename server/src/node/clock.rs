//! The real clock, behind `base::Clock`.

use base::{BoxFuture, Clock, MonoTime};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// Goes on while the machine sleeps, as its peers do: a lease must not outlive a suspension. The
/// standard library's clock stands still meanwhile.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Monotonic time since the machine started; waiting and background work on tokio.
pub(super) struct RealClock {
    runtime: Handle,
}

impl RealClock {
    /// A clock whose background work runs on this runtime.
    pub(super) fn new(runtime: Handle) -> Self {
        Self { runtime }
    }
}

impl Clock for RealClock {
    fn now(&self) -> MonoTime {
        let now = clock_gettime(CLOCK);
        MonoTime(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
    }

    fn wall_millis(&self) -> u64 {
        // A clock before 1970 is as good as any: no rule rests on it.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.runtime.spawn(future);
    }
}
