//! The real clock, behind `base::Clock`.

use base::{BoxFuture, Clock, MonoTime};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// Monotonic time since the process started; waiting and background work on tokio.
pub(super) struct RealClock {
    start: Instant,
    runtime: Handle,
}

impl RealClock {
    /// A clock whose background work runs on this runtime.
    pub(super) fn new(runtime: Handle) -> Self {
        Self { start: Instant::now(), runtime }
    }
}

impl Clock for RealClock {
    fn now(&self) -> MonoTime {
        MonoTime(self.start.elapsed().as_nanos() as u64)
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
