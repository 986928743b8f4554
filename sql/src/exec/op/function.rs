//! Functions that return rows, rows made up by the session, and calls into the session.

use super::{Operator, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{BatchRow, Env, eval_row, eval_scalar};
use crate::exec::state::Cx;
use crate::functions::{EvalContext, Function, SetRows};
use crate::plan::expr::Expr;
use crate::plan::physical::{Node, Op};
use crate::plan::rel::FunctionSource;
use base::BoxFuture;
use types::{Datum, SqlError, SqlType};

/// Rows of a virtual table or a sequence.
#[derive(Default)]
pub(crate) struct HostRowsOp {
    done: bool,
}

impl Operator for HostRowsOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::HostRows { relation, columns, .. } = &node.op else { return mismatch() };
            if std::mem::replace(&mut self.done, true) {
                return Ok(None);
            }
            let host = cx.state.host.clone();
            let rows = host.rows(relation, cx.txn).await?;
            let mut out = BatchBuilder::new(&node.types);
            for row in rows {
                out.push(columns.iter().map(|c| row.get(*c).cloned().unwrap_or(Datum::Null)));
            }
            Ok(Some(out.finish()))
        })
    }
}

/// A function in FROM.
#[derive(Default)]
pub(crate) struct FunctionOp {
    rows: Option<SetRows>,
    count: i64,
}

impl Operator for FunctionOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::Function { source, args, ordinality, .. } = &node.op else {
                return mismatch();
            };
            if self.rows.is_none() {
                self.rows = Some(start(source, args, node, cx).await?);
            }
            let Some(rows) = &mut self.rows else { return mismatch() };
            let width = node.types.len() - usize::from(*ordinality);
            let mut out = BatchBuilder::new(&node.types);
            for row in rows.by_ref().take(BATCH_ROWS) {
                let mut row = spread(row?, width);
                self.count += 1;
                if *ordinality {
                    row.push(Datum::Int8(self.count));
                }
                out.push(row);
            }
            Ok((out.rows() > 0).then(|| out.finish()))
        })
    }
}

/// A row value stands for its fields where several columns are expected.
fn spread(mut row: Vec<Datum>, width: usize) -> Vec<Datum> {
    if width != row.len()
        && row.len() == 1
        && let Datum::Record(fields) = &row[0]
    {
        row = fields.to_vec();
    }
    row.resize(width, Datum::Null);
    row
}

async fn start(
    source: &FunctionSource,
    args: &[Expr],
    node: &Node,
    cx: &mut Cx<'_>,
) -> ExecResult<SetRows> {
    let env = cx.state.env();
    match source {
        FunctionSource::Scalar => {
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                values.push(eval_scalar(arg, &env)?);
            }
            Ok(Box::new(std::iter::once(Ok(values))))
        }
        FunctionSource::Set(function) => {
            let none: &[Datum] = &[];
            let ty = node.types.first().copied().unwrap_or(SqlType::UNKNOWN);
            Ok(start_set(function, args, none, ty, &env)?)
        }
        FunctionSource::Host(function) => {
            let values =
                args.iter().map(|a| eval_scalar(a, &env)).collect::<Result<Vec<_>, _>>()?;
            let host = cx.state.host.clone();
            let rows = if function.columns.is_empty() {
                vec![vec![call_host(host.as_ref(), function, values).await?]]
            } else {
                host.call_rows(function, values).await?
            };
            Ok(Box::new(rows.into_iter().map(Ok)))
        }
    }
}

fn start_set<R: crate::exec::eval::Row + ?Sized>(
    function: &'static Function,
    args: &[Expr],
    row: &R,
    ty: SqlType,
    env: &Env<'_>,
) -> Result<SetRows, SqlError> {
    let values = args.iter().map(|a| eval_row(a, row, env)).collect::<Result<Vec<_>, _>>()?;
    let types: Vec<SqlType> = args.iter().map(|a| a.ty).collect();
    function.eval_set(&values, &EvalContext::new(env.settings, env.functions).typed(&types, ty))
}

/// Set-returning functions in a select list: all advance together, the shorter ones end in NULLs.
pub(crate) struct ProjectSetOp {
    pub(crate) input: Box<dyn Operator>,
}

impl Operator for ProjectSetOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::ProjectSet { input, calls } = &node.op else { return mismatch() };
            let Some(batch) = self.input.next(input, cx).await? else { return Ok(None) };
            let mut out = BatchBuilder::new(&node.types);
            let first = batch.columns.len();
            for row in 0..batch.rows {
                let before = out.rows();
                let env = cx.state.env();
                let mut sets = Vec::with_capacity(calls.len());
                for (i, (function, args)) in calls.iter().enumerate() {
                    let ty = node.types[first + i];
                    let here = BatchRow { batch: &batch, row };
                    sets.push(start_set(function, args, &here, ty, &env)?);
                }
                loop {
                    let mut values = batch.row(row);
                    let mut any = false;
                    for set in &mut sets {
                        match set.next() {
                            Some(found) => {
                                any = true;
                                values.push(one_value(found?));
                            }
                            None => values.push(Datum::Null),
                        }
                    }
                    if !any {
                        break;
                    }
                    out.push(values);
                }
                cx.state.charge((out.rows() - before) * 16)?;
            }
            Ok(Some(out.finish()))
        })
    }
}

fn one_value(mut row: Vec<Datum>) -> Datum {
    match row.len() {
        1 => row.swap_remove(0),
        _ => Datum::Record(row.into()),
    }
}

/// Calls into the session, row by row.
pub(crate) struct HostCallsOp {
    pub(crate) input: Box<dyn Operator>,
}

impl Operator for HostCallsOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(async move {
            let Op::HostCalls { input, calls } = &node.op else { return mismatch() };
            let Some(batch) = self.input.next(input, cx).await? else { return Ok(None) };
            let mut out = BatchBuilder::new(&node.types);
            let host = cx.state.host.clone();
            for row in 0..batch.rows {
                let mut values = batch.row(row);
                for (function, args) in calls {
                    let here = BatchRow { batch: &batch, row };
                    let env = cx.state.env();
                    let args = args
                        .iter()
                        .map(|a| eval_row(a, &here, &env))
                        .collect::<Result<Vec<_>, _>>()?;
                    values.push(call_host(host.as_ref(), function, args).await?);
                }
                out.push(values);
            }
            Ok(Some(out.finish()))
        })
    }
}

async fn call_host(
    host: &dyn crate::exec::Surroundings,
    function: &crate::bind::HostFunction,
    args: Vec<Datum>,
) -> Result<Datum, SqlError> {
    if function.strict && args.iter().any(|a| matches!(a, Datum::Null)) {
        return Ok(Datum::Null);
    }
    host.call(function, args).await
}
