//! Time as an argument.

use crate::BoxFuture;
use std::time::Duration;

/// Monotonic time since some fixed moment of this process, in nanoseconds. Never compared across
/// processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoTime(pub u64);

impl MonoTime {
    /// Time passed since an earlier moment; zero when it is not earlier.
    pub fn since(self, earlier: MonoTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for MonoTime {
    type Output = MonoTime;
    fn add(self, d: Duration) -> MonoTime {
        MonoTime(self.0 + d.as_nanos() as u64)
    }
}

/// The only way to learn the time or to wait. The server gives the real one, the simulator its own.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> MonoTime;
    /// Milliseconds since 1970. A hint for people and for the oracle's physical part only.
    fn wall_millis(&self) -> u64;
    /// Ends after this long.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Runs a future in the background to its end.
    fn spawn(&self, future: BoxFuture<'static, ()>);
}
