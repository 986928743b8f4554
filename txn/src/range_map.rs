//! The cached RangeMap itself: what is known about ranges, by start key.

use crate::router::Route;
use base::{NodeId, RangeDescriptor, RangeId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Ranges that do not overlap, possibly with holes. Each range is in it once at most.
#[derive(Debug, Default)]
pub(crate) struct RangeMap {
    by_start: BTreeMap<Bytes, Arc<Route>>,
    /// The newest epoch seen of every range, and where its entry starts, or started. Meta may show
    /// the remains of an old descriptor in a place that the range no longer covers.
    newest: BTreeMap<RangeId, (u64, Bytes)>,
}

impl RangeMap {
    /// The range that holds a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Arc<Route>> {
        let upto = (Bound::Unbounded, Bound::Included(key));
        let (_, route) = self.by_start.range::<[u8], _>(upto).next_back()?;
        route.descriptor.contains(key).then_some(route)
    }

    /// The range that holds the keys just below a bound.
    pub(crate) fn get_before(&self, end: &[u8]) -> Option<&Arc<Route>> {
        let below = (Bound::Unbounded, Bound::Excluded(end));
        let (_, route) = self.by_start.range::<[u8], _>(below).next_back()?;
        (end <= &route.descriptor.span.end[..]).then_some(route)
    }

    /// Takes in a descriptor unless a newer one of the same range was seen. What it overlaps is
    /// forgotten: of two ranges that claim a key the later news wins, and if it was wrong the range
    /// itself will say so.
    pub(crate) fn insert(&mut self, descriptor: RangeDescriptor, leader: Option<NodeId>) {
        let range = descriptor.range;
        if self.newest.get(&range).is_some_and(|(epoch, _)| *epoch > descriptor.epoch) {
            return;
        }
        let known = self.find(range).cloned();
        let leader = leader.or_else(|| {
            let kept = known.as_ref().and_then(|known| known.leader)?;
            descriptor.replica_on(kept).map(|replica| replica.node)
        });
        for route in self.overlapping(&descriptor).iter().chain(&known) {
            self.by_start.remove(&route.descriptor.span.start.0);
        }
        let start = descriptor.span.start.0.clone();
        self.newest.insert(range, (descriptor.epoch, start.clone()));
        self.by_start.insert(start, Arc::new(Route { descriptor, leader }));
    }

    /// Notes who leads a range, if the range is still known as it was.
    pub(crate) fn set_leader(&mut self, of: &Route, leader: Option<NodeId>) {
        if let Some(route) = self.by_start.get_mut(&of.descriptor.span.start.0)
            && route.descriptor == of.descriptor
            && route.leader != leader
        {
            *route = Arc::new(Route { descriptor: of.descriptor.clone(), leader });
        }
    }

    /// The range with this id, if it is known.
    pub(crate) fn find(&self, range: RangeId) -> Option<&Arc<Route>> {
        let (_, start) = self.newest.get(&range)?;
        self.by_start.get(start).filter(|route| route.descriptor.range == range)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.by_start.clear();
    }

    fn overlapping(&self, descriptor: &RangeDescriptor) -> Vec<Arc<Route>> {
        let below = (Bound::Unbounded, Bound::Excluded(&descriptor.span.end[..]));
        self.by_start
            .range::<[u8], _>(below)
            .rev()
            .map(|(_, route)| route)
            .take_while(|route| route.descriptor.span.end > descriptor.span.start)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Key, Span};

    fn descriptor(range: u64, start: &str, end: &str, epoch: u64) -> RangeDescriptor {
        let mut descriptor = RangeDescriptor::bootstrap(RangeId(range), &[NodeId(1), NodeId(2)]);
        let end = if end.is_empty() { Key::max() } else { Key::copy_from(end.as_bytes()) };
        descriptor.span = Span::new(Key::copy_from(start.as_bytes()), end);
        descriptor.epoch = epoch;
        descriptor
    }

    fn range_of(map: &RangeMap, key: &str) -> Option<u64> {
        map.get(key.as_bytes()).map(|route| route.descriptor.range.0)
    }

    #[test]
    fn a_split_replaces_the_old_bounds_and_old_news_is_ignored() {
        let mut map = RangeMap::default();
        map.insert(descriptor(1, "", "", 1), Some(NodeId(2)));
        map.insert(descriptor(1, "", "m", 2), None);
        assert_eq!(range_of(&map, "z"), None);
        assert_eq!(map.get(b"a").and_then(|route| route.leader), Some(NodeId(2)));
        map.insert(descriptor(2, "m", "", 1), None);
        map.insert(descriptor(1, "", "", 1), None);
        assert_eq!((range_of(&map, "a"), range_of(&map, "z")), (Some(1), Some(2)));
    }

    #[test]
    fn remains_of_an_old_descriptor_do_not_stay() {
        let mut map = RangeMap::default();
        map.insert(descriptor(1, "m", "", 7), None);
        map.insert(descriptor(1, "", "m", 8), None);
        assert_eq!((range_of(&map, "a"), range_of(&map, "z")), (Some(1), None));
        map.insert(descriptor(1, "m", "", 7), None);
        assert_eq!(range_of(&map, "z"), None);
    }

    #[test]
    fn backward_lookup_takes_the_range_below_the_bound() {
        let mut map = RangeMap::default();
        map.insert(descriptor(1, "", "m", 2), None);
        map.insert(descriptor(2, "m", "", 1), None);
        let before = |end: &[u8]| map.get_before(end).map(|route| route.descriptor.range.0);
        assert_eq!(before(b"m"), Some(1));
        assert_eq!(before(b"n"), Some(2));
        assert_eq!(before(&[0xff]), Some(2));
        assert_eq!(before(b""), None);
    }

    #[test]
    fn a_leader_is_noted_only_for_the_same_descriptor() {
        let mut map = RangeMap::default();
        map.insert(descriptor(1, "", "", 1), None);
        let old = map.get(b"a").cloned().unwrap_or_else(|| unreachable!());
        map.insert(descriptor(1, "", "", 2), None);
        map.set_leader(&old, Some(NodeId(2)));
        assert_eq!(map.get(b"a").and_then(|route| route.leader), None);
    }
}
