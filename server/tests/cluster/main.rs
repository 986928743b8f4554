//! Tests with real processes: a cluster of `sharddb start` children on loopback.

mod atomic_commit;
mod bad_start;
mod bench;
mod common;
mod ddl;
mod follower_reads;
mod http;
mod ledger;
mod portals;
mod protocol;
mod sessions;
mod slt;
mod split_move;
