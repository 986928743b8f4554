//! Window functions: partitions are sorted, then each row looks at its frame.

use super::{Operator, drain, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{Env, eval_row, is_true};
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::functions::EvalContext;
use crate::plan::physical::{Node, Op, WindowNode};
use crate::plan::rel::{Bound, FrameUnit, WindowFunction};
use base::BoxFuture;
use types::{Datum, SqlError, SqlType, sqlstate};

/// A running window operator.
pub(crate) struct WindowOp {
    input: Box<dyn Operator>,
    ready: Option<std::vec::IntoIter<Vec<Datum>>>,
}

impl WindowOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> WindowOp {
        WindowOp { input, ready: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Window { input, calls } = &node.op else { return mismatch() };
        if self.ready.is_none() {
            let batches = drain(&mut self.input, input, cx).await?;
            let mut rows: Vec<Vec<Datum>> =
                batches.iter().flat_map(|b| (0..b.rows).map(|r| b.row(r))).collect();
            let env = cx.state.env();
            let mut order: Vec<usize> = (0..rows.len()).collect();
            let mut results = Vec::with_capacity(calls.len());
            for call in calls {
                let sorted = sort(call, &rows, &env)?;
                results.push(compute(call, &rows, &sorted, &env)?);
                // Rows come out in the order of the last window, as PostgreSQL leaves them.
                order = sorted.iter().map(|s| s.row).collect();
            }
            for (row, values) in rows.iter_mut().enumerate() {
                values.extend(
                    results.iter_mut().map(|r| std::mem::replace(&mut r[row], Datum::Null)),
                );
            }
            let ordered: Vec<Vec<Datum>> =
                order.into_iter().map(|row| std::mem::take(&mut rows[row])).collect();
            self.ready = Some(ordered.into_iter());
        }
        let Some(ready) = &mut self.ready else { return mismatch() };
        let mut out = BatchBuilder::new(&node.types);
        for row in ready.by_ref().take(BATCH_ROWS) {
            out.push(row);
        }
        Ok((out.rows() > 0).then(|| out.finish()))
    }
}

/// A row with the bytes that place it.
struct Placed {
    partition: Vec<u8>,
    order: Vec<u8>,
    row: usize,
}

fn sort(call: &WindowNode, rows: &[Vec<Datum>], env: &Env<'_>) -> Result<Vec<Placed>, SqlError> {
    let mut out = Vec::with_capacity(rows.len());
    for (row, values) in rows.iter().enumerate() {
        let mut partition = Vec::new();
        for expr in &call.partition {
            let value = eval_row(expr, values.as_slice(), env)?;
            hash_key::put_sorted(&value, expr.ty, false, false, &mut partition);
        }
        let mut order = Vec::new();
        for (expr, desc, nulls_first) in &call.order {
            let value = eval_row(expr, values.as_slice(), env)?;
            hash_key::put_sorted(&value, expr.ty, *desc, *nulls_first, &mut order);
        }
        out.push(Placed { partition, order, row });
    }
    out.sort_by(|a, b| (&a.partition, &a.order).cmp(&(&b.partition, &b.order)));
    Ok(out)
}

/// One partition: sorted rows, and for each the bounds of its peers.
struct Partition<'a> {
    call: &'a WindowNode,
    rows: &'a [Vec<Datum>],
    sorted: &'a [Placed],
    peers: Vec<(usize, usize)>,
    /// Number of each row's peer group.
    groups: Vec<usize>,
}

fn compute(
    call: &WindowNode,
    rows: &[Vec<Datum>],
    sorted: &[Placed],
    env: &Env<'_>,
) -> Result<Vec<Datum>, SqlError> {
    let mut out = vec![Datum::Null; rows.len()];
    let mut from = 0;
    while from < sorted.len() {
        let mut to = from;
        while to < sorted.len() && sorted[to].partition == sorted[from].partition {
            to += 1;
        }
        let partition = Partition::new(call, rows, &sorted[from..to]);
        partition.run(&mut out, env)?;
        from = to;
    }
    Ok(out)
}

impl<'a> Partition<'a> {
    fn new(call: &'a WindowNode, rows: &'a [Vec<Datum>], sorted: &'a [Placed]) -> Self {
        let mut peers = Vec::with_capacity(sorted.len());
        let mut groups = Vec::with_capacity(sorted.len());
        let mut start = 0;
        let mut group = 0;
        while start < sorted.len() {
            let mut end = start;
            while end < sorted.len() && sorted[end].order == sorted[start].order {
                end += 1;
            }
            for _ in start..end {
                peers.push((start, end));
                groups.push(group);
            }
            group += 1;
            start = end;
        }
        Partition { call, rows, sorted, peers, groups }
    }

