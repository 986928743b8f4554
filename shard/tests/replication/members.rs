//! Moving replicas, handing leadership over, snapshots.

use crate::cluster::{Cluster, key};
use base::peer_api::{PeerMessage, RaftEnvelope};
use base::{KvError, NodeId, RangeId};
use shard::raft::RaftStoreConfig;
use std::time::Duration;
use storage::Keyspace;

const R1: RangeId = RangeId(1);

fn nodes_of(cluster: &Cluster, range: RangeId) -> Vec<u64> {
    let leader = cluster.leader(range).expect("a leader");
    let descriptor = cluster.replica(leader, range).unwrap().descriptor();
    let mut nodes: Vec<u64> = descriptor.replicas.iter().map(|r| r.node.0).collect();
    nodes.sort_unstable();
    nodes
}

fn change(cluster: &mut Cluster, add: &[u64], remove: &[u64]) {
    let ids = |nodes: &[u64]| nodes.iter().map(|id| NodeId(*id)).collect::<Vec<_>>();
    cluster.until("a leader", |c| c.leader(R1).is_some());
    let leader = cluster.leader(R1).unwrap();
    let future = cluster.replica(leader, R1).unwrap().change_replicas(ids(add), ids(remove));
    let descriptor = cluster.wait(future).unwrap();
    for id in add {
        assert!(descriptor.replica_on(NodeId(*id)).is_some());
    }
}

fn fill(cluster: &mut Cluster, from: u64, count: u64) {
    for n in from..from + count {
        cluster.until("a leader", |c| c.write(key(1, n), &[7; 500]) || c.poke());
    }
    cluster.until("all is acknowledged", |c| c.waiting() == 0);
}

/// A cluster with its leader, and a follower that is down and behind what the log holds.
fn lagging_follower(seed: u64) -> (Cluster, NodeId, NodeId) {
    let mut config = RaftStoreConfig::new(NodeId(0), seed);
    config.log_entries_max = 50;
    config.log_entries_kept = 10;
    config.snapshot_chunk_bytes = 10_000;
    let mut cluster = Cluster::start_with(config, 3, &[1, 2, 3], 1);
    fill(&mut cluster, 0, 20);
    let leader = cluster.leader(R1).unwrap();
    let lagging = NodeId(1 + leader.0 % 3);
    cluster.crash(lagging);
    for round in 0..10 {
        fill(&mut cluster, 1000 * (round + 1), 60);
        cluster.run(Duration::from_millis(300));
    }
    (cluster, leader, lagging)
}

#[test]
fn a_replica_moves_to_a_fourth_node() {
    let mut cluster = Cluster::start(4, &[1, 2, 3], 1, 21);
    fill(&mut cluster, 0, 500);
    let leader = cluster.leader(R1).unwrap().0;
    let victim = (1..=3).find(|id| *id != leader).unwrap();
    change(&mut cluster, &[4], &[victim]);
    cluster.until("a leader", |c| c.leader(R1).is_some());
    let mut expected: Vec<u64> = (1..=4).filter(|id| *id != victim).collect();
    expected.sort_unstable();
    assert_eq!(nodes_of(&cluster, R1), expected);
    cluster.until("the old replica is gone", |c| c.replica(NodeId(victim), R1).is_none());
    cluster.check_ledger();
    cluster.crash(NodeId(leader));
    fill(&mut cluster, 1000, 10);
    cluster.boot(NodeId(leader));
    cluster.check_ledger();
}

#[test]
fn a_replacement_that_would_only_add_or_only_remove_is_refused() {
    let mut cluster = Cluster::start(5, &[1, 2, 3], 1, 22);
    fill(&mut cluster, 0, 10);
    for (add, remove, reason) in
        [(4, 5, "no replica on node 5"), (2, 3, "already has a replica on node 2")]
    {
        let leader = cluster.leader(R1).unwrap();
        let replica = cluster.replica(leader, R1).unwrap();
        let future = replica.change_replicas(vec![NodeId(add)], vec![NodeId(remove)]);
        let error = cluster.wait(future).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(nodes_of(&cluster, R1), [1, 2, 3]);
    }
    change(&mut cluster, &[4], &[3]);
    change(&mut cluster, &[4], &[3]);
    cluster.until("a leader", |c| c.leader(R1).is_some());
    assert_eq!(nodes_of(&cluster, R1), [1, 2, 4], "asked for again it is done already");
}

#[test]
fn the_leader_itself_can_be_replaced() {
    let mut cluster = Cluster::start(4, &[1, 2, 3], 1, 23);
    fill(&mut cluster, 0, 100);
    let leader = cluster.leader(R1).unwrap().0;
    change(&mut cluster, &[4], &[leader]);
    cluster.until("another leads", |c| c.leader(R1).is_some_and(|id| id.0 != leader));
    cluster.until("the old replica is gone", |c| c.replica(NodeId(leader), R1).is_none());
    fill(&mut cluster, 1000, 10);
    assert!(!nodes_of(&cluster, R1).contains(&leader));
    cluster.check_ledger();
}

