//! Tests with real processes: a cluster of `sharddb start` children on loopback.

#![expect(clippy::disallowed_methods, reason = "real processes run in real time")]

mod atomic_commit;
mod bad_start;
mod bench;
mod commands;
mod common;
mod ddl;
mod disk_full;
mod follower_reads;
mod foreign_keys;
mod gc;
mod http;
mod ledger;
mod outage;
mod pgbench;
mod portals;
mod protocol;
mod psql;
mod sessions;
mod shutdown;
mod slt;
mod split_move;
mod start;
