//! Tables for people.

use base::meta_api::{NodeStatus, RangeStatus};

/// One line a node.
pub(super) fn nodes(nodes: &[NodeStatus]) -> String {
    let header = ["node", "state", "rpc", "sql", "http", "roles", "replicas", "leaders", "MiB"];
    table(&header, nodes.iter().map(node))
}

/// One line a range.
pub(super) fn ranges(ranges: &[RangeStatus]) -> String {
    let header = ["range", "leader", "replicas", "epoch", "MiB", "start", "end"];
    table(&header, ranges.iter().map(range))
}

fn node(status: &NodeStatus) -> Vec<String> {
    let node = &status.descriptor;
    let roles = [
        (node.is_meta, if status.leads_meta { "meta*" } else { "meta" }),
        (node.is_shard, "shard"),
        (node.is_proxy, "proxy"),
    ];
    let roles: Vec<&str> = roles.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    vec![
        node.node.0.to_string(),
        if status.is_live { "live" } else { "dead" }.to_owned(),
        node.rpc_addr.clone(),
        node.sql_addr.clone(),
        node.http_addr.clone(),
        roles.join(","),
        status.replicas.to_string(),
        status.leaders.to_string(),
        mebibytes(status.bytes),
    ]
}

fn range(status: &RangeStatus) -> Vec<String> {
    let descriptor = &status.descriptor;
    let replicas: Vec<String> = descriptor.replicas.iter().map(|r| r.node.0.to_string()).collect();
    vec![
        descriptor.range.0.to_string(),
        status.leader.map_or("-".to_owned(), |node| node.0.to_string()),
        replicas.join(","),
        descriptor.epoch.to_string(),
        mebibytes(status.bytes),
        descriptor.span.start.to_string(),
        descriptor.span.end.to_string(),
    ]
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// Columns as wide as their widest cell.
fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|h| (*h).to_owned()).collect()];
    lines.extend(rows);
    let widths: Vec<usize> = (0..header.len())
        .map(|i| lines.iter().map(|line| line[i].len()).max().unwrap_or(0))
        .collect();
    let print = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(print).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["1".to_owned(), "live".to_owned()]];
        assert_eq!(table(&["node", "state"], rows.into_iter()), "node  state\n1     live");
    }
}
