//! Timestamps only grow: over elections, lost and late proposals, restarts, and a wall clock that
//! does what it likes.

use crate::support::{Cluster, poll};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{BoxFuture, KvResult, Timestamp};
use proptest::prelude::*;
use std::time::Duration;

const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    /// Starts a draw at a replica.
    Draw(usize, u32),
    /// Draws without waiting.
    Try(usize, u32),
    Commit(usize),
    Elect(usize, usize),
    Restart(usize),
    Lease(bool),
    Advance(u64),
    Wall(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let node = 0..REPLICAS;
    let count = prop_oneof![5 => 1..4u32, 1 => 100_000..900_000u32];
    let wall = prop_oneof![
        Just(0),
        Just(u64::MAX),
        1_600_000_000_000..1_900_000_000_000u64,
        any::<u64>(),
    ];
    prop_oneof![
        8 => (node.clone(), count.clone()).prop_map(|(node, count)| Op::Draw(node, count)),
        8 => (node.clone(), count).prop_map(|(node, count)| Op::Try(node, count)),
        8 => (1..4usize).prop_map(Op::Commit),
        2 => (node.clone(), 0..3usize).prop_map(|(node, kept)| Op::Elect(node, kept)),
        1 => node.prop_map(Op::Restart),
        1 => prop::bool::weighted(0.7).prop_map(Op::Lease),
        6 => prop_oneof![0..10u64, 0..5_000u64].prop_map(Op::Advance),
        2 => wall.prop_map(Op::Wall),
    ]
}

struct Draw {
    node: usize,
    future: BoxFuture<'static, KvResult<MetaResponse>>,
    /// The greatest timestamp that had been given out when it started.
    above: Timestamp,
    count: u32,
}

/// All that was given out, as spans that must not overlap.
#[derive(Default)]
struct Given {
    spans: Vec<(u64, u64)>,
    greatest: Timestamp,
}

impl Given {
    fn add(&mut self, first: Timestamp, count: u32, above: Timestamp) {
        let end = first.0 + u64::from(count);
        assert!(first > above, "{first} is not above {above}");
        assert!(self.spans.iter().all(|(a, b)| end <= *a || first.0 >= *b), "{first} again");
        self.spans.push((first.0, end));
        self.greatest = self.greatest.max(Timestamp(end - 1));
    }
}

fn settle(cluster: &Cluster, draws: &mut Vec<Draw>, given: &mut Given) {
    cluster.clock.run();
    let mut done = Vec::new();
    draws.retain_mut(|draw| match poll(&mut draw.future) {
        Some(result) => {
            done.push((result, draw.above, draw.count));
            false
        }
        None => true,
    });
    for (result, above, count) in done {
        if let Ok(MetaResponse::Timestamps { first, count: drawn }) = result {
            assert_eq!(drawn, count);
            given.add(first, count, above);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn timestamps_only_grow(ops in prop::collection::vec(op(), 1..150)) {
        let mut cluster = Cluster::new(REPLICAS, false);
        cluster.clock.set_wall(1_700_000_000_000);
        cluster.elect(0, 0);
        let mut draws = Vec::new();
        let mut given = Given::default();
        for op in ops {
            match op {
                Op::Draw(node, count) => {
                    let service = cluster.services[node].clone();
                    let request = MetaRequest::Timestamps { count };
                    let future = Box::pin(async move { service.execute(request).await });
                    draws.push(Draw { node, future, above: given.greatest, count });
                }
                Op::Try(node, count) => {
                    let above = given.greatest;
                    if let Some(first) = cluster.services[node].try_timestamps(count) {
                        given.add(first, count, above);
                    }
                }
                Op::Commit(count) => cluster.commit(count),
                Op::Elect(node, kept) => cluster.elect(node, kept),
                Op::Restart(node) => {
                    // What a process was doing ends with it: polled on, it would lead a second time.
                    draws.retain(|draw| draw.node != node);
                    cluster.restart(node);
                }
                Op::Lease(has_lease) => cluster.set_lease(has_lease),
                Op::Advance(millis) => cluster.clock.advance(Duration::from_millis(millis)),
                Op::Wall(millis) => cluster.clock.set_wall(millis),
            }
            settle(&cluster, &mut draws, &mut given);
        }
        // Given a leader and time, draws end.
        cluster.elect(1, 1);
        cluster.set_lease(true);
        for _ in 0..50 {
            settle(&cluster, &mut draws, &mut given);
            cluster.commit(usize::MAX);
        }
        prop_assert!(draws.is_empty(), "{} draws hang", draws.len());
        cluster.check_agreement();
    }
}

/// Draws one, committing whatever it needs.
fn draw(cluster: &mut Cluster, node: usize) -> Timestamp {
    let service = cluster.services[node].clone();
    let mut future: BoxFuture<'static, KvResult<MetaResponse>> =
        Box::pin(async move { service.execute(MetaRequest::Timestamps { count: 1 }).await });
    loop {
        match poll(&mut future) {
            Some(Ok(MetaResponse::Timestamps { first, .. })) => return first,
            Some(other) => panic!("{other:?}"),
            None => cluster.commit(usize::MAX),
        }
    }
}

#[test]
fn a_jump_of_the_wall_clock_changes_the_pace_and_nothing_else() {
    const DAY: u64 = 86_400_000;
    let mut cluster = Cluster::new(1, false);
    cluster.clock.set_wall(1_700_000_000_000);
    cluster.elect(0, 0);
    let start = draw(&mut cluster, 0).millis();
    assert_eq!(start, 1_700_000_000_000);
    for wall in [u64::MAX, 1_700_000_000_000 + 365 * DAY, 0] {
        cluster.clock.set_wall(wall);
        let before = draw(&mut cluster, 0).millis();
        cluster.clock.advance(Duration::from_secs(100));
        let passed = draw(&mut cluster, 0).millis() - before;
        assert!((75_000..=125_000).contains(&passed), "{passed} ms in 100 s with wall {wall}");
    }
}

#[test]
fn a_warm_leader_draws_without_waiting_and_reserves_ahead() {
    let mut cluster = Cluster::new(1, false);
    cluster.clock.set_wall(1_700_000_000_000);
    cluster.elect(0, 0);
    let mut last = draw(&mut cluster, 0);
    for _ in 0..10_000 {
        cluster.clock.advance(Duration::from_millis(1));
        cluster.clock.run();
        cluster.commit(usize::MAX);
        cluster.clock.run();
        let next = cluster.services[0].try_timestamps(1).expect("a window is reserved");
        assert!(next > last);
        last = next;
    }
}

#[test]
fn an_idle_leader_reserves_nothing() {
    let mut cluster = Cluster::new(1, false);
    cluster.elect(0, 0);
    draw(&mut cluster, 0);
    cluster.clock.advance(Duration::from_secs(3600));
    cluster.clock.run();
    assert_eq!(cluster.in_flight(), 0);
    let before = draw(&mut cluster, 0);
    cluster.clock.advance(Duration::from_secs(3600));
    let after = draw(&mut cluster, 0);
    // Nobody finds hours between its draw and the next.
    assert!(after.millis() - before.millis() >= 3_500_000);
}
