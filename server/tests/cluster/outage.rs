//! Two of three nodes are down: statements wait, then fail with an error that says what is known
//! about their outcome, and go on by themselves on the same connections when a node returns.

use crate::common::{Cluster, value};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Error};

/// A statement may wait for its node's lease and then for its data, 30 s each, before it fails.
const WAIT_MAX: Duration = Duration::from_secs(100);
/// It must not give up at once either: an election or a restart is over in that time.
const WAIT_MIN: Duration = Duration::from_secs(10);
/// From the return of a majority to the answers.
const RETURN_MAX: Duration = Duration::from_secs(30);

async fn timed(client: &Client, sql: &str) -> (Result<(), Error>, Duration) {
    let begun = Instant::now();
    let result = tokio::time::timeout(WAIT_MAX, client.simple_query(sql)).await;
    (result.expect("a statement ends").map(drop), begun.elapsed())
}

fn code(error: &Error) -> &str {
    error.code().map_or("none: the connection has ended", |code| code.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn statements_wait_fail_and_go_on_when_a_node_returns() {
    let mut cluster = Cluster::start(3).await;
    let (writer, reader, idle) =
        (cluster.client(0).await, cluster.client(0).await, cluster.client(0).await);
    writer.simple_query("CREATE TABLE t (id int8 PRIMARY KEY)").await.expect("create");
    writer.simple_query("INSERT INTO t VALUES (1)").await.expect("insert");
    assert_eq!(value(&idle, "SELECT count(*) FROM t").await, "1");
    cluster.kill(1);
    cluster.kill(2);

    let read_later = async {
        // Until then the leader may still serve reads by its lease.
        tokio::time::sleep(Duration::from_secs(2)).await;
        timed(&reader, "TABLE t").await
    };
    let (write, read) = tokio::join!(timed(&writer, "INSERT INTO t VALUES (2)"), read_later);
    for (what, (result, waited)) in [("INSERT", write), ("SELECT", read)] {
        let error = result.expect_err("nobody could answer");
        println!("{what}: {} after {waited:?}: {error}", code(&error));
        let is_unknown = what == "INSERT" && code(&error) == "40003";
        assert!(code(&error) == "57P03" || is_unknown, "{what}: {error:?}");
        assert!(waited > WAIT_MIN, "{what} gave up after {waited:?}");
    }

    // By now the node has not heard from the cluster for long; these wait for that.
    let pending = [(idle, "SELECT count(*) >= 1 FROM t"), (writer, "INSERT INTO t VALUES (3)")]
        .map(|(client, sql)| tokio::spawn(async move { (timed(&client, sql).await, client, sql) }));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let returned = Instant::now();
    cluster.restart(1);
    for statement in pending {
        let ((result, waited), client, sql) = statement.await.expect("no panic");
        result.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        println!("{sql}: answered after {waited:?}, {:?} after a return", returned.elapsed());
        assert!(returned.elapsed() < RETURN_MAX, "{sql} took {waited:?}");
        assert_eq!(value(&client, "SELECT count(*) FROM t WHERE id IN (1, 3)").await.len(), 1);
    }
    let sql = "SELECT count(*) FROM t WHERE id IN (1, 3)";
    assert_eq!(value(&reader, sql).await, "2", "the old connections live");
}
