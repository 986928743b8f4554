//! A disk that fills up: writes that let the store grow are refused, reads and what frees space go
//! on, and so do writes once there is space again. On a small file system of its own, which only
//! root can mount.

use crate::common::{Cluster, eventually, value};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio_postgres::Client;

const DISK_BYTES: u64 = 256 << 20;
const RESERVE_BYTES: u64 = 32 << 20;

/// A mounted tmpfs; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<SmallDisk> {
        let size = format!("size={DISK_BYTES}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "sharddb-test"]).arg(at);
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        is_mounted.then(|| SmallDisk(at.to_owned()))
    }

    fn free(&self) -> u64 {
        let output = Command::new("df").args(["-B1", "--output=avail"]).arg(&self.0).output();
        let text = String::from_utf8(output.expect("df runs").stdout).expect("text");
        text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number")
    }

    /// Takes space until about so many bytes are free.
    fn fill(&self, left: u64) {
        let path = self.0.join("filler");
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("filler");
        let piece = vec![0; 64 << 10];
        while self.free() > left {
            // The last piece may not fit any more.
            if file.write_all(&piece).is_err() {
                break;
            }
        }
    }

    fn release(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("filler");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a node that is still ending may hold files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn code(result: Result<Vec<tokio_postgres::SimpleQueryMessage>, tokio_postgres::Error>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().map_or(format!("{error:?}"), |code| code.code().to_owned()),
    }
}

async fn insert(client: &Client, id: i64) -> String {
    code(client.simple_query(&format!("INSERT INTO t VALUES ({id}, repeat('x', 100000))")).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_growth_only_and_writes_go_on_when_there_is_space() {
    let mut cluster = Cluster::start(1).await;
    cluster.kill(0);
    std::fs::remove_dir_all(&cluster.nodes[0].dir).expect("an empty place");
    std::fs::create_dir_all(&cluster.nodes[0].dir).expect("an empty place");
    let Some(disk) = SmallDisk::mount(&cluster.nodes[0].dir) else {
        eprintln!("SKIPPED, NOTHING WAS TESTED: only root can mount a small disk");
        return;
    };
    let reserve = RESERVE_BYTES.to_string();
    cluster.restart_with(0, &[("SHARDDB_RESERVE_BYTES", &reserve)]);
    let client = cluster.client(0).await;
    for sql in [
        "CREATE TABLE t (id int8 PRIMARY KEY, pad text)",
        "CREATE TABLE doomed (id int8 PRIMARY KEY)",
        "INSERT INTO doomed SELECT generate_series(1, 10)",
    ] {
        client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }
    for id in 0..60 {
        assert_eq!(insert(&client, id).await, "ok");
    }

    disk.fill(RESERVE_BYTES * 3 / 4);
    // The node looks at the disk after every megabyte that it has written.
    let mut id = 60;
    eventually("growth is refused", async || {
        let refused = insert(&client, id).await == "53100";
        id += i64::from(!refused);
        refused
    })
    .await;
    let rows: i64 = value(&client, "SELECT count(*) FROM t").await.parse().expect("a count");
    assert_eq!(rows, id, "what was acknowledged is there, what was refused is not");
    let update = "UPDATE t SET pad = repeat('y', 100000) WHERE id = 1";
    assert_eq!(code(client.simple_query(update).await), "53100");
    for sql in ["DELETE FROM t WHERE id < 50", "TRUNCATE doomed", "DROP TABLE doomed"] {
        assert_eq!(code(client.simple_query(sql).await), "ok", "{sql}");
    }
    assert_eq!(value(&client, "SELECT count(*) FROM t").await, (rows - 50).to_string());
    disk.release();
    eventually("inserts go on by themselves", async || {
        id += 1;
        insert(&client, id).await == "ok"
    })
    .await;

    // To the last byte, under a node that wants to write.
    disk.fill(0);
    let refusal = loop {
        match insert(&client, id + 1).await.as_str() {
            "ok" => id += 1,
            refused => break refused.to_owned(),
        }
    };
    println!("full to the last byte: {refusal}");
    let acknowledged = id;
    disk.release();
    let port = cluster.nodes[0].sql;
    let mut ended = false;
    eventually("the node goes on, or has ended and starts again", async || {
        if cluster.has_ended(0) {
            ended = true;
            assert!(cluster.nodes[0].log().contains("fatal: "), "it ended without a word");
            cluster.restart_with(0, &[("SHARDDB_RESERVE_BYTES", &reserve)]);
        }
        match crate::common::connect(port).await {
            Ok(client) => insert(&client, 1_000_000).await == "ok",
            Err(_) => false,
        }
    })
    .await;
    println!("on a disk full to the last byte the node {}", if ended { "ended" } else { "waited" });
    let client = cluster.client(0).await;
    let sql = format!("SELECT count(*) FROM t WHERE id IN (59, {acknowledged})");
    assert_eq!(value(&client, &sql).await, "2", "acknowledged and lost");
    cluster.kill(0);
}
