//! The sqllogictest files of `testdata/sql`, on one node and on three.
//!
//! Expected results are recorded from PostgreSQL 15, never typed:
//! `SLT_RECORD=postgresql://postgres@127.0.0.1:5432/postgres cargo test --release --test cluster record`
//! runs the files there and rewrites their results. Each file gets a database of its own.

use crate::common::Cluster;
use async_trait::async_trait;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use std::fmt;
use std::path::PathBuf;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// An SQL error as the files show it: SQLSTATE and message.
#[derive(Debug)]
struct SqlFailure(String);

impl fmt::Display for SqlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SqlFailure {}

impl From<tokio_postgres::Error> for SqlFailure {
    fn from(error: tokio_postgres::Error) -> Self {
        SqlFailure(match error.as_db_error() {
            Some(db) => format!("{}: {}", db.code().code(), db.message()),
            None => format!("connection: {error:?}"),
        })
    }
}

struct Connection(Client);

#[async_trait]
impl AsyncDB for Connection {
    type Error = SqlFailure;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, SqlFailure> {
        let messages = self.0.simple_query(sql).await?;
        let mut columns = None;
        let mut rows = Vec::new();
        let mut count = 0;
        for message in &messages {
            match message {
                SimpleQueryMessage::RowDescription(fields) => columns = Some(fields.len()),
                SimpleQueryMessage::Row(row) => {
                    rows.push((0..row.len()).map(|i| shown(row.get(i))).collect::<Vec<String>>())
                }
                SimpleQueryMessage::CommandComplete(n) => count = *n,
                _ => {}
            }
        }
        Ok(match columns {
            Some(n) => DBOutput::Rows { types: vec![DefaultColumnType::Text; n], rows },
            None => DBOutput::StatementComplete(count),
        })
    }

    async fn shutdown(&mut self) {}
}

/// NULL and the empty string must differ on paper.
fn shown(value: Option<&str>) -> String {
    match value {
        None => "NULL".into(),
        Some("") => "(empty)".into(),
        Some(text) => text.replace('\n', "\\n"),
    }
}

fn files() -> Vec<PathBuf> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/sql");
    let entries = std::fs::read_dir(dir).expect("testdata/sql");
    let mut files: Vec<PathBuf> = entries
        .map(|e| e.expect("entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "slt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .slt files");
    files
}

async fn open(url: String) -> Result<Connection, SqlFailure> {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    Ok(Connection(client))
}

/// A fresh database for one file; returns its URL.
async fn fresh_database(url: &str, name: &str) -> String {
    let admin = open(url.to_owned()).await.expect("connects").0;
    for sql in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        admin.simple_query(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    let (server, _) = url.rsplit_once('/').expect("URL with a database");
    format!("{server}/{name}")
}

async fn run_all(url: &str) {
    let mut failures = Vec::new();
    for file in files() {
        let stem = file.file_stem().and_then(|s| s.to_str()).expect("file name");
        let url = fresh_database(url, &format!("slt_{stem}")).await;
        let mut runner = Runner::new(|| open(url.clone()));
        // `onlyif sharddb`: what PostgreSQL lacks, such as splitting a table.
        runner.add_label("sharddb");
        match runner.run_file_async(&file).await {
            Ok(()) => println!("ok {stem}"),
            Err(error) => failures.push(format!("{stem}: {}", error.display(false))),
        }
    }
    assert!(failures.is_empty(), "{} files fail:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_node() {
    let cluster = Cluster::start(1).await;
    run_all(&cluster.url(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_three_nodes() {
    let cluster = Cluster::start(3).await;
    run_all(&cluster.url(1)).await;
}

/// Rewrites the expected results from the PostgreSQL at `SLT_RECORD`; without it, nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn record() {
    let Ok(url) = std::env::var("SLT_RECORD") else { return };
    for file in files() {
        let stem = file.file_stem().and_then(|s| s.to_str()).expect("file name");
        let url = fresh_database(&url, &format!("slt_{stem}")).await;
        let mut runner = Runner::new(|| open(url.clone()));
        runner
            .update_test_file(
                &file,
                " ",
                sqllogictest::default_validator,
                sqllogictest::default_normalizer,
                sqllogictest::default_column_validator,
            )
            .await
            .unwrap_or_else(|e| panic!("{stem}: {e}"));
    }
}
