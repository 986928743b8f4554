//! Sessions in psql, on one node and on three: every line that psql shows is the one that it shows of
//! PostgreSQL 15. `first` is a first session; `errors` is nothing but errors, shown with SQLSTATE,
//! place in the statement and names of what they are about; `describe` is psql's `\d` and its kin.
//!
//! The expected output is recorded, never typed:
//! `PSQL_RECORD=postgresql://postgres@127.0.0.1:5432/postgres cargo test --release --test cluster psql`

use crate::common::Cluster;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const SESSIONS: [&str; 3] = ["first", "errors", "describe"];

fn path(file: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/psql")).join(file)
}

/// What psql shows while it reads a file, its error messages among it.
fn session(url: &str, name: &str) -> String {
    let input = std::fs::File::open(path(&format!("{name}.sql"))).expect("the session");
    let verbosity = if name == "errors" { "verbose" } else { "default" };
    let shell = Command::new("sh")
        .args(["-c", "exec psql -X -a -v VERBOSITY=$1 \"$0\" 2>&1", url, verbosity])
        .env("PGCLIENTENCODING", "UTF8")
        .env("LC_ALL", "C")
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .expect("psql runs");
    let shown = String::from_utf8(shell.stdout).expect("UTF-8");
    // Where in PostgreSQL's own source an error was made is nobody's business.
    let lines = shown.lines().filter(|line| !line.starts_with("LOCATION:"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn run(url: &str, sql: &str) {
    let status = Command::new("psql").args(["-X", "-q", "-c", sql, url]).status();
    assert!(status.expect("psql runs").success(), "{sql}");
}

/// A fresh database; returns its URL.
fn fresh_database(url: &str, name: &str) -> String {
    run(url, &format!("DROP DATABASE IF EXISTS {name}"));
    run(url, &format!("CREATE DATABASE {name}"));
    let (server, _) = url.rsplit_once('/').expect("URL with a database");
    format!("{server}/{name}")
}

/// Fails with the first lines that differ from the recorded ones.
fn compare(url: &str, name: &str) {
    let expected = std::fs::read_to_string(path(&format!("{name}.out"))).expect("recorded");
    let shown = session(&fresh_database(url, name), name);
    let differs = expected.lines().zip(shown.lines()).position(|(a, b)| a != b);
    if let Some(at) = differs {
        let context = |text: &str| {
            let lines: Vec<&str> = text.lines().skip(at.saturating_sub(3)).take(10).collect();
            lines.join("\n")
        };
        let (expected, shown) = (context(&expected), context(&shown));
        panic!("{name}, line {}:\n--- expected\n{expected}\n--- shown\n{shown}", at + 1);
    }
    assert_eq!(expected, shown, "{name}: one of them ends early");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_on_one_node_are_as_on_postgresql() {
    let cluster = Cluster::start(1).await;
    SESSIONS.iter().for_each(|name| compare(&cluster.url(0), name));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_on_three_nodes_are_as_on_postgresql() {
    let cluster = Cluster::start(3).await;
    SESSIONS.iter().for_each(|name| compare(&cluster.url(2), name));
}

/// Rewrites the expected output from the PostgreSQL at `PSQL_RECORD`; without it, nothing.
#[test]
fn record() {
    let Ok(url) = std::env::var("PSQL_RECORD") else { return };
    for name in SESSIONS {
        let shown = session(&fresh_database(&url, name), name);
        std::fs::write(path(&format!("{name}.out")), shown).expect("recorded");
    }
}
