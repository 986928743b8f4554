//! Tests with real processes: a cluster of `sharddb start` children on loopback.

mod atomic_commit;
mod bad_start;
mod bench;
mod common;
mod follower_reads;
mod foreign_keys;
mod http;
mod ledger;
mod protocol;
mod slt;
mod split_move;
