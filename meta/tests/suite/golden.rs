//! Golden scripts under `testdata/meta`: requests and their answers.

use crate::script;
use crate::support::{Cluster, blob, bound, node, poll, report};
use base::meta_api::{IdKind, MetaRequest, MetaResponse, NodeHeartbeat, RangeStatus, WaitEdge};
use base::{BoxFuture, ClusterId, Key, NodeId, RangeId, Timestamp, TxnId};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

#[test]
fn scripts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/meta");
    let start = || {
        let cluster = Cluster::new(3, true);
        cluster.clock.set_wall(1_700_000_000_000);
        cluster
    };
    script::run_all(&directory, start, run);
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn run(cluster: &mut Cluster, words: &[&str]) -> String {
    match words {
        ["elect", node] => cluster.elect(number(node) as usize - 1, 0),
        ["depose"] => cluster.depose(),
        ["lease", state] => cluster.set_lease(*state == "on"),
        ["restart", node] => cluster.restart(number(node) as usize - 1),
        ["advance", millis] => cluster.clock.advance(Duration::from_millis(number(millis))),
        ["wall", millis] => cluster.clock.set_wall(number(millis)),
        ["agree"] => cluster.check_agreement(),
        ["repairs", wanted] => return repairs(cluster, number(wanted) as usize),
        // `@2 request` asks node 2, otherwise the leader is asked.
        [at, rest @ ..] if at.starts_with('@') => {
            return ask(cluster, number(&at[1..]) as usize - 1, request(rest));
        }
        words => {
            let leader = cluster.leader().unwrap_or(0);
            return ask(cluster, leader, request(words));
        }
    }
    cluster.clock.run();
    String::new()
}

fn request(words: &[&str]) -> MetaRequest {
    match words {
        ["leader"] => MetaRequest::Leader,
        ["timestamps", count] => MetaRequest::Timestamps { count: number(count) as u32 },
        ["ids", kind, count] => {
            MetaRequest::AllocateIds { kind: kind_of(kind), count: number(count) }
        }
        ["join", id, rest @ ..] => MetaRequest::Join {
            node: node(number(id)),
            cluster: rest.first().map(|id| ClusterId(u128::from(number(id)))),
        },
        // heartbeat NODE replicas=N min=TS lead=RANGE,EPOCH,FROM,TO,TERM...
        ["heartbeat", id, facts @ ..] => heartbeat(number(id), facts),
        ["lookup", key] => MetaRequest::Lookup { key: bound(key) },
        ["ranges", from, limit] => MetaRequest::Ranges { from: bound(from), limit: number(limit) },
        ["nodes"] => MetaRequest::Nodes,
        ["report", range, epoch, from, to, leader, term] => MetaRequest::ReportRange(report(
            number(range),
            number(epoch),
            bound(from),
            bound(to),
            number(leader),
            number(term),
        )),
        // split RANGE EPOCH FROM AT TO NEW LEADER
        ["split", range, epoch, from, at, to, new, leader] => {
            let half = |range, from, to| {
                Box::new(report(number(range), number(epoch), from, to, number(leader), 0))
            };
            MetaRequest::ReportSplit {
                left: half(range, bound(from), bound(at)),
                right: half(new, bound(at), bound(to)),
            }
        }
        ["set", name, value] => {
            let value = (*value != "-").then(|| blob(value));
            MetaRequest::SetSetting { name: name.to_string(), value }
        }
        ["settings", prefix @ ..] => MetaRequest::GetSettings { prefix: prefix.concat() },
        ["safepoint"] => MetaRequest::SafePoint,
        ["wait", waiter, key, holders @ ..] => MetaRequest::Wait(WaitEdge {
            waiter: txn(waiter),
            holders: holders.iter().map(|holder| txn(holder)).collect(),
            key: Key::copy_from(key.as_bytes()),
            range: RangeId(1),
        }),
        ["done", waiter] => MetaRequest::WaitDone { waiter: txn(waiter) },
        words => panic!("unknown command {words:?}"),
    }
}

