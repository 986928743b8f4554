//! Commit over several ranges, or of more than one command holds.
//!
//! Small transactions use a *parallel commit*: the STAGING record travels together with the
//! intents, and the transaction is committed at the moment the last of them stands, one round
//! after COMMIT arrived. Where a leader had to choose a higher timestamp, and for transactions
//! whose keys do not fit a record, the record is written after the intents.
//!
//! A participant that refuses makes the whole transaction abort. Was an answer lost on the way,
//! the record is asked before anybody is told anything.

use super::cleanup::{Verdict, commit, end_txn, record_bytes};
use super::{COMMIT_LOCK_WAIT, CommitJob, Step};
use crate::meta_client::mismatch;
use crate::scatter::Scattered;
use crate::sender::{Attempt, Sending};
use base::api::end_txn::EndTxnAction;
use base::api::prewrite::{PrewriteRequest, PrewriteResponse, Staging};
use base::api::{RangeOp, RangeResponse, TxnAnchor, TxnStatus, Write};
use base::{Key, KvError, KvResult, Timestamp};
use futures::future::{Either, select};
use std::pin::pin;

/// How often an explicit commit moves up before it gives up.
const COMMIT_ATTEMPTS_MAX: usize = 16;

/// What the prewrites came to.
enum Prewritten {
    /// All stand; the highest timestamp.
    All(Timestamp),
    TooLate,
}

impl CommitJob {
    /// Intents in all ranges, then the decision.
    pub(super) async fn two_phase(&mut self, ts: Timestamp) -> KvResult<Step> {
        let anchor = TxnAnchor { txn: self.txn, anchor: self.anchor_key() };
        let keys: Vec<Key> = self.writes.iter().map(|write| write.key.clone()).collect();
        let is_parallel =
            self.fits_one_command() && record_bytes(&keys) <= self.core.env.config.record_bytes_max;
        let staging = is_parallel.then(|| Staging { ts, keys: keys.clone() });
        // Of an earlier attempt everything may stand by now.
        let may_stand = std::mem::replace(&mut self.has_intents, true);
        let highest = match self.prewrite(&anchor, ts, staging).await {
            Ok(highest) => highest,
            Err((error, maybe_done)) => {
                let maybe_done = maybe_done || may_stand;
                return self.settle_failure(anchor, keys, error, maybe_done).await;
            }
        };
        match highest {
            Prewritten::TooLate => Ok(Step::TooLate),
            Prewritten::All(at) if is_parallel && at == ts => {
                self.finish_in_background(anchor, keys, Verdict::Commit(ts));
                Ok(Step::Committed(ts))
            }
            Prewritten::All(at) => self.commit_explicitly(anchor, keys, at).await,
        }
    }

    /// Gives up a transaction that may have left intents.
    pub(super) fn abandon(&mut self) {
        if self.has_intents {
            let anchor = TxnAnchor { txn: self.txn, anchor: self.anchor_key() };
            let keys = self.writes.iter().map(|write| write.key.clone()).collect();
            self.finish_in_background(anchor, keys, Verdict::Abort);
        }
    }

    /// Sends all prewrites; the transaction shows signs of life as long as that takes. With an error
    /// comes whether a prewrite without an answer may stand.
    async fn prewrite(
        &self,
        anchor: &TxnAnchor,
        ts: Timestamp,
        staging: Option<Staging>,
    ) -> Result<Prewritten, (KvError, bool)> {
        let sending = Sending::new(Some(self.txn), self.wait.min(COMMIT_LOCK_WAIT));
        let make = |writes: &[&Write], _: Attempt| {
            let has_anchor = writes.iter().any(|write| write.key == anchor.anchor);
            RangeOp::Prewrite(PrewriteRequest {
                anchor: anchor.clone(),
                writes: writes.iter().map(|write| (*write).clone()).collect(),
                ts,
                exact: self.is_exact,
                staging: staging.clone().filter(|_| has_anchor),
            })
        };
        let prewrites = pin!(self.core.scatter(self.writes.iter().collect(), sending, make));
        let heartbeats = pin!(self.heartbeats(anchor));
        let mut scattered = match select(prewrites, heartbeats).await {
            Either::Left((scattered, _)) => scattered,
            Either::Right((never, _)) => match never {},
        };
        match scattered.error.take() {
            Some(error) => Err((error, scattered.maybe_done)),
            None => highest(&scattered).map_err(|error| (error, true)),
        }
    }

