//! From a logical to a physical plan: columns become slots, and every operator gets its algorithm.

mod aggregate;
mod expr;
mod join;
mod keys;
mod order;
mod push;
mod scan;
mod write;

use super::expr::{ColId, Expr, ExprKind};
use super::physical::*;
use super::rel::{ApplyKind, FunctionSource, Rel, SetOpKind};
use crate::bind::{Bound, CatalogView, ColumnMeta, Command};
use crate::optimize::{Optimizer, estimate};
use std::collections::{BTreeMap, BTreeSet};
use types::{Settings, SqlError, SqlType};

/// What planning depends on.
pub struct Planner<'a> {
    /// Settings that constants are folded under.
    pub settings: &'a Settings,
    /// The catalog the statement was bound with.
    pub catalog: &'a dyn CatalogView,
}

/// Makes a plan that can be run any number of times.
pub fn plan(bound: Bound, planner: &Planner<'_>) -> Result<Plan, SqlError> {
    let mut optimizer = Optimizer { columns: bound.columns, settings: planner.settings };
    let rel = optimizer.optimize(bound.rel)?;
    let mut lower = Lower {
        columns: optimizer.columns,
        planner,
        outer: BTreeMap::new(),
        outer_count: 0,
        node_count: 0,
        init: Vec::new(),
        is_read_only: true,
    };
    let wanted: Vec<ColId> = bound.output.iter().map(|(id, _)| *id).collect();
    let root = lower.rel(rel, &wanted.iter().copied().collect())?;
    let root = if wanted.is_empty() && bound.command != Command::Select {
        root
    } else {
        lower.arrange(root, &wanted)
    };
    Ok(Plan {
        output: bound.output.into_iter().map(|(_, column)| column).collect(),
        params: bound.params,
        command: bound.command,
        is_read_only: lower.is_read_only,
        root,
        init: lower.init,
        outer_count: lower.outer_count,
        node_count: lower.node_count,
        explain: bound.explain,
        names: if bound.explain.is_some() { names(&lower.columns) } else { Vec::new() },
    })
}

/// Names of columns, qualified where several tables may have one of the name.
fn names(columns: &[ColumnMeta]) -> Vec<String> {
    let mut relations: Vec<&str> = columns.iter().map(|c| c.relation.as_str()).collect();
    relations.retain(|r| !r.is_empty());
    relations.sort_unstable();
    relations.dedup();
    let several = relations.len() > 1;
    let shown = |c: &ColumnMeta| match several && !c.relation.is_empty() {
        true => format!("{}.{}", c.relation, c.name),
        false => c.name.clone(),
    };
    columns.iter().map(shown).collect()
}

impl KeySpec {
    /// At most one key, known before anything is read.
    pub fn is_point(&self) -> bool {
        self.unique && self.equal.iter().all(|c| c.values.len() == 1 && !c.is_array)
    }

    /// Keys are listed one by one.
    pub fn is_points(&self) -> bool {
        self.unique
    }

    /// No restriction at all.
    pub fn is_full(&self) -> bool {
        self.equal.is_empty() && self.range.is_none()
    }
}

pub(super) struct Lower<'a> {
    columns: Vec<ColumnMeta>,
    planner: &'a Planner<'a>,
    /// Where values of outer columns are found at run time.
    outer: BTreeMap<ColId, usize>,
    outer_count: usize,
    node_count: usize,
    init: Vec<InitPlan>,
    is_read_only: bool,
}

type Needed = BTreeSet<ColId>;

