//! The RangeMap against the true history of a key space: splits, merges and moves reported late,
//! twice, or never.

use crate::support::report;
use base::meta_api::RangeReport;
use base::{Key, NodeId, RangeId, Span};
use meta::RangeMap;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    /// Splits the n-th range at a key, if that lies inside.
    Split(usize, u8),
    /// Merges the n-th range with its right neighbour.
    Merge(usize),
    /// Changes the n-th range's replicas.
    Move(usize),
    /// The n-th range gets another leader.
    Elect(usize),
    /// One of all reports ever made arrives.
    Deliver(prop::sample::Index),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..8usize, 1..30u8).prop_map(|(n, key)| Op::Split(n, key)),
        1 => (0..8usize).prop_map(Op::Merge),
        2 => (0..8usize).prop_map(Op::Move),
        2 => (0..8usize).prop_map(Op::Elect),
        8 => any::<prop::sample::Index>().prop_map(Op::Deliver),
    ]
}

fn key(byte: u8) -> Key {
    Key::copy_from(&[byte])
}

/// No overlaps, no gaps, and persisted pieces give the same map.
fn check(map: &RangeMap) {
    let mut from = Key::MIN;
    for piece in map.pieces() {
        assert_eq!(piece.descriptor.span.start, from);
        assert!(!piece.descriptor.span.is_empty());
        from = piece.descriptor.span.end.clone();
    }
    assert_eq!(from, Key::max());
}

/// The true ranges, and every report that was ever made of them.
struct Truth {
    ranges: Vec<RangeReport>,
    reports: Vec<RangeReport>,
    next_range: u64,
}

impl Truth {
    fn run(&mut self, op: &Op) {
        let count = self.ranges.len();
        match op {
            Op::Split(n, at) => self.split(n % count, &key(*at)),
            Op::Merge(n) if n % count + 1 < count => self.merge(n % count),
            Op::Move(n) => {
                self.ranges[n % count].descriptor.epoch += 1;
                self.publish(n % count);
            }
            Op::Elect(n) => {
                let range = &mut self.ranges[n % count];
                range.term += 1;
                range.leader = NodeId(range.term % 3 + 1);
                self.publish(n % count);
            }
            Op::Merge(_) | Op::Deliver(_) => {}
        }
    }

    fn split(&mut self, n: usize, at: &Key) {
        let left = &mut self.ranges[n];
        if !left.descriptor.contains(at) || left.descriptor.span.start == *at {
            return;
        }
        left.descriptor.epoch += 1;
        let mut right = left.clone();
        right.descriptor.range = RangeId(self.next_range);
        self.next_range += 1;
        right.term = 1;
        left.descriptor.span.end = at.clone();
        right.descriptor.span.start = at.clone();
        self.ranges.insert(n + 1, right);
        self.publish(n);
        self.publish(n + 1);
    }

    fn merge(&mut self, n: usize) {
        let absorbed = self.ranges.remove(n + 1);
        let merged = &mut self.ranges[n];
        let epoch = merged.descriptor.epoch.max(absorbed.descriptor.epoch);
        merged.descriptor.epoch = epoch + 1;
        merged.descriptor.span.end = absorbed.descriptor.span.end;
        self.publish(n);
    }

    fn publish(&mut self, n: usize) {
        self.reports.push(self.ranges[n].clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_map_covers_all_and_ends_with_the_truth(ops in prop::collection::vec(op(), 1..60)) {
        let first = report(1, 1, Key::MIN, Key::max(), 1, 1);
        let mut truth =
            Truth { ranges: vec![first.clone()], reports: vec![first.clone()], next_range: 2 };
        let mut map = RangeMap::default();
        let mut persisted = std::collections::BTreeMap::new();
        let mut deliver = |map: &mut RangeMap, report: &RangeReport| {
            let changes = map.update(report);
            for start in changes {
                match map.piece_at(&start) {
                    Some(piece) => persisted.insert(start, piece.clone()),
                    None => persisted.remove(&start),
                };
            }
            check(map);
            let pieces = persisted.values().cloned();
            assert_eq!(&RangeMap::from_pieces(pieces), map, "as read back");
        };
        deliver(&mut map, &first);
        for op in &ops {
            truth.run(op);
            if let Op::Deliver(index) = op {
                let report = index.get(&truth.reports).clone();
                deliver(&mut map, &report);
            }
        }
        // At last every leader reports, in any order.
        let mut last = truth.ranges.clone();
        last.sort_by_key(|report| report.descriptor.range.0 % 3);
        for report in &last {
            deliver(&mut map, report);
        }
        let current: Vec<_> = map.current(&Key::MIN).cloned().collect();
        prop_assert_eq!(current.len(), truth.ranges.len());
        for (piece, report) in current.iter().zip(&truth.ranges) {
            prop_assert_eq!(&piece.descriptor, &report.descriptor);
            prop_assert_eq!((piece.leader, piece.term), (Some(report.leader), report.term));
            let found = map.find(report.descriptor.range);
            prop_assert_eq!(found.map(|piece| &piece.descriptor), Some(&report.descriptor));
        }
    }

    #[test]
    fn splits_and_merges_are_whole(cuts in prop::collection::vec(1..40u8, 1..10)) {
        let mut truth = Truth {
            ranges: vec![report(1, 1, Key::MIN, Key::max(), 1, 1)],
            reports: Vec::new(),
            next_range: 2,
        };
        let mut map = RangeMap::default();
        map.update(&truth.ranges[0].clone());
        for cut in &cuts {
            let holder = map.get(&key(*cut)).expect("covered").descriptor.range;
            let n = truth.ranges.iter().position(|r| r.descriptor.range == holder).expect("known");
            let before = truth.ranges.len();
            truth.split(n, &key(*cut));
            if truth.ranges.len() > before {
                map.split(&truth.ranges[n], &truth.ranges[n + 1]);
            }
            check(&map);
            prop_assert_eq!(map.current(&Key::MIN).count(), truth.ranges.len());
        }
        while truth.ranges.len() > 1 {
            let absorbed = truth.ranges[1].descriptor.range;
            // It has moved since, which the range that absorbs it knows nothing of.
            truth.ranges[1].descriptor.epoch += 5;
            map.update(&truth.ranges[1]);
            truth.ranges[1].descriptor.epoch = 0;
            truth.merge(0);
            map.merge(&truth.ranges[0], absorbed);
            let read_back = RangeMap::from_pieces(map.pieces().cloned());
            prop_assert_eq!(&read_back, &map);
            check(&map);
            prop_assert_eq!(map.find(absorbed), None);
            prop_assert_eq!(map.current(&Key::MIN).count(), truth.ranges.len());
        }
        prop_assert_eq!(&map.get(&key(7)).expect("covered").descriptor.span, &Span::all());
    }
}
