//! Commit in one range by one command.

use super::{COMMIT_LOCK_WAIT, CommitJob, Step};
use crate::client::fate;
use crate::meta_client::mismatch;
use crate::router::Route;
use crate::sender::{Attempt, Failed, Sending, Sent};
use base::api::commit_1pc::{Commit1PcRequest, Commit1PcResponse};
use base::api::{RangeOp, RangeResponse};
use base::{KvError, KvResult, Timestamp};
use std::sync::Arc;

impl CommitJob {
    /// Sends all writes to the one range that holds them. `None` when the range has been cut and
    /// nothing was done. An attempt whose answer was lost is made again as a retry, which answers
    /// for the first.
    pub(super) async fn one_phase(
        &mut self,
        mut route: Arc<Route>,
        ts: Timestamp,
    ) -> KvResult<Option<Step>> {
        let begun = self.core.env.clock.now();
        let mut is_retry = false;
        loop {
            let sending = Sending::new(Some(self.txn), self.wait.min(COMMIT_LOCK_WAIT));
            let make = |attempt| {
                RangeOp::Commit1Pc(Commit1PcRequest {
                    writes: self.writes.clone(),
                    commit_ts: ts,
                    exact: self.is_exact,
                    is_retry: is_retry || attempt == Attempt::Retry,
                })
            };
            let (error, maybe_done) = match self.core.send(route, sending, make).await {
                Ok(sent) => return self.one_phase_answer(&sent).map(Some),
                Err(Failed::Recut { maybe_done }) if !is_retry && !maybe_done => return Ok(None),
                Err(Failed::Recut { .. }) => {
                    let why = "the range was split while the answer to COMMIT was lost";
                    return Err(KvError::Ambiguous(why.into()));
                }
                Err(Failed::Error { error, maybe_done }) => (error, maybe_done || is_retry),
            };
            let waited = self.core.env.clock.now().since(begun);
            let is_waiting = matches!(error, KvError::LockNotAvailable { .. }) && maybe_done;
            if !is_waiting || waited > self.core.env.config.outage {
                return Err(fate(error, maybe_done));
            }
            // Its own first attempt may be why somebody else has the lock by now: only the same
            // request again can tell.
            is_retry = true;
            route = self.core.router.lookup(&self.writes[0].key).await?;
        }
    }

    fn one_phase_answer(&mut self, sent: &Sent) -> KvResult<Step> {
        match &sent.response {
            RangeResponse::Commit1Pc(Commit1PcResponse::Committed(ts)) => {
                // The range has released what is held there.
                let elsewhere = |key: &base::Key| !sent.span.contains(key);
                let keys = self.locks.keys().into_iter().filter(elsewhere).collect();
                self.release_in_background(keys);
                Ok(Step::Committed(*ts))
            }
            RangeResponse::Commit1Pc(Commit1PcResponse::TooLate(_)) => Ok(Step::TooLate),
            _ => Err(mismatch("a commit")),
        }
    }
}
