//! Hash join: the right side becomes a table, the left side probes it.

use super::join_common::{pad_left, pad_right, pair_matches};
use super::{Operator, drain, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{Env, eval_batch};
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::plan::expr::Expr;
use crate::plan::physical::{HashJoin, Node, Op};
use crate::plan::rel::JoinKind;
use base::BoxFuture;
use rustc_hash::FxHashMap;
use types::SqlError;

/// Bytes of the table beside the rows, for each row.
const ENTRY_BYTES: usize = 48;

/// A running hash join.
pub(crate) struct HashJoinOp {
    left: Box<dyn Operator>,
    right: Box<dyn Operator>,
    table: Option<Built>,
    /// The left batch in work, its keys, and the next row of it.
    current: Option<Probe>,
    left_done: bool,
    /// Right rows without partner that were given out: batch, row.
    drained: usize,
}

/// A left batch in work.
struct Probe {
    batch: Batch,
    keys: Vec<Option<Vec<u8>>>,
    row: usize,
}

/// The right side.
struct Built {
    batches: Vec<Batch>,
    rows: FxHashMap<Vec<u8>, Vec<(u32, u32)>>,
    /// For FULL joins: which rows have found a partner.
    matched: Vec<Vec<bool>>,
}

impl HashJoinOp {
    pub(crate) fn new(left: Box<dyn Operator>, right: Box<dyn Operator>) -> HashJoinOp {
        HashJoinOp { left, right, table: None, current: None, left_done: false, drained: 0 }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::HashJoin(plan) = &node.op else { return mismatch() };
        if self.table.is_none() {
            self.table = Some(self.build(plan, cx).await?);
        }
        while !self.left_done {
            let Some(mut current) = self.current.take() else {
                match self.left.next(&plan.left, cx).await? {
                    None => self.left_done = true,
                    Some(batch) => {
                        let keys = keys_of(&plan.left_keys, &batch, &cx.state.env())?;
                        self.current = Some(Probe { batch, keys, row: 0 });
                    }
                }
                continue;
            };
            let Some(table) = &mut self.table else { return mismatch() };
            let out = probe(plan, table, &mut current, node, &cx.state.env())?;
            if current.row < current.batch.rows {
                self.current = Some(current);
            }
            if out.rows > 0 {
                return Ok(Some(out));
            }
        }
        if !matches!(plan.kind, JoinKind::Full | JoinKind::Right) {
            return Ok(None);
        }
        let Some(table) = &self.table else { return mismatch() };
        while let Some(batch) = table.batches.get(self.drained) {
            let matched = &table.matched[self.drained];
            self.drained += 1;
            let mut out = BatchBuilder::new(&node.types);
            for row in (0..batch.rows).filter(|r| !matched[*r]) {
                pad_left(&mut out, batch, row, &node.types);
            }
            if out.rows() > 0 {
                return Ok(Some(out.finish()));
            }
        }
        Ok(None)
    }

    async fn build(&mut self, plan: &HashJoin, cx: &mut Cx<'_>) -> ExecResult<Built> {
        let batches = drain(&mut self.right, &plan.right, cx).await?;
        let total: usize = batches.iter().map(|b| b.rows).sum();
        cx.state.charge(total * ENTRY_BYTES)?;
        let mut rows: FxHashMap<Vec<u8>, Vec<(u32, u32)>> = FxHashMap::default();
        let env = cx.state.env();
        for (number, batch) in batches.iter().enumerate() {
            let keys = keys_of(&plan.right_keys, batch, &env)?;
            for (row, key) in keys.into_iter().enumerate() {
                if let Some(key) = key {
                    rows.entry(key).or_default().push((number as u32, row as u32));
                }
            }
        }
        let outer = matches!(plan.kind, JoinKind::Full | JoinKind::Right);
        let matched = match outer {
            true => batches.iter().map(|b| vec![false; b.rows]).collect(),
            false => Vec::new(),
        };
        Ok(Built { batches, rows, matched })
    }
}

/// Hash keys of rows; `None` where a part is NULL, which equals nothing.
fn keys_of(exprs: &[Expr], batch: &Batch, env: &Env<'_>) -> Result<Vec<Option<Vec<u8>>>, SqlError> {
    let mut columns = Vec::with_capacity(exprs.len());
    for expr in exprs {
        columns.push(eval_batch(expr, batch, env)?);
    }
    let key = |row: usize| {
        let mut key = Vec::with_capacity(columns.len() * 10);
        for (column, expr) in columns.iter().zip(exprs) {
            if column.is_null(row) {
                return None;
            }
            hash_key::put(&column.get(row), expr.ty, &mut key);
        }
        Some(key)
    };
    Ok((0..batch.rows).map(key).collect())
}

/// Joins rows of the left batch until a batch of output is full.
fn probe(
    plan: &HashJoin,
    table: &mut Built,
    current: &mut Probe,
    node: &Node,
    env: &Env<'_>,
) -> Result<Batch, SqlError> {
    let simple = plan.kind == JoinKind::Inner && plan.residual.is_none();
    if simple && table.batches.len() == 1 {
        return Ok(probe_simple(table, current));
    }
    let mut out = BatchBuilder::new(&node.types);
    let mut kept = Vec::with_capacity(BATCH_ROWS);
    let mut both = Vec::new();
    let Probe { batch, keys, row } = current;
    while *row < batch.rows && out.rows() < BATCH_ROWS {
        let at = *row;
        *row += 1;
        let mut found = false;
        let candidates = keys[at].as_ref().and_then(|k| table.rows.get(k));
        for &(number, right) in candidates.into_iter().flatten() {
            let other = (&table.batches[number as usize], right as usize);
            if !pair_matches(plan.residual.as_ref(), (batch, at), other, &mut both, env)? {
                continue;
            }
            found = true;
            if matches!(plan.kind, JoinKind::Semi | JoinKind::Anti) {
                break;
            }
            if let Some(matched) = table.matched.get_mut(number as usize) {
                matched[right as usize] = true;
            }
            out.push(both.drain(..));
        }
        match plan.kind {
            JoinKind::Semi if found => kept.push(at as u32),
            JoinKind::Anti if !found => kept.push(at as u32),
            JoinKind::Left | JoinKind::Full if !found => {
                pad_right(&mut out, batch, at, &node.types);
            }
            _ => {}
        }
    }
    if matches!(plan.kind, JoinKind::Semi | JoinKind::Anti) {
        return Ok(batch.gather(&kept));
    }
    Ok(out.finish())
}

/// An inner join over one right batch: whole columns are gathered at once.
fn probe_simple(table: &Built, current: &mut Probe) -> Batch {
    let Probe { batch, keys, row } = current;
    let mut left = Vec::with_capacity(batch.rows);
    let mut right = Vec::with_capacity(batch.rows);
    while *row < batch.rows && left.len() < BATCH_ROWS {
        let candidates = keys[*row].as_ref().and_then(|k| table.rows.get(k));
        for &(_, other) in candidates.into_iter().flatten() {
            left.push(*row as u32);
            right.push(other);
        }
        *row += 1;
    }
    let rows = left.len();
    let mut columns = batch.gather(&left).columns;
    columns.extend(table.batches[0].gather(&right).columns);
    Batch::new(columns, rows)
}

impl Operator for HashJoinOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
