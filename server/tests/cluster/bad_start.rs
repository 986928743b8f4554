//! Everything that can be wrong at the start gives one clear line and a non-zero exit.

use crate::common::{Cluster, fails, one_line};
use std::net::TcpListener;

/// Where a node listens that the test does not care about: ports that the system chooses.
const FREE_PORTS: [&str; 6] =
    ["--sql-listen", "127.0.0.1:0", "--rpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];

/// Runs `sharddb start` with these arguments to its end, on free ports where they name none;
/// returns its exit code and what it said.
fn start(args: &[&str]) -> (i32, String) {
    let mut all = vec!["start"];
    all.extend(args);
    for port in FREE_PORTS.chunks(2).filter(|port| !args.contains(&port[0])) {
        all.extend(port);
    }
    fails(&all)
}

#[test]
fn wrong_flags() {
    for (args, needle) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["--roles", "nonsense"], "nonsense"),
        (&["--data-dir"], "--data-dir"),
    ] {
        let (code, text) = start(args);
        one_line(&text, needle);
        assert_eq!(code, 2, "{text}");
    }
    for (args, needle) in [
        (&["--sql-listen", "nonsense"][..], "is not host:port"),
        (&["--roles", "proxy"], "--join"),
        (&["--config", "/nonexistent/sharddb.toml"], "cannot read"),
        (&["--rpc-listen", "0.0.0.0:0", "--join", "127.0.0.1:1"], "--advertise-rpc"),
    ] {
        let (code, text) = start(args);
        one_line(&text, needle);
        assert_eq!(code, 1, "{text}");
    }
    one_line(&fails(&["no-such-command"]).1, "no-such-command");
    let file = tempfile::NamedTempFile::new().expect("file");
    std::fs::write(file.path(), "log = \"sharddb=loud\"\n").expect("writes");
    one_line(&start(&["--config", file.path().to_str().expect("path")]).1, "invalid log filter");
}

#[test]
fn unusable_directory() {
    one_line(&start(&["--data-dir", "/proc/sharddb"]).1, "/proc/sharddb");
    let file = tempfile::NamedTempFile::new().expect("file");
    one_line(&start(&["--data-dir", file.path().to_str().expect("path")]).1, "directory");
}

#[test]
fn directory_of_a_newer_format() {
    let dir = tempfile::tempdir().expect("directory");
    let marker = "sharddb data directory\nformat 999\n";
    std::fs::write(dir.path().join("FORMAT"), marker).expect("writes");
    one_line(&start(&["--data-dir", dir.path().to_str().expect("path")]).1, "format 999");
}

#[test]
fn port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let dir = tempfile::tempdir().expect("directory");
    let dir = dir.path().to_str().expect("path");
    one_line(&start(&["--data-dir", dir, "--sql-listen", &address]).1, "in use");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directory_in_use_and_of_another_cluster() {
    let one = Cluster::start(1).await;
    let dir = one.nodes[0].dir.to_str().expect("path").to_owned();
    one_line(&start(&["--data-dir", &dir]).1, "in use");

    let mut two = Cluster::start(1).await;
    two.kill(0);
    let foreign = two.nodes[0].dir.to_str().expect("path").to_owned();
    let join = format!("127.0.0.1:{}", one.nodes[0].rpc);
    one_line(&start(&["--data-dir", &foreign, "--join", &join]).1, "another cluster");
}