impl Lower<'_> {
    fn node(&mut self, op: Op, columns: Vec<ColId>, rows: f64) -> Node {
        let types = columns.iter().map(|c| self.ty(*c)).collect();
        self.node_count += 1;
        Node { id: self.node_count - 1, op, types, columns, rows }
    }

    fn ty(&self, column: ColId) -> SqlType {
        self.columns[column.0 as usize].ty
    }

    fn new_outer(&mut self) -> usize {
        self.outer_count += 1;
        self.outer_count - 1
    }

    /// Brings a node's output into this order; nothing to do when it already is.
    pub(super) fn arrange(&mut self, node: Node, wanted: &[ColId]) -> Node {
        if node.columns == wanted {
            return node;
        }
        // A scan can emit any order by itself.
        let mut node = node;
        if let Op::Scan(scan) = &mut node.op
            && scan.partial.is_none()
        {
            let places: Option<Vec<usize>> = wanted
                .iter()
                .map(|w| node.columns.iter().position(|c| c == w).map(|i| scan.emit[i]))
                .collect();
            if let Some(emit) = places {
                scan.emit = emit;
                node.types = wanted.iter().map(|c| self.ty(*c)).collect();
                node.columns = wanted.to_vec();
                return node;
            }
        }
        let slots = wanted
            .iter()
            .map(|w| {
                let at = node.columns.iter().position(|c| c == w).unwrap_or(0);
                Expr::slot(at, self.ty(*w))
            })
            .collect();
        let rows = node.rows;
        self.node(Op::Project { input: Box::new(node), exprs: slots }, wanted.to_vec(), rows)
    }

    /// Lowers a plan of which these columns are needed.
    pub(super) fn rel(&mut self, rel: Rel, needed: &Needed) -> Result<Node, SqlError> {
        super::walk::deep(|| self.rel_inner(rel, needed))
    }

    fn rel_inner(&mut self, rel: Rel, needed: &Needed) -> Result<Node, SqlError> {
        let rows = estimate(&rel);
        match rel {
            Rel::Unit => Ok(self.node(Op::Unit, Vec::new(), 1.0)),
            Rel::Get(get) => self.scan(get, Vec::new(), needed),
            Rel::Filter { input, predicate } => self.filter(*input, predicate, needed, rows),
            Rel::Rows(host) => {
                let kept: Vec<_> =
                    host.columns.into_iter().filter(|(c, _)| needed.contains(c)).collect();
                let columns = kept.iter().map(|(c, _)| *c).collect();
                let places = kept.iter().map(|(_, p)| *p).collect();
                let op =
                    Op::HostRows { relation: host.relation, alias: host.alias, columns: places };
                Ok(self.node(op, columns, rows))
            }
            Rel::Values { columns, rows: values } => {
                let mut lowered = Vec::with_capacity(values.len());
                for row in values {
                    lowered.push(self.exprs(row, &[])?);
                }
                Ok(self.node(Op::Values { rows: lowered }, columns, rows))
            }
            Rel::Function(scan) => {
                let args = self.exprs(scan.args, &[])?;
                let mut columns = scan.columns;
                columns.extend(scan.ordinality);
                if matches!(scan.source, FunctionSource::Host(_)) {
                    self.is_read_only = false;
                }
                let op = Op::Function {
                    source: scan.source,
                    args,
                    alias: scan.alias,
                    ordinality: scan.ordinality.is_some(),
                };
                Ok(self.node(op, columns, rows))
            }
            Rel::CteRef { cte, name, columns } => {
                let kept: Vec<_> =
                    columns.into_iter().filter(|(c, _)| needed.contains(c)).collect();
                let ids = kept.iter().map(|(c, _)| *c).collect();
                let columns = kept.iter().map(|(_, p)| *p).collect();
                Ok(self.node(Op::CteScan { cte, name, columns }, ids, rows))
            }
            Rel::Project { input, exprs } => self.project(*input, exprs, needed, rows),
            Rel::Extend { input, exprs } => {
                let mut all: Vec<(ColId, Expr)> = Vec::new();
                for column in input.columns().into_iter().filter(|c| needed.contains(c)) {
                    all.push((column, Expr::column(column, self.ty(column))));
                }
                all.extend(exprs);
                self.project(*input, all, needed, rows)
            }
            Rel::Aggregate(aggregation) => self.aggregate(aggregation, rows),
            Rel::Window { input, calls } => self.window(*input, calls, needed, rows),
            Rel::ProjectSet { input, calls } => {
                let mut below = self.below(&input, needed);
                calls.iter().flat_map(|c| &c.2).for_each(|e| e.free_columns(&mut below));
                let input = self.rel(*input, &below)?;
                let mut columns = input.columns.clone();
                let mut lowered = Vec::with_capacity(calls.len());
                for (column, function, args) in calls {
                    lowered.push((function, self.exprs(args, &input.columns)?));
                    columns.push(column);
                }
                let op = Op::ProjectSet { input: Box::new(input), calls: lowered };
                Ok(self.node(op, columns, rows))
            }
            Rel::HostCalls { input, calls } => {
                self.is_read_only = false;
                let mut below = self.below(&input, needed);
                calls.iter().flat_map(|c| &c.args).for_each(|e| e.free_columns(&mut below));
                let input = self.rel(*input, &below)?;
                let mut columns = input.columns.clone();
                let mut lowered = Vec::with_capacity(calls.len());
                for call in calls {
                    lowered.push((call.function, self.exprs(call.args, &input.columns)?));
                    columns.push(call.column);
                }
                let op = Op::HostCalls { input: Box::new(input), calls: lowered };
                Ok(self.node(op, columns, rows))
            }
            Rel::Join { kind, left, right, on, lateral } => {
                self.join(kind, *left, *right, on, lateral, needed, rows)
            }
            Rel::Apply { input, sub, column, kind } => {
                self.apply(*input, *sub, column, kind, needed, rows)
            }
            Rel::Sort { input, keys } => self.sort(*input, keys, None, needed, rows),
            Rel::Limit { input, limit, offset, with_ties } => {
                self.limit(*input, limit, offset, with_ties, needed, rows)
            }
            Rel::Distinct { input, on } => {
                let mut below = needed.clone();
                below.extend(on.iter().copied());
                let mut input = self.rel(*input, &below)?;
                let slots: Vec<usize> =
                    on.iter().filter_map(|c| place(&input.columns, *c)).collect();
                push::push_distinct(&mut input, &slots);
                let columns = input.columns.clone();
                Ok(self.node(Op::Distinct { input: Box::new(input), on: slots }, columns, rows))
            }
            Rel::SetOp(op) => {
                let left = self.rel(*op.left, &op.left_columns.iter().copied().collect())?;
                let left = self.arrange(left, &op.left_columns);
                let right = self.rel(*op.right, &op.right_columns.iter().copied().collect())?;
                let right = self.arrange(right, &op.right_columns);
                let lowered = if op.kind == SetOpKind::Union && op.all {
                    Op::Append { inputs: flat_append(left, right) }
                } else {
                    let (left, right) = (Box::new(left), Box::new(right));
                    Op::SetOp { kind: op.kind, all: op.all, left, right }
                };
                Ok(self.node(lowered, op.columns, rows))
            }
            Rel::Recursive(recursive) => {
                let recursive = *recursive;
                let base_needed = recursive.base_columns.iter().copied().collect();
                let base = self.rel(recursive.base, &base_needed)?;
                let base = self.arrange(base, &recursive.base_columns);
                let step_needed = recursive.step_columns.iter().copied().collect();
                let step = self.rel(recursive.step, &step_needed)?;
                let step = self.arrange(step, &recursive.step_columns);
                let op = Op::Recursive {
                    cte: recursive.cte,
                    base: Box::new(base),
                    step: Box::new(step),
                    distinct: recursive.distinct,
                };
                Ok(self.node(op, recursive.columns, rows))
            }
            Rel::Lock { input, targets, lock } => self.lock(*input, targets, lock, needed, rows),
            Rel::With { ctes, body } => {
                let mut lowered = Vec::with_capacity(ctes.len());
                for cte in ctes {
                    let wanted = cte.columns.iter().copied().collect();
                    let node = self.rel(cte.rel, &wanted)?;
                    let node = self.arrange(node, &cte.columns);
                    lowered.push((cte.cte, cte.name, node));
                }
                let body = self.rel(*body, needed)?;
                let columns = body.columns.clone();
                let op = Op::With { ctes: lowered, body: Box::new(body) };
                Ok(self.node(op, columns, rows))
            }
            Rel::Insert(insert) => self.insert(*insert, rows),
            Rel::Update(update) => self.update(*update, needed, rows),
            Rel::Delete(delete) => self.delete(*delete, needed, rows),
        }
    }

    /// What is needed of an input: those of its columns that are needed above.
    fn below(&self, input: &Rel, needed: &Needed) -> Needed {
        input.columns().into_iter().filter(|c| needed.contains(c)).collect()
    }

    fn filter(
        &mut self,
        input: Rel,
        predicate: Expr,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        if matches!(predicate.kind, ExprKind::Const(ref v) if !crate::exec::eval::is_true(v)) {
            let columns = input.columns();
            return Ok(self.node(Op::Empty, columns, 0.0));
        }
        if let Rel::Get(get) = input {
            return self.scan(get, predicate.into_conjuncts(), needed);
        }
        let mut below = needed.clone();
        predicate.free_columns(&mut below);
        let input = self.rel(input, &below)?;
        let predicate = self.expr(predicate, &input.columns)?;
        let columns = input.columns.clone();
        Ok(self.node(Op::Filter { input: Box::new(input), predicate }, columns, rows))
    }

    fn project(
        &mut self,
        input: Rel,
        exprs: Vec<(ColId, Expr)>,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let exprs: Vec<(ColId, Expr)> = exprs
            .into_iter()
            .filter(|(c, e)| needed.contains(c) || e.any(&|e| crate::optimize::is_volatile(e)))
            .collect();
        let mut below = BTreeSet::new();
        exprs.iter().for_each(|(_, e)| e.free_columns(&mut below));
        let mut input = self.rel(input, &below)?;
        let columns: Vec<ColId> = exprs.iter().map(|(c, _)| *c).collect();
        // Plain columns only: rename instead of computing.
        let renamed: Option<Vec<ColId>> = exprs
            .iter()
            .map(|(_, e)| match e.kind {
                ExprKind::Column(id, _) if input.columns.contains(&id) => Some(id),
                _ => None,
            })
            .collect();
        if let Some(from) = renamed {
            input = self.arrange(input, &from);
            input.columns = columns;
            return Ok(input);
        }
        let exprs = exprs.into_iter().map(|(_, e)| e).collect();
        let exprs = self.exprs(exprs, &input.columns)?;
        Ok(self.node(Op::Project { input: Box::new(input), exprs }, columns, rows))
    }

    fn apply(
        &mut self,
        input: Rel,
        sub: Rel,
        column: ColId,
        kind: ApplyKind,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let mut below = self.below(&input, needed);
        let free = sub.free_columns();
        below.extend(free.iter().copied());
        let mut sub_needed = Needed::new();
        match &kind {
            ApplyKind::Scalar(id) | ApplyKind::Array(id, _) => {
                sub_needed.insert(*id);
            }
            ApplyKind::Exists => {}
            ApplyKind::Any(test) | ApplyKind::All(test) => {
                let made = sub.columns();
                for id in test.columns() {
                    if made.contains(&id) {
                        sub_needed.insert(id);
                    } else {
                        below.insert(id);
                    }
                }
            }
        }
        let input = self.rel(input, &below)?;
        let (params, saved) = self.hand_in(&free, &input.columns);
        let sub = self.rel(sub, &sub_needed)?;
        self.outer = saved;
        let mut both = input.columns.clone();
        both.extend(sub.columns.iter().copied());
        let kind = match kind {
            ApplyKind::Scalar(id) => ApplySlot::Scalar(place(&sub.columns, id).unwrap_or(0)),
            ApplyKind::Exists => ApplySlot::Exists,
            ApplyKind::Any(test) => ApplySlot::Any(self.expr(test, &both)?),
            ApplyKind::All(test) => ApplySlot::All(self.expr(test, &both)?),
            ApplyKind::Array(id, _) => {
                let element = self.ty(id);
                ApplySlot::Array(place(&sub.columns, id).unwrap_or(0), element)
            }
        };
        let mut columns = input.columns.clone();
        columns.push(column);
        let cached = free.is_empty();
        let apply = ApplyNode { input, sub, kind, params, cached };
        Ok(self.node(Op::Apply(Box::new(apply)), columns, rows))
    }

    /// Makes columns of an input reachable from a plan that runs for every row of it. Returns which
    /// values to hand in, and the former state.
    fn hand_in(
        &mut self,
        free: &Needed,
        layout: &[ColId],
    ) -> (Vec<(usize, usize)>, BTreeMap<ColId, usize>) {
        let saved = self.outer.clone();
        let mut params = Vec::new();
        for (slot, column) in layout.iter().enumerate() {
            if free.contains(column) {
                let outer = self.new_outer();
                self.outer.insert(*column, outer);
                params.push((outer, slot));
            }
        }
        (params, saved)
    }
}

/// Where a column stands in a layout.
pub(super) fn place(layout: &[ColId], column: ColId) -> Option<usize> {
    layout.iter().position(|c| *c == column)
}

fn flat_append(left: Node, right: Node) -> Vec<Node> {
    let mut out = Vec::new();
    for node in [left, right] {
        match node.op {
            Op::Append { inputs } => out.extend(inputs),
            _ => out.push(node),
        }
    }
    out
}
