//! Tests with real processes: a cluster of `sharddb start` children on loopback.

#![expect(clippy::disallowed_methods, reason = "real processes run in real time")]

mod atomic_commit;
mod bad_start;
mod bench;
mod common;
mod disk_full;
mod follower_reads;
mod gc;
mod http;
mod ledger;
mod outage;
mod pgbench;
mod protocol;
mod psql;
mod slt;
mod split_move;
