//! `server/perf/pgbench.sh`, short: the built-in scripts in all query modes with 16 clients, no
//! failed transaction, sums that agree.

use crate::common::Cluster;
use std::process::Command;

async fn run(nodes: usize) {
    let is_installed = Command::new("pgbench").arg("--version").output().is_ok();
    if !is_installed {
        eprintln!("SKIPPED, NOTHING WAS TESTED: pgbench is not installed (see .ci/install)");
        return;
    }
    let cluster = Cluster::start(nodes).await;
    let address = format!("127.0.0.1:{}", cluster.nodes[nodes - 1].sql);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/perf/pgbench.sh");
    let output = Command::new(script).args(["1", "1", &address]).output().expect("bash runs");
    let (shown, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{shown}");
    assert!(output.status.success(), "{errors}");
    assert_eq!(shown.matches("none failed").count(), 9, "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_fails_on_one_node() {
    run(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_fails_on_three_nodes() {
    run(3).await;
}
