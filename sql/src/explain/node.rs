//! A plan as EXPLAIN sees it: names, details, numbers, inputs.

use super::deparse::{Names, show};
use super::scan::slots;
use crate::exec::{NodeStats, State};
use crate::plan::Plan;
use crate::plan::expr::{ColId, Expr};
use crate::plan::physical::*;
use crate::plan::rel::{JoinKind, SetOpKind};
use base::{NodeId, RangeId, Span};

/// An operator.
pub(super) struct PlanNode {
    /// PostgreSQL's name for it.
    pub(super) name: String,
    /// Properties for FORMAT JSON: key, value.
    pub(super) properties: Vec<(&'static str, String)>,
    /// What follows the name in text (`using t_pkey on t`).
    pub(super) suffix: String,
    /// Lines below: label, text.
    pub(super) details: Vec<(&'static str, String)>,
    pub(super) rows: f64,
    pub(super) width: usize,
    pub(super) stats: Option<NodeStats>,
    /// `InitPlan 1 (returns $0)`, `SubPlan 1`, `CTE x`.
    pub(super) label: Option<String>,
    pub(super) inputs: Vec<PlanNode>,
    /// Key spans that it reads or may write to.
    pub(super) spans: Option<Vec<Span>>,
    pub(super) ranges: Vec<(RangeId, NodeId)>,
}

impl PlanNode {
    /// The whole plan.
    pub(super) fn of_plan(plan: &Plan, state: &State) -> PlanNode {
        let maker = Maker { plan, state };
        let mut root = maker.node(&plan.root);
        for (i, init) in plan.init.iter().enumerate() {
            let mut node = maker.node(&init.node);
            node.label = Some(format!("InitPlan {} (returns ${})", i + 1, init.outer));
            root.inputs.insert(i, node);
        }
        root
    }

    /// Asks the router which ranges hold the spans.
    pub(super) async fn find_ranges(&mut self, state: &State) {
        let mut stack = vec![self];
        while let Some(node) = stack.pop() {
            for span in node.spans.iter().flatten() {
                for found in state.host.ranges(span).await {
                    if !node.ranges.contains(&found) {
                        node.ranges.push(found);
                    }
                }
            }
            node.ranges.sort();
            stack.extend(node.inputs.iter_mut());
        }
    }
}

pub(super) struct Maker<'a> {
    plan: &'a Plan,
    pub(super) state: &'a State,
}

impl Maker<'_> {
    fn column(&self, id: ColId) -> String {
        self.plan.names.get(id.0 as usize).cloned().unwrap_or_else(|| format!("#{}", id.0))
    }

    pub(super) fn show(&self, expr: &Expr, columns: &[ColId]) -> String {
        let slots = columns.iter().map(|c| self.column(*c)).collect();
        show(expr, &Names { slots, column: &|id| self.column(id) })
    }

    pub(super) fn plain(&self, node: &Node, name: impl Into<String>) -> PlanNode {
        PlanNode {
            name: name.into(),
            properties: Vec::new(),
            suffix: String::new(),
            details: Vec::new(),
            rows: node.rows,
            width: width(node),
            stats: self.state.stats.as_ref().and_then(|s| s.get(node.id)).copied(),
            label: None,
            inputs: Vec::new(),
            spans: None,
            ranges: Vec::new(),
        }
    }

    fn over(&self, node: &Node, name: impl Into<String>, inputs: &[&Node]) -> PlanNode {
        let mut out = self.plain(node, name);
        out.inputs = inputs.iter().map(|i| self.node(i)).collect();
        out
    }

