//! What `sharddb start` says, and what a node must know before it serves.

use crate::common::{Cluster, connect, eventually, free_ports, one_line, sharddb};
use crate::common::{signal_child, value, wait};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

/// Scripts wait for exactly this line.
#[tokio::test]
async fn the_only_line_says_where_sql_is_served() {
    let dir = tempfile::tempdir().expect("directory");
    let [sql, ..] = free_ports();
    let mut child = sharddb()
        .arg("start")
        .args(["--data-dir".as_ref(), dir.path().as_os_str()])
        .args(["--sql-listen", &format!("127.0.0.1:{sql}")])
        .args(["--rpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("sharddb starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("standard output"));
    let mut text = String::new();
    stdout.read_line(&mut text).expect("a line");
    signal_child(&child, Signal::TERM);
    assert!(wait(&mut child).await.success());
    stdout.read_to_string(&mut text).expect("the rest");
    assert_eq!(text, format!("ready: postgresql://postgres@127.0.0.1:{sql}/postgres\n"));
}

/// Starts a node that cannot ask anybody yet, then the one node of another cluster; the first one
/// must end with one line.
async fn is_refused(own: &mut Cluster, node: usize, mut other: Cluster) {
    let before = own.nodes[node].log().len();
    own.restart(node);
    tokio::time::sleep(Duration::from_millis(500)).await;
    other.restart(0);
    assert_eq!(own.ended(node).await.code(), Some(1));
    let log = own.nodes[node].log();
    let said = log[before..].lines().filter(|line| !line.contains("waiting for"));
    one_line(&said.collect::<Vec<_>>().join("\n"), "another cluster");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_of_another_cluster_is_refused_by_whom_it_is_to_join() {
    let mut own = Cluster::start(1).await;
    own.kill(0);
    let other = Cluster::plan(&[None]);
    own.nodes[0].set_join(vec![format!("127.0.0.1:{}", other.nodes[0].rpc)]);
    is_refused(&mut own, 0, other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_of_another_cluster_is_refused_by_the_handshake() {
    let mut own = Cluster::start(2).await;
    own.kill(0);
    own.kill(1);
    let mut other = Cluster::plan(&[None]);
    other.nodes[0].rpc = own.nodes[0].rpc;
    is_refused(&mut own, 1, other).await;
}

/// Two proxies of one cluster, of which each is cut off while the other changes a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_was_cut_off_serves_no_old_schema() {
    let mut cluster = Cluster::plan(&[Some("meta,shard")]);
    cluster.restart(0);
    let first = cluster.add(Some("proxy")).await;
    let client = cluster.client(first).await;
    client.batch_execute("CREATE TABLE t (a int PRIMARY KEY)").await.expect("creates");
    client.batch_execute("INSERT INTO t VALUES (1)").await.expect("inserts");
    assert_eq!(columns(&client).await, 1);

    // The only proxy is stopped, as if the network had lost it, when the second one joins.
    cluster.signal(first, Signal::STOP);
    let second = cluster.add(Some("proxy")).await;
    let other = cluster.client(second).await;
    is_dead(&other, first).await;
    other.batch_execute("ALTER TABLE t ADD COLUMN b int").await.expect("alters");
    // The question is there before the proxy wakes: it answers before its next heartbeat.
    let asked = tokio::spawn(async move { columns(&client).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    cluster.signal(first, Signal::CONT);
    assert_eq!(asked.await.expect("answers"), 2, "an old schema was served");

    // One is declared dead, and nobody else is left to be told.
    cluster.signal(second, Signal::STOP);
    let client = cluster.client(first).await;
    is_dead(&client, second).await;
    client.batch_execute("ALTER TABLE t ADD COLUMN c int").await.expect("alters");
    let asked = tokio::spawn(async move { columns(&other).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    cluster.signal(second, Signal::CONT);
    assert_eq!(asked.await.expect("answers"), 3, "an old schema was served");
    let fresh = connect(cluster.nodes[second].sql).await.expect("connects");
    assert_eq!(columns(&fresh).await, 3);
}

async fn columns(client: &tokio_postgres::Client) -> usize {
    crate::common::rows(client, "SELECT * FROM t").await[0].len()
}

async fn is_dead(client: &tokio_postgres::Client, node: usize) {
    let sql = format!("SELECT is_live FROM sharddb.nodes WHERE node_id = {}", node + 1);
    eventually("the node is dead", async || value(client, &sql).await == "f").await;
}
