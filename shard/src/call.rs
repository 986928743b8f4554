//! One request on its way through a replica, and the view of the data it is evaluated on.

use crate::env::StoreConfig;
use crate::replica::Replica;
use base::{Key, KvError, KvResult, MonoTime, RangeDescriptor, Span, Timestamp, TxnId};
use futures::future::{Either, select};
use std::sync::Arc;
use std::time::Duration;
use storage::Snapshot;

/// A request's context.
pub(crate) struct Call {
    pub(crate) replica: Arc<Replica>,
    /// The epoch it was routed by.
    pub(crate) epoch: u64,
    /// On whose behalf it runs.
    pub(crate) txn: Option<TxnId>,
    /// Waits end by then.
    pub(crate) deadline: MonoTime,
}

/// A pinned state of the range, and the proof that it was the newest when it was pinned.
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    /// As of the pinned state or later: it has the epoch that the request was routed by, so the
    /// bounds are the same.
    pub(crate) descriptor: Arc<RangeDescriptor>,
    /// The term in which it was pinned, 0 on followers.
    pub(crate) term: u64,
    /// No intent stands that could matter.
    pub(crate) is_free_of_intents: bool,
}

impl Call {
    pub(crate) fn config(&self) -> &StoreConfig {
        &self.replica.env.config
    }

    pub(crate) fn now(&self) -> MonoTime {
        self.replica.env.clock.now()
    }

    /// Whose request it is, for those that make no sense without.
    pub(crate) fn require_txn(&self) -> KvResult<TxnId> {
        self.txn.ok_or_else(|| KvError::Fatal("request needs a transaction".into()))
    }

    /// The term in which this replica serves; waits while it prepares to.
    pub(crate) async fn leading(&self) -> KvResult<u64> {
        loop {
            if let Some(term) = self.replica.leadership.serving() {
                return Ok(term);
            }
            let changed = self.replica.leadership.changed();
            if self.replica.leadership.serving().is_some() {
                continue;
            }
            if !self.leads_by_name() {
                return Err(self.replica.replication.lead(self.now()).err().unwrap_or_else(|| {
                    KvError::Unavailable(format!("{} is between two leaders", self.replica.range))
                }));
            }
            let patience = self.config().patience;
            if self.within(patience, changed).await.is_none() {
                let reason = format!("{} has no leader that is ready", self.replica.range);
                return Err(KvError::Unavailable(reason));
            }
        }
    }

    fn leads_by_name(&self) -> bool {
        self.replica.replication.leader().is_some_and(|l| l.node == self.replica.env.node)
    }

    /// Pins the newest state, as leader of `term`. The lease is checked after the state is pinned,
    /// and so is the descriptor: what was true then was true of the pinned state.
    pub(crate) async fn pin(&self, term: u64) -> KvResult<View> {
        if let Some(pinned) = self.try_pin(term) {
            return pinned;
        }
        // Leads, but its lease does not hold: ask a quorum instead, then pin again.
        let confirmed = self.replica.replication.read_index().await?;
        let is_free_of_intents = self.replica.intents.is_zero(term);
        let snapshot = self.replica.env.engine.snapshot();
        if confirmed != term {
            return Err(self.replica.not_leader());
        }
        self.view(snapshot, term, is_free_of_intents)
    }

    /// [`Call::pin`] as far as it goes without waiting; `None` when a quorum has to be asked.
    pub(crate) fn try_pin(&self, term: u64) -> Option<KvResult<View>> {
        let replica = &self.replica;
        // Looked at before pinning: what is resolved in between is still pinned.
        let is_free_of_intents = replica.intents.is_zero(term);
        let snapshot = replica.env.engine.snapshot();
        match replica.replication.lead(self.now()) {
            Ok(leading) if leading == term => Some(self.view(snapshot, term, is_free_of_intents)),
            Ok(_) => Some(Err(replica.not_leader())),
            Err(_) if self.leads_by_name() => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Pins what this replica has applied, whoever leads.
    pub(crate) fn pin_applied(&self) -> KvResult<View> {
        self.view(self.replica.env.engine.snapshot(), 0, false)
    }

    fn view(&self, snapshot: Snapshot, term: u64, is_free_of_intents: bool) -> KvResult<View> {
        let descriptor = self.descriptor()?;
        Ok(View { snapshot, descriptor, term, is_free_of_intents })
    }

    /// The descriptor, if the request was routed by it.
    pub(crate) fn descriptor(&self) -> KvResult<Arc<RangeDescriptor>> {
        let descriptor = self.replica.replication.descriptor();
        if descriptor.epoch != self.epoch {
            return Err(KvError::StaleEpoch { current: (*descriptor).clone() });
        }
        Ok(descriptor)
    }

    /// Waits for something, but not beyond the deadline nor longer than `limit`.
    pub(crate) async fn within<F: Future + Unpin>(
        &self,
        limit: Duration,
        event: F,
    ) -> Option<F::Output> {
        let limit = limit.min(self.deadline.since(self.now()));
        match select(event, self.replica.env.clock.sleep(limit)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// Fails once the deadline has passed: nothing was done.
    pub(crate) fn check_deadline(&self) -> KvResult<()> {
        if self.now() < self.deadline { Ok(()) } else { Err(KvError::Cancelled) }
    }

    /// Draws a timestamp above `floor`. Everything in `floor` was drawn before, so one draw does.
    pub(crate) async fn draw_above(&self, floor: Timestamp) -> KvResult<Timestamp> {
        let ts = self.replica.env.oracle.now().await?;
        if ts > floor {
            return Ok(ts);
        }
        Err(KvError::Fatal(format!("the oracle gave {ts}, which is not above {floor}")))
    }
}

impl View {
    /// Refuses keys that the range does not hold.
    pub(crate) fn check_keys<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> KvResult<()> {
        check_keys(&self.descriptor, keys)
    }
}

/// Refuses keys that the range does not hold. The sender's idea of the bounds must be wrong.
pub(crate) fn check_keys<'a>(
    descriptor: &RangeDescriptor,
    keys: impl IntoIterator<Item = &'a Key>,
) -> KvResult<()> {
    if keys.into_iter().all(|key| descriptor.contains(key)) {
        return Ok(());
    }
    Err(KvError::StaleEpoch { current: descriptor.clone() })
}

/// The part of a span that the range holds; refused when there is none.
pub(crate) fn cut(descriptor: &RangeDescriptor, span: &Span) -> KvResult<Span> {
    let part = span.intersect(&descriptor.span);
    if part.is_empty() && !span.is_empty() {
        return Err(KvError::StaleEpoch { current: descriptor.clone() });
    }
    Ok(part)
}