    fn node(&self, node: &Node) -> PlanNode {
        match &node.op {
            Op::Unit | Op::Empty => {
                let mut out = self.plain(node, "Result");
                if matches!(node.op, Op::Empty) {
                    out.details.push(("One-Time Filter", "false".to_owned()));
                }
                out
            }
            Op::Values { rows } if rows.len() > 1 => {
                let mut out = self.plain(node, "Values Scan");
                out.suffix = " on \"*VALUES*\"".to_owned();
                out
            }
            Op::Values { .. } => self.plain(node, "Result"),
            Op::Scan(scan) => self.gathered(node, scan),
            Op::HostRows { alias, .. } => {
                let mut out = self.plain(node, "Virtual Scan");
                out.suffix = format!(" on {alias}");
                out
            }
            Op::Function { alias, .. } => {
                let mut out = self.plain(node, "Function Scan");
                out.suffix = format!(" on {alias}");
                out
            }
            Op::CteScan { name, .. } => {
                let mut out = self.plain(node, "CTE Scan");
                out.suffix = format!(" on {name}");
                out
            }
            Op::Filter { input, predicate } => {
                // PostgreSQL shows conditions on the node below.
                let mut out = self.node(input);
                out.details.push(("Filter", self.show(predicate, &input.columns)));
                out.rows = node.rows;
                out
            }
            Op::Project { input, .. } => {
                let mut out = self.node(input);
                out.width = width(node);
                out
            }
            Op::Aggregate(aggregate) => self.aggregate(node, aggregate),
            Op::Window { input, .. } => self.over(node, "WindowAgg", &[input]),
            Op::ProjectSet { input, .. } => self.over(node, "ProjectSet", &[input]),
            Op::HostCalls { input, .. } => self.node(input),
            Op::HashJoin(join) => self.hash_join(node, join),
            Op::LookupJoin(join) => {
                let mut out = self.over(node, join_name("Nested Loop", join.kind), &[&join.left]);
                out.inputs.push(self.lookup_side(join));
                if let Some(residual) = &join.residual {
                    let columns = self.both(&join.left, &join.right);
                    out.details.push(("Join Filter", self.show(residual, &columns)));
                }
                out
            }
            Op::NestedLoop(join) => {
                let mut out = self.over(
                    node,
                    join_name("Nested Loop", join.kind),
                    &[&join.left, &join.right],
                );
                if let Some(on) = &join.on {
                    let columns: Vec<ColId> =
                        join.left.columns.iter().chain(&join.right.columns).copied().collect();
                    out.details.push(("Join Filter", self.show(on, &columns)));
                }
                out
            }
            Op::Apply(apply) => {
                let mut out = self.node(&apply.input);
                let mut sub = self.node(&apply.sub);
                sub.label = Some("SubPlan".to_owned());
                out.inputs.push(sub);
                out
            }
            Op::Sort { input, keys, limit } => {
                let mut sort = self.over(node, "Sort", &[input]);
                sort.details.push(("Sort Key", self.sort_keys(keys, input)));
                match limit {
                    None => sort,
                    Some(_) => {
                        let mut out = self.plain(node, "Limit");
                        sort.rows = input.rows;
                        out.inputs.push(sort);
                        out
                    }
                }
            }
            Op::Limit { input, .. } => self.over(node, "Limit", &[input]),
            Op::Distinct { input, on } => {
                let mut out = self.over(node, "HashAggregate", &[input]);
                let keys: Vec<String> = on.iter().map(|s| self.column(input.columns[*s])).collect();
                out.details.push(("Group Key", keys.join(", ")));
                out
            }
            Op::Append { inputs } => {
                let inputs: Vec<&Node> = inputs.iter().collect();
                self.over(node, "Append", &inputs)
            }
            Op::SetOp { kind, all, left, right } => {
                let name = match (kind, all) {
                    (SetOpKind::Union, _) => "HashAggregate",
                    (SetOpKind::Intersect, false) => "HashSetOp Intersect",
                    (SetOpKind::Intersect, true) => "HashSetOp Intersect All",
                    (SetOpKind::Except, false) => "HashSetOp Except",
                    (SetOpKind::Except, true) => "HashSetOp Except All",
                };
                self.over(node, name, &[left, right])
            }
            Op::Recursive { base, step, .. } => self.over(node, "Recursive Union", &[base, step]),
            Op::Lock { input, .. } => self.over(node, "LockRows", &[input]),
            Op::With { ctes, body } => {
                let mut out = self.node(body);
                for (i, (_, name, query)) in ctes.iter().enumerate() {
                    let mut cte = self.node(query);
                    cte.label = Some(format!("CTE {name}"));
                    out.inputs.insert(i, cte);
                }
                out
            }
            Op::Insert(insert) => {
                let mut out = self.write(node, "Insert", &insert.target, &insert.input);
                // Where rows may go: their keys are not known before the input runs.
                out.spans = Some(vec![base::layout::table_span(insert.target.table.storage_id)]);
                if let Some(conflict) = &insert.conflict {
                    let what = if conflict.update.is_some() { "UPDATE" } else { "NOTHING" };
                    out.details.push(("Conflict Resolution", what.to_owned()));
                }
                out
            }
            Op::Update(update) => self.write(node, "Update", &update.target, &update.input),
            Op::Delete(delete) => self.write(node, "Delete", &delete.target, &delete.input),
        }
    }

