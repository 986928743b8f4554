//! The scenarios of `testdata/wire` against a real node: malformed messages, and every message in
//! every state, answered as PostgreSQL answered them.

#[path = "../../../wire/tests/support/scenario.rs"]
mod scenario;

use crate::common::{Cluster, PATIENCE};
use scenario::Scenario;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// Everything the node sends to these bytes and the end of the stream behind them.
fn answer(port: u16, bytes: &[u8]) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // The node may close while it is still being sent to; what it said before counts.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut sent = Vec::new();
    let _ = stream.read_to_end(&mut sent);
    scenario::words(&sent)
}

/// The node sees the end of the stream where PostgreSQL was left waiting, and it sends what stands
/// behind an answer that is due together with it, so two things may come on top of PostgreSQL's
/// answer: replies that it still held back, and the failure of an open COPY.
fn is_right(scenario: &Scenario, mut words: Vec<String>) -> bool {
    if let Some(lost) = words.iter().position(|word| word.ends_with(":08006")) {
        words.truncate(lost);
    }
    let expected = scenario.differs.as_ref().unwrap_or(&scenario.reference);
    let ending = if expected.ends_with("closed") { "closed" } else { "open" };
    loop {
        let ours = words.iter().map(String::as_str).chain([ending]).collect::<Vec<_>>().join(" ");
        if ours == scenario.reference || scenario.allows(&ours) {
            return true;
        }
        if words.pop_if(|word| scenario::is_held_back(word)).is_none() {
            return false;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_answers_as_postgresql_does() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client(0).await;
    client.batch_execute("CREATE TABLE sink (line text)").await.expect("creates");
    let port = cluster.nodes[0].sql;
    let mut wrong = String::new();
    for scenario in
        ["malformed.txt", "matrix.txt", "mutations.txt"].into_iter().flat_map(scenario::read)
    {
        let words = answer(port, &scenario.bytes);
        let ours = words.join(" ");
        if !is_right(&scenario, words) {
            let (name, reference) = (&scenario.name, &scenario.reference);
            let _ = writeln!(wrong, "{name}\n  {reference}\n  {ours}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    client.simple_query("SELECT 1").await.expect("nobody else was disturbed");
}