    fn run(&self, out: &mut [Datum], env: &Env<'_>) -> Result<(), SqlError> {
        if let WindowFunction::Aggregate(function) = self.call.function {
            return self.aggregate(function, out, env);
        }
        for at in 0..self.sorted.len() {
            out[self.sorted[at].row] = self.value(at, env)?;
        }
        Ok(())
    }

    fn arg(&self, number: usize, at: usize, env: &Env<'_>) -> Result<Datum, SqlError> {
        match self.call.args.get(number) {
            Some(expr) => eval_row(expr, self.rows[self.sorted[at].row].as_slice(), env),
            None => Ok(Datum::Null),
        }
    }

    fn value(&self, at: usize, env: &Env<'_>) -> Result<Datum, SqlError> {
        let count = self.sorted.len();
        let (first_peer, last_peer) = self.peers[at];
        Ok(match self.call.function {
            WindowFunction::RowNumber => Datum::Int8(at as i64 + 1),
            WindowFunction::Rank => Datum::Int8(first_peer as i64 + 1),
            WindowFunction::DenseRank => Datum::Int8(self.groups[at] as i64 + 1),
            WindowFunction::PercentRank => Datum::Float8(match count {
                0 | 1 => 0.0,
                n => first_peer as f64 / (n - 1) as f64,
            }),
            WindowFunction::CumeDist => Datum::Float8(last_peer as f64 / count as f64),
            WindowFunction::Ntile => self.ntile(at, env)?,
            WindowFunction::Lag => self.shifted(at, -1, env)?,
            WindowFunction::Lead => self.shifted(at, 1, env)?,
            WindowFunction::FirstValue => match self.frame(at, env)? {
                (from, to) if from < to => self.arg(0, from, env)?,
                _ => Datum::Null,
            },
            WindowFunction::LastValue => match self.frame(at, env)? {
                (from, to) if from < to => self.arg(0, to - 1, env)?,
                _ => Datum::Null,
            },
            WindowFunction::NthValue => {
                let Datum::Int4(n) = self.arg(1, at, env)? else { return Ok(Datum::Null) };
                if n < 1 {
                    return Err(SqlError::new(
                        sqlstate::INVALID_ARGUMENT_FOR_NTH_VALUE,
                        "argument of nth_value must be greater than zero",
                    ));
                }
                let (from, to) = self.frame(at, env)?;
                let wanted = from + n as usize - 1;
                if wanted < to { self.arg(0, wanted, env)? } else { Datum::Null }
            }
            WindowFunction::Aggregate(_) => Datum::Null,
        })
    }

    fn ntile(&self, at: usize, env: &Env<'_>) -> Result<Datum, SqlError> {
        let Datum::Int4(buckets) = self.arg(0, at, env)? else { return Ok(Datum::Null) };
        if buckets < 1 {
            return Err(SqlError::new(
                sqlstate::INVALID_ARGUMENT_FOR_NTILE,
                "argument of ntile must be greater than zero",
            ));
        }
        let (count, buckets) = (self.sorted.len(), buckets as usize);
        let (small, larger) = (count / buckets, count % buckets);
        let in_larger = larger * (small + 1);
        let bucket = if at < in_larger {
            at / (small + 1)
        } else {
            larger + (at - in_larger) / small.max(1)
        };
        Ok(Datum::Int4(bucket as i32 + 1))
    }

    fn shifted(&self, at: usize, sign: i64, env: &Env<'_>) -> Result<Datum, SqlError> {
        let offset = match self.call.args.len() {
            0 | 1 => 1,
            _ => match self.arg(1, at, env)? {
                Datum::Int4(n) => i64::from(n),
                _ => return Ok(Datum::Null),
            },
        };
        let wanted = at as i64 + sign * offset;
        if wanted >= 0 && (wanted as usize) < self.sorted.len() {
            return self.arg(0, wanted as usize, env);
        }
        self.arg(2, at, env)
    }

    fn aggregate(
        &self,
        function: &'static crate::functions::Aggregate,
        out: &mut [Datum],
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        let types: Vec<SqlType> = self.call.args.iter().map(|a| a.ty).collect();
        let context = EvalContext::new(env.settings, env.functions).typed(&types, self.call.ty);
        let mut state = (function.state)();
        let mut done = (0, 0);
        for at in 0..self.sorted.len() {
            let (from, to) = self.frame(at, env)?;
            // A frame that only grows continues the state; any other starts anew.
            if from != done.0 || to < done.1 {
                state = (function.state)();
                done = (from, from);
            }
            for row in done.1.max(from)..to {
                self.feed(function, state.as_mut(), row, &context, env)?;
            }
            done = (from, to.max(from));
            out[self.sorted[at].row] = state.finish(&context)?;
        }
        Ok(())
    }

