//! Operators without much state: constants, filter, projection, append.

use super::{Operator, mismatch};
use crate::exec::batch::{Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{eval_batch, eval_scalar, filter_batch};
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use base::BoxFuture;

/// One row, no row, or VALUES.
#[derive(Default)]
pub(crate) struct ValuesOp {
    done: bool,
}

impl Operator for ValuesOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        let result = self.step(node, cx);
        Box::pin(std::future::ready(result))
    }
}

impl ValuesOp {
    fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        if std::mem::replace(&mut self.done, true) {
            return Ok(None);
        }
        match &node.op {
            Op::Unit => Ok(Some(Batch::unit())),
            Op::Empty => Ok(None),
            Op::Values { rows } => {
                let mut builder = BatchBuilder::new(&node.types);
                let env = cx.state.env();
                let mut values = Vec::new();
                for row in rows {
                    values.clear();
                    for expr in row {
                        values.push(eval_scalar(expr, &env)?);
                    }
                    builder.push(values.drain(..));
                }
                Ok(Some(builder.finish()))
            }
            _ => mismatch(),
        }
    }
}

/// Rows that satisfy a condition.
pub(crate) struct FilterOp {
    pub(crate) input: Box<dyn Operator>,
}

impl Operator for FilterOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::Filter { input, predicate } = &node.op else { return mismatch() };
            while let Some(batch) = self.input.next(input, cx).await? {
                match filter_batch(predicate, &batch, &cx.state.env())? {
                    None => return Ok(Some(batch)),
                    Some(rows) if rows.is_empty() => {}
                    Some(rows) => return Ok(Some(batch.gather(&rows))),
                }
            }
            Ok(None)
        })
    }
}

/// Computed columns.
pub(crate) struct ProjectOp {
    pub(crate) input: Box<dyn Operator>,
}

impl Operator for ProjectOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::Project { input, exprs } = &node.op else { return mismatch() };
            let Some(batch) = self.input.next(input, cx).await? else { return Ok(None) };
            let env = cx.state.env();
            let mut columns = Vec::with_capacity(exprs.len());
            for expr in exprs {
                columns.push(eval_batch(expr, &batch, &env)?);
            }
            Ok(Some(Batch::new(columns, batch.rows)))
        })
    }
}

/// One input after the other.
pub(crate) struct AppendOp {
    pub(crate) inputs: Vec<Box<dyn Operator>>,
    pub(crate) at: usize,
}

impl Operator for AppendOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::Append { inputs } = &node.op else { return mismatch() };
            while let (Some(operator), Some(input)) =
                (self.inputs.get_mut(self.at), inputs.get(self.at))
            {
                if let Some(batch) = operator.next(input, cx).await? {
                    return Ok(Some(batch));
                }
                self.at += 1;
            }
            Ok(None)
        })
    }
}
