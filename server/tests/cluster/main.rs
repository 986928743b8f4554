//! Tests with real processes: a cluster of `sharddb start` children on loopback.

mod atomic_commit;
mod bad_start;
mod bench;
mod commands;
mod common;
mod follower_reads;
mod http;
mod ledger;
mod protocol;
mod shutdown;
mod slt;
mod split_move;
mod start;
