//! INSERT.

use super::Returned;
use super::conflict::Arbiter;
use super::foreign;
use super::row::{Changes, complete};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::eval::{BatchRow, eval_row};
use crate::exec::op::{Operator, drain, mismatch};
use crate::exec::state::Cx;
use crate::plan::physical::{InsertNode, Node, Op};
use base::BoxFuture;
use types::Datum;

/// A running INSERT.
pub(crate) struct InsertOp {
    input: Box<dyn Operator>,
    returned: Option<Returned>,
}

impl InsertOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> InsertOp {
        InsertOp { input, returned: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Insert(plan) = &node.op else { return mismatch() };
        if self.returned.is_none() {
            let batches = drain(&mut self.input, &plan.input, cx).await?;
            let rows = new_rows(plan, &batches, cx).await?;
            let written = match &plan.conflict {
                None => insert_all(plan, rows, cx)?,
                Some(conflict) => Arbiter::new(plan, conflict).run(rows, cx).await?,
            };
            foreign::check_parents(&plan.target, written.iter().map(Vec::as_slice), cx).await?;
            cx.state.affected += written.len() as u64;
            self.returned = Some(Returned::new(&node.types, written));
        }
        Ok(self.returned.as_mut().and_then(|r| r.batches.next()))
    }
}

/// The rows to insert, by position, checked.
async fn new_rows(
    plan: &InsertNode,
    batches: &[Batch],
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<Vec<Datum>>> {
    let table = &plan.target.table;
    let count: usize = batches.iter().map(|b| b.rows).sum();
    let hidden = table.columns.iter().position(|c| c.is_hidden && !c.is_dropped);
    let mut next_id = match hidden {
        Some(_) if count > 0 => {
            let host = cx.state.host.clone();
            host.row_ids(table, count as u64).await?
        }
        _ => 0,
    };
    let env = cx.state.env();
    let mut out = Vec::with_capacity(count);
    for batch in batches {
        for at in 0..batch.rows {
            let here = BatchRow { batch, row: at };
            let mut row = Vec::with_capacity(plan.values.len());
            for value in &plan.values {
                row.push(eval_row(value, &here, &env)?);
            }
            if let Some(position) = hidden {
                row[position] = Datum::Int8(next_id);
                next_id += 1;
            }
            complete(&plan.target, &mut row, &env)?;
            out.push(row);
        }
    }
    Ok(out)
}

fn insert_all(
    plan: &InsertNode,
    rows: Vec<Vec<Datum>>,
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<Vec<Datum>>> {
    let mut changes = Changes::default();
    let env = cx.state.env();
    for row in &rows {
        changes.insert(&plan.target, row, &env)?;
    }
    changes.apply(cx)?;
    Ok(rows)
}

impl Operator for InsertOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
