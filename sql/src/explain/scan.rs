//! Scans as EXPLAIN sees them, and what shards do with the rows.

use super::node::{Maker, PlanNode, direction};
use crate::exec::{KeySet, key_set};
use crate::plan::expr::{ColId, Expr};
use crate::plan::physical::*;
use base::Span;
use base::layout::PRIMARY_INDEX;

impl Maker<'_> {
    /// A scan. What shards do with its rows are nodes of their own in PostgreSQL's picture.
    pub(super) fn gathered(&self, node: &Node, scan: &Scan) -> PlanNode {
        let mut out = self.scan(node, scan);
        let over = |name: String, input: PlanNode| {
            let mut out = self.plain(node, name);
            out.inputs.push(input);
            out
        };
        if let Some(partial) = &scan.partial {
            let strategy = if partial.groups.is_empty() { "Aggregate" } else { "HashAggregate" };
            out = over(format!("Partial {strategy}"), out);
            out.details.extend(self.group_key(&partial.groups, &slots(scan)));
        } else if let Some(top) = &scan.top {
            let columns = slots(scan);
            let key = |(expr, desc, nulls_first): &(Expr, bool, bool)| {
                self.show(expr, &columns) + direction(*desc, *nulls_first)
            };
            out = over("Sort".to_owned(), out);
            let keys: Vec<String> = top.keys.iter().map(key).collect();
            out.details.push(("Sort Key", keys.join(", ")));
            out = over("Limit".to_owned(), out);
        } else {
            return out;
        }
        over("Gather".to_owned(), out)
    }

    fn scan(&self, node: &Node, scan: &Scan) -> PlanNode {
        let mut out = self.plain(node, scan_name(scan));
        out.suffix = scan_suffix(scan);
        out.properties.push(("Relation Name", scan.table.name.clone()));
        out.properties.push(("Alias", scan.alias.clone()));
        self.scan_details(scan, &mut out);
        out.spans = Some(match key_set(scan, &self.state.env()) {
            Ok(KeySet::Points(keys)) => keys.into_iter().map(Span::point).collect(),
            Ok(KeySet::Spans(spans)) => spans,
            // Parameters of a correlated subquery are not known here.
            Err(_) => vec![base::layout::index_span(scan.table.storage_id, scan.index)],
        });
        out
    }

    fn scan_details(&self, scan: &Scan, out: &mut PlanNode) {
        let columns = slots(scan);
        let joined = |parts: &[Expr]| {
            let texts: Vec<String> = parts.iter().map(|p| self.show(p, &columns)).collect();
            match texts.as_slice() {
                [one] => one.clone(),
                many => format!("({})", many.join(" AND ")),
            }
        };
        if !scan.condition.is_empty() {
            out.details.push(("Index Cond", joined(&scan.condition)));
        }
        let filters: Vec<Expr> = scan.filter.iter().chain(&scan.local_filter).cloned().collect();
        if !filters.is_empty() {
            out.details.push(("Filter", joined(&filters)));
        }
    }

    pub(super) fn lookup_side(&self, join: &LookupJoin) -> PlanNode {
        let scan = &join.right;
        let mut out = PlanNode {
            name: scan_name(scan).to_owned(),
            properties: Vec::new(),
            suffix: scan_suffix(scan),
            details: Vec::new(),
            rows: 1.0,
            width: join.right_types.len() * 8,
            stats: self.state.stats.as_ref().and_then(|s| s.get(join.right_id)).copied(),
            label: None,
            inputs: Vec::new(),
            spans: Some(vec![base::layout::index_span(scan.table.storage_id, scan.index)]),
            ranges: Vec::new(),
        };
        self.scan_details(scan, &mut out);
        out
    }
}

/// The columns that a scan's own expressions see.
pub(super) fn slots(scan: &Scan) -> Vec<ColId> {
    scan.columns.iter().map(|column| column.column).collect()
}

fn scan_name(scan: &Scan) -> &'static str {
    let ordered = scan.ordered || !scan.keys.is_full();
    match (scan.index, scan.covering) {
        (PRIMARY_INDEX, _) if !ordered => "Seq Scan",
        (PRIMARY_INDEX, _) | (_, false) if scan.reverse => "Index Scan Backward",
        (PRIMARY_INDEX, _) | (_, false) => "Index Scan",
        (_, true) if scan.reverse => "Index Only Scan Backward",
        (_, true) => "Index Only Scan",
    }
}

fn scan_suffix(scan: &Scan) -> String {
    let table = &scan.table;
    let named = if scan.alias == table.name {
        table.name.clone()
    } else {
        format!("{} {}", table.name, scan.alias)
    };
    if scan_name(scan) == "Seq Scan" {
        return format!(" on {named}");
    }
    let index =
        table.index(scan.index).map_or_else(|| format!("{}_pkey", table.name), |i| i.name.clone());
    format!(" using {index} on {named}")
}
