//! Pauses between attempts, and the end of patience.

use crate::client::TxnEnv;
use base::{BoxFuture, Clock, KvError, KvResult, MonoTime};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

/// Attempts in a row that may follow each other without a pause when the last answer named where
/// to go.
const QUICK_ATTEMPTS_MAX: u32 = 3;

/// The patience of one operation with a part of the cluster that does not answer as it should.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    since: Option<MonoTime>,
    pause: Duration,
    quick: u32,
}

impl Patience {
    /// After a failed attempt: pauses, or ends with `Unavailable` when the outage has lasted too
    /// long. `quick` skips the pause a few times.
    pub(crate) async fn wait(&mut self, env: &TxnEnv, quick: bool, why: &KvError) -> KvResult<()> {
        let now = env.clock.now();
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= env.config.outage {
            return Err(match why {
                KvError::Unavailable(_) => why.clone(),
                other => KvError::Unavailable(other.to_string()),
            });
        }
        if quick && self.quick < QUICK_ATTEMPTS_MAX {
            self.quick += 1;
            return Ok(());
        }
        self.pause = (self.pause * 2).clamp(env.config.backoff_min, env.config.backoff_max);
        env.clock.sleep(self.pause).await;
        Ok(())
    }

    /// The bounds of a range have changed under the operation: goes on at once a few times.
    pub(crate) async fn recut(&mut self, env: &TxnEnv) -> KvResult<()> {
        self.wait(env, true, &KvError::Unavailable("ranges keep changing".into())).await
    }

    /// An attempt got through, or waited for something other than an outage.
    pub(crate) fn restart(&mut self) {
        *self = Patience::default();
    }
}

/// Ends with `None` when the time is over first. The timer is made only once the future has to
/// wait: a local call that completes at once costs no timer.
pub(crate) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    mut future: BoxFuture<'_, T>,
) -> Option<T> {
    let mut timer = None;
    poll_fn(move |cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        let timer = timer.get_or_insert_with(|| clock.sleep(limit));
        timer.as_mut().poll(cx).map(|()| None)
    })
    .await
}
