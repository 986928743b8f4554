//! The benchmark's own tables: made and filled in one transaction each, so that they are either
//! there with all their rows or not there.

use super::client::{cannot_connect, connect, describe};
use super::workload::{ACCOUNTS, BRANCHES, ROWS, TELLERS};
use crate::cli::Workload;
use crate::exit::{Failure, say};
use std::fmt::Write;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

/// Rows of one INSERT.
const INSERT_ROWS: i32 = 1_000;

/// A table: name, columns, rows to begin with, the values of a row after its id.
struct Table {
    name: &'static str,
    columns: &'static str,
    rows: i32,
    values: &'static str,
}

const KEY_VALUE: Table = Table {
    name: "sharddb_bench",
    columns: "id int PRIMARY KEY, value text NOT NULL",
    rows: ROWS,
    values: "'value of the beginning'",
};

const BANK: [Table; 4] = [
    Table {
        name: "sharddb_bench_branches",
        columns: "id int PRIMARY KEY, balance bigint NOT NULL",
        rows: BRANCHES,
        values: "0",
    },
    Table {
        name: "sharddb_bench_tellers",
        columns: "id int PRIMARY KEY, balance bigint NOT NULL",
        rows: TELLERS,
        values: "0",
    },
    Table {
        name: "sharddb_bench_accounts",
        columns: "id int PRIMARY KEY, balance bigint NOT NULL",
        rows: ACCOUNTS,
        values: "0",
    },
    Table {
        name: "sharddb_bench_history",
        columns: "teller int, branch int, account int, delta bigint, at timestamp",
        rows: 0,
        values: "",
    },
];

/// Makes what the workload needs and is not there yet.
pub(super) async fn prepare(url: &str, workload: Workload) -> Result<(), Failure> {
    let mut client = connect(url).await.map_err(|error| cannot_connect(url, &error))?;
    let tables = match workload {
        Workload::Read | Workload::Mixed => std::slice::from_ref(&KEY_VALUE),
        Workload::Tpcb => &BANK,
    };
    for table in tables {
        make(&mut client, table).await.map_err(|error| {
            Failure::new(format!("cannot make table {}: {}", table.name, describe(&error)))
        })?;
    }
    Ok(())
}

async fn make(client: &mut Client, table: &Table) -> Result<(), Error> {
    let Table { name, columns, .. } = table;
    match client.batch_execute(&format!("SELECT 1 FROM {name} LIMIT 1")).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
        other => return other,
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("CREATE TABLE {name} ({columns})")).await?;
    for first in (1..=table.rows).step_by(INSERT_ROWS as usize) {
        transaction.batch_execute(&insert(table, first)).await?;
    }
    transaction.commit().await?;
    say(&format!("made table {name} with {} rows", table.rows));
    Ok(())
}

fn insert(table: &Table, first: i32) -> String {
    let mut sql = format!("INSERT INTO {} VALUES ", table.name);
    let last = table.rows.min(first + INSERT_ROWS - 1);
    for id in first..=last {
        let comma = if id == first { "" } else { ", " };
        // Writing into a string does not fail.
        let _ = write!(sql, "{comma}({id}, {})", table.values);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_cover_all_rows_once() {
        let table = Table { name: "t", columns: "", rows: 1_001, values: "0" };
        assert!(insert(&table, 1).ends_with(", (1000, 0)"));
        assert_eq!(insert(&table, 1_001), "INSERT INTO t VALUES (1001, 0)");
    }
}