fn heartbeat(id: u64, facts: &[&str]) -> MetaRequest {
    let mut heartbeat = NodeHeartbeat {
        node: NodeId(id),
        replicas: 0,
        bytes: 0,
        free_bytes: 0,
        min_snapshot: Timestamp::MAX,
        leads: Vec::new(),
        leaders: 0,
    };
    for fact in facts {
        match fact.split_once('=').expect("fact=value") {
            ("replicas", value) => heartbeat.replicas = number(value),
            ("min", value) => heartbeat.min_snapshot = Timestamp::new(number(value), 0),
            ("lead", value) => {
                let parts: Vec<&str> = value.split(',').collect();
                let [range, epoch, from, to, term] = parts[..] else { panic!("{value}") };
                heartbeat.leads.push(report(
                    number(range),
                    number(epoch),
                    bound(from),
                    bound(to),
                    id,
                    number(term),
                ));
            }
            (name, _) => panic!("unknown fact {name}"),
        }
    }
    heartbeat.leaders = heartbeat.leads.len() as u64;
    MetaRequest::Heartbeat(heartbeat)
}

fn kind_of(name: &str) -> IdKind {
    match name {
        "node" => IdKind::Node,
        "range" => IdKind::Range,
        "oid" => IdKind::Oid,
        "txn" => IdKind::Txn,
        name => panic!("unknown kind {name}"),
    }
}

fn txn(name: &str) -> TxnId {
    TxnId::new(NodeId(1), number(name))
}

fn ask(cluster: &Cluster, node: usize, request: MetaRequest) -> String {
    let service = cluster.services[node].clone();
    let mut future: BoxFuture<'static, _> = Box::pin(async move { service.execute(request).await });
    let answer = poll(&mut future).expect("proposals commit at once");
    cluster.clock.run();
    match answer {
        Ok(response) => show(response),
        Err(error) => format!("error: {error} {}", detail(&error)),
    }
}

fn detail(error: &base::KvError) -> String {
    match error {
        base::KvError::MetaNotLeader { leader } => format!("(leader {leader:?})"),
        _ => String::new(),
    }
}

fn show(response: MetaResponse) -> String {
    match response {
        MetaResponse::Timestamps { first, count } => format!("{first} and {} more", count - 1),
        MetaResponse::Ids { first } => format!("from {first}"),
        MetaResponse::Joined { node, cluster, nodes } => {
            let known: Vec<String> =
                nodes.iter().map(|node| format!("{}={}", node.node, node.rpc_addr)).collect();
            format!("{node} of cluster {:x}: {}", cluster.0, known.join(" "))
        }
        MetaResponse::Heartbeat { nodes, safe_point, catalog_version, .. } => {
            let live: Vec<String> = nodes
                .iter()
                .filter(|node| node.is_live)
                .map(|node| node.descriptor.node.to_string())
                .collect();
            format!("live {}; safe point {safe_point}; catalog {catalog_version}", live.join(","))
        }
        MetaResponse::Ranges(ranges) => ranges.iter().map(show_range).collect(),
        MetaResponse::Nodes(nodes) => nodes.iter().fold(String::new(), |mut out, node| {
            let _ = writeln!(
                out,
                "{} {} replicas={} leaders={}{}",
                node.descriptor.node,
                if node.is_live { "live" } else { "dead" },
                node.replicas,
                node.leaders,
                if node.leads_meta { " leads meta" } else { "" },
            );
            out
        }),
        MetaResponse::Settings(settings) => {
            settings.iter().fold(String::new(), |mut out, (k, v)| {
                let _ = writeln!(out, "{k} = {}", String::from_utf8_lossy(v));
                out
            })
        }
        MetaResponse::SafePoint(ts) => ts.to_string(),
        MetaResponse::Deadlock { cycle } => {
            let names: Vec<String> = cycle.iter().map(|txn| txn.to_string()).collect();
            if names.is_empty() { "no cycle".into() } else { format!("cycle {}", names.join(" ")) }
        }
        MetaResponse::Leader { leader } => format!("{leader:?}"),
        MetaResponse::Done => String::new(),
    }
}

fn show_range(status: &RangeStatus) -> String {
    let span = &status.descriptor.span;
    let bound = |key: &Key| match key {
        key if *key == Key::MIN => "-".to_string(),
        key if *key == Key::max() => "+".to_string(),
        key => String::from_utf8_lossy(key).into_owned(),
    };
    format!(
        "{} epoch {} [{}, {}) led by {}\n",
        status.descriptor.range,
        status.descriptor.epoch,
        bound(&span.start),
        bound(&span.end),
        status.leader.map_or("nobody".into(), |leader| leader.to_string()),
    )
}

fn repairs(cluster: &Cluster, wanted: usize) -> String {
    let leader = cluster.leader().unwrap_or(0);
    match cluster.services[leader].repairs(wanted) {
        Ok(repairs) => format!("{repairs:?}"),
        Err(error) => format!("error: {error}"),
    }
}
