//! Who may look at which keys, and when: latches and timestamp cache behind one mutex.
//!
//! The two belong together. **A read holds no latch while it looks**: in one step under the mutex it
//! finds that no write at or below its timestamp is under way on its keys, and records itself in the
//! timestamp cache. From then on
//!
//! * a write that was applied before is visible to every snapshot pinned later;
//! * a write that takes its latch later finds the read in the cache and goes above it.
//!
//! So a snapshot pinned after admission shows all that can ever stand at or below the timestamp.
//! Only a read that meets a write under way queues for a latch, so that it keeps its place.

use crate::latches::{Access, LatchId, Latched, Latches, Touch};
use crate::ts_cache::TsCache;
use base::{Key, Timestamp, TxnId};
use futures::channel::oneshot;
use parking_lot::Mutex;
use std::sync::Arc;

/// The admission of one range's requests.
pub(crate) struct Sequencer {
    state: Mutex<State>,
}

struct State {
    latches: Latches,
    ts_cache: TsCache,
}

impl Sequencer {
    /// Nothing is under way. Reads at or below `low_water` may have been served before.
    pub(crate) fn new(low_water: Timestamp, ts_cache_bytes: usize) -> Arc<Sequencer> {
        let ts_cache = TsCache::new(low_water, ts_cache_bytes);
        Arc::new(Sequencer { state: Mutex::new(State { latches: Latches::default(), ts_cache }) })
    }

    /// A new leader begins: everything counts as read at `low_water`.
    pub(crate) fn reset(&self, low_water: Timestamp) {
        self.state.lock().ts_cache.reset(low_water);
    }

    /// Admits a read if it need not wait, and records it.
    pub(crate) fn try_read(&self, touch: Touch<'_>, at: Timestamp, owner: Option<TxnId>) -> bool {
        let mut state = self.state.lock();
        if state.latches.blocks_read(touch, at) {
            return false;
        }
        state.record(touch, at, owner);
        true
    }

    /// Admits a read as soon as the writes before it are through, and records it.
    pub(crate) async fn read(
        self: &Arc<Self>,
        touch: Touch<'_>,
        at: Timestamp,
        owner: Option<TxnId>,
    ) {
        if self.try_read(touch, at, owner) {
            return;
        }
        let latch = self.latch(touch, Access::Read(at)).await;
        self.state.lock().record(touch, at, owner);
        drop(latch);
    }

    /// Waits until the writes that are under way at or below `at` are through, and records nothing:
    /// for looks that no later write has to respect.
    pub(crate) async fn settle(self: &Arc<Self>, touch: Touch<'_>, at: Timestamp) {
        if self.state.lock().latches.blocks_read(touch, at) {
            drop(self.latch(touch, Access::Read(at)).await);
        }
    }

    /// Takes a write latch; waits for everybody before.
    pub(crate) async fn write(self: &Arc<Self>, touch: Touch<'_>, min_ts: Timestamp) -> LatchGuard {
        self.latch(touch, Access::Write(min_ts)).await
    }

    /// Takes two write latches at once: nobody gets between them, so nobody can wait for the one and
    /// be waited for by the other.
    pub(crate) async fn write_both(
        self: &Arc<Self>,
        first: (Touch<'_>, Timestamp),
        second: (Touch<'_>, Timestamp),
    ) -> (LatchGuard, LatchGuard) {
        let (a, b) = {
            let mut state = self.state.lock();
            let mut ask = |(touch, min_ts)| state.latches.acquire(touch, Access::Write(min_ts));
            (ask(first), ask(second))
        };
        let (a, b) = (self.guard(a), self.guard(b));
        (a.held().await, b.held().await)
    }

    /// The timestamp that a write of `txn` to these keys has to exceed. Stable for the holder of a
    /// write latch on them, above its `min_ts`.
    pub(crate) fn floor<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
        txn: Option<TxnId>,
    ) -> Timestamp {
        let state = self.state.lock();
        let floor = state.ts_cache.low_water().prev();
        keys.into_iter().fold(floor, |floor, key| floor.max(state.ts_cache.floor(key, txn)))
    }

    /// Records reads of keys without asking: by somebody who holds the latches.
    pub(crate) fn record<'a>(&self, keys: impl IntoIterator<Item = &'a Key>, at: Timestamp) {
        let mut state = self.state.lock();
        keys.into_iter().for_each(|key| state.ts_cache.read_key(key, at, None));
    }

    async fn latch(self: &Arc<Self>, touch: Touch<'_>, access: Access) -> LatchGuard {
        let latched = self.state.lock().latches.acquire(touch, access);
        self.guard(latched).held().await
    }

    fn guard(self: &Arc<Self>, latched: Latched) -> Pending {
        let (id, receiver) = match latched {
            Latched::Held(id) => (id, None),
            Latched::Waiting(id, receiver) => (id, Some(receiver)),
        };
        Pending { guard: LatchGuard { sequencer: Arc::clone(self), id }, receiver }
    }

    fn release(&self, id: LatchId) {
        let wakers = self.state.lock().latches.release(id);
        for waker in wakers {
            let _ = waker.send(());
        }
    }
}

impl State {
    fn record(&mut self, touch: Touch<'_>, at: Timestamp, owner: Option<TxnId>) {
        touch.keys.iter().for_each(|key| self.ts_cache.read_key(key, at, owner));
        touch.spans.iter().for_each(|span| self.ts_cache.read_span(span, at, owner));
    }
}

/// A latch that may have to be waited for. The place in the queue is given up with it.
struct Pending {
    guard: LatchGuard,
    receiver: Option<oneshot::Receiver<()>>,
}

impl Pending {
    async fn held(self) -> LatchGuard {
        if let Some(receiver) = self.receiver {
            // The sender lives in the queue as long as the guard: it cannot be lost.
            let _ = receiver.await;
        }
        self.guard
    }
}

/// A held latch, or a place in the queue; gives it up when dropped.
#[must_use]
pub(crate) struct LatchGuard {
    sequencer: Arc<Sequencer>,
    id: LatchId,
}

impl Drop for LatchGuard {
    fn drop(&mut self) {
        self.sequencer.release(self.id);
    }
}

#[cfg(test)]
mod tests;
