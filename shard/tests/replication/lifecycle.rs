//! Start, elections, restarts, partitions, hibernation, full and failing disks.

use crate::cluster::{Cluster, key, put_command};
use base::{KvError, NodeId, RangeId};
use shard::raft::RaftError;
use shard::replication::Replication;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

const R1: RangeId = RangeId(1);

#[test]
fn a_lone_node_serves_at_once() {
    let mut cluster = Cluster::start(1, &[1], 1, 1);
    cluster.step();
    assert_eq!(cluster.leader(R1), Some(NodeId(1)));
    assert!(cluster.write(key(1, 1), b"one"));
    cluster.step();
    assert_eq!(cluster.tally.acked, 1);
    cluster.check_ledger();
}

#[test]
fn a_lone_node_syncs_once_for_many_proposals() {
    let mut cluster = Cluster::start(1, &[1], 3, 1);
    cluster.step();
    let before = cluster.nodes[&NodeId(1)].handle.stats().syncs;
    for n in 0..100 {
        cluster.write(key(1 + n % 3, n), b"value");
    }
    cluster.step();
    assert_eq!(cluster.tally.acked, 100);
    assert_eq!(cluster.nodes[&NodeId(1)].handle.stats().syncs, before + 1);
}

#[test]
fn a_lone_node_keeps_what_it_acknowledged_over_crashes() {
    let mut cluster = Cluster::start(1, &[1], 2, 7);
    for round in 0..20 {
        cluster.until("there is a leader", |c| c.route(&key(1, 0)).is_some());
        for n in 0..10 {
            cluster.write(key(1 + n % 2, round * 100 + n), b"value");
        }
        cluster.step();
        cluster.crash(NodeId(1));
        cluster.boot(NodeId(1));
    }
    assert!(cluster.tally.acked >= 150, "{:?}", cluster.tally);
    cluster.check_ledger();
}

/// Notes how far a replica is when somebody is woken.
struct Witness {
    replica: Arc<dyn Replication>,
    applied: AtomicU64,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        self.applied.store(self.replica.progress().1, Ordering::Relaxed);
    }
}

#[test]
fn who_gets_an_answer_finds_the_replica_as_far() {
    let mut cluster = Cluster::start(1, &[1], 1, 1);
    cluster.step();
    let replica = cluster.replica(NodeId(1), R1).unwrap();
    let term = replica.lead(cluster.now).unwrap();
    let command = put_command(&replica.descriptor(), term, &key(1, 1), b"value");
    let mut write = replica.propose(command);
    let before = replica.progress().1;
    let witness = Arc::new(Witness { replica, applied: AtomicU64::new(0) });
    let waker = Waker::from(witness.clone());
    assert!(write.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    cluster.step();
    assert_eq!(witness.applied.load(Ordering::Relaxed), before + 1);
}

#[test]
fn three_nodes_elect_and_replicate_fifty_groups() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 50, 3);
    cluster.until("all groups have leaders", |c| (1..=50).all(|r| c.leader(RangeId(r)).is_some()));
    for n in 0..500 {
        assert!(cluster.write(key(1 + n % 50, n), b"value"));
    }
    cluster.until("all is acknowledged", |c| c.waiting() == 0);
    assert_eq!(cluster.tally.acked, 500);
    cluster.check_ledger();
}

#[test]
fn the_majority_goes_on_without_a_crashed_leader() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 5);
    for round in 0..6 {
        cluster.write_acked(key(1, round), b"before");
        let leader = cluster.leader(R1).unwrap();
        cluster.crash(leader);
        let gone_at = cluster.now;
        cluster.write_acked(key(1, 100 + round), b"after");
        let gap = cluster.now.since(gone_at);
        assert!(gap < Duration::from_secs(3), "writes resumed after {gap:?}");
        cluster.boot(leader);
        cluster.run(Duration::from_secs(2));
    }
    cluster.check_ledger();
}