    fn feed(
        &self,
        function: &'static crate::functions::Aggregate,
        state: &mut dyn crate::functions::AggState,
        at: usize,
        context: &EvalContext<'_>,
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        let row = self.rows[self.sorted[at].row].as_slice();
        if let Some(filter) = &self.call.filter
            && !is_true(&eval_row(filter, row, env)?)
        {
            return Ok(());
        }
        let mut values = Vec::with_capacity(self.call.args.len());
        for arg in &self.call.args {
            values.push(eval_row(arg, row, env)?);
        }
        if function.strict && values.iter().any(|v| matches!(v, Datum::Null)) {
            return Ok(());
        }
        state.update(&values, context)
    }

    /// First row of the frame and the one behind its last.
    fn frame(&self, at: usize, env: &Env<'_>) -> Result<(usize, usize), SqlError> {
        let count = self.sorted.len();
        let start = match self.bound(at, &self.call.frame.start, true, env)? {
            Some(place) => place.clamp(0, count as i64) as usize,
            None => 0,
        };
        let end = match self.bound(at, &self.call.frame.end, false, env)? {
            Some(place) => place.clamp(0, count as i64) as usize,
            None => count,
        };
        Ok((start, end.max(start)))
    }

    /// Where a bound is; for the end of a frame the place behind it.
    fn bound(
        &self,
        at: usize,
        bound: &Bound,
        is_start: bool,
        env: &Env<'_>,
    ) -> Result<Option<i64>, SqlError> {
        let (sign, expr) = match bound {
            Bound::UnboundedPreceding | Bound::UnboundedFollowing => return Ok(None),
            Bound::CurrentRow => return Ok(Some(self.current(at, is_start))),
            Bound::Preceding(expr) => (-1, expr),
            Bound::Following(expr) => (1, expr),
        };
        let row = self.rows[self.sorted[at].row].as_slice();
        let offset = eval_row(expr, row, env)?;
        match self.call.frame.unit {
            FrameUnit::Rows => {
                let n = offset_rows(&offset)?;
                Ok(Some(at as i64 + sign * n + i64::from(!is_start)))
            }
            FrameUnit::Groups => {
                let n = offset_rows(&offset)?;
                let wanted = self.groups[at] as i64 + sign * n;
                let place = if is_start {
                    self.groups.partition_point(|g| (*g as i64) < wanted)
                } else {
                    self.groups.partition_point(|g| (*g as i64) <= wanted)
                };
                Ok(Some(place as i64))
            }
            FrameUnit::Range => self.range_bound(at, &offset, sign, is_start, env).map(Some),
        }
    }

    fn current(&self, at: usize, is_start: bool) -> i64 {
        let place = match (self.call.frame.unit, is_start) {
            (FrameUnit::Rows, true) => at,
            (FrameUnit::Rows, false) => at + 1,
            (_, true) => self.peers[at].0,
            (_, false) => self.peers[at].1,
        };
        place as i64
    }

    /// RANGE with an offset, over a number.
    fn range_bound(
        &self,
        at: usize,
        offset: &Datum,
        sign: i64,
        is_start: bool,
        env: &Env<'_>,
    ) -> Result<i64, SqlError> {
        let Some((expr, desc, _)) = self.call.order.first() else {
            return Ok(self.current(at, is_start));
        };
        let key = |place: usize| -> Result<Option<f64>, SqlError> {
            let row = self.rows[self.sorted[place].row].as_slice();
            Ok(number(&eval_row(expr, row, env)?))
        };
        let (Some(here), Some(offset)) = (key(at)?, number(offset)) else {
            return Ok(self.current(at, is_start));
        };
        let sign = if *desc { -sign } else { sign } as f64;
        let limit = here + sign * offset;
        let mut place = 0;
        for candidate in 0..self.sorted.len() {
            let Some(value) = key(candidate)? else { continue };
            let before = match (*desc, is_start) {
                (false, true) => value < limit,
                (false, false) => value <= limit,
                (true, true) => value > limit,
                (true, false) => value >= limit,
            };
            if before {
                place = candidate + 1;
            }
        }
        Ok(place as i64)
    }
}

fn number(value: &Datum) -> Option<f64> {
    match value {
        Datum::Int2(v) => Some(f64::from(*v)),
        Datum::Int4(v) => Some(f64::from(*v)),
        Datum::Int8(v) => Some(*v as f64),
        Datum::Float4(v) => Some(f64::from(*v)),
        Datum::Float8(v) => Some(*v),
        _ => None,
    }
}

fn offset_rows(offset: &Datum) -> Result<i64, SqlError> {
    match offset {
        Datum::Int8(n) if *n >= 0 => Ok(*n),
        Datum::Int8(_) => Err(SqlError::new(
            sqlstate::INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "frame offset must not be negative",
        )),
        _ => Err(SqlError::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "frame offset must not be null")),
    }
}

impl Operator for WindowOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
