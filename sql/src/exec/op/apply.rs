//! A subquery for every row.

use super::{Operator, build, drain, mismatch};
use crate::exec::batch::{Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::eval_row;
use crate::exec::state::Cx;
use crate::exec::too_many_rows;
use crate::plan::expr::Expr;
use crate::plan::physical::{ApplyNode, ApplySlot, Node, Op};
use base::BoxFuture;
use std::sync::Arc;
use types::{Array, Datum};

/// A running apply.
pub(crate) struct ApplyOp {
    input: Box<dyn Operator>,
    /// Rows of a subquery that depends on nothing.
    cached: Option<Arc<Vec<Batch>>>,
}

impl ApplyOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> ApplyOp {
        ApplyOp { input, cached: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Apply(plan) = &node.op else { return mismatch() };
        let Some(batch) = self.input.next(&plan.input, cx).await? else { return Ok(None) };
        let mut out = BatchBuilder::new(&node.types);
        for row in 0..batch.rows {
            let mut values = batch.row(row);
            let rows = self.rows(plan, &values, cx).await?;
            let result = combine(plan, &values, &rows, cx)?;
            values.push(result);
            out.push(values);
        }
        Ok(Some(out.finish()))
    }

    async fn rows(
        &mut self,
        plan: &ApplyNode,
        values: &[Datum],
        cx: &mut Cx<'_>,
    ) -> ExecResult<Arc<Vec<Batch>>> {
        if let Some(rows) = &self.cached {
            return Ok(rows.clone());
        }
        for (outer, slot) in &plan.params {
            cx.state.outer[*outer] = values[*slot].clone();
        }
        let mark = cx.state.memory_mark();
        let mut sub = build(&plan.sub);
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(batch) = sub.next(&plan.sub, cx).await? {
            if batch.rows == 0 {
                continue;
            }
            bytes += batch.memory();
            cx.state.charge(batch.memory())?;
            rows.push(batch);
            if matches!(plan.kind, ApplySlot::Exists) {
                break;
            }
        }
        let rows = Arc::new(rows);
        cx.state.memory_reset(mark);
        if plan.cached {
            cx.state.charge(bytes)?;
            self.cached = Some(rows.clone());
        }
        Ok(rows)
    }
}

fn combine(plan: &ApplyNode, values: &[Datum], rows: &[Batch], cx: &Cx<'_>) -> ExecResult<Datum> {
    match &plan.kind {
        ApplySlot::Exists => Ok(Datum::Bool(rows.iter().any(|b| b.rows > 0))),
        ApplySlot::Scalar(slot) => {
            let count: usize = rows.iter().map(|b| b.rows).sum();
            match count {
                0 => Ok(Datum::Null),
                1 => Ok(rows.iter().find(|b| b.rows > 0).map_or(Datum::Null, |b| b.get(*slot, 0))),
                _ => Err(too_many_rows().into()),
            }
        }
        ApplySlot::Array(slot, element) => {
            let all = rows.iter().flat_map(|b| (0..b.rows).map(|r| b.get(*slot, r)));
            let array = Array::one_dimensional(element.oid, all.collect());
            Ok(Datum::Array(Arc::new(array)))
        }
        ApplySlot::Any(test) => quantified(test, true, values, rows, cx),
        ApplySlot::All(test) => quantified(test, false, values, rows, cx),
    }
}

/// Three-valued: ANY is true as soon as one test is, ALL false as soon as one is false.
fn quantified(
    test: &Expr,
    any: bool,
    values: &[Datum],
    rows: &[Batch],
    cx: &Cx<'_>,
) -> ExecResult<Datum> {
    let env = cx.state.env();
    let mut unknown = false;
    let mut both = values.to_vec();
    for batch in rows {
        for row in 0..batch.rows {
            both.truncate(values.len());
            both.extend(batch.columns.iter().map(|c| c.get(row)));
            match eval_row(test, both.as_slice(), &env)? {
                Datum::Bool(found) if found == any => return Ok(Datum::Bool(any)),
                Datum::Bool(_) => {}
                _ => unknown = true,
            }
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(!any) })
}

impl Operator for ApplyOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}

/// Runs a lateral right side for one left row.
pub(super) async fn run_lateral(
    right: &Node,
    params: &[(usize, usize)],
    left: &Batch,
    row: usize,
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<Batch>> {
    for (outer, slot) in params {
        cx.state.outer[*outer] = left.get(*slot, row);
    }
    let mut operator = build(right);
    drain(&mut operator, right, cx).await
}
