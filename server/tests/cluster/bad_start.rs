//! Everything that can be wrong at the start gives one clear line and a non-zero exit.

use crate::common::{Cluster, sharddb};
use std::net::TcpListener;

/// Runs `sharddb start` with these arguments to its end; returns what it said.
fn fails(args: &[&str]) -> String {
    let mut child = sharddb()
        .arg("start")
        .args(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("sharddb starts");
    for _ in 0..200 {
        if child.try_wait().expect("wait").is_some() {
            let output = child.wait_with_output().expect("output");
            assert!(!output.status.success(), "{args:?} succeeded");
            return String::from_utf8_lossy(&output.stderr).into_owned();
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    let _ = child.kill();
    panic!("{args:?} did not end");
}

fn one_line(text: &str, needle: &str) {
    assert!(text.contains(needle), "expected {needle:?} in {text:?}");
    assert_eq!(text.trim_end().lines().count(), 1, "more than a line: {text}");
}

#[test]
fn wrong_flags() {
    assert!(fails(&["--no-such-flag"]).contains("--no-such-flag"));
    one_line(&fails(&["--sql-listen", "nonsense"]), "is not host:port");
    one_line(&fails(&["--roles", "proxy"]), "--join");
    one_line(&fails(&["--config", "/nonexistent/sharddb.toml"]), "cannot read");
}

#[test]
fn unusable_directory() {
    one_line(&fails(&["--data-dir", "/proc/sharddb"]), "/proc/sharddb");
    let file = tempfile::NamedTempFile::new().expect("file");
    one_line(&fails(&["--data-dir", file.path().to_str().expect("path")]), "directory");
}

#[test]
fn port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let dir = tempfile::tempdir().expect("directory");
    let dir = dir.path().to_str().expect("path");
    one_line(&fails(&["--data-dir", dir, "--sql-listen", &address]), "in use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directory_in_use_and_of_another_cluster() {
    let one = Cluster::start(1).await;
    let dir = one.nodes[0].dir.to_str().expect("path").to_owned();
    let free = [
        "--sql-listen",
        "127.0.0.1:0",
        "--rpc-listen",
        "127.0.0.1:0",
        "--http-listen",
        "127.0.0.1:0",
    ];
    let mut args = vec!["--data-dir", &dir];
    args.extend(free);
    one_line(&fails(&args), "in use");

    let mut two = Cluster::start(1).await;
    two.kill(0);
    let foreign = two.nodes[0].dir.to_str().expect("path").to_owned();
    let join = format!("127.0.0.1:{}", one.nodes[0].rpc);
    let mut args = vec!["--data-dir", &foreign, "--join", &join];
    args.extend(free);
    one_line(&fails(&args), "another cluster");
}
