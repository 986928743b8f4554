//! Latches: they order the requests in flight on the same keys.
//!
//! A request that writes holds a write latch on its keys from before it looks at anything until its
//! command is applied (or certainly never will be). Whoever comes later and touches one of the keys
//! waits for everybody before it, in order of arrival: each waiter counts the earlier requests that
//! it conflicts with, held or waiting, and runs when the last of them has left. So nobody is
//! overtaken and nobody is forgotten.
//!
//! Latches know timestamps: a write says below which timestamp it certainly writes nothing
//! (`min_ts`), and a read below that passes it.
//!
//! This module is a plain data structure; [`crate::sequencer`] puts it behind a mutex.

use base::{Key, Span, Timestamp};
use futures::channel::oneshot;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::ops::Bound;

/// What a request does to the keys it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Looks at them as of this timestamp.
    Read(Timestamp),
    /// Changes them, at or above this timestamp only.
    Write(Timestamp),
}

impl Access {
    fn conflicts(self, other: Access) -> bool {
        match (self, other) {
            (Access::Read(_), Access::Read(_)) => false,
            (Access::Read(at), Access::Write(min)) | (Access::Write(min), Access::Read(at)) => {
                min <= at
            }
            (Access::Write(_), Access::Write(_)) => true,
        }
    }
}

/// The keys and spans that a request touches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touch<'a> {
    /// Single keys, without repetition.
    pub keys: &'a [Key],
    /// Stretches of keys.
    pub spans: &'a [Span],
}

impl<'a> Touch<'a> {
    /// Keys only.
    pub fn keys(keys: &'a [Key]) -> Touch<'a> {
        Touch { keys, spans: &[] }
    }

    /// Spans only.
    pub fn spans(spans: &'a [Span]) -> Touch<'a> {
        Touch { keys: &[], spans }
    }
}

/// Names one request's latch.
pub type LatchId = u64;

/// How a request for a latch went.
pub enum Latched {
    /// Held from now on.
    Held(LatchId),
    /// Held once the receiver fires.
    Waiting(LatchId, oneshot::Receiver<()>),
}

/// Ids of the few latches on one key.
type Ids = SmallVec<[LatchId; 2]>;

/// All latches of one range.
#[derive(Default)]
pub struct Latches {
    next: LatchId,
    latches: FxHashMap<LatchId, Latch>,
    by_key: BTreeMap<Key, Ids>,
    by_span: Vec<(Span, LatchId)>,
    writes: usize,
}

struct Latch {
    access: Access,
    keys: Vec<Key>,
    is_spanning: bool,
    /// Earlier requests that are still in the way.
    blockers: usize,
    /// Later requests that wait for this one.
    waiters: Vec<LatchId>,
    wake: Option<oneshot::Sender<()>>,
}

impl Latches {
    /// Asks for a latch behind everybody who has asked before.
    pub fn acquire(&mut self, touch: Touch<'_>, access: Access) -> Latched {
        let id = self.next;
        self.next += 1;
        let blockers = self.conflicting(touch, access);
        for blocker in &blockers {
            if let Some(latch) = self.latches.get_mut(blocker) {
                latch.waiters.push(id);
            }
        }
        let (wake, receiver) = match blockers.is_empty() {
            true => (None, None),
            false => {
                let (sender, receiver) = oneshot::channel();
                (Some(sender), Some(receiver))
            }
        };
        self.enter(id, touch, access, blockers.len(), wake);
        match receiver {
            None => Latched::Held(id),
            Some(receiver) => Latched::Waiting(id, receiver),
        }
    }

    /// Gives a latch up, or stops waiting for it. The caller fires the returned wakers once it has
    /// left its mutex.
    #[must_use]
    pub fn release(&mut self, id: LatchId) -> Vec<oneshot::Sender<()>> {
        let Some(latch) = self.latches.remove(&id) else { return Vec::new() };
        if matches!(latch.access, Access::Write(_)) {
            self.writes -= 1;
        }
        for key in &latch.keys {
            if let Some(ids) = self.by_key.get_mut(key) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        if latch.is_spanning {
            self.by_span.retain(|(_, other)| *other != id);
        }
        let mut wakers = Vec::new();
        for waiter in latch.waiters {
            // A waiter may have given up before.
            let Some(waiting) = self.latches.get_mut(&waiter) else { continue };
            waiting.blockers -= 1;
            if waiting.blockers == 0 {
                wakers.extend(waiting.wake.take());
            }
        }
        wakers
    }

    /// True when a read as of `at` would meet a write that is under way. Writes that still wait
    /// themselves do not count: they will see what the read leaves behind.
    pub fn blocks_read(&self, touch: Touch<'_>, at: Timestamp) -> bool {
        if self.writes == 0 {
            return false;
        }
        let blocks = |id: &LatchId| {
            self.latches
                .get(id)
                .is_some_and(|l| l.blockers == 0 && l.access.conflicts(Access::Read(at)))
        };
        let mut is_blocked = false;
        self.visit(touch, &mut |id| is_blocked |= blocks(&id));
        is_blocked
    }

    /// Number of latches held or waited for.
    pub fn len(&self) -> usize {
        self.latches.len()
    }

    /// True when nobody is here.
    pub fn is_empty(&self) -> bool {
        self.latches.is_empty()
    }

    fn enter(
        &mut self,
        id: LatchId,
        touch: Touch<'_>,
        access: Access,
        blockers: usize,
        wake: Option<oneshot::Sender<()>>,
    ) {
        if matches!(access, Access::Write(_)) {
            self.writes += 1;
        }
        for key in touch.keys {
            self.by_key.entry(key.clone()).or_default().push(id);
        }
        let spans = touch.spans.iter().filter(|span| !span.is_empty());
        self.by_span.extend(spans.map(|span| (span.clone(), id)));
        let latch = Latch {
            access,
            keys: touch.keys.to_vec(),
            is_spanning: !touch.spans.is_empty(),
            blockers,
            waiters: Vec::new(),
            wake,
        };
        self.latches.insert(id, latch);
    }

    /// Everybody in the way, each once.
    fn conflicting(&self, touch: Touch<'_>, access: Access) -> SmallVec<[LatchId; 4]> {
        let mut found = SmallVec::new();
        if self.latches.is_empty() {
            return found;
        }
        self.visit(touch, &mut |id| {
            if self.latches.get(&id).is_some_and(|latch| latch.access.conflicts(access)) {
                found.push(id);
            }
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Calls `f` with the latches on overlapping keys; perhaps more than once with the same one.
    fn visit(&self, touch: Touch<'_>, f: &mut dyn FnMut(LatchId)) {
        for key in touch.keys {
            self.by_key.get(key).into_iter().flatten().for_each(|id| f(*id));
            self.by_span.iter().filter(|(s, _)| s.contains(key)).for_each(|(_, id)| f(*id));
        }
        for span in touch.spans.iter().filter(|span| !span.is_empty()) {
            let bounds = (Bound::Included(&span.start), Bound::Excluded(&span.end));
            self.by_key.range(bounds).flat_map(|(_, ids)| ids).for_each(|id| f(*id));
            self.by_span.iter().filter(|(s, _)| s.overlaps(span)).for_each(|(_, id)| f(*id));
        }
    }
}
