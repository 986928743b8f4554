//! Leases over changes of leaders.

use crate::cluster::{Cluster, key};
use base::{NodeId, RangeId};
use futures::FutureExt;

const R1: RangeId = RangeId(1);

/// The old leader is followed by one voter only, which restarts, forgets that, and grants another
/// node's vote. The old leader hears nothing of it and serves on by its lease.
#[test]
fn a_new_leader_neither_begins_nor_reads_before_the_old_lease_ends() {
    let mut cluster = Cluster::start(3, &[1, 2, 3], 1, 61);
    cluster.write_acked(key(1, 0), b"value");
    let old = cluster.leader(R1).unwrap();
    let [next, voter] = [1, 2].map(|step| NodeId(1 + (old.0 + step - 1) % 3));
    cluster.blocked.extend([(old, next), (next, old)]);
    cluster.until("it asks for the vote", |c| {
        assert_eq!(c.leader(R1), Some(old));
        c.is_in_flight(|from, to, _| (from, to) == (next, voter))
    });
    cluster.crash(voter);
    cluster.boot(voter);
    cluster.blocked.extend([(old, voter), (voter, old)]);
    let replica = cluster.replica(next, R1).unwrap();
    let is_elected = || replica.leader().is_some_and(|leader| leader.node == next);
    cluster.until("it is elected", |_| is_elected());
    assert_eq!(cluster.leader(R1), Some(old), "the old lease still runs");
    let mut read = replica.read_index();
    // That it does not begin to lead while the old leader serves is checked on every step.
    cluster.until("its read is confirmed", |c| {
        let is_confirmed = read.as_mut().now_or_never().is_some_and(|term| term.is_ok());
        assert!(!is_confirmed || c.leader(R1) != Some(old), "both serve reads");
        is_confirmed
    });
    cluster.until("it leads", |c| c.leader(R1) == Some(next));
    cluster.heal();
    cluster.write_acked(key(1, 1), b"value");
    cluster.check_ledger();
}
