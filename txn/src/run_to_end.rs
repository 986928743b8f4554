//! A future that is finished in the background when its caller loses interest.

use base::{BoxFuture, Clock};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Runs in the caller's task as long as the caller polls it; dropped in the middle it moves to a
/// task of its own. A future that was never polled has begun nothing and is dropped.
pub(crate) struct RunToEnd<T: Send + 'static> {
    clock: Arc<dyn Clock>,
    future: Option<BoxFuture<'static, T>>,
    has_begun: bool,
}

impl<T: Send + 'static> RunToEnd<T> {
    pub(crate) fn new(clock: Arc<dyn Clock>, future: BoxFuture<'static, T>) -> RunToEnd<T> {
        RunToEnd { clock, future: Some(future), has_begun: false }
    }
}

impl<T: Send + 'static> Future for RunToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.has_begun = true;
        let Some(future) = self.future.as_mut() else {
            return Poll::Pending;
        };
        let result = future.as_mut().poll(cx);
        if result.is_ready() {
            self.future = None;
        }
        result
    }
}

impl<T: Send + 'static> Drop for RunToEnd<T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take()
            && self.has_begun
            && !std::thread::panicking()
        {
            self.clock.spawn(Box::pin(async move {
                future.await;
            }));
        }
    }
}
