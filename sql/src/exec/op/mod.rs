//! The operators. Each holds its own state; the plan node it runs is handed in on every call, so
//! that a plan is shared by all its executions.

mod aggregate;
mod apply;
mod basic;
mod distinct;
mod function;
mod hash_join;
mod join_common;
mod limit;
mod lock;
mod lookup;
mod nested;
mod scan;
mod set_op;
mod sort;
mod window;
mod with;

pub(crate) use limit::bounds;
pub(crate) use scan::key_set;

use super::batch::Batch;
use super::errors::{ExecResult, wrong_node};
use super::state::Cx;
use super::write::{DeleteOp, InsertOp, UpdateOp};
use crate::plan::physical::{Node, Op};
use base::BoxFuture;

/// A running operator.
pub(crate) trait Operator: Send {
    /// The next rows; `None` at the end, and then no more calls.
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>>;
}

/// Starts an operator.
pub(crate) fn build(node: &Node) -> Box<dyn Operator> {
    Box::new(Counted { inner: build_inner(node), started: false })
}

fn build_inner(node: &Node) -> Box<dyn Operator> {
    match &node.op {
        Op::Unit | Op::Empty | Op::Values { .. } => Box::new(basic::ValuesOp::default()),
        Op::Scan(scan) => Box::new(scan::ScanOp::new(scan)),
        Op::HostRows { .. } => Box::new(function::HostRowsOp::default()),
        Op::Function { .. } => Box::new(function::FunctionOp::default()),
        Op::CteScan { .. } => Box::new(with::CteScanOp::default()),
        Op::Filter { input, .. } => Box::new(basic::FilterOp { input: build(input) }),
        Op::Project { input, .. } => Box::new(basic::ProjectOp { input: build(input) }),
        Op::Aggregate(a) => Box::new(aggregate::AggregateOp::new(build(&a.input))),
        Op::Window { input, .. } => Box::new(window::WindowOp::new(build(input))),
        Op::ProjectSet { input, .. } => Box::new(function::ProjectSetOp { input: build(input) }),
        Op::HostCalls { input, .. } => Box::new(function::HostCallsOp { input: build(input) }),
        Op::HashJoin(join) => {
            Box::new(hash_join::HashJoinOp::new(build(&join.left), build(&join.right)))
        }
        Op::LookupJoin(join) => Box::new(lookup::LookupOp::new(build(&join.left))),
        Op::NestedLoop(join) => {
            let right = (!join.lateral).then(|| build(&join.right));
            Box::new(nested::NestedOp::new(build(&join.left), right))
        }
        Op::Apply(apply) => Box::new(apply::ApplyOp::new(build(&apply.input))),
        Op::Sort { input, .. } => Box::new(sort::SortOp::new(build(input))),
        Op::Limit { input, .. } => Box::new(limit::LimitOp::new(build(input))),
        Op::Distinct { input, .. } => Box::new(distinct::DistinctOp::new(build(input))),
        Op::Append { inputs } => {
            Box::new(basic::AppendOp { inputs: inputs.iter().map(build).collect(), at: 0 })
        }
        Op::SetOp { left, right, .. } => Box::new(set_op::SetOpOp::new(build(left), build(right))),
        Op::Recursive { base, .. } => Box::new(with::RecursiveOp::new(build(base))),
        Op::Lock { input, .. } => Box::new(lock::LockOp::new(build(input))),
        Op::With { body, .. } => Box::new(with::WithOp { body: build(body), started: false }),
        Op::Insert(insert) => Box::new(InsertOp::new(build(&insert.input))),
        Op::Update(update) => Box::new(UpdateOp::new(build(&update.input))),
        Op::Delete(delete) => Box::new(DeleteOp::new(build(&delete.input))),
    }
}

/// Counts for EXPLAIN ANALYZE; without it only passes the call on.
struct Counted {
    inner: Box<dyn Operator>,
    started: bool,
}

impl Operator for Counted {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        if let Some(error) = cx.state.host.interrupted() {
            return Box::pin(std::future::ready(Err(error.into())));
        }
        if cx.state.stats.is_none() {
            return self.inner.next(node, cx);
        }
        Box::pin(async move {
            let before = cx.state.host.functions().clock_timestamp();
            let batch = self.inner.next(node, cx).await?;
            let after = cx.state.host.functions().clock_timestamp();
            let first = !std::mem::replace(&mut self.started, true);
            if let Some(stats) = cx.state.stats.as_mut().and_then(|s| s.get_mut(node.id)) {
                stats.loops += u64::from(first);
                stats.rows += batch.as_ref().map_or(0, |b| b.rows as u64);
                stats.micros += after - before;
            }
            Ok(batch)
        })
    }
}

/// Pulls everything from an operator, accounting for the memory.
pub(crate) async fn drain(
    operator: &mut Box<dyn Operator>,
    node: &Node,
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<Batch>> {
    let mut out = Vec::new();
    while let Some(batch) = operator.next(node, cx).await? {
        if batch.rows > 0 {
            cx.state.charge(batch.memory())?;
            out.push(batch);
        }
    }
    Ok(out)
}

pub(crate) fn mismatch<T>() -> ExecResult<T> {
    Err(wrong_node())
}
