//! One thread, virtual time.

use base::{BoxFuture, Clock, MonoTime};
use futures::channel::oneshot;
use futures::task::{ArcWake, waker};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

/// Runs tasks in the order in which they become ready.
#[derive(Clone, Default)]
pub(crate) struct Executor(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    now: u64,
    next_task: u64,
    next_timer: u64,
    tasks: BTreeMap<u64, Option<BoxFuture<'static, ()>>>,
    ready: VecDeque<u64>,
    timers: BTreeMap<(u64, u64), oneshot::Sender<()>>,
}

struct TaskWaker {
    task: u64,
    executor: Executor,
}

impl ArcWake for TaskWaker {
    fn wake_by_ref(this: &Arc<Self>) {
        let mut state = this.executor.0.lock();
        if !state.ready.contains(&this.task) {
            state.ready.push_back(this.task);
        }
    }
}

impl Executor {
    /// Starts a task; it can be ended early with [`Executor::kill`].
    pub(crate) fn start(&self, future: BoxFuture<'static, ()>) -> u64 {
        let mut state = self.0.lock();
        let task = state.next_task;
        state.next_task += 1;
        state.tasks.insert(task, Some(future));
        state.ready.push_back(task);
        task
    }

    /// Drops a task where it stands.
    pub(crate) fn kill(&self, task: u64) {
        let future = self.0.lock().tasks.remove(&task);
        drop(future);
    }

    /// Runs until everybody waits.
    pub(crate) fn settle(&self) {
        loop {
            let (task, future) = {
                let mut state = self.0.lock();
                let Some(task) = state.ready.pop_front() else { return };
                (task, state.tasks.get_mut(&task).and_then(Option::take))
            };
            let Some(mut future) = future else { continue };
            let waker = waker(Arc::new(TaskWaker { task, executor: self.clone() }));
            let is_done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            let mut state = self.0.lock();
            if is_done {
                state.tasks.remove(&task);
            } else if let Some(place) = state.tasks.get_mut(&task) {
                *place = Some(future);
            }
        }
    }

    /// Lets time pass up to the next timer, but not beyond `until`. False when none is due by then.
    pub(crate) fn skip(&self, until: u64) -> bool {
        let timer = {
            let mut state = self.0.lock();
            match state.timers.first_key_value() {
                Some((&(due, id), _)) if due <= until => {
                    state.now = state.now.max(due);
                    state.timers.remove(&(due, id))
                }
                _ => {
                    state.now = state.now.max(until);
                    None
                }
            }
        };
        let found = timer.is_some();
        if let Some(timer) = timer {
            let _ = timer.send(());
        }
        self.settle();
        found
    }

    pub(crate) fn nanos(&self) -> u64 {
        self.0.lock().now
    }
}

impl Clock for Executor {
    fn now(&self) -> MonoTime {
        MonoTime(self.nanos())
    }

    fn wall_millis(&self) -> u64 {
        1_000 + self.nanos() / 1_000_000
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock();
        let due = state.now.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        let id = state.next_timer;
        state.next_timer += 1;
        state.timers.insert((due, id), sender);
        Box::pin(async move {
            let _ = receiver.await;
        })
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.start(future);
    }
}
