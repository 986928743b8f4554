//! Runs everything on one thread, in an order that a seed decides.
//!
//! The world is a set of tasks and a queue of events in virtual time. As long as a task is ready,
//! one of the ready ones is picked at random and polled; when all of them wait, time jumps to the
//! next event. **Nothing else makes anything happen**, so the seed and the code decide every step.

use crate::trace::Trace;
use base::BoxFuture;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Polls at one moment after which the world counts as spinning.
const POLLS_AT_ONE_MOMENT_MAX: u64 = 2_000_000;

/// Whose task it is: a life of a node, or the world outside (0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner(pub u64);

impl Owner {
    /// Clients, faults and checks.
    pub const OUTSIDE: Owner = Owner(0);
}

type Event = Box<dyn FnOnce() + Send>;

struct Task {
    owner: Owner,
    /// Absent while it is being polled.
    future: Option<BoxFuture<'static, ()>>,
    waker: Waker,
}

struct State {
    now: u64,
    rng: ChaCha8Rng,
    tasks: BTreeMap<u64, Task>,
    next_task: u64,
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
    dead: BTreeSet<Owner>,
    next_owner: u64,
    trace: Trace,
}

/// The world's time, tasks and chance. Clones are the same world.
#[derive(Clone)]
pub struct Executor {
    state: Arc<Mutex<State>>,
    ready: Arc<Ready>,
}

/// Ids of tasks that were woken.
#[derive(Default)]
struct Ready {
    queue: Mutex<Vec<u64>>,
}

struct TaskWaker {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut queue = self.ready.queue.lock();
        if !queue.contains(&self.task) {
            queue.push(self.task);
        }
    }
}

impl Executor {
    /// A world in which nothing has happened yet.
    pub fn new(seed: u64) -> Executor {
        let state = State {
            now: 0,
            rng: ChaCha8Rng::seed_from_u64(seed),
            tasks: BTreeMap::new(),
            next_task: 1,
            events: BTreeMap::new(),
            next_event: 1,
            dead: BTreeSet::new(),
            next_owner: 1,
            trace: Trace::new(seed),
        };
        Executor { state: Arc::new(Mutex::new(state)), ready: Arc::default() }
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.state.lock().now
    }

    /// Draws from the world's chance.
    pub fn random<T>(&self, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        draw(&mut self.state.lock().rng)
    }

    /// True with this probability.
    pub fn chance(&self, probability: f64) -> bool {
        self.random(|rng| rng.random_bool(probability.clamp(0.0, 1.0)))
    }

    /// A duration between two bounds.
    pub fn between(&self, low: Duration, high: Duration) -> Duration {
        let (low, high) = (low.as_nanos() as u64, high.as_nanos() as u64);
        Duration::from_nanos(self.random(|rng| rng.random_range(low..=high.max(low))))
    }

    /// Notes something that happened.
    pub fn note(&self, what: impl FnOnce() -> String) {
        let mut state = self.state.lock();
        let now = state.now;
        state.trace.note(now, what);
    }

    /// Leaves the mark of bytes that cross the network in the fingerprint.
    pub(crate) fn mark(&self, bytes: &[u8]) {
        self.state.lock().trace.content(bytes);
    }

    /// Prints something if all details were asked for; leaves no mark in the fingerprint.
    pub fn detail(&self, what: impl FnOnce() -> String) {
        let state = self.state.lock();
        state.trace.detail(state.now, what);
    }

    /// Fingerprint of everything that has happened.
    pub fn trace_hash(&self) -> u64 {
        self.state.lock().trace.hash()
    }

    /// An owner whose tasks can be killed together.
    pub fn new_owner(&self) -> Owner {
        let mut state = self.state.lock();
        state.next_owner += 1;
        Owner(state.next_owner)
    }

    /// Starts a task; a dead owner's is dropped.
    pub fn spawn(&self, owner: Owner, future: BoxFuture<'static, ()>) {
        let mut state = self.state.lock();
        if state.dead.contains(&owner) {
            drop(state);
            drop(future);
            return;
        }
        let id = state.next_task;
        state.next_task += 1;
        let waker = Arc::new(TaskWaker { task: id, ready: self.ready.clone() });
        let task = Task { owner, future: Some(future), waker: waker.clone().into() };
        state.tasks.insert(id, task);
        drop(state);
        waker.wake();
    }

