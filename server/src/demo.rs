//! `sharddb demo`: a local cluster of child processes in a temporary directory.

use crate::cli::DemoArgs;
use crate::exit::Failure;
use crate::signals::{self, Ending};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long the nodes get to form a cluster.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node gets to end its statements and hand its leaders over before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Listening ports of one node.
struct Ports {
    sql: u16,
    rpc: u16,
    http: u16,
}

/// Removes the demo's files, whatever ends it.
struct TempDir(PathBuf);

impl Drop for TempDir {
    fn drop(&mut self) {
        // The operating system cleans its temporary directory too.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs until Ctrl-C or until a node ends by itself.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), Failure> {
    let mut ending = Ending::by_signal_or_hangup()?;
    let dir = TempDir(std::env::temp_dir().join(format!("sharddb-demo-{}", std::process::id())));
    std::fs::create_dir_all(&dir.0)
        .map_err(|e| Failure::new(format!("cannot create {}: {e}", dir.0.display())))?;
    let ports = choose_ports(args.nodes);
    let join = ports.iter().map(|p| format!("127.0.0.1:{}", p.rpc)).collect::<Vec<_>>().join(",");
    let mut children = Vec::new();
    for (i, ports) in ports.iter().enumerate() {
        let join = (args.nodes > 1).then_some(join.as_str());
        children.push(spawn_node(&dir.0.join(format!("n{}", i + 1)), ports, join)?);
    }
    // Kept apart: waiting for a child closes its standard input, and that would stop it.
    let lifelines: Vec<_> = children.iter_mut().map(|child| child.stdin.take()).collect();
    let outcome = tokio::select! {
        outcome = serve(&mut children, &ports) => outcome,
        () = ending.come() => Ok(()),
    };
    stop(children).await;
    drop(lifelines);
    outcome
}

async fn serve(children: &mut [Child], ports: &[Ports]) -> Result<(), Failure> {
    for child in children.iter_mut() {
        tokio::time::timeout(READY_TIMEOUT, wait_ready(child))
            .await
            .map_err(|_| Failure::new("the demo cluster did not become ready"))??;
    }
    for (i, ports) in ports.iter().enumerate() {
        crate::exit::say(&format!(
            "node {}: postgresql://postgres@127.0.0.1:{}/postgres  http://127.0.0.1:{}/metrics",
            i + 1,
            ports.sql,
            ports.http
        ));
    }
    crate::exit::say("stop with Ctrl-C; nothing is left behind");
    let ends = children.iter_mut().map(|child| Box::pin(child.wait()));
    // Which one and how does not matter.
    let _ = futures::future::select_all(ends).await;
    Err(Failure::new("a node of the demo cluster ended"))
}

async fn wait_ready(child: &mut Child) -> Result<(), Failure> {
    let stdout = child.stdout.take().ok_or_else(|| Failure::new("a node has no output"))?;
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("ready:") {
            return Ok(());
        }
    }
    Err(Failure::new("a node of the demo cluster ended before it was ready"))
}

fn spawn_node(dir: &Path, ports: &Ports, join: Option<&str>) -> Result<Child, Failure> {
    let program = std::env::current_exe()
        .map_err(|e| Failure::new(format!("cannot find the own program: {e}")))?;
    let mut command = Command::new(program);
    command
        .arg("start")
        .args(["--data-dir".as_ref(), dir.as_os_str()])
        .args(["--sql-listen", &format!("127.0.0.1:{}", ports.sql)])
        .args(["--rpc-listen", &format!("127.0.0.1:{}", ports.rpc)])
        .args(["--http-listen", &format!("127.0.0.1:{}", ports.http)])
        // Held open for as long as the demo lives: its nodes end with it, even when it is killed.
        .arg("--with-parent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C in a terminal goes to the whole group: the demo itself stops its nodes.
        .process_group(0)
        .kill_on_drop(true);
    if let Some(join) = join {
        command.args(["--join", join]);
    }
    command.spawn().map_err(|e| Failure::new(format!("cannot start a node: {e}")))
}

/// All nodes are asked to stop before any is waited for: none waits for a leader to hand over to.
async fn stop(mut children: Vec<Child>) {
    for child in &children {
        if let Some(pid) = child.id() {
            signals::terminate(pid);
        }
    }
    for child in &mut children {
        if tokio::time::timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
            // Already gone is fine.
            let _ = child.kill().await;
        }
    }
}

/// The usual ports where they are free, the next ones otherwise.
fn choose_ports(nodes: u16) -> Vec<Ports> {
    let (mut sql, mut rpc, mut http) = (5433, 7433, 8080);
    (0..nodes)
        .map(|_| Ports { sql: free(&mut sql), rpc: free(&mut rpc), http: free(&mut http) })
        .collect()
}

fn free(next: &mut u16) -> u16 {
    loop {
        let port = *next;
        *next += 1;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
