//! Nested loop: every left row with every right row; the right side is kept, or (lateral) runs anew
//! for every left row.

use super::apply::run_lateral;
use super::join_common::{pad_left, pad_right, pair_matches};
use super::{Operator, drain, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::state::Cx;
use crate::plan::physical::{NestedLoop, Node, Op};
use crate::plan::rel::JoinKind;
use base::BoxFuture;

/// A running nested loop.
pub(crate) struct NestedOp {
    left: Box<dyn Operator>,
    right: Option<Box<dyn Operator>>,
    kept: Option<Vec<Batch>>,
    matched: Vec<Vec<bool>>,
    /// The left batch in work and the next row of it.
    current: Option<(Batch, usize)>,
    left_done: bool,
}

impl NestedOp {
    pub(crate) fn new(left: Box<dyn Operator>, right: Option<Box<dyn Operator>>) -> NestedOp {
        NestedOp { left, right, kept: None, matched: Vec::new(), current: None, left_done: false }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::NestedLoop(plan) = &node.op else { return mismatch() };
        if let (Some(right), None) = (&mut self.right, &self.kept) {
            let batches = drain(right, &plan.right, cx).await?;
            self.matched = batches.iter().map(|b| vec![false; b.rows]).collect();
            self.kept = Some(batches);
        }
        while !self.left_done {
            let Some((batch, mut row)) = self.current.take() else {
                match self.left.next(&plan.left, cx).await? {
                    Some(batch) => self.current = Some((batch, 0)),
                    None => self.left_done = true,
                }
                continue;
            };
            let mut out = BatchBuilder::new(&node.types);
            while row < batch.rows && out.rows() < BATCH_ROWS {
                self.left_row(plan, node, &batch, row, &mut out, cx).await?;
                row += 1;
            }
            if row < batch.rows {
                self.current = Some((batch, row));
            }
            if out.rows() > 0 {
                return Ok(Some(out.finish()));
            }
        }
        if !matches!(plan.kind, JoinKind::Full | JoinKind::Right) {
            return Ok(None);
        }
        let Some(batches) = self.kept.take() else { return Ok(None) };
        let mut out = BatchBuilder::new(&node.types);
        for (batch, matched) in batches.iter().zip(&self.matched) {
            for row in (0..batch.rows).filter(|r| !matched[*r]) {
                pad_left(&mut out, batch, row, &node.types);
            }
        }
        Ok((out.rows() > 0).then(|| out.finish()))
    }

    async fn left_row(
        &mut self,
        plan: &NestedLoop,
        node: &Node,
        left: &Batch,
        row: usize,
        out: &mut BatchBuilder,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        let mark = cx.state.memory_mark();
        let fresh;
        let right = match &self.kept {
            Some(kept) => kept,
            None => {
                fresh = run_lateral(&plan.right, &plan.params, left, row, cx).await?;
                &fresh
            }
        };
        let env = cx.state.env();
        let mut both = Vec::new();
        let mut found = false;
        let only_existence = matches!(plan.kind, JoinKind::Semi | JoinKind::Anti);
        'search: for (number, batch) in right.iter().enumerate() {
            for at in 0..batch.rows {
                if !pair_matches(plan.on.as_ref(), (left, row), (batch, at), &mut both, &env)? {
                    continue;
                }
                found = true;
                if only_existence {
                    break 'search;
                }
                if let Some(matched) = self.matched.get_mut(number) {
                    matched[at] = true;
                }
                out.push(both.drain(..));
            }
        }
        match plan.kind {
            JoinKind::Semi if found => out.push(left.row(row)),
            JoinKind::Anti if !found => out.push(left.row(row)),
            JoinKind::Left | JoinKind::Full if !found => pad_right(out, left, row, &node.types),
            _ => {}
        }
        cx.state.memory_reset(mark);
        Ok(())
    }
}

impl Operator for NestedOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
