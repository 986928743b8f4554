//! What `/metrics` says.

use super::*;
use shard::LockWaits;

#[test]
fn recorded_and_sampled_metrics_carry_their_role() {
    let metrics = Metrics::new();
    metrics.sql(Protocol::Simple, Duration::from_micros(80), None);
    metrics.sql(Protocol::Extended, Duration::from_millis(3), Some("40001"));
    metrics.range("get", Duration::from_micros(10), true);
    metrics.range("lock", Duration::from_secs(100), false);
    metrics.meta("timestamps", Duration::from_micros(10), true);
    let lock_waits = LockWaits {
        begun: 4,
        ended: vec![(Duration::from_millis(5), 2), (Duration::MAX, 1)],
        total: Duration::from_millis(1500),
    };
    let shard = ShardSample {
        ranges: 3,
        raft_proposals: 17,
        locks_held: 2,
        lock_waits,
        ..Default::default()
    };
    let text = metrics.render(&Sample { shard: Some(shard), ..Sample::default() });
    for line in [
        "sharddb_sql_requests_total{role=\"proxy\",protocol=\"simple\"} 1",
        "sharddb_sql_requests_total{role=\"proxy\",protocol=\"extended\"} 1",
        "sharddb_sql_errors_total{role=\"proxy\",class=\"40\"} 1",
        "sharddb_sql_latency_seconds_bucket{role=\"proxy\",le=\"0.0001\"} 1",
        "sharddb_sql_latency_seconds_count{role=\"proxy\"} 2",
        "sharddb_range_requests_total{role=\"shard\",operation=\"get\"} 1",
        "sharddb_range_errors_total{role=\"shard\",operation=\"lock\"} 1",
        "sharddb_range_latency_seconds_bucket{role=\"shard\",le=\"25.0\"} 1",
        "sharddb_range_latency_seconds_bucket{role=\"shard\",le=\"+Inf\"} 2",
        "sharddb_meta_requests_total{role=\"meta\",operation=\"timestamps\"} 1",
        "sharddb_ranges{role=\"shard\"} 3",
        "sharddb_raft_proposals_total{role=\"shard\"} 17",
        "sharddb_locks_held{role=\"shard\"} 2",
        "sharddb_lock_waits_total{role=\"shard\"} 4",
        "sharddb_lock_wait_seconds_bucket{role=\"shard\",le=\"0.005\"} 2",
        "sharddb_lock_wait_seconds_bucket{role=\"shard\",le=\"+Inf\"} 3",
        "sharddb_lock_wait_seconds_sum{role=\"shard\"} 1.5",
        "sharddb_meta_is_leader{role=\"meta\"} 0",
        "sharddb_sql_connections{role=\"proxy\"} 0",
    ] {
        assert!(text.lines().any(|is| is == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn samples_replace_each_other() {
    let metrics = Metrics::new();
    for (ranges, applied) in [(5, 10), (4, 30)] {
        let shard = ShardSample { ranges, raft_applied: applied, ..Default::default() };
        metrics.render(&Sample { shard: Some(shard), ..Sample::default() });
    }
    let text = metrics.render(&Sample::default());
    assert!(text.contains("sharddb_ranges{role=\"shard\"} 4\n"));
    assert!(text.contains("sharddb_raft_applied_total{role=\"shard\"} 30\n"));
}
