//! WITH queries that are computed once, and WITH RECURSIVE.

use super::set_op::row_key;
use super::{Operator, build, drain, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use base::BoxFuture;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Computes WITH queries, then runs the body.
pub(crate) struct WithOp {
    pub(crate) body: Box<dyn Operator>,
    pub(crate) started: bool,
}

impl Operator for WithOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::With { ctes, body } = &node.op else { return mismatch() };
            if !std::mem::replace(&mut self.started, true) {
                for (cte, _, query) in ctes {
                    let affected = cx.state.affected;
                    let mut operator = build(query);
                    let rows = drain(&mut operator, query, cx).await?;
                    // Only the outermost write counts in the command tag.
                    cx.state.affected = affected;
                    cx.state.ctes.insert(*cte, Arc::new(rows));
                }
            }
            self.body.next(body, cx).await
        })
    }
}

/// Rows of a WITH query.
#[derive(Default)]
pub(crate) struct CteScanOp {
    at: usize,
}

impl Operator for CteScanOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        let result = match &node.op {
            Op::CteScan { cte, columns, .. } => {
                let batch = cx.state.ctes.get(cte).and_then(|rows| rows.get(self.at));
                self.at += 1;
                Ok(batch.map(|b| b.project(columns)))
            }
            _ => mismatch(),
        };
        Box::pin(std::future::ready(result))
    }
}

/// WITH RECURSIVE: the step runs over the last round's rows until there are none.
pub(crate) struct RecursiveOp {
    base: Box<dyn Operator>,
    seen: FxHashSet<Vec<u8>>,
    working: Option<Vec<Batch>>,
    ready: Vec<Batch>,
}

impl RecursiveOp {
    pub(crate) fn new(base: Box<dyn Operator>) -> RecursiveOp {
        RecursiveOp { base, seen: FxHashSet::default(), working: None, ready: Vec::new() }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Recursive { cte, base, step, distinct } = &node.op else { return mismatch() };
        loop {
            if let Some(batch) = self.ready.pop() {
                return Ok(Some(batch));
            }
            let round = match &self.working {
                None => drain(&mut self.base, base, cx).await?,
                Some(rows) if rows.is_empty() => return Ok(None),
                Some(rows) => {
                    let rows = Arc::new(rows.clone());
                    let outer = cx.state.ctes.insert(*cte, rows);
                    let mut operator = build(step);
                    let next = drain(&mut operator, step, cx).await?;
                    if let Some(outer) = outer {
                        cx.state.ctes.insert(*cte, outer);
                    }
                    next
                }
            };
            let round = if *distinct { self.new_rows(round, node, cx)? } else { round };
            self.ready = round.iter().rev().cloned().collect();
            self.working = Some(round);
        }
    }

    fn new_rows(
        &mut self,
        batches: Vec<Batch>,
        node: &Node,
        cx: &mut Cx<'_>,
    ) -> ExecResult<Vec<Batch>> {
        let mut out = Vec::new();
        for batch in batches {
            let mut kept = Vec::new();
            for row in 0..batch.rows {
                let key = row_key(&batch, row, &node.types);
                cx.state.charge(key.len())?;
                if self.seen.insert(key) {
                    kept.push(row as u32);
                }
            }
            if !kept.is_empty() {
                out.push(batch.gather(&kept));
            }
        }
        Ok(out)
    }
}

impl Operator for RecursiveOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