#[test]
fn a_leader_known_to_be_gone_is_not_waited_for_longer_than_its_lease() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 3, 5);
    for round in 0..12 {
        let range = 1 + round % 3;
        if round >= 6 {
            // Asleep.
            cluster.run(Duration::from_secs(4));
        }
        cluster.write_acked(key(range, round), b"before");
        let leader = cluster.leader(RangeId(range)).unwrap();
        cluster.crash(leader);
        cluster.nodes.values().for_each(|node| node.handle.gone(leader));
        let gone_at = cluster.now;
        cluster.write_acked(key(range, 100 + round), b"after");
        let gap = cluster.now.since(gone_at);
        assert!(gap < Duration::from_millis(1500), "writes resumed after {gap:?}");
        cluster.boot(leader);
        cluster.run(Duration::from_secs(2));
    }
    cluster.check_ledger();
}

#[test]
fn a_rumour_of_its_end_does_not_unseat_a_leader() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 5);
    cluster.write_acked(key(1, 0), b"value");
    let leader = cluster.leader(R1).unwrap();
    let believer = cluster.nodes.keys().copied().find(|id| *id != leader).unwrap();
    for round in 1..10 {
        cluster.nodes[&believer].handle.gone(leader);
        cluster.run(Duration::from_millis(700));
        cluster.write_acked(key(1, round), b"value");
        assert_eq!(cluster.leader(R1), Some(leader));
    }
    cluster.check_ledger();
}

#[test]
fn an_isolated_leader_stops_serving_and_its_writes_end() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 9);
    cluster.write_acked(key(1, 0), b"value");
    let old = cluster.leader(R1).unwrap();
    cluster.isolate(old, true);
    cluster.write(key(1, 1), b"lost in the minority");
    cluster.until("another leader", |c| c.leader(R1).is_some_and(|leader| leader != old));
    cluster.until("the write has ended", |c| c.waiting() == 0);
    assert_eq!(cluster.tally.unknown, 1, "{:?}", cluster.tally);
    cluster.isolate(old, false);
    cluster.write_acked(key(1, 2), b"value");
    cluster.check_ledger();
}

#[test]
fn without_a_quorum_nothing_is_acknowledged_and_it_goes_on_by_itself() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 11);
    cluster.write_acked(key(1, 0), b"value");
    let leader = cluster.leader(R1).unwrap();
    let others: Vec<NodeId> = cluster.nodes.keys().copied().filter(|id| *id != leader).collect();
    others.iter().for_each(|id| cluster.crash(*id));
    cluster.write(key(1, 1), b"value");
    cluster.run(Duration::from_secs(10));
    assert_eq!(cluster.tally.acked, 1);
    assert_eq!(cluster.waiting(), 0, "nobody waits for ever");
    cluster.boot(others[0]);
    cluster.write_acked(key(1, 2), b"value");
    cluster.boot(others[1]);
    cluster.check_ledger();
}

#[test]
fn idle_groups_are_silent_and_wake_for_writes_reads_and_dead_leaders() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 20, 13);
    cluster.until("all have leaders", |c| (1..=20).all(|r| c.leader(RangeId(r)).is_some()));
    cluster.run(Duration::from_secs(6));
    let before = cluster.messages;
    cluster.run(Duration::from_secs(30));
    assert_eq!(cluster.messages, before, "idle groups exchange no messages");
    assert_eq!(cluster.leader(R1), None, "nobody holds a lease without messages");

    let leader = cluster.raft_leader(R1).unwrap();
    let replica = cluster.replica(leader, R1).unwrap();
    assert!(matches!(replica.lead(cluster.now), Err(KvError::Unavailable(_))));
    let read = replica.read_index();
    assert!(cluster.wait(read).is_ok(), "a read wakes the group");
    assert_eq!(cluster.leader(R1), Some(leader));

    cluster.run(Duration::from_secs(10));
    cluster.crash(leader);
    let gone_at = cluster.now;
    cluster.write_acked(key(1, 1), b"value");
    let gap = cluster.now.since(gone_at);
    assert!(gap < Duration::from_secs(3), "a sleeping group elected after {gap:?}");
    cluster.boot(leader);
    cluster.check_ledger();
}

