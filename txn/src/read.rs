//! Reads at the statement's snapshot: choosing it, and point reads.

use crate::meta_client::mismatch;
use crate::refresh;
use crate::scatter::Scattered;
use crate::sender::{Attempt, Sent};
use crate::txn::{Isolation, Txn};
use crate::view::View;
use base::api::get::{GetRequest, GetResponse};
use base::api::{RangeOp, RangeResponse, ReadAt};
use base::{Key, KvError, KvResult, Span, Timestamp};
use bytes::Bytes;

/// How one read is addressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadPlan {
    pub(crate) at: ReadAt,
}

impl ReadPlan {
    /// The timestamp for an attempt: a replica that does not lead is asked as such.
    pub(crate) fn at(self, attempt: Attempt) -> ReadAt {
        match (self.at, attempt) {
            (ReadAt::Snapshot(ts), Attempt::Follower) => ReadAt::Follower(ts),
            (at, _) => at,
        }
    }
}

impl Txn {
    /// The snapshot that reads use; drawn now if there is none yet.
    pub async fn snapshot(&mut self) -> KvResult<Timestamp> {
        match &self.view {
            View::Drawn(snapshot) => Ok(snapshot.ts),
            View::Open => self.draw_view().await,
            View::Picked { .. } => self.move_view_up().await,
        }
    }

    /// Values under keys, in their order; own buffered writes win.
    pub async fn get(&mut self, keys: &[Key]) -> KvResult<Vec<Option<Bytes>>> {
        let mut values: Vec<Option<Bytes>> = vec![None; keys.len()];
        let mut missing: Vec<(Key, usize)> = Vec::with_capacity(keys.len());
        for (i, key) in keys.iter().enumerate() {
            match self.buffer.get(key) {
                Some(slot) => values[i] = slot.change.value().cloned(),
                None => missing.push((key.clone(), i)),
            }
        }
        missing.sort();
        let sorted: Vec<Key> = missing.iter().map(|(key, _)| key.clone()).collect();
        if let (Some(first), Some(last)) = (sorted.first(), sorted.last()) {
            let span = Span::new(first.clone(), last.after());
            let mut found = self.get_sorted(sorted, &span).await?.into_iter();
            for (_, i) in &missing {
                values[*i] = found.next().flatten();
            }
        }
        Ok(values)
    }

    /// How to read a span: at the view if it covers the span, else a view is made.
    pub(crate) async fn plan_read(&mut self, span: &Span) -> KvResult<ReadPlan> {
        let at = match (&self.view, self.view.covering(span)) {
            (_, Some(at)) => at,
            (View::Open, None) if self.may_pick() && self.is_in_one_range(span).await? => {
                ReadAt::Leader
            }
            (View::Picked { .. }, None) => ReadAt::Snapshot(self.move_view_up().await?),
            _ => ReadAt::Snapshot(self.draw_view().await?),
        };
        Ok(ReadPlan { at })
    }

    /// A leader was left to pick the snapshot and has answered.
    pub(crate) fn set_picked(&mut self, ts: Timestamp, sent: &Sent, read: &Span) {
        self.view = View::Picked { ts, within: sent.span.clone(), reads: vec![read.clone()] };
    }

    /// Something was read at the view.
    pub(crate) fn note_read(&mut self, span: &Span) {
        self.view.note(span);
        if self.isolation == Isolation::Serializable && !self.reads_newest() {
            self.reads.add(span);
        }
    }

    /// As above, key by key and for the proof at COMMIT alone.
    pub(crate) fn note_keys(&mut self, keys: &[Key]) {
        if self.isolation == Isolation::Serializable && !self.reads_newest() {
            keys.iter().for_each(|key| self.reads.add(&Span::point(key.clone())));
        }
    }

    /// Draws a snapshot for a view that has none.
    pub(crate) async fn draw_view(&mut self) -> KvResult<Timestamp> {
        let ts = self.core.oracle.now().await?;
        self.view = View::Drawn(self.core.snapshots.pin(ts));
        Ok(ts)
    }

    /// Replaces the snapshot that one range's leader picked by a drawn one that holds everywhere.
    /// `WriteConflict` when something that was read has changed since.
    pub(crate) async fn move_view_up(&mut self) -> KvResult<Timestamp> {
        self.reads_widely = true;
        let to = self.core.oracle.now().await?;
        if let View::Picked { ts, reads, .. } = &self.view {
            let moved = refresh::run(&self.core, self.reading(), reads.clone(), *ts, to).await;
            moved.map_err(Txn::outrun)?;
        }
        self.view = View::Drawn(self.core.snapshots.pin(to));
        Ok(to)
    }

    /// An idle range's leader picks a snapshot of long ago, which garbage collection may overtake:
    /// the statement has to begin again, nothing more.
    fn outrun(error: KvError) -> KvError {
        match error {
            KvError::SnapshotTooOld { read_ts, .. } => {
                KvError::WriteConflict { key: Key::default(), newer: read_ts }
            }
            other => other,
        }
    }

    fn may_pick(&self) -> bool {
        self.is_alone && !self.reads_widely && !self.follower_reads
    }

    async fn is_in_one_range(&self, span: &Span) -> KvResult<bool> {
        let route = self.core.router.lookup(&span.start).await?;
        Ok(route.descriptor.span.covers(span))
    }

    async fn get_sorted(&mut self, keys: Vec<Key>, span: &Span) -> KvResult<Vec<Option<Bytes>>> {
        let plan = self.plan_read(span).await?;
        let mut parts = self.send_gets(keys.clone(), plan).await.complete()?;
        if plan.at == ReadAt::Leader && parts.len() > 1 {
            // The range was split under the request: its halves may have picked differently.
            let ts = self.draw_view().await?;
            let plan = ReadPlan { at: ReadAt::Snapshot(ts) };
            parts = self.send_gets(keys, plan).await.complete()?;
        }
        // A part that was cut again comes after later ones.
        parts.sort_by(|(a, _), (b, _)| a.first().cmp(&b.first()));
        let mut values = Vec::with_capacity(parts.iter().map(|(part, _)| part.len()).sum());
        for (part, sent) in parts {
            self.touched.add(sent.range, sent.node);
            let response = expect_get(&sent.response, part.len())?;
            values.extend(response.values.iter().map(|value| value.as_ref().map(|v| v.0.clone())));
            if matches!(self.view, View::Open) {
                self.set_picked(response.read_ts, &sent, span);
            }
            self.note_keys(&part);
        }
        self.view.note(span);
        Ok(values)
    }

    async fn send_gets(&self, keys: Vec<Key>, plan: ReadPlan) -> Scattered<Key> {
        let make = |keys: &[Key], attempt: Attempt| {
            RangeOp::Get(GetRequest { keys: keys.to_vec(), at: plan.at(attempt) })
        };
        self.core.scatter(keys, self.reading(), make).await
    }
}

fn expect_get(response: &RangeResponse, keys: usize) -> KvResult<&GetResponse> {
    match response {
        RangeResponse::Get(response) if response.values.len() == keys => Ok(response),
        _ => Err(mismatch("a read of keys")),
    }
}
