//! Wakes the task that polls a loop.

use parking_lot::Mutex;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// Rung by producers, waited for by one task. A ring while nobody waits is kept.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_rung: bool,
    waiting: Option<Waker>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let waiting = {
            let mut state = self.0.lock();
            state.is_rung = true;
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Ends at the next ring, or at once if there was one.
    pub(crate) async fn wait(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if std::mem::take(&mut state.is_rung) {
                return Poll::Ready(());
            }
            state.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
