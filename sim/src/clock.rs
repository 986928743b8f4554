//! The clock of one life of one node: the world's time from an arbitrary start, a wall clock that
//! may be wrong, and tasks that die with the node.

use crate::executor::{Executor, Owner};
use base::{BoxFuture, Clock, MonoTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Wall time at the beginning of the world.
const EPOCH_MILLIS: i64 = 1_700_000_000_000;

/// One life's clock.
pub struct SimClock {
    executor: Executor,
    owner: Owner,
    /// Monotonic clocks start anywhere.
    mono_start: u64,
    /// Shared by all lives of a node, moved by clock jumps.
    wall_offset_millis: Arc<AtomicI64>,
}

impl SimClock {
    pub(crate) fn new(
        executor: Executor,
        owner: Owner,
        mono_start: u64,
        wall_offset_millis: Arc<AtomicI64>,
    ) -> SimClock {
        SimClock { executor, owner, mono_start, wall_offset_millis }
    }
}

impl Clock for SimClock {
    fn now(&self) -> MonoTime {
        MonoTime(self.mono_start + self.executor.now())
    }

    fn wall_millis(&self) -> u64 {
        let passed = (self.executor.now() / 1_000_000) as i64;
        let offset = self.wall_offset_millis.load(Ordering::Relaxed);
        (EPOCH_MILLIS + passed + offset).max(0) as u64
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.executor.sleep(duration)
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.executor.spawn(self.owner, future);
    }
}
