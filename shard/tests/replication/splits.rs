//! Splitting ranges.

use crate::cluster::{Cluster, key};
use base::{Key, NodeId, RangeId};
use std::time::Duration;

fn split_key(n: u64) -> Key {
    key(1, n * 100)
}

#[test]
fn both_halves_of_a_split_serve_at_once() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 41);
    cluster.write_acked(key(1, 10), b"left");
    cluster.write_acked(key(1, 150), b"right");
    let leader = cluster.leader(RangeId(1)).unwrap();
    cluster.split(RangeId(1), split_key(1), RangeId(2)).unwrap();
    let split_at = cluster.now;
    cluster.until("the right half has a leader", |c| c.leader(RangeId(2)).is_some());
    let gap = cluster.now.since(split_at);
    assert!(gap < Duration::from_millis(500), "the right half was led after {gap:?}");
    assert_eq!(cluster.leader(RangeId(2)), Some(leader), "where the left half is led");
    cluster.write_acked(key(1, 11), b"left");
    cluster.write_acked(key(1, 151), b"right");
    cluster.check_ledger();
}

#[test]
fn splits_under_load_lose_nothing() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 43);
    cluster.until("a leader", |c| c.leader(RangeId(1)).is_some());
    let mut n = 0;
    for split in (1..=10).rev() {
        for _ in 0..50 {
            n += 1;
            let spot = n * 7 % 1200;
            cluster.write(key(1, spot), format!("{spot}").as_bytes());
            cluster.step();
        }
        cluster.until("the left half has a leader", |c| c.leader(RangeId(1)).is_some());
        cluster.split(RangeId(1), split_key(split), RangeId(100 + split)).unwrap();
    }
    cluster.until("all have ended", |c| c.waiting() == 0);
    assert_eq!(cluster.tally.unknown, 0, "{:?}", cluster.tally);
    assert!(cluster.tally.acked > 400, "{:?}", cluster.tally);
    cluster.check_ledger();
}

#[test]
fn a_split_is_repeated_after_a_crash_that_forgot_it() {
    let mut cluster = Cluster::start(1, &[1], 1, 45);
    cluster.step();
    for n in 1..=10 {
        let range = RangeId(if n == 1 { 1 } else { 100 + n - 1 });
        cluster.until("a leader", |c| c.leader(range).is_some());
        cluster.split(range, split_key(n), RangeId(100 + n)).unwrap();
        cluster.crash(NodeId(1));
        cluster.boot(NodeId(1));
        cluster.write_acked(key(1, n * 100 + 5), b"value");
    }
    cluster.check_ledger();
}

#[test]
fn a_node_that_slept_through_a_split_catches_up() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 47);
    cluster.write_acked(key(1, 10), b"left");
    let leader = cluster.leader(RangeId(1)).unwrap();
    let absent = NodeId(1 + leader.0 % 3);
    cluster.isolate(absent, true);
    cluster.split(RangeId(1), split_key(1), RangeId(2)).unwrap();
    cluster.write_acked(key(1, 150), b"right");
    cluster.write_acked(key(1, 50), b"left");
    cluster.isolate(absent, false);
    cluster.until("it has both", |c| c.replica(absent, RangeId(2)).is_some());
    cluster.check_ledger();
}

/// The right half's leader addresses a node before that node has applied the split, and the message
/// lies in its inbox before the news of the split.
#[test]
fn a_replica_that_a_split_makes_is_not_replaced_by_an_empty_one() {
    let right = RangeId(2);
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 48);
    cluster.write_acked(key(1, 10), b"left");
    let leader = cluster.leader(RangeId(1)).unwrap();
    let slow = NodeId(1 + leader.0 % 3);
    cluster.frozen.insert(slow);
    cluster.muted.insert((slow, right));
    cluster.split(RangeId(1), split_key(1), right).unwrap();
    cluster.until("the right half has a leader", |c| c.leader(right).is_some());
    cluster.run(Duration::from_millis(300));
    cluster.paused.insert(slow);
    cluster.muted.clear();
    cluster.run(Duration::from_millis(500));
    cluster.apply_once(slow);
    cluster.poll_once(slow).unwrap();
    cluster.crash_keeping(slow, usize::MAX >> 1);
    cluster.heal();
    cluster.until("it knows the right half", |c| c.replica(slow, right).is_some());
    cluster.write_acked(key(1, 150), b"right");
    cluster.check_ledger();
}

#[test]
fn one_half_moves_away() {
    let mut cluster = Cluster::start(2, &[1], 1, 49);
    cluster.write_acked(key(1, 10), b"left");
    cluster.write_acked(key(1, 150), b"right");
    cluster.split(RangeId(1), split_key(1), RangeId(2)).unwrap();
    cluster.until("a leader", |c| c.leader(RangeId(2)).is_some());
    let replica = cluster.replica(NodeId(1), RangeId(2)).unwrap();
    let moved = replica.change_replicas(vec![NodeId(2)], vec![NodeId(1)]);
    cluster.wait(moved).unwrap();
    cluster.until("it is led there", |c| c.leader(RangeId(2)) == Some(NodeId(2)));
    cluster.until("it is gone here", |c| c.replica(NodeId(1), RangeId(2)).is_none());
    cluster.write_acked(key(1, 11), b"left");
    cluster.write_acked(key(1, 151), b"right");
    cluster.check_ledger();
}

#[test]
fn a_leader_that_is_slow_to_apply_a_split_serves_nothing_of_the_right_half() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 51);
    cluster.write_acked(key(1, 150), b"right");
    let leader = cluster.leader(RangeId(1)).unwrap();
    cluster.frozen.insert(leader);
    cluster.split_soon(RangeId(1), split_key(1), RangeId(2));
    // That no two nodes serve the same key is checked on every step.
    cluster.until("another node leads the right half", |c| {
        c.leader(RangeId(2)).is_some_and(|right| right != leader)
    });
    cluster.run(Duration::from_secs(2));
    cluster.frozen.clear();
    cluster.write_acked(key(1, 10), b"left");
    cluster.write_acked(key(1, 151), b"right");
    cluster.check_ledger();
}
