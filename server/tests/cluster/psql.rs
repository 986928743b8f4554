//! A first session in psql, on one node and on three: every line that psql shows is the one that it
//! shows of PostgreSQL 15.
//!
//! The expected output is recorded, never typed:
//! `PSQL_RECORD=postgresql://postgres@127.0.0.1:5432/postgres cargo test --release --test cluster psql`

use crate::common::Cluster;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn path(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/psql")).join(file)
}

/// What psql shows while it reads a file, its error messages among it.
fn session(url: &str, file: &str) -> String {
    let input = std::fs::File::open(path(file)).expect("the session");
    let shell = Command::new("sh")
        .args(["-c", "exec psql -X -a \"$0\" 2>&1", url])
        .env("PGCLIENTENCODING", "UTF8")
        .env("LC_ALL", "C")
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .expect("psql runs");
    String::from_utf8(shell.stdout).expect("UTF-8")
}

fn run(url: &str, sql: &str) {
    let status = Command::new("psql").args(["-X", "-q", "-c", sql, url]).status();
    assert!(status.expect("psql runs").success(), "{sql}");
}

/// A fresh database; returns its URL.
fn fresh_database(url: &str) -> String {
    run(url, "DROP DATABASE IF EXISTS first");
    run(url, "CREATE DATABASE first");
    let (server, _) = url.rsplit_once('/').expect("URL with a database");
    format!("{server}/first")
}

async fn compare(nodes: usize) {
    let cluster = Cluster::start(nodes).await;
    let expected = std::fs::read_to_string(path("first.out")).expect("the recorded session");
    let url = fresh_database(&cluster.url(nodes - 1));
    let shown = session(&url, "first.sql");
    let differs = expected.lines().zip(shown.lines()).position(|(a, b)| a != b);
    if let Some(at) = differs {
        let context = |text: &str| {
            let lines: Vec<&str> = text.lines().skip(at.saturating_sub(3)).take(10).collect();
            lines.join("\n")
        };
        let (expected, shown) = (context(&expected), context(&shown));
        panic!("line {}:\n--- expected\n{expected}\n--- shown\n{shown}", at + 1);
    }
    assert_eq!(expected, shown, "one of them ends early");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_on_one_node_is_as_on_postgresql() {
    compare(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_on_three_nodes_is_as_on_postgresql() {
    compare(3).await;
}

/// Rewrites the expected output from the PostgreSQL at `PSQL_RECORD`; without it, nothing.
#[test]
fn record() {
    let Ok(url) = std::env::var("PSQL_RECORD") else { return };
    let url = fresh_database(&url);
    std::fs::write(path("first.out"), session(&url, "first.sql")).expect("recorded");
}