    async fn heartbeats(&self, anchor: &TxnAnchor) -> std::convert::Infallible {
        loop {
            self.core.env.clock.sleep(self.core.env.config.heartbeat).await;
            // A missed heartbeat is not the end; the prewrites will tell.
            if let Ok(now) = self.core.oracle.now().await {
                let _ = end_txn(&self.core, anchor, EndTxnAction::Heartbeat { now }).await;
            }
        }
    }

    /// All intents stand, but the record does not say so yet.
    async fn commit_explicitly(
        &mut self,
        anchor: TxnAnchor,
        keys: Vec<Key>,
        mut ts: Timestamp,
    ) -> KvResult<Step> {
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let action = commit(&self.core, ts, &keys);
            let status = match end_txn(&self.core, &anchor, action).await {
                Ok(status) => status,
                // Somebody else may find the intents and the record and decide either way.
                Err(error) => return Err(KvError::Ambiguous(error.to_string())),
            };
            match status {
                TxnStatus::Committed(at) => {
                    self.finish_in_background(anchor, keys, Verdict::Committed(at));
                    return Ok(Step::Committed(at));
                }
                TxnStatus::Aborted => {
                    self.finish_in_background(anchor, keys, Verdict::Abort);
                    return Err(KvError::TxnAborted { txn: self.txn });
                }
                // A reader has asked for a later commit.
                TxnStatus::Pending | TxnStatus::Staging(_) if self.is_exact => {
                    return Ok(Step::TooLate);
                }
                TxnStatus::Pending | TxnStatus::Staging(_) => {
                    ts = self.core.oracle.now().await.inspect_err(|_| {
                        self.abandon();
                    })?;
                }
            }
        }
        self.abandon();
        Err(KvError::TxnAborted { txn: self.txn })
    }

    /// A participant has failed. Unless an answer was lost or an earlier attempt has left intents
    /// the transaction cannot have committed; else the record decides, and is told to abort if
    /// nobody has decided yet.
    async fn settle_failure(
        &mut self,
        anchor: TxnAnchor,
        keys: Vec<Key>,
        error: KvError,
        maybe_done: bool,
    ) -> KvResult<Step> {
        if !maybe_done {
            self.finish_in_background(anchor, keys, Verdict::Abort);
            return Err(error);
        }
        match end_txn(&self.core, &anchor, EndTxnAction::Abort).await {
            Ok(TxnStatus::Committed(ts)) => {
                self.finish_in_background(anchor, keys, Verdict::Committed(ts));
                Ok(Step::Committed(ts))
            }
            Ok(_) => {
                self.finish_in_background(anchor, keys, Verdict::Abort);
                Err(error)
            }
            Err(_) => Err(KvError::Ambiguous(error.to_string())),
        }
    }
}

fn highest<T>(scattered: &Scattered<T>) -> KvResult<Prewritten> {
    let mut highest = Timestamp::ZERO;
    for (_, sent) in &scattered.parts {
        match &sent.response {
            RangeResponse::Prewrite(PrewriteResponse::Written(ts)) => highest = highest.max(*ts),
            RangeResponse::Prewrite(PrewriteResponse::TooLate(_)) => {
                return Ok(Prewritten::TooLate);
            }
            _ => return Err(mismatch("a prewrite")),
        }
    }
    Ok(Prewritten::All(highest))
}
