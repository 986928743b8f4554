//! Real processes under test: a cluster of `sharddb start` children on loopback, each with its own
//! directory, that can be killed and started again.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// How long anything may take before the test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One process.
pub(crate) struct Node {
    pub(crate) sql: u16,
    pub(crate) rpc: u16,
    pub(crate) http: u16,
    pub(crate) dir: PathBuf,
    join: Vec<String>,
    roles: Option<&'static str>,
    child: Option<Child>,
}

/// Some processes that form a cluster. Dropping it kills them and removes their directories.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    dir: TempDir,
}

impl Cluster {
    /// Starts `count` nodes and waits until all accept SQL.
    pub(crate) async fn start(count: usize) -> Cluster {
        let mut cluster = Cluster::plan(&vec![None; count]);
        cluster.nodes.iter_mut().for_each(Node::spawn);
        for i in 0..count {
            cluster.client(i).await;
        }
        cluster
    }

    /// Nodes with these roles (`None`: all) that form a cluster once they are started.
    pub(crate) fn plan(roles: &[Option<&'static str>]) -> Cluster {
        let count = roles.len();
        let dir = tempfile::tempdir().expect("temporary directory");
        let ports: Vec<[u16; 3]> = (0..count).map(|_| free_ports()).collect();
        let join: Vec<String> = if count == 1 {
            Vec::new()
        } else {
            ports.iter().map(|p| format!("127.0.0.1:{}", p[1])).collect()
        };
        let nodes = ports
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let dir = dir.path().join(format!("n{}", i + 1));
                Node::new(dir, *p, join.clone(), roles[i])
            })
            .collect();
        Cluster { nodes, dir }
    }

    /// Starts one more node that joins through the others.
    pub(crate) async fn add(&mut self, roles: Option<&'static str>) -> usize {
        let join = self.nodes.iter().map(|n| format!("127.0.0.1:{}", n.rpc)).collect();
        let dir = self.dir.path().join(format!("n{}", self.nodes.len() + 1));
        let mut node = Node::new(dir, free_ports(), join, roles);
        node.spawn();
        self.nodes.push(node);
        let index = self.nodes.len() - 1;
        self.client(index).await;
        index
    }

    /// A client of node `i`; waits until the node answers a statement.
    pub(crate) async fn client(&self, i: usize) -> Client {
        let start = Instant::now();
        loop {
            match connect(self.nodes[i].sql).await {
                Ok(client) => match client.simple_query("SELECT 1").await {
                    Ok(_) => return client,
                    Err(e) => assert!(start.elapsed() < PATIENCE, "node {i} answers {e:?}"),
                },
                Err(e) => assert!(start.elapsed() < PATIENCE, "node {i} refuses: {e:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, i: usize) {
        self.nodes[i].kill();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, i: usize, signal: Signal) {
        signal_child(self.nodes[i].child.as_ref().expect("a running node"), signal);
    }

    /// Waits until the node has ended by itself.
    pub(crate) async fn ended(&mut self, i: usize) -> ExitStatus {
        let child = self.nodes[i].child.as_mut().expect("a running node");
        let status = wait(child).await;
        self.nodes[i].child = None;
        status
    }

    /// Starts a node that does not run, on its directory.
    pub(crate) fn restart(&mut self, i: usize) {
        assert!(self.nodes[i].child.is_none(), "node {i} runs");
        self.nodes[i].spawn();
    }

    /// Stops a node without ending it, or lets it go on: `STOP`, `CONT`.
    pub(crate) fn signal(&self, i: usize, signal: &str) {
        let pid = self.nodes[i].child.as_ref().expect("node runs").id().to_string();
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(pid).status();
        assert!(sent.expect("kill runs").success(), "node {i} is there");
    }

    /// Connection URL of node `i`.
    pub(crate) fn url(&self, i: usize) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.nodes[i].sql)
    }
}

impl Node {
    fn new(dir: PathBuf, ports: [u16; 3], join: Vec<String>, roles: Option<&'static str>) -> Node {
        Node { sql: ports[0], rpc: ports[1], http: ports[2], dir, join, roles, child: None }
    }

    /// What the node is told to join when it is started next.
    pub(crate) fn set_join(&mut self, join: Vec<String>) {
        self.join = join;
    }

    fn spawn(&mut self) {
        self.spawn_with(&[]);
    }

