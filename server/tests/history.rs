//! Old versions: read on a follower after apply, kept while a snapshot needs them, collected later.

mod common;

use common::{Cluster, PATIENCE, value};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followers_process_reads_what_the_leader_wrote() {
    let cluster = Cluster::start(3).await;
    let first = cluster.client(0).await;
    first.simple_query("CREATE TABLE t (id int8 PRIMARY KEY, n int8)").await.expect("create");
    let leader: usize =
        value(&first, "SELECT leader FROM sharddb.ranges LIMIT 1").await.parse().expect("leader");
    let writer = cluster.client(leader - 1).await;
    let reader = cluster.client(leader % 3).await;
    reader.simple_query("SET sharddb.follower_reads = on").await.expect("set");
    for i in 0..50 {
        writer.simple_query(&format!("INSERT INTO t VALUES ({i}, {i})")).await.expect("insert");
        let sql = format!("SELECT n FROM t WHERE id = {i}");
        assert_eq!(value(&reader, &sql).await, i.to_string(), "the follower answers from the past");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_collection_respects_open_snapshots() {
    let cluster = Cluster::start(1).await;
    let writer = cluster.client(0).await;
    let reader = cluster.client(0).await;
    writer.simple_query("CREATE TABLE t (id int8 PRIMARY KEY, n int8)").await.expect("create");
    writer.simple_query("INSERT INTO t VALUES (1, 0)").await.expect("insert");
    reader.simple_query("BEGIN ISOLATION LEVEL REPEATABLE READ").await.expect("begin");
    assert_eq!(value(&reader, "SELECT n FROM t").await, "0");
    for i in 1..=100 {
        writer.simple_query(&format!("UPDATE t SET n = {i}")).await.expect("update");
    }
    let versions = "SELECT sharddb.version_count('t')";
    assert!(value(&writer, versions).await.parse::<i64>().expect("count") >= 101);
    writer.simple_query("SELECT sharddb.collect_garbage('t', 0)").await.expect("gc");
    assert_eq!(value(&reader, "SELECT n FROM t").await, "0", "the snapshot lost its version");
    reader.simple_query("COMMIT").await.expect("commit");
    let start = Instant::now();
    loop {
        writer.simple_query("SELECT sharddb.collect_garbage('t', 0)").await.expect("gc");
        let left: i64 = value(&writer, versions).await.parse().expect("count");
        if left == 1 {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{left} versions are left");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(value(&writer, "SELECT n FROM t").await, "100");
}
