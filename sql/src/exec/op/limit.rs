//! LIMIT, OFFSET, WITH TIES.

use super::{Operator, mismatch};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::eval::{Env, eval_scalar};
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::plan::physical::{LimitExprs, Node, Op, SortSlot};
use base::BoxFuture;
use types::{Datum, SqlError, sqlstate};

/// A running limit.
pub(crate) struct LimitOp {
    input: Box<dyn Operator>,
    bounds: Option<Bounds>,
    /// Sort key of the last row that was counted.
    last: Option<Vec<u8>>,
}

/// Rows to skip and rows to give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) skip: u64,
    pub(crate) take: Option<u64>,
}

impl Bounds {
    /// How many of the first rows are looked at; `None` is all.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.take.map(|take| take.saturating_add(self.skip))
    }
}

/// Evaluates LIMIT and OFFSET.
pub(crate) fn bounds(exprs: &LimitExprs, env: &Env<'_>) -> Result<Bounds, SqlError> {
    let value = |expr: &Option<crate::plan::expr::Expr>| -> Result<Option<i64>, SqlError> {
        match expr {
            None => Ok(None),
            Some(expr) => match eval_scalar(expr, env)? {
                Datum::Int8(n) => Ok(Some(n)),
                _ => Ok(None),
            },
        }
    };
    let take = value(&exprs.limit)?;
    let skip = value(&exprs.offset)?;
    let negative = |code, what: &str| SqlError::new(code, format!("{what} must not be negative"));
    if take.is_some_and(|n| n < 0) {
        return Err(negative(sqlstate::INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT"));
    }
    if skip.is_some_and(|n| n < 0) {
        return Err(negative(sqlstate::INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET"));
    }
    Ok(Bounds { skip: skip.unwrap_or(0) as u64, take: take.map(|n| n as u64) })
}

impl LimitOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> LimitOp {
        LimitOp { input, bounds: None, last: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Limit { input, bounds: exprs, ties } = &node.op else { return mismatch() };
        if self.bounds.is_none() {
            self.bounds = Some(bounds(exprs, &cx.state.env())?);
        }
        let Some(bounds) = &mut self.bounds else { return mismatch() };
        loop {
            if bounds.take == Some(0) && (ties.is_none() || self.last.is_none()) {
                return Ok(None);
            }
            let Some(batch) = self.input.next(input, cx).await? else { return Ok(None) };
            let skip = bounds.skip.min(batch.rows as u64) as usize;
            bounds.skip -= skip as u64;
            if skip == batch.rows {
                continue;
            }
            let available = batch.rows - skip;
            let mut count = bounds.take.map_or(available, |t| available.min(t as usize));
            if let Some(take) = &mut bounds.take {
                *take -= count as u64;
                if let (Some(keys), 0) = (ties, *take) {
                    if count > 0 {
                        self.last = Some(sort_key(&batch, skip + count - 1, keys));
                    }
                    while count < available
                        && self.last.as_deref() == Some(&sort_key(&batch, skip + count, keys))
                    {
                        count += 1;
                    }
                    if count < available {
                        self.last = None;
                    }
                }
            }
            if count > 0 {
                return Ok(Some(batch.slice(skip, count)));
            }
        }
    }
}

fn sort_key(batch: &Batch, row: usize, keys: &[SortSlot]) -> Vec<u8> {
    let mut out = Vec::new();
    for key in keys {
        let value = batch.get(key.slot, row);
        hash_key::put_sorted(&value, key.ty, key.desc, key.nulls_first, &mut out);
    }
    out
}

impl Operator for LimitOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