#[test]
fn a_lone_replica_moves_and_comes_back_under_writes() {
    let mut cluster = Cluster::start(2, &[1], 1, 25);
    fill(&mut cluster, 0, 300);
    for (round, (to, from)) in [(2, 1), (1, 2), (2, 1), (1, 2)].into_iter().enumerate() {
        change(&mut cluster, &[to], &[from]);
        cluster.until("it leads there", |c| c.leader(R1) == Some(NodeId(to)));
        cluster.until("it is gone here", |c| c.replica(NodeId(from), R1).is_none());
        fill(&mut cluster, 1000 * (round as u64 + 1), 20);
        cluster.check_ledger();
    }
}

/// A snapshot is pinned behind entries that a full disk has kept from being written.
#[test]
fn a_snapshot_holds_what_its_label_says_although_the_disk_was_full() {
    let (mut cluster, leader, lagging) = lagging_follower(37);
    cluster.frozen.insert(leader);
    for n in 0..20 {
        assert!(cluster.write(key(1, 20_000 + n), b"value"));
    }
    cluster.boot(lagging);
    cluster.run(Duration::from_secs(3));
    cluster.disks[&leader].set_full(true);
    cluster.apply_once(leader);
    cluster.disks[&leader].set_full(false);
    cluster.heal();
    cluster.until("all is acknowledged", |c| c.waiting() == 0);
    cluster.until("a snapshot is installed", |c| {
        c.nodes[&lagging].handle.stats().snapshots_installed > 0
    });
    cluster.check_ledger();
}

/// The applier is slow to pin a state, so the loop asks for another one; both come at once.
#[test]
fn a_second_pinned_state_does_not_break_the_snapshot_under_way() {
    let (mut cluster, leader, lagging) = lagging_follower(39);
    cluster.frozen.insert(leader);
    cluster.boot(lagging);
    for n in 0..60 {
        cluster.write(key(1, 30_000 + n), b"value");
        cluster.run(Duration::from_millis(50));
    }
    cluster.frozen.clear();
    let thawed_at = cluster.now;
    cluster.until("a snapshot is installed", |c| {
        c.nodes[&lagging].handle.stats().snapshots_installed > 0
    });
    let gap = cluster.now.since(thawed_at);
    assert!(gap < Duration::from_secs(1), "installed after {gap:?}");
    cluster.check_ledger();
}

/// Parts of snapshots that are staged on a node.
fn staged_parts(cluster: &Cluster, id: NodeId) -> usize {
    let mut iter = cluster.nodes[&id].engine.iter(Keyspace::Local, &[0x13], &[0x14]);
    let mut is_valid = iter.seek_to_first().unwrap();
    let mut count = 0;
    while is_valid {
        count += 1;
        is_valid = iter.next().unwrap();
    }
    count
}

#[test]
fn a_replica_that_is_removed_while_it_installs_a_snapshot_keeps_the_parts_until_then() {
    let (mut cluster, leader, lagging) = lagging_follower(40);
    cluster.boot(lagging);
    cluster.step();
    cluster.frozen.insert(lagging);
    cluster.until("all parts are sent", |c| c.nodes[&leader].handle.stats().snapshots_sent > 0);
    cluster.run(Duration::from_millis(100));
    let staged = staged_parts(&cluster, lagging);
    assert!(staged > 1);
    change(&mut cluster, &[], &[lagging.0]);
    cluster.until("it is told", |c| c.nodes[&lagging].handle.groups().is_empty());
    assert_eq!(staged_parts(&cluster, lagging), staged);
    cluster.frozen.clear();
    cluster.until("it is gone", |c| c.replica(lagging, R1).is_none());
    assert_eq!(staged_parts(&cluster, lagging), 0);
    cluster.check_ledger();
}

#[test]
fn a_move_to_a_node_that_does_not_exist_fails_soon_and_leaves_nothing_behind() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 41);
    cluster.until("a leader", |c| c.leader(R1).is_some());
    let leader = cluster.leader(R1).unwrap();
    let change = cluster.replica(leader, R1).unwrap().change_replicas(vec![NodeId(9)], vec![]);
    let asked_at = cluster.now;
    assert!(matches!(cluster.wait(change), Err(KvError::Ambiguous(_))));
    let gap = cluster.now.since(asked_at);
    assert!(gap < Duration::from_secs(15), "failed after {gap:?}");
    cluster.until("the learner is taken back", |c| {
        c.leader(R1).is_some_and(|leader| {
            c.replica(leader, R1).unwrap().descriptor().replica_on(NodeId(9)).is_none()
        })
    });
    cluster.write_acked(key(1, 1), b"value");
    cluster.check_ledger();
}