#[test]
fn a_restarted_leader_of_sleeping_groups_is_replaced() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 5, 15);
    for r in 1..=5 {
        cluster.write_acked(key(r, 0), b"value");
    }
    cluster.run(Duration::from_secs(10));
    let leader = cluster.raft_leader(R1).unwrap();
    cluster.crash(leader);
    cluster.boot(leader);
    let gone_at = cluster.now;
    for r in 1..=5 {
        cluster.write_acked(key(r, 1), b"value");
    }
    let gap = cluster.now.since(gone_at);
    assert!(gap < Duration::from_secs(5), "groups elected after {gap:?}");
    cluster.check_ledger();
}

#[test]
fn a_full_disk_refuses_writes_and_recovers() {
    let mut cluster = Cluster::start(1, &[1], 1, 17);
    cluster.write_acked(key(1, 0), b"value");
    cluster.disks[&NodeId(1)].set_full(true);
    let replica = cluster.replica(NodeId(1), R1).unwrap();
    let term = replica.lead(cluster.now).expect("reads go on");
    let command = put_command(&replica.descriptor(), term, &key(1, 1), b"refused");
    let refused = replica.propose(command);
    assert_eq!(cluster.wait(refused), Err(KvError::DiskFull));
    cluster.disks[&NodeId(1)].set_full(false);
    cluster.write_acked(key(1, 2), b"value");
    cluster.check_ledger();
}

#[test]
fn a_disk_that_fills_up_under_way_loses_nothing() {
    let mut cluster = Cluster::start(1, &[1], 1, 17);
    cluster.write_acked(key(1, 0), b"value");
    cluster.write(key(1, 1), b"on its way");
    cluster.disks[&NodeId(1)].set_full(true);
    cluster.run(Duration::from_secs(2));
    assert_eq!(cluster.waiting(), 1);
    cluster.disks[&NodeId(1)].set_full(false);
    cluster.until("it went through", |c| c.waiting() == 0);
    assert_eq!(cluster.tally.acked, 2);
    cluster.check_ledger();
}

/// The entries before the news of leadership are not written: reads would miss them.
#[test]
fn a_leader_does_not_begin_before_its_entries_are_written() {
    let mut cluster = Cluster::start(1, &[1], 1, 17);
    let node = NodeId(1);
    cluster.frozen.insert(node);
    cluster.step();
    cluster.disks[&node].set_full(true);
    cluster.apply_once(node);
    assert_eq!(cluster.nodes[&node].host.leads.lock().get(&R1), None);
    cluster.disks[&node].set_full(false);
    cluster.apply_once(node);
    assert!(cluster.nodes[&node].host.leads.lock().contains_key(&R1));
    cluster.heal();
    cluster.write_acked(key(1, 1), b"value");
}

#[test]
fn too_many_proposals_are_refused() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 19);
    cluster.write_acked(key(1, 0), b"value");
    for n in 0..10_000 {
        cluster.write(key(1, n), b"value");
    }
    cluster.until("all have ended", |c| c.waiting() == 0);
    assert!(cluster.tally.refused > 0 && cluster.tally.acked > 1000, "{:?}", cluster.tally);
    let old = cluster.leader(R1).unwrap();
    let replica = cluster.replica(old, R1).unwrap();
    let handed_over = replica.transfer_leader(NodeId(1 + old.0 % 3));
    cluster.wait(handed_over).unwrap();
    let answer = replica.lead(cluster.now);
    assert!(matches!(answer, Err(KvError::NotLeader { .. })), "it is still there: {answer:?}");
    cluster.check_ledger();
}

#[test]
fn a_sync_that_fails_ends_the_process_and_loses_nothing() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 23);
    cluster.write_acked(key(1, 0), b"value");
    let leader = cluster.leader(R1).unwrap();
    cluster.disks[&leader].fail_next_sync();
    cluster.write(key(1, 1), b"value");
    let error = cluster.poll_once(leader).expect_err("nothing may go on after a failed sync");
    assert!(matches!(error, RaftError::SyncFailed(_)), "{error:?}");
    cluster.crash(leader);
    cluster.write_acked(key(1, 2), b"value");
    cluster.boot(leader);
    cluster.check_ledger();
}