    /// Kills an owner and all its tasks.
    pub fn kill(&self, owner: Owner) {
        let mut state = self.state.lock();
        state.dead.insert(owner);
        let doomed: Vec<u64> =
            state.tasks.iter().filter(|(_, task)| task.owner == owner).map(|(id, _)| *id).collect();
        let doomed: Vec<Task> =
            doomed.into_iter().filter_map(|id| state.tasks.remove(&id)).collect();
        drop(state);
        // Their destructors may spawn and schedule.
        drop(doomed);
    }

    /// Is it alive?
    pub fn is_alive(&self, owner: Owner) -> bool {
        !self.state.lock().dead.contains(&owner)
    }

    /// Lets something happen after this long.
    pub fn after(&self, delay: Duration, event: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock();
        let at = (state.now + delay.as_nanos() as u64, state.next_event);
        state.next_event += 1;
        state.events.insert(at, Box::new(event));
    }

    /// Ends after this long.
    pub fn sleep(&self, delay: Duration) -> BoxFuture<'static, ()> {
        let (sender, receiver) = futures::channel::oneshot::channel::<()>();
        self.after(delay, move || {
            // Whoever waited may have gone.
            let _ = sender.send(());
        });
        Box::pin(async move {
            let _ = receiver.await;
        })
    }

    /// Runs until this moment, or until nothing can happen any more.
    pub fn run_until(&self, until: u64) {
        self.run_while(|now| now < until);
    }

    /// Runs while the condition on the time holds and something can happen.
    pub fn run_while(&self, goes_on: impl Fn(u64) -> bool) {
        loop {
            self.run_ready();
            let mut state = self.state.lock();
            let Some((&at, _)) = state.events.first_key_value() else { return };
            if !goes_on(at.0) {
                return;
            }
            state.now = state.now.max(at.0);
            let event = state.events.remove(&at);
            drop(state);
            if let Some(event) = event {
                event();
            }
        }
    }

    fn run_ready(&self) {
        let mut polls = 0;
        loop {
            let task = {
                let mut queue = self.ready.queue.lock();
                if queue.is_empty() {
                    return;
                }
                let count = queue.len();
                let pick = self.random(|rng| rng.random_range(0..count));
                queue.swap_remove(pick)
            };
            self.poll(task);
            polls += 1;
            assert!(polls < POLLS_AT_ONE_MOMENT_MAX, "the world is spinning at {}", self.now());
        }
    }

    fn poll(&self, id: u64) {
        let mut state = self.state.lock();
        let Some(task) = state.tasks.get_mut(&id) else { return };
        let Some(mut future) = task.future.take() else { return };
        let waker = task.waker.clone();
        state.trace.step(id);
        drop(state);
        let result = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = self.state.lock();
        // It may have been killed while it ran.
        if let Some(task) = state.tasks.get_mut(&id) {
            match result {
                Poll::Pending => {
                    task.future = Some(future);
                    return;
                }
                Poll::Ready(()) => drop(state.tasks.remove(&id)),
            }
        }
        drop(state);
        drop(future);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tasks that sleep and note; answers the fingerprint.
    fn run(seed: u64) -> u64 {
        let executor = Executor::new(seed);
        for name in 0..3u64 {
            let world = executor.clone();
            let task = async move {
                for _ in 0..20 {
                    let pause = world.between(Duration::ZERO, Duration::from_millis(3));
                    world.sleep(pause).await;
                    world.note(|| format!("{name}"));
                }
            };
            executor.spawn(Owner::OUTSIDE, Box::pin(task));
        }
        executor.run_until(u64::MAX);
        executor.trace_hash()
    }

    #[test]
    fn the_seed_decides_everything() {
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn killed_tasks_do_nothing_more() {
        let executor = Executor::new(1);
        let owner = executor.new_owner();
        let done = Arc::new(Mutex::new(false));
        let (world, flag) = (executor.clone(), done.clone());
        let task = async move {
            world.sleep(Duration::from_secs(1)).await;
            *flag.lock() = true;
        };
        executor.spawn(owner, Box::pin(task));
        executor.run_until(500_000_000);
        executor.kill(owner);
        executor.run_until(u64::MAX);
        assert!(!*done.lock());
    }
}
