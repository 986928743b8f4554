//! The timestamp cache: up to which timestamp has each key been read?
//!
//! **No write goes at or below a served read.** The cache never answers less than the truth; it may
//! answer more, which costs a write a higher timestamp. That freedom bounds its memory: it keeps two
//! generations, and when the younger is full the older one is replaced by a single number, the
//! *low-water mark*, at or below which every key counts as read.
//!
//! An entry remembers the transaction that read, as long as it was the only one at that timestamp: a
//! transaction that has refreshed its reads up to its own commit timestamp may write there itself.

use base::{Key, Span, Timestamp, TxnId};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The latest read of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    ts: Timestamp,
    /// The only transaction that read at `ts`; `None` when nobody or several.
    owner: Option<TxnId>,
}

impl Entry {
    fn merge(self, other: Entry) -> Entry {
        match self.ts.cmp(&other.ts) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal if self.owner == other.owner => self,
            std::cmp::Ordering::Equal => Entry { ts: self.ts, owner: None },
        }
    }
}

/// The reads of one range.
pub struct TsCache {
    low_water: Timestamp,
    young: Generation,
    old: Generation,
    weight_max: usize,
}

#[derive(Default)]
struct Generation {
    keys: FxHashMap<Key, Entry>,
    /// From each bound to the next one its entry holds; before the first, nothing was read.
    bounds: BTreeMap<Key, Entry>,
    /// The highest timestamp inside.
    max: Timestamp,
    /// Bytes, roughly.
    weight: usize,
}

/// What an entry weighs besides its key's bytes.
const ENTRY_WEIGHT: usize = 96;

impl TsCache {
    /// Everything counts as read at `low_water`. Each of the two generations takes up to about
    /// `weight_max` bytes.
    pub fn new(low_water: Timestamp, weight_max: usize) -> TsCache {
        TsCache { low_water, young: Generation::default(), old: Generation::default(), weight_max }
    }

    /// Forgets single reads; everything counts as read at `low_water`, if that is higher than what
    /// is forgotten, else at the latter's highest.
    pub fn reset(&mut self, low_water: Timestamp) {
        self.low_water = self.low_water.max(low_water).max(self.young.max).max(self.old.max);
        self.young = Generation::default();
        self.old = Generation::default();
    }

    /// Records that a key was read.
    pub fn read_key(&mut self, key: &Key, ts: Timestamp, owner: Option<TxnId>) {
        if ts <= self.low_water {
            return;
        }
        if self.young.read_key(key, Entry { ts, owner }) {
            self.rotate_if_full();
        }
    }

    /// Records that every key of a span was read, whether it exists or not.
    pub fn read_span(&mut self, span: &Span, ts: Timestamp, owner: Option<TxnId>) {
        if ts <= self.low_water || span.is_empty() {
            return;
        }
        self.young.read_span(span, Entry { ts, owner });
        self.rotate_if_full();
    }

    /// The timestamp that a write of `txn` to this key has to exceed.
    pub fn floor(&self, key: &Key, txn: Option<TxnId>) -> Timestamp {
        let entry = Entry { ts: self.low_water, owner: None };
        let entry = entry.merge(self.young.entry(key)).merge(self.old.entry(key));
        let is_own = txn.is_some() && entry.owner == txn;
        if is_own { entry.ts.prev() } else { entry.ts }
    }

    /// At or below this every key counts as read.
    pub fn low_water(&self) -> Timestamp {
        self.low_water
    }

    fn rotate_if_full(&mut self) {
        if self.young.weight <= self.weight_max {
            return;
        }
        let young = std::mem::take(&mut self.young);
        let old = std::mem::replace(&mut self.old, young);
        self.low_water = self.low_water.max(old.max);
    }
}

impl Generation {
    /// True when the entry is a new one.
    fn read_key(&mut self, key: &Key, entry: Entry) -> bool {
        self.max = self.max.max(entry.ts);
        if let Some(known) = self.keys.get_mut(key) {
            *known = known.merge(entry);
            return false;
        }
        self.weight += key.len() + ENTRY_WEIGHT;
        self.keys.insert(key.clone(), entry);
        true
    }

    fn read_span(&mut self, span: &Span, entry: Entry) {
        self.max = self.max.max(entry.ts);
        self.cut(&span.end);
        self.cut(&span.start);
        let inside = (Bound::Included(&span.start), Bound::Excluded(&span.end));
        let mut previous: Option<Entry> = None;
        let mut superfluous = Vec::new();
        for (bound, known) in self.bounds.range_mut::<Key, _>(inside) {
            *known = known.merge(entry);
            if previous == Some(*known) {
                superfluous.push(bound.clone());
            }
            previous = Some(*known);
        }
        for bound in superfluous {
            self.weight -= bound.len() + ENTRY_WEIGHT;
            self.bounds.remove(&bound);
        }
    }

    /// Makes this key a bound.
    fn cut(&mut self, key: &Key) {
        if !self.bounds.contains_key(key) {
            let entry = self.covering(key);
            self.weight += key.len() + ENTRY_WEIGHT;
            self.bounds.insert(key.clone(), entry);
        }
    }

    fn covering(&self, key: &Key) -> Entry {
        let up_to = (Bound::Unbounded, Bound::Included(key));
        self.bounds.range::<Key, _>(up_to).next_back().map(|(_, e)| *e).unwrap_or_default()
    }

    fn entry(&self, key: &Key) -> Entry {
        let covering = if self.bounds.is_empty() { Entry::default() } else { self.covering(key) };
        self.keys.get(key).map_or(covering, |entry| covering.merge(*entry))
    }
}