    fn write(&self, node: &Node, verb: &str, target: &WriteTarget, input: &Node) -> PlanNode {
        let mut out = self.over(node, verb, &[input]);
        out.suffix = format!(" on {}", target.table.name);
        out.properties.push(("Relation Name", target.table.name.clone()));
        out
    }

    fn aggregate(&self, node: &Node, aggregate: &AggregateNode) -> PlanNode {
        let strategy = if aggregate.groups.is_empty() { "Aggregate" } else { "HashAggregate" };
        let name =
            if aggregate.merges { format!("Finalize {strategy}") } else { strategy.to_owned() };
        let mut out = self.over(node, name, &[&aggregate.input]);
        if let Op::Scan(scan) = &aggregate.input.op
            && let Some(partial) = &scan.partial
        {
            let groups = &partial.groups[..aggregate.groups.len()];
            out.details.extend(self.group_key(groups, &slots(scan)));
        } else {
            out.details.extend(self.group_key(&aggregate.groups, &aggregate.input.columns));
        }
        out
    }

    pub(super) fn group_key(
        &self,
        groups: &[Expr],
        columns: &[ColId],
    ) -> Option<(&'static str, String)> {
        let shown: Vec<String> = groups.iter().map(|group| self.show(group, columns)).collect();
        (!shown.is_empty()).then(|| ("Group Key", shown.join(", ")))
    }

    fn hash_join(&self, node: &Node, join: &HashJoin) -> PlanNode {
        let mut out = self.over(node, join_name("Hash", join.kind), &[&join.left]);
        if join.kind == JoinKind::Inner {
            out.name = "Hash Join".to_owned();
        }
        let pairs: Vec<String> = join
            .left_keys
            .iter()
            .zip(&join.right_keys)
            .map(|(a, b)| {
                let a = self.show(a, &join.left.columns);
                format!("({a} = {})", self.show(b, &join.right.columns))
            })
            .collect();
        let text = match pairs.as_slice() {
            [one] => one.clone(),
            many => format!("({})", many.join(" AND ")),
        };
        out.details.push(("Hash Cond", text));
        if let Some(residual) = &join.residual {
            let columns: Vec<ColId> =
                join.left.columns.iter().chain(&join.right.columns).copied().collect();
            out.details.push(("Join Filter", self.show(residual, &columns)));
        }
        let mut hash = self.over(&join.right, "Hash", &[&join.right]);
        hash.stats = None;
        out.inputs.push(hash);
        out
    }

    fn both(&self, left: &Node, right: &Scan) -> Vec<ColId> {
        let emitted = right.emit.iter().filter_map(|s| right.columns.get(*s)).map(|c| c.column);
        left.columns.iter().copied().chain(emitted).collect()
    }

    fn sort_keys(&self, keys: &[SortSlot], input: &Node) -> String {
        let shown = |key: &SortSlot| {
            self.column(input.columns[key.slot]) + direction(key.desc, key.nulls_first)
        };
        keys.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn direction(desc: bool, nulls_first: bool) -> &'static str {
    match (desc, nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    }
}

fn join_name(base: &str, kind: JoinKind) -> String {
    let word = match kind {
        JoinKind::Inner => return base.to_owned(),
        JoinKind::Left => "Left",
        JoinKind::Right => "Right",
        JoinKind::Full => "Full",
        JoinKind::Semi => "Semi",
        JoinKind::Anti => "Anti",
    };
    format!("{base} {word} Join")
}

/// Average bytes of a row, by the types' sizes.
fn width(node: &Node) -> usize {
    node.types
        .iter()
        .map(|t| match types::type_by_oid(t.oid).map(|i| i.len) {
            Some(len) if len > 0 => len as usize,
            _ => 32,
        })
        .sum()
}
