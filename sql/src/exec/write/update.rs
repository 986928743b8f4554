//! UPDATE.

use super::row::{Changes, complete};
use super::{Returned, foreign, key_at, lock_found};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::eval::{BatchRow, eval_row};
use crate::exec::op::{Operator, drain, mismatch};
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op, UpdateNode};
use base::{BoxFuture, Key};
use std::collections::BTreeSet;
use types::Datum;

/// A running UPDATE.
pub(crate) struct UpdateOp {
    input: Box<dyn Operator>,
    returned: Option<Returned>,
}

impl UpdateOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> UpdateOp {
        UpdateOp { input, returned: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Update(plan) = &node.op else { return mismatch() };
        if self.returned.is_none() {
            let batches = drain(&mut self.input, &plan.input, cx).await?;
            if !plan.locked {
                let keys: Vec<Key> = batches
                    .iter()
                    .flat_map(|b| (0..b.rows).filter_map(|row| key_at(b, plan.row_key, row)))
                    .collect();
                lock_found(&keys, cx).await?;
            }
            let rows = write(plan, &batches, cx).await?;
            cx.state.affected += rows.len() as u64;
            self.returned = Some(Returned::new(&node.types, rows));
        }
        Ok(self.returned.as_mut().and_then(|r| r.batches.next()))
    }
}

/// Writes all rows; answers new rows and input columns side by side.
async fn write(
    plan: &UpdateNode,
    batches: &[Batch],
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<Vec<Datum>>> {
    let target = &plan.target;
    let mut changes = Changes::default();
    let mut out = Vec::new();
    let mut changed = Vec::new();
    // A join may find a row several times: the first pairing counts.
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let single: bool = batches.iter().map(|b| b.rows).sum::<usize>() <= 1;
    let env = cx.state.env();
    for batch in batches {
        for at in 0..batch.rows {
            let Some(key) = key_at(batch, plan.row_key, at) else { continue };
            if !single && !seen.insert(key.clone()) {
                continue;
            }
            let slot = |s: &Option<usize>| s.map_or(Datum::Null, |s| batch.get(s, at));
            let old: Vec<Datum> = plan.old.iter().map(slot).collect();
            let mut new = old.clone();
            let here = BatchRow { batch, row: at };
            for (position, expr) in &plan.assignments {
                new[*position] = eval_row(expr, &here, &env)?;
            }
            complete(target, &mut new, &env)?;
            changes.update(target, key, &old, &new, &env)?;
            let mut row = new.clone();
            row.extend(batch.row(at));
            out.push(row);
            if !target.parents.is_empty() || !target.children.is_empty() {
                changed.push((old, new));
            }
        }
    }
    changes.apply(cx)?;
    foreign::check_parents(target, changed.iter().map(|(_, new)| new.as_slice()), cx).await?;
    foreign::children_of_changed(target, &changed, cx).await?;
    Ok(out)
}

impl Operator for UpdateOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
