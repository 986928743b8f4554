//! A write on the leader is read on a follower's process, from the follower's own replica.

use crate::common::{Cluster, answered_by, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followers_process_reads_what_the_leader_wrote() {
    let cluster = Cluster::start(3).await;
    let first = cluster.client(0).await;
    first.simple_query("CREATE TABLE t (id int8 PRIMARY KEY, n int8)").await.expect("create");
    let range = value(&first, "SELECT range_id FROM sharddb.ranges LIMIT 1").await;
    let leader: usize =
        value(&first, "SELECT leader FROM sharddb.ranges LIMIT 1").await.parse().expect("leader");
    let follower = leader % 3 + 1;
    let writer = cluster.client(leader - 1).await;
    let reader = cluster.client(follower - 1).await;
    let (by_leader, by_follower) =
        (format!("r{range} (n{leader})"), format!("r{range} (n{follower})"));
    for i in 0..50 {
        writer.simple_query(&format!("INSERT INTO t VALUES ({i}, {i})")).await.expect("insert");
        let point = format!("SELECT n FROM t WHERE id = {i}");
        let whole = "SELECT sum(n) FROM t";
        reader.simple_query("SET sharddb.follower_reads = on").await.expect("set");
        assert_eq!(value(&reader, &point).await, i.to_string(), "an answer from the past");
        assert_eq!(value(&reader, whole).await, (i * (i + 1) / 2).to_string());
        for sql in [point.as_str(), whole] {
            assert_eq!(answered_by(&reader, sql).await, by_follower, "{sql}");
        }
        reader.simple_query("SET sharddb.follower_reads = off").await.expect("set");
        assert_eq!(answered_by(&reader, &point).await, by_leader);
    }
}
