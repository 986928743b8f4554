//! Meeting the intents of other transactions.
//!
//! Whoever meets one asks the range of the transaction's record what became of it, and then
//!
//! * finished: the intent becomes a version or goes away, and the request is evaluated again;
//! * pending, and a reader asks: the transaction is told to commit above the reader, who passes;
//! * alive otherwise: wait until the intent is resolved here, or ask again after a pause;
//! * abandoned in STAGING: count its intents, and decide it ([`Conflicts::recover`]).
//!
//! **Latches are dropped before anybody is asked**, and a verdict is used on a snapshot that is
//! pinned after it was given.

use crate::call::Call;
use crate::dispatch::Dispatch;
use crate::wait_watch::WaitWatch;
use base::api::prewrite::Staging;
use base::api::push::{PushRequest, PushResponse};
use base::api::query_intent::QueryIntentRequest;
use base::api::recover::RecoverRequest;
use base::api::{RangeOp, RangeResponse, TxnAnchor, TxnStatus};
use base::{Key, KvError, KvResult, Timestamp, TxnId};
use futures::future::{Either, select};
use std::time::Duration;
use storage::mvcc::Intent;

/// An evaluation's end.
pub(crate) enum Outcome<T> {
    /// The answer.
    Done(T),
    /// These intents are in the way.
    Blocked(Vec<(Key, Intent)>),
}

/// Who met the intents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A reader at this timestamp.
    Read(Timestamp),
    /// Somebody who wants to write there, or to see the newest.
    Write,
}

/// What an intent means for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing.
    Ignore,
    /// It counts as a version.
    Visible,
    /// Its transaction has to be asked about.
    Unknown,
}

/// What is known about a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Committed(Timestamp),
    Aborted,
    /// Will commit above this, if at all.
    Above(Timestamp),
}

/// What one request has learned about the transactions that it met.
#[derive(Default)]
pub(crate) struct Conflicts {
    verdicts: Vec<(TxnId, Verdict)>,
    watch: Option<WaitWatch>,
    pauses: u32,
}

/// A transaction that is not through yet, and the key where it was met.
pub(crate) struct Alive {
    pub(crate) txn: TxnId,
    pub(crate) key: Key,
}

/// The intents of one transaction.
struct Group {
    anchor: TxnAnchor,
    lowest_ts: Timestamp,
    keys: Vec<Key>,
}

impl Conflicts {
    /// What an intent means for a reader at `at` who belongs to `own`.
    pub(crate) fn meaning(&self, intent: &Intent, at: Timestamp, own: Option<TxnId>) -> Meaning {
        if own == Some(intent.anchor.txn) {
            return Meaning::Visible;
        }
        if intent.ts > at {
            return Meaning::Ignore;
        }
        match self.verdict(intent.anchor.txn) {
            Some(Verdict::Committed(ts)) if ts <= at => Meaning::Visible,
            Some(Verdict::Committed(_) | Verdict::Aborted) => Meaning::Ignore,
            Some(Verdict::Above(ts)) if at <= ts => Meaning::Ignore,
            Some(Verdict::Above(_)) | None => Meaning::Unknown,
        }
    }

