//! Portals that are executed piece by piece: what drivers do with a fetch size.

use crate::common::Cluster;
use tokio_postgres::{Row, Transaction};

fn numbers(rows: &[Row]) -> Vec<(i32, i32)> {
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn code(tx: &Transaction<'_>, portal: &tokio_postgres::Portal) -> String {
    let error = tx.query_portal(portal, 0).await.expect_err("fails");
    error.code().expect("an error of the server").code().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_sees_what_its_first_execute_saw() {
    let cluster = Cluster::start(1).await;
    let mut client = cluster.client(0).await;
    let other = cluster.client(0).await;
    let create = "CREATE TABLE t (id int PRIMARY KEY, n int, wide text)";
    other.batch_execute(create).await.expect("creates");
    // More than one page of a scan.
    let fill = "INSERT INTO t SELECT g, 0, repeat('x', 2000) FROM generate_series(1, 5000) g";
    other.batch_execute(fill).await.expect("fills");

    let tx = client.transaction().await.expect("begins");
    tx.batch_execute("UPDATE t SET n = 1 WHERE id = 1").await.expect("updates");
    let statement = tx.prepare("SELECT id, n FROM t ORDER BY id").await.expect("prepares");
    let portal = tx.bind(&statement, &[]).await.expect("binds");
    let first = tx.query_portal(&portal, 2).await.expect("reads");
    assert_eq!(numbers(&first), [(1, 1), (2, 0)]);
    tx.batch_execute("UPDATE t SET n = 2 WHERE id IN (3, 4999)").await.expect("updates");
    tx.batch_execute("DELETE FROM t WHERE id = 4").await.expect("deletes");
    other.batch_execute("UPDATE t SET n = 3 WHERE id = 5").await.expect("updates");
    other.batch_execute("INSERT INTO t VALUES (6000, 3, '')").await.expect("inserts");
    let second = tx.query_portal(&portal, 3).await.expect("reads");
    assert_eq!(numbers(&second), [(3, 0), (4, 0), (5, 0)]);
    let rest = tx.query_portal(&portal, 0).await.expect("reads");
    assert_eq!(rest.len(), 4_995);
    assert!(numbers(&rest).iter().all(|(_, n)| *n == 0));
    assert!(tx.query_portal(&portal, 0).await.expect("is at its end").is_empty());
    tx.commit().await.expect("commits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_run_once_and_their_rows_wait() {
    let cluster = Cluster::start(1).await;
    let mut client = cluster.client(0).await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n int)").await.expect("creates");
    let tx = client.transaction().await.expect("begins");
    let insert = "INSERT INTO t SELECT g, g FROM generate_series(1, 5) g RETURNING id, n";
    let statement = tx.prepare(insert).await.expect("prepares");
    let portal = tx.bind(&statement, &[]).await.expect("binds");
    let first = tx.query_portal(&portal, 2).await.expect("writes");
    assert_eq!(numbers(&first), [(1, 1), (2, 2)]);
    let rest = tx.query_portal(&portal, 0).await.expect("reads");
    assert_eq!(numbers(&rest), [(3, 3), (4, 4), (5, 5)]);
    assert!(tx.query_portal(&portal, 0).await.expect("is at its end").is_empty());
    let row = tx.query_one("SELECT count(*) FROM t", &[]).await.expect("counts");
    assert_eq!(row.get::<_, i64>(0), 5);

    let statement = tx.prepare("SHOW ALL").await.expect("prepares");
    let portal = tx.bind(&statement, &[]).await.expect("binds");
    assert_eq!(tx.query_portal(&portal, 3).await.expect("shows").len(), 3);
    assert_eq!(tx.query_portal(&portal, 4).await.expect("shows").len(), 4);

    let statement = tx.prepare("INSERT INTO t VALUES (6, 6)").await.expect("prepares");
    let portal = tx.bind(&statement, &[]).await.expect("binds");
    tx.query_portal(&portal, 0).await.expect("writes");
    assert_eq!(code(&tx, &portal).await, "55000", "it has run");
    tx.rollback().await.expect("rolls back");
}
