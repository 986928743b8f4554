//! The two threads below the sessions: one owns the Raft loop, one applies.
//!
//! Both park until notified or until their next timer. An error from either means that the disk
//! holds something unknown: the process ends at once, and what was not acknowledged is not lost.

use base::{Clock, MonoTime};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest nap of a thread without a timer.
const NAP_MAX: Duration = Duration::from_secs(1);

/// Wakes a polling thread. Many notices before it looks are one.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    condition: Condvar,
}

impl Bell {
    /// Wakes the thread.
    pub(crate) fn ring(&self) {
        let mut rung = self.rung.lock();
        if !*rung {
            *rung = true;
            self.condition.notify_one();
        }
    }

    /// Sleeps until rung, at most this long.
    fn wait(&self, at_most: Duration) {
        let mut rung = self.rung.lock();
        if !*rung {
            self.condition.wait_for(&mut rung, at_most);
        }
        *rung = false;
    }
}

/// What one round of a polled value did.
pub(crate) struct Round {
    pub(crate) did_work: bool,
    pub(crate) next_wake: Option<MonoTime>,
}

/// A thread that polls a value until told to stop.
pub(crate) struct Poller {
    stop: Arc<AtomicBool>,
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Poller {
    /// Starts the thread.
    pub(crate) fn start(
        name: &str,
        bell: Arc<Bell>,
        clock: Arc<dyn Clock>,
        mut poll: impl FnMut(MonoTime) -> Result<Round, String> + Send + 'static,
    ) -> std::io::Result<Poller> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, own_bell) = (stop.clone(), bell.clone());
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _ends_process = EndsProcess;
            // Connections to other nodes are opened from here.
            let _runtime = runtime.enter();
            while !stopped.load(Ordering::Acquire) {
                let now = clock.now();
                match poll(now) {
                    Ok(round) if round.did_work => {}
                    Ok(round) => {
                        let nap = round.next_wake.map_or(NAP_MAX, |at| at.since(now));
                        own_bell.wait(nap.min(NAP_MAX));
                    }
                    Err(error) => die(&error),
                }
            }
        })?;
        Ok(Poller { stop, bell, thread: Some(thread) })
    }

    /// Ends the thread after its current round.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // It has panicked or ended; either way it is gone.
            let _ = thread.join();
        }
    }
}

/// A thread that panics ends the process: without it nothing could be committed any more, and other
/// nodes would wait for this one.
struct EndsProcess;

impl Drop for EndsProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            die("a replication thread panicked");
        }
    }
}

/// Ends the process without cleaning up: nothing more may be written or acknowledged.
fn die(error: &str) -> ! {
    tracing::error!("fatal: {error}");
    crate::exit::complain(&format!("fatal: {error}"));
    std::process::exit(1)
}