    /// The latest commit learned of.
    pub(crate) fn latest_commit(&self) -> Timestamp {
        let commits = self.verdicts.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Committed(ts) => Some(*ts),
            _ => None,
        });
        commits.max().unwrap_or_default()
    }

    /// When the transaction committed, if that was learned.
    pub(crate) fn commit_of(&self, txn: TxnId) -> Option<Timestamp> {
        match self.verdict(txn) {
            Some(Verdict::Committed(ts)) => Some(ts),
            _ => None,
        }
    }

    /// Asks about the intents, resolves what is finished, and waits for the first that is not.
    pub(crate) async fn settle(
        &mut self,
        call: &Call,
        blocked: Vec<(Key, Intent)>,
        purpose: Purpose,
    ) -> KvResult<()> {
        let alive = self.ask(call, blocked, purpose).await?;
        match alive.into_iter().next() {
            Some(alive) => self.wait(call, alive).await,
            None => Ok(()),
        }
    }

    /// Asks about the intents and resolves what is finished. Answers who is not.
    pub(crate) async fn ask(
        &mut self,
        call: &Call,
        blocked: Vec<(Key, Intent)>,
        purpose: Purpose,
    ) -> KvResult<Vec<Alive>> {
        if blocked.is_empty() {
            return Ok(Vec::new());
        }
        let dispatch = Dispatch::of(call);
        let now = call.replica.env.oracle.now().await?;
        let mut alive = Vec::new();
        for group in by_txn(blocked) {
            let txn = group.anchor.txn;
            match push(&dispatch, &group, purpose, now).await? {
                PushResponse::Finished(status) => {
                    self.finish(&dispatch, group, status, purpose).await?;
                }
                PushResponse::Pushed => match purpose {
                    Purpose::Read(at) => self.learn(txn, Verdict::Above(at)),
                    Purpose::Write => alive.push(group.alive()),
                },
                PushResponse::Alive => alive.push(group.alive()),
                PushResponse::Recover(staging) => {
                    match recover(&dispatch, &group.anchor, staging).await? {
                        status @ (TxnStatus::Committed(_) | TxnStatus::Aborted) => {
                            self.finish(&dispatch, group, status, purpose).await?;
                        }
                        _ => alive.push(group.alive()),
                    }
                }
            }
        }
        Ok(alive)
    }

    /// Waits until the transaction's intents are resolved here, or for a while.
    pub(crate) async fn wait(&mut self, call: &Call, alive: Alive) -> KvResult<()> {
        let Alive { txn, key } = alive;
        if call.now() >= call.deadline {
            return Err(KvError::Unavailable(format!("{txn} on {key} is not decided yet")));
        }
        let watch = self.watch.get_or_insert_with(|| WaitWatch::new(call));
        watch.report_if_due(call, &key, || vec![txn]).await?;
        let config = call.config();
        let pause = (config.ask_again_min * (1 << self.pauses.min(10))).min(config.ask_again_max);
        self.pauses += 1;
        let resolved = call.replica.on_resolved(txn);
        let pause = pause.min(call.deadline.since(call.now())).max(Duration::from_micros(1));
        if let Either::Right((_, resolved)) =
            select(resolved, call.replica.env.clock.sleep(pause)).await
        {
            drop(resolved);
            call.replica.sweep_resolved(txn);
        }
        Ok(())
    }

    async fn finish(
        &mut self,
        dispatch: &Dispatch,
        group: Group,
        status: TxnStatus,
        purpose: Purpose,
    ) -> KvResult<()> {
        let txn = group.anchor.txn;
        let verdict = match status {
            TxnStatus::Committed(ts) => Verdict::Committed(ts),
            TxnStatus::Aborted => Verdict::Aborted,
            other => return Err(KvError::Fatal(format!("{txn} is finished as {other:?}"))),
        };
        self.learn(txn, verdict);
        match purpose {
            Purpose::Write => dispatch.resolve(txn, status, group.keys).await,
            // The reader knows what it needs: others shall not have to ask.
            Purpose::Read(_) => {
                dispatch.resolve_later(txn, status, group.keys);
                Ok(())
            }
        }
    }

    fn verdict(&self, txn: TxnId) -> Option<Verdict> {
        self.verdicts.iter().find(|(known, _)| *known == txn).map(|(_, verdict)| *verdict)
    }

    fn learn(&mut self, txn: TxnId, verdict: Verdict) {
        self.verdicts.retain(|(known, _)| *known != txn);
        self.verdicts.push((txn, verdict));
    }
}

impl Group {
    fn alive(self) -> Alive {
        Alive { txn: self.anchor.txn, key: self.keys.into_iter().next().unwrap_or_default() }
    }
}

/// One group per transaction, in the order in which they were met.
fn by_txn(blocked: Vec<(Key, Intent)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (key, intent) in blocked {
        match groups.iter_mut().find(|group| group.anchor.txn == intent.anchor.txn) {
            Some(group) => {
                group.lowest_ts = group.lowest_ts.min(intent.ts);
                group.keys.push(key);
            }
            None => {
                groups.push(Group { anchor: intent.anchor, lowest_ts: intent.ts, keys: vec![key] })
            }
        }
    }
    groups
}

async fn push(
    dispatch: &Dispatch,
    group: &Group,
    purpose: Purpose,
    now: Timestamp,
) -> KvResult<PushResponse> {
    let push_above = match purpose {
        Purpose::Read(at) => at,
        Purpose::Write => Timestamp::ZERO,
    };
    let request =
        PushRequest { anchor: group.anchor.clone(), push_above, now, intent_ts: group.lowest_ts };
    match dispatch.send(&group.anchor.anchor, RangeOp::Push(request)).await? {
        RangeResponse::Push(response) => Ok(response),
        other => Err(unexpected("push", &other)),
    }
}

/// Decides an abandoned STAGING transaction: it is committed if and only if every intent that its
/// record declares stands at or below the staged timestamp. Counting also makes sure that a missing
/// one will never appear there.
pub(crate) async fn recover(
    dispatch: &Dispatch,
    anchor: &TxnAnchor,
    staging: Staging,
) -> KvResult<TxnStatus> {
    let Staging { ts, keys } = staging;
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let txn = anchor.txn;
    let make = |keys| RangeOp::QueryIntent(QueryIntentRequest { txn, ts, keys });
    let mut all_present = true;
    let count = |response| match response {
        RangeResponse::QueryIntent(answer) => {
            all_present &= answer.all_present;
            Ok(all_present)
        }
        other => Err(unexpected("query of intents", &other)),
    };
    dispatch.send_each(sorted, make, count).await?;
    let request = RecoverRequest { anchor: anchor.clone(), staged_ts: ts, all_present };
    let status = match dispatch.send(&anchor.anchor, RangeOp::Recover(request)).await? {
        RangeResponse::Recover(answer) => answer.status,
        other => return Err(unexpected("recovery", &other)),
    };
    if matches!(status, TxnStatus::Committed(_) | TxnStatus::Aborted) {
        dispatch.resolve_later(txn, status, keys);
    }
    Ok(status)
}

fn unexpected(request: &str, response: &RangeResponse) -> KvError {
    KvError::Fatal(format!("unexpected answer to a {request}: {response:?}"))
}
