//! A write on the leader is read on a follower's process.

use crate::common::{Cluster, value};

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
