//! Foreign keys between sessions that wait for each other: no row is left without its parent.

use crate::common::{Cluster, value};
use std::time::Duration;
use tokio_postgres::Client;

/// Long enough for a statement to reach the lock that it waits for; if it is not, the order is
/// another one and the outcome the same.
const HEAD_START: Duration = Duration::from_millis(300);

async fn run(client: &Client, sql: &str) {
    client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// The SQLSTATE of a statement that fails.
async fn failure(client: &Client, sql: &str) -> String {
    let error = client.simple_query(sql).await.expect_err(sql);
    error.code().map(|code| code.code().to_owned()).unwrap_or_default()
}

async fn family(cluster: &Cluster) -> (Client, Client) {
    let (a, b) = (cluster.client(0).await, cluster.client(0).await);
    run(
        &a,
        "CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, name text);
         CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
         CREATE TABLE coded (id int PRIMARY KEY, code text REFERENCES parent (code));
         INSERT INTO parent VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')",
    )
    .await;
    (a, b)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_waited_for_a_child_sees_it() {
    let cluster = Cluster::start(1).await;
    let (a, mut b) = family(&cluster).await;
    for (child, removal) in [
        ("INSERT INTO child VALUES (1, 1)", "DELETE FROM parent WHERE name = 'x'"),
        ("INSERT INTO coded VALUES (1, 'b')", "DELETE FROM parent WHERE name = 'y'"),
        ("INSERT INTO child VALUES (2, 3)", "UPDATE parent SET id = 30 WHERE id = 3"),
    ] {
        run(&a, "BEGIN").await;
        run(&a, child).await;
        let waiting = tokio::spawn(async move {
            let code = failure(&b, removal).await;
            (b, code)
        });
        tokio::time::sleep(HEAD_START).await;
        run(&a, "COMMIT").await;
        let code;
        (b, code) = waiting.await.expect("the removal ends");
        assert_eq!(code, "23503", "{removal}");
    }
    assert_eq!(value(&a, "SELECT count(*) FROM parent").await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_waited_for_a_removal_finds_no_parent() {
    let cluster = Cluster::start(1).await;
    let (a, mut b) = family(&cluster).await;
    for (removal, child) in [
        ("DELETE FROM parent WHERE id = 1", "INSERT INTO child VALUES (1, 1)"),
        ("DELETE FROM parent WHERE name = 'y'", "INSERT INTO coded VALUES (1, 'b')"),
    ] {
        run(&a, "BEGIN").await;
        run(&a, removal).await;
        let waiting = tokio::spawn(async move {
            let code = failure(&b, child).await;
            (b, code)
        });
        tokio::time::sleep(HEAD_START).await;
        run(&a, "COMMIT").await;
        let code;
        (b, code) = waiting.await.expect("the insert ends");
        assert_eq!(code, "23503", "{child}");
    }
    assert_eq!(value(&a, "SELECT count(*) FROM parent").await, "1");
}
