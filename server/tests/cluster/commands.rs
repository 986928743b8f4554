//! `sharddb status`, `sharddb cluster …` and `sharddb demo`, each compared with what SQL shows.

use crate::common::{Cluster, connect_to, eventually, fails, one_line, rows, sharddb};
use crate::common::{signal_child, succeeds, value, wait};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use tokio_postgres::Client;

/// The cells of a printed table, without its header.
fn cells(table: &str) -> Vec<Vec<String>> {
    let lines = table.lines().skip(1).take_while(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// The same columns of every line.
fn columns(table: &[Vec<String>], columns: &[usize]) -> Vec<Vec<String>> {
    table.iter().map(|line| columns.iter().map(|i| line[*i].clone()).collect()).collect()
}

/// Runs `sharddb cluster --join ADDRESS …`.
struct Operator(String);

impl Operator {
    fn run(&self, args: &[&str]) -> String {
        succeeds(&[&["cluster", "--join", &self.0], args].concat())
    }

    fn is_refused(&self, args: &[&str], reason: &str) {
        one_line(&fails(&[&["cluster", "--join", &self.0], args].concat()).1, reason);
    }
}

async fn start_keys(client: &Client) -> Vec<String> {
    let sql = "SELECT start_key FROM sharddb.ranges ORDER BY start_key";
    rows(client, sql).await.into_iter().flatten().collect()
}

/// Three nodes, of which the second serves no SQL, a fourth that joined later, and a proxy.
async fn five_nodes() -> Cluster {
    let mut cluster = Cluster::plan(&[None, Some("meta,shard"), None]);
    (0..3).for_each(|i| cluster.restart(i));
    cluster.client(0).await;
    cluster.client(2).await;
    cluster.add(None).await;
    cluster.add(Some("proxy")).await;
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cluster_command_does_what_sql_shows() {
    let cluster = five_nodes().await;
    let client = cluster.client(0).await;
    let address = |i: usize| format!("127.0.0.1:{}", cluster.nodes[i].rpc);
    client
        .batch_execute("CREATE TABLE t (a int, b text, PRIMARY KEY (a, b))")
        .await
        .expect("creates");

    nodes_and_status(&client, &address(0)).await;
    // Through the node without SQL: it asks one that has it.
    split(&client, &Operator(address(1))).await;
    move_and_transfer(&client, &Operator(address(0))).await;
    proxy_holds_nothing(&client, &cluster).await;
}

async fn nodes_and_status(client: &Client, address: &str) {
    let sql = "SELECT node_id, rpc_address, sql_address, http_address FROM sharddb.nodes \
               WHERE sql_address <> '' ORDER BY node_id";
    let printed = cells(&Operator(address.to_owned()).run(&["nodes"]));
    assert_eq!(printed.len(), 5);
    let with_sql: Vec<_> = printed.iter().filter(|line| line[0] != "2").cloned().collect();
    assert_eq!(columns(&with_sql, &[0, 2, 3, 4]), rows(client, sql).await);
    // The voters of the meta group are those with which the cluster began.
    let sql = "SELECT node_id, roles FROM sharddb.nodes ORDER BY node_id";
    let roles = ["meta,shard,proxy", "meta,shard", "meta,shard,proxy", "shard,proxy", "proxy"];
    let roles =
        roles.iter().enumerate().map(|(i, roles)| vec![(i + 1).to_string(), (*roles).into()]);
    assert_eq!(rows(client, sql).await, roles.collect::<Vec<_>>());

    let status = succeeds(&["status", "--join", &format!("127.0.0.1:1,{address}")]);
    let (nodes, ranges) = status.split_once("\n\n").expect("two tables");
    assert_eq!(cells(nodes).len(), 5);
    let sql = "SELECT range_id FROM sharddb.ranges ORDER BY start_key";
    assert_eq!(columns(&cells(ranges), &[0]), rows(client, sql).await);
    let (_, text) = fails(&["status", "--join", "127.0.0.1:1,127.0.0.1:2"]);
    one_line(&text, "no node answers");
}

async fn split(client: &Client, operator: &Operator) {
    let before = start_keys(client).await;
    operator.run(&["split", "t", "50", "m"]);
    let after = start_keys(client).await;
    assert_eq!(after.len(), before.len() + 1);
    operator.run(&["split", "t", "50", "m"]);
    assert_eq!(start_keys(client).await, after, "a range starts there already");
    assert_eq!(value(client, "SELECT sharddb.split_table('t', '50', 'm')").await, "NULL");

    operator.run(&["split", "t", "-7"]);
    operator.run(&["split", "t", "70"]);
    let keys = start_keys(client).await;
    let printed = cells(&operator.run(&["ranges"]));
    let key = &printed.last().expect("ranges")[5];
    assert!(operator.run(&["split", key]).contains("already"));
    // The integer is the end of the key: the next one.
    let (rest, last) = key.split_at(key.len() - 2);
    let next = u8::from_str_radix(last, 16).expect("hex") + 1;
    operator.run(&["split", &format!("{rest}{next:02x}")]);
    let split = start_keys(client).await;
    assert_eq!(split.len(), keys.len() + 1);
    client.batch_execute("INSERT INTO t VALUES (69, 'x'), (70, 'x'), (71, 'x')").await.expect("ok");
    let plan = rows(client, "EXPLAIN SELECT * FROM t WHERE a = 70").await.concat().join("\n");
    assert!(plan.contains("Ranges:"), "{plan}");

    operator.is_refused(&["split", "nowhere", "1"], "does not exist");
    operator.is_refused(&["split", "t", "1", "a", "z"], "2 primary key columns");
    operator.is_refused(&["split", "t", "1,2"], "invalid input syntax");
    operator.is_refused(&["split", "nohex"], "key in hex");
}

async fn move_and_transfer(client: &Client, operator: &Operator) {
    let range = value(client, "SELECT max(range_id) FROM sharddb.ranges").await;
    let sql = format!("SELECT replicas::text FROM sharddb.ranges WHERE range_id = {range}");
    let holders = |text: &str| {
        let digits = text.chars().filter(char::is_ascii_digit);
        digits.map(|c| c.to_string()).collect::<Vec<String>>()
    };
    for (args, reason) in [
        (&["move", &range, "3"][..], "already has a replica on node 3"),
        (&["move", &range, "4", "--from", "4"], "no replica on node 4"),
        (&["move", &range, "9"], "node 9 does not exist"),
        (&["move", &range, "5"], "node 5 does not have the role shard"),
        (&["move", "999", "4"], "there is no range 999"),
    ] {
        operator.is_refused(args, reason);
        assert_eq!(holders(&value(client, &sql).await), ["1", "2", "3"]);
    }
    let sql_move = format!("SELECT sharddb.move_range({range}, 5)");
    let error = client.simple_query(&sql_move).await.expect_err("refused");
    assert_eq!(error.code().map(|code| code.code()), Some("22023"));

    let said = operator.run(&["move", &range, "4", "--from", "3"]);
    assert!(said.contains("from node 3 to node 4"), "{said}");
    assert_eq!(holders(&value(client, &sql).await), ["1", "2", "4"]);
    operator.run(&["move", &range, "3"]);
    let now = holders(&value(client, &sql).await);
    assert!(now.len() == 3 && now.contains(&"3".into()), "{now:?}");

    let printed = cells(&operator.run(&["ranges"]));
    let sql = "SELECT range_id FROM sharddb.ranges ORDER BY start_key";
    assert_eq!(columns(&printed, &[0]), rows(client, sql).await);
    operator.run(&["transfer", &range, "3"]);
    eventually("node 3 leads", async || {
        let sql = format!("SELECT leader FROM sharddb.ranges WHERE range_id = {range}");
        value(client, &sql).await == "3"
    })
    .await;
    operator.is_refused(&["transfer", &range, "5"], "no voting replica");
}

async fn proxy_holds_nothing(client: &Client, cluster: &Cluster) {
    let proxy = cluster.client(4).await;
    assert_eq!(value(&proxy, "SELECT count(*) FROM t").await, "3");
    let held = "SELECT count(*) FROM sharddb.ranges WHERE replicas::text LIKE '%5%'";
    assert_eq!(value(client, held).await, "0");
    assert_eq!(value(client, "SELECT replicas FROM sharddb.nodes WHERE node_id = 5").await, "0");
}

/// A demo whose files go below `dir`, and the URLs that it has printed.
fn demo(dir: &Path, nodes: &str) -> (Child, Vec<String>) {
    let mut child = sharddb()
        .args(["demo", "--nodes", nodes])
        .env("TMPDIR", dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("sharddb starts");
    let stdout = BufReader::new(child.stdout.take().expect("standard output"));
    let mut urls = Vec::new();
    for line in stdout.lines().map_while(Result::ok) {
        let url = line.split_whitespace().find(|word| word.starts_with("postgresql://"));
        urls.extend(url.map(str::to_owned));
        if line.contains("Ctrl-C") {
            return (child, urls);
        }
    }
    panic!("the demo ended by itself");
}

/// The processes that a process has started.
fn children(of: &Child) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", of.id());
    let text = std::fs::read_to_string(path).expect("children of a process");
    text.split_whitespace().map(|pid| pid.parse().expect("a process id")).collect()
}

/// Ended; one that nobody has waited for has no command line any more.
fn is_gone(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).map_or(true, |text| text.is_empty())
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).expect("a directory").next().is_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_serves_and_leaves_nothing_behind() {
    for (nodes, signal) in [("3", Signal::INT), ("1", Signal::HUP)] {
        let dir = tempfile::tempdir().expect("directory");
        let (mut demo, urls) = demo(dir.path(), nodes);
        assert_eq!(urls.len().to_string(), nodes);
        for url in &urls {
            let client = connect_to(url).await.expect("connects");
            assert_eq!(value(&client, "SELECT 40 + 2").await, "42");
        }
        let children = children(&demo);
        assert_eq!(children.len(), urls.len());
        assert!(!is_empty(dir.path()));
        signal_child(&demo, signal);
        assert!(wait(&mut demo).await.success());
        assert!(children.iter().all(|pid| is_gone(*pid)), "nodes are left");
        assert!(is_empty(dir.path()), "files are left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_a_demo_that_is_killed_end_by_themselves() {
    let dir = tempfile::tempdir().expect("directory");
    let (mut demo, _) = demo(dir.path(), "1");
    let children = children(&demo);
    assert_eq!(children.len(), 1);
    demo.kill().expect("a running process");
    demo.wait().expect("a child");
    eventually("the node ends", async || is_gone(children[0])).await;
}
