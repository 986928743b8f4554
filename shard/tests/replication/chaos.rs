//! Everything at once, from a seed.

use crate::cluster::{Cluster, key};
use base::{NodeId, RangeId};
use shard::raft::RaftStoreConfig;
use std::time::Duration;

const RANGES: u64 = 3;

/// One run: a random fault or operation every so often, writes all the time, then peace and a check.
fn run(seed: u64) {
    let mut config = RaftStoreConfig::new(NodeId(0), seed);
    config.log_entries_max = 40;
    config.log_entries_kept = 5;
    config.snapshot_chunk_bytes = 2_000;
    config.install_batch_bytes = if seed.is_multiple_of(2) { 3_000 } else { 1 << 20 };
    let mut cluster = Cluster::start_with(config, 5, &[1, 2, 3], RANGES);
    cluster.loss = cluster.random(40);
    let mut next_range = RANGES + 1;
    let mut n = 0;
    for _ in 0..60 {
        disturb(&mut cluster, &mut next_range);
        for _ in 0..40 {
            n += 1;
            // Every key is written once, so that whatever is acknowledged must be found.
            let spot = n * 7919 % 1_000_003;
            cluster.write(key(1 + n % RANGES, spot), format!("{n}/{spot}").as_bytes());
            cluster.step();
        }
    }
    cluster.heal();
    cluster.until("all groups serve", |c| {
        (1..=RANGES).all(|r| c.route(&key(r, 0)).is_some() && c.route(&key(r, 999_999)).is_some())
            || c.poke()
    });
    cluster.until("all writes have ended", |c| c.waiting() == 0);
    cluster.run(Duration::from_secs(20));
    cluster.check_ledger();
    (1..=RANGES).for_each(|range| cluster.write_acked(key(range, 1_000_004), b"after"));
}

fn disturb(cluster: &mut Cluster, next_range: &mut u64) {
    let id = NodeId(1 + cluster.random(5));
    match cluster.random(16) {
        0 | 1 => {
            if cluster.nodes.len() > 3 && cluster.nodes.contains_key(&id) {
                cluster.crash(id);
            }
        }
        2 | 3 => {
            for id in cluster.down() {
                cluster.boot(id);
            }
        }
        4 => cluster.isolate(id, true),
        5 => cluster.blocked.clear(),
        6 => {
            let other = NodeId(1 + cluster.random(5));
            cluster.blocked.insert((id, other));
        }
        7 => {
            let range = cluster.some_range();
            if let Some(leader) = cluster.leader(range) {
                drop(cluster.replica(leader, range).unwrap().transfer_leader(id));
            }
        }
        8 | 9 => {
            let range = cluster.some_range();
            if let Some(leader) = cluster.leader(range) {
                let replica = cluster.replica(leader, range).unwrap();
                let descriptor = replica.descriptor();
                let pick = cluster.random(descriptor.replicas.len() as u64) as usize;
                let remove = descriptor.replicas[pick].node;
                if descriptor.replica_on(id).is_none() {
                    drop(replica.change_replicas(vec![id], vec![remove]));
                }
            }
        }
        10 => {
            let range = cluster.some_range();
            let spot = key(1 + cluster.random(RANGES), cluster.random(1_000_000));
            if let Some(leader) = cluster.leader(range) {
                let span = cluster.replica(leader, range).unwrap().descriptor().span.clone();
                if span.contains(&spot) && span.start != spot {
                    *next_range += 1;
                    cluster.split_soon(range, spot, RangeId(*next_range));
                }
            }
        }
        11 => drop(cluster.frozen.insert(id)),
        12 => cluster.frozen.clear(),
        // True or not, and not heard by all.
        13 | 14 => {
            for other in cluster.nodes.keys().copied().collect::<Vec<_>>() {
                if other != id && cluster.random(3) > 0 {
                    cluster.nodes[&other].handle.gone(id);
                }
            }
        }
        _ => {
            let loss = cluster.random(100);
            cluster.loss = loss;
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_whatever_happens() {
    let count =
        std::env::var("SHARDDB_CHAOS_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let first = std::env::var("SHARDDB_CHAOS_FIRST").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for seed in first..first + count {
        eprintln!("seed {seed}");
        run(seed);
    }
}