#[test]
fn a_snapshot_arrives_although_parts_are_lost() {
    let (mut cluster, _, lagging) = lagging_follower(42);
    cluster.loss = 100;
    cluster.boot(lagging);
    cluster.until("a snapshot is installed", |c| {
        c.nodes[&lagging].handle.stats().snapshots_installed > 0
    });
    cluster.heal();
    cluster.check_ledger();
}

/// A heartbeat that speaks of entries which the receiver has acknowledged and does not have.
fn heartbeat_of_lost_entries(term: u64, from: u64, to: u64) -> Vec<u8> {
    let numbers = [(1, 8), (2, to), (3, from), (4, term), (8, 100_000)];
    let mut bytes = vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    for (field, mut number) in numbers {
        bytes.push(field << 3);
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes
}

#[test]
fn a_damaged_replica_takes_no_part_and_can_be_replaced() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 43);
    fill(&mut cluster, 0, 20);
    let leader = cluster.leader(R1).unwrap();
    let damaged = NodeId(1 + leader.0 % 3);
    let replica = cluster.replica(leader, R1).unwrap();
    let descriptor = replica.descriptor();
    let of = |id| descriptor.replica_on(id).unwrap().replica;
    let (from, to) = (of(leader), of(damaged));
    let message = heartbeat_of_lost_entries(replica.progress().0, from.0, to.0).into();
    let envelope = RaftEnvelope { range: R1, from_node: leader, from, to, message };
    cluster.nodes[&damaged].handle.receive(leader, vec![PeerMessage::Raft(envelope)]);
    cluster.until("it stops", |c| c.nodes[&damaged].handle.groups().is_empty());
    fill(&mut cluster, 100, 20);
    change(&mut cluster, &[], &[damaged.0]);
    cluster.until("it is gone", |c| c.replica(damaged, R1).is_none());
    change(&mut cluster, &[damaged.0], &[]);
    cluster.check_ledger();
}

/// The new voter forgets that the joint state was left, unless that is on disk before the old voter
/// is told to go.
#[test]
fn a_moved_replica_does_not_need_the_old_one_after_a_crash() {
    let mut cluster = Cluster::start(2, &[1], 1, 35);
    fill(&mut cluster, 0, 20);
    change(&mut cluster, &[2], &[1]);
    cluster.until("it is gone here", |c| c.replica(NodeId(1), R1).is_none());
    cluster.crash_keeping(NodeId(2), 0);
    cluster.boot(NodeId(2));
    cluster.write_acked(key(1, 5000), b"after");
    cluster.check_ledger();
}

#[test]
fn one_replica_becomes_three_and_one_again() {
    let mut cluster = Cluster::start(3, &[1], 1, 27);
    fill(&mut cluster, 0, 50);
    change(&mut cluster, &[2, 3], &[]);
    assert_eq!(nodes_of(&cluster, R1), [1, 2, 3]);
    fill(&mut cluster, 100, 50);
    cluster.check_ledger();
    change(&mut cluster, &[], &[2, 3]);
    cluster.until("a leader", |c| c.leader(R1).is_some());
    assert_eq!(nodes_of(&cluster, R1), [1]);
    fill(&mut cluster, 200, 50);
    cluster.check_ledger();
}

#[test]
fn leadership_is_handed_over_without_losing_a_write() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 29);
    fill(&mut cluster, 0, 10);
    for round in 0..10 {
        let leader = cluster.leader(R1).unwrap();
        let target = NodeId(1 + (leader.0 + round % 2) % 3);
        for n in 0..20 {
            cluster.write(key(1, 100 + round * 100 + n), b"value");
        }
        let future = cluster.replica(leader, R1).unwrap().transfer_leader(target);
        let asked_at = cluster.now;
        cluster.wait(future).unwrap();
        cluster.until("it serves there", |c| c.leader(R1) == Some(target));
        let gap = cluster.now.since(asked_at);
        assert!(gap < Duration::from_millis(500), "handed over after {gap:?}");
    }
    cluster.until("all have ended", |c| c.waiting() == 0);
    assert_eq!(cluster.tally.unknown, 0, "{:?}", cluster.tally);
    cluster.check_ledger();
}

#[test]
fn draining_leaves_nothing_to_lead() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 10, 31);
    cluster.until("all have leaders", |c| (1..=10).all(|r| c.leader(RangeId(r)).is_some()));
    let drained = cluster.nodes[&NodeId(1)].handle.drain();
    cluster.wait(drained).unwrap();
    cluster.until("others lead", |c| {
        (1..=10).all(|r| c.leader(RangeId(r)).is_some_and(|leader| leader != NodeId(1)))
    });
}

#[test]
fn a_lagging_follower_is_caught_up_by_a_snapshot() {
    let (mut cluster, _, lagging) = lagging_follower(33);
    cluster.boot(lagging);
    cluster.until("a snapshot is installed", |c| {
        c.nodes[&lagging].handle.stats().snapshots_installed > 0
    });
    fill(&mut cluster, 50_000, 20);
    cluster.check_ledger();
    cluster.crash(lagging);
    cluster.boot(lagging);
    cluster.check_ledger();
}
