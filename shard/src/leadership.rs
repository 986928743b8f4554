//! In which term does this replica serve?
//!
//! Between winning an election and serving lies one draw from the oracle: at that timestamp the new
//! leader's timestamp cache begins, which covers every read that any leader before it has served.

use futures::channel::oneshot;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Not a term.
const NONE: u64 = 0;

/// The leadership of one replica as evaluation sees it.
#[derive(Default)]
pub(crate) struct Leadership {
    serving: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The term won, served or not.
    leading: u64,
    waiters: Vec<oneshot::Sender<()>>,
}

impl Leadership {
    /// The term in which requests are served.
    pub(crate) fn serving(&self) -> Option<u64> {
        match self.serving.load(Ordering::Acquire) {
            NONE => None,
            term => Some(term),
        }
    }

    /// The term has been won; preparations begin.
    pub(crate) fn begin(&self, term: u64) {
        let mut state = self.state.lock();
        self.serving.store(NONE, Ordering::Release);
        state.leading = term;
    }

    /// True as long as the term has not been lost.
    pub(crate) fn is_leading(&self, term: u64) -> bool {
        self.state.lock().leading == term
    }

    /// Preparations are over: `prepare` runs if the term still stands, then requests are let in.
    pub(crate) fn serve(&self, term: u64, prepare: impl FnOnce()) {
        let waiters = {
            let mut state = self.state.lock();
            if state.leading != term {
                return;
            }
            prepare();
            self.serving.store(term, Ordering::Release);
            std::mem::take(&mut state.waiters)
        };
        wake(waiters);
    }

    /// Leadership is lost.
    pub(crate) fn end(&self) {
        let waiters = {
            let mut state = self.state.lock();
            self.serving.store(NONE, Ordering::Release);
            state.leading = NONE;
            std::mem::take(&mut state.waiters)
        };
        wake(waiters);
    }

    /// Fires at the next change.
    pub(crate) fn changed(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        state.waiters.retain(|waiter| !waiter.is_canceled());
        state.waiters.push(sender);
        receiver
    }
}

fn wake(waiters: Vec<oneshot::Sender<()>>) {
    for waiter in waiters {
        let _ = waiter.send(());
    }
}
