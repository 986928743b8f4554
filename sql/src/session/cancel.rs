//! How a running statement is told to end: by a cancel request, by its timeout, by shutdown.

use base::{Clock, MonoTime};
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use types::{Severity, SqlError, sqlstate};

const RUNNING: u8 = 0;
const CANCEL: u8 = 1;
const TERMINATE: u8 = 2;

/// Shared between a session and whoever may interrupt it.
#[derive(Default)]
pub struct CancelToken {
    request: AtomicU8,
    /// Nanoseconds of [`MonoTime`] when the statement times out; 0 for never.
    deadline: AtomicU64,
    waker: AtomicWaker,
}

impl CancelToken {
    /// Ends the statement that is running now, if any, with 57014.
    pub fn cancel(&self) {
        let _ = self.request.compare_exchange(RUNNING, CANCEL, Ordering::AcqRel, Ordering::Acquire);
        self.waker.wake();
    }

    /// Ends the session with 57P01: the running statement now, or the next one.
    pub fn terminate(&self) {
        self.request.store(TERMINATE, Ordering::Release);
        self.waker.wake();
    }

    /// True once [`CancelToken::terminate`] was called: the connection should close.
    pub fn is_terminated(&self) -> bool {
        self.request.load(Ordering::Acquire) == TERMINATE
    }

    /// Ends once [`CancelToken::terminate`] was called. For a session between statements.
    pub async fn terminated(&self) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            if self.is_terminated() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }

    /// A statement begins: an earlier cancel request came too late.
    pub(super) fn begin(&self, deadline: Option<MonoTime>) {
        let _ = self.request.compare_exchange(CANCEL, RUNNING, Ordering::AcqRel, Ordering::Acquire);
        self.deadline.store(deadline.map_or(0, |at| at.0.max(1)), Ordering::Relaxed);
    }

    /// The error to end with, once there is a reason.
    pub(super) fn interrupted(&self, clock: &dyn Clock) -> Option<SqlError> {
        match self.request.load(Ordering::Acquire) {
            CANCEL => return Some(cancelled("canceling statement due to user request")),
            TERMINATE => {
                let message = "terminating connection due to administrator command";
                let error = SqlError::new(sqlstate::ADMIN_SHUTDOWN, message);
                return Some(error.with_severity(Severity::Fatal));
            }
            _ => {}
        }
        let deadline = self.deadline.load(Ordering::Relaxed);
        (deadline != 0 && clock.now().0 >= deadline)
            .then(|| cancelled("canceling statement due to statement timeout"))
    }

    fn left(&self, clock: &dyn Clock) -> Option<Duration> {
        match self.deadline.load(Ordering::Relaxed) {
            0 => None,
            deadline => Some(MonoTime(deadline).since(clock.now())),
        }
    }
}

/// Runs a future until it ends or there is a reason to interrupt it.
pub(super) async fn interruptible<T>(
    token: &CancelToken,
    clock: &Arc<dyn Clock>,
    work: impl Future<Output = Result<T, SqlError>>,
) -> Result<T, SqlError> {
    let mut work = pin!(work);
    let mut timer = token.left(&**clock).map(|left| clock.sleep(left));
    poll_fn(|cx| {
        token.waker.register(cx.waker());
        if let Some(timer) = &mut timer {
            // Only to be woken: the deadline itself is checked below.
            let _ = Pin::new(timer).poll(cx);
        }
        if let Some(error) = token.interrupted(&**clock) {
            return Poll::Ready(Err(error));
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// Ends when there is a reason to interrupt the statement.
pub(super) async fn interruption(token: &CancelToken, clock: &Arc<dyn Clock>) {
    // The reason itself is asked for by whoever gives up because of it.
    let _ = interruptible(token, clock, std::future::pending::<Result<(), SqlError>>()).await;
}

fn cancelled(message: &str) -> SqlError {
    SqlError::new(sqlstate::QUERY_CANCELED, message)
}
