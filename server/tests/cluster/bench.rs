//! `sharddb bench` against a real node: it makes its tables, runs, and its sums agree.

use crate::common::{Cluster, sharddb};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_workload_runs_without_errors() {
    let cluster = Cluster::start(1).await;
    for workload in ["mixed", "read", "tpcb"] {
        let output = sharddb()
            .args(["bench", "--url", &cluster.url(0), "--workload", workload])
            .args(["--concurrency", "4", "--duration", "2"])
            .output()
            .expect("runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("\nerrors:         0"), "{workload}: {text}");
        for line in ["   1 s ", "total requests: ", "requests/s: ", "mean: ", "p50: ", "p99: "] {
            assert!(text.contains(&format!("\n{line}")), "{workload}: {line} is missing in {text}");
        }
    }
    let client = cluster.client(0).await;
    let sums = "SELECT (SELECT sum(balance) FROM sharddb_bench_accounts)::bigint, \
                       (SELECT sum(balance) FROM sharddb_bench_tellers)::bigint, \
                       (SELECT sum(balance) FROM sharddb_bench_branches)::bigint, \
                       (SELECT sum(delta) FROM sharddb_bench_history)::bigint";
    let row = client.query_one(sums, &[]).await.expect("answers");
    let sums: Vec<i64> = (0..4).map(|column| row.get(column)).collect();
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
}