    /// With additional environment variables.
    fn spawn_with(&mut self, env: &[(&str, &str)]) {
        std::fs::create_dir_all(&self.dir).expect("node directory");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.with_extension("log"))
            .expect("log file");
        let mut command = sharddb();
        command
            .arg("start")
            .envs(env.iter().copied())
            .args(["--data-dir".as_ref(), self.dir.as_os_str()])
            .args(["--sql-listen", &format!("127.0.0.1:{}", self.sql)])
            .args(["--rpc-listen", &format!("127.0.0.1:{}", self.rpc)])
            .args(["--http-listen", &format!("127.0.0.1:{}", self.http)]);
        if !self.join.is_empty() {
            command.args(["--join", &self.join.join(",")]);
        }
        if let Some(roles) = self.roles {
            command.args(["--roles", roles]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log file"))
            .stderr(log)
            .spawn()
            .expect("sharddb starts");
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What the node printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.with_extension("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.kill();
            if std::thread::panicking() {
                eprintln!("--- log of {}\n{}", node.dir.display(), tail(&node.log(), 40));
            }
        }
    }
}

/// The program under test.
pub(crate) fn sharddb() -> Command {
    Command::new(Path::new(env!("CARGO_BIN_EXE_sharddb")))
}

/// Connects as postgres; the connection is driven in the background.
pub(crate) async fn connect(port: u16) -> Result<Client, tokio_postgres::Error> {
    connect_to(&format!(
        "host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=2"
    ))
    .await
}

/// Connects to a URL or to what stands for one.
pub(crate) async fn connect_to(url: &str) -> Result<Client, tokio_postgres::Error> {
    // The system takes connections for a process that does not answer them yet.
    let connecting = tokio::time::timeout(PATIENCE, tokio_postgres::connect(url, NoTls)).await;
    let (client, connection) = connecting.unwrap_or_else(|_| panic!("{url} does not answer"))?;
    tokio::spawn(connection);
    Ok(client)
}

/// Waits until a child has ended by itself.
pub(crate) async fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "the process does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends a signal to a child that has not been waited for.
pub(crate) fn signal_child(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("a running process");
}

/// Runs `sharddb` with arguments that must fail; returns its exit code and standard error.
pub(crate) fn fails(args: &[&str]) -> (i32, String) {
    let mut child = sharddb()
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sharddb starts");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{args:?} did not end");
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("output");
    assert!(!output.status.success(), "{args:?} succeeded");
    let code = output.status.code().expect("an exit by itself");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs `sharddb` with arguments that must succeed; returns its standard output.
pub(crate) fn succeeds(args: &[&str]) -> String {
    let output = sharddb().args(args).output().expect("sharddb runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A complaint is one line that names what is wrong.
pub(crate) fn one_line(text: &str, needle: &str) {
    assert!(text.contains(needle), "expected {needle:?} in {text:?}");
    assert_eq!(text.trim_end().lines().count(), 1, "more than a line: {text}");
}

/// Status and body of one HTTP request; an error while nobody answers.
pub(crate) fn http(port: u16, head: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let malformed = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(malformed)?;
    Ok((status.ok_or_else(malformed)?, body.to_owned()))
}

/// One value of one row as text.
pub(crate) async fn value(client: &Client, sql: &str) -> String {
    let first = rows(client, sql).await.into_iter().flatten().next();
    first.unwrap_or_else(|| panic!("{sql}: no row"))
}

/// All rows as text.
pub(crate) async fn rows(client: &Client, sql: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |value: Option<&str>| value.unwrap_or("NULL").to_owned();
    rows.map(|row| (0..row.len()).map(|i| text(row.get(i))).collect()).collect()
}

/// Ports that nobody listens on right now, below the ephemeral range so that no outgoing connection
/// takes one before the child binds it.
pub(crate) fn free_ports() -> [u16; 3] {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 10_000 + (std::process::id() % 200) as u16 * 100;
    let next = || loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    };
    [next(), next(), next()]
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

impl Cluster {
    /// Starts a killed node again with additional environment variables.
    pub(crate) fn restart_with(&mut self, i: usize, env: &[(&str, &str)]) {
        assert!(self.nodes[i].child.is_none(), "node {i} runs");
        self.nodes[i].spawn_with(env);
    }

    /// True when a node that was started has ended by itself; then it can be started again.
    pub(crate) fn has_ended(&mut self, i: usize) -> bool {
        let Some(child) = self.nodes[i].child.as_mut() else { return true };
        if child.try_wait().expect("a child of ours").is_none() {
            return false;
        }
        self.nodes[i].child = None;
        true
    }

    /// Waits until a node has ended by itself.
    pub(crate) async fn wait_for_end(&mut self, i: usize) {
        let start = Instant::now();
        while !self.has_ended(i) {
            assert!(start.elapsed() < PATIENCE, "node {i} goes on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits for something that has to happen.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The ranges that a query touched and the nodes that answered, as EXPLAIN ANALYZE names them.
pub(crate) async fn answered_by(client: &Client, sql: &str) -> String {
    let rows = client.query(&format!("EXPLAIN ANALYZE {sql}"), &[]).await.expect("explain");
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let touched = lines.iter().find_map(|line| line.split_once("Ranges Touched: "));
    touched.unwrap_or_else(|| panic!("{lines:?}")).1.to_owned()
}
