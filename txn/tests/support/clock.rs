//! Virtual time: when every task waits, the clock jumps to the next timer.

use base::{BoxFuture, Clock, MonoTime};
use futures::channel::oneshot;
use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;
use parking_lot::Mutex;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
struct Timers {
    now: u64,
    sequence: u64,
    waiting: BTreeMap<(u64, u64), oneshot::Sender<()>>,
    spawned: Vec<BoxFuture<'static, ()>>,
}

/// The clock that is handed to the code under test.
#[derive(Clone, Default)]
pub(crate) struct TestClock {
    timers: Arc<Mutex<Timers>>,
}

impl Clock for TestClock {
    fn now(&self) -> MonoTime {
        MonoTime(self.timers.lock().now)
    }

    fn wall_millis(&self) -> u64 {
        self.timers.lock().now / 1_000_000
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut timers = self.timers.lock();
        timers.sequence += 1;
        let at = (timers.now + duration.as_nanos() as u64, timers.sequence);
        timers.waiting.insert(at, sender);
        Box::pin(async move {
            let _ = receiver.await;
        })
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.timers.lock().spawned.push(future);
    }
}

impl TestClock {
    /// Fires the next timer; false when there is none at or before `until`.
    fn advance(&self, until: u64) -> bool {
        let mut timers = self.timers.lock();
        timers.waiting.retain(|_, sender| !sender.is_canceled());
        let Some((&at, _)) = timers.waiting.first_key_value() else { return false };
        if at.0 > until {
            return false;
        }
        timers.now = timers.now.max(at.0);
        let sender = timers.waiting.remove(&at);
        drop(timers);
        sender.is_some_and(|sender| sender.send(()).is_ok())
    }
}

/// Runs everything on one thread.
pub(crate) struct Runner {
    pool: LocalPool,
    spawner: LocalSpawner,
    pub(crate) clock: TestClock,
}

impl Runner {
    pub(crate) fn new(clock: TestClock) -> Runner {
        let pool = LocalPool::new();
        Runner { spawner: pool.spawner(), pool, clock }
    }

    /// Starts a future; the cell holds its result once it is there.
    pub(crate) fn start<T: 'static>(
        &self,
        future: impl Future<Output = T> + 'static,
    ) -> Rc<RefCell<Option<T>>> {
        let cell = Rc::new(RefCell::new(None));
        let result = cell.clone();
        let task = async move {
            let value = future.await;
            *result.borrow_mut() = Some(value);
        };
        self.spawner.spawn_local(task).expect("the pool is alive");
        cell
    }

    /// Polls all tasks until each of them waits.
    pub(crate) fn settle(&mut self) {
        loop {
            self.pool.run_until_stalled();
            let spawned = std::mem::take(&mut self.clock.timers.lock().spawned);
            if spawned.is_empty() {
                return;
            }
            for future in spawned {
                self.spawner.spawn_local(future).expect("the pool is alive");
            }
        }
    }

    /// Runs until the result is there, letting time jump; `None` after an hour.
    pub(crate) fn finish<T>(&mut self, cell: &Rc<RefCell<Option<T>>>) -> Option<T> {
        let until = self.clock.timers.lock().now + 3_600_000_000_000;
        loop {
            self.settle();
            if let Some(value) = cell.borrow_mut().take() {
                return Some(value);
            }
            if !self.clock.advance(until) {
                return None;
            }
        }
    }

    /// Lets this much time pass.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.clock.timers.lock().now + duration.as_nanos() as u64;
        loop {
            self.settle();
            if !self.clock.advance(until) {
                break;
            }
        }
        self.clock.timers.lock().now = until;
    }
}
