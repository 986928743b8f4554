//! Sorting, whole or only the first rows.

use super::limit::bounds;
use super::{Operator, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch};
use crate::exec::errors::ExecResult;
use crate::exec::kept::{Kept, Sorted};
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op};
use base::BoxFuture;

/// A running sort.
pub(crate) struct SortOp {
    input: Box<dyn Operator>,
    /// The rows in order, and how many of them have been given.
    sorted: Option<(Sorted, usize)>,
}

impl SortOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> SortOp {
        SortOp { input, sorted: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        if self.sorted.is_none() {
            self.sorted = Some(self.sort(node, cx).await?);
        }
        let Some((sorted, given)) = &mut self.sorted else { return mismatch() };
        let end = sorted.len().min(*given + BATCH_ROWS);
        if *given >= end {
            return Ok(None);
        }
        let batch = sorted.slice(*given, end, &node.types);
        *given = end;
        Ok(Some(batch))
    }

    /// Sorts everything; answers the rows and how many of them OFFSET skips.
    async fn sort(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<(Sorted, usize)> {
        let Op::Sort { input, keys, limit } = &node.op else { return mismatch() };
        let bounds = match limit {
            None => None,
            Some(exprs) => Some(bounds(exprs, &cx.state.env())?),
        };
        let wanted = bounds.and_then(|bounds| bounds.wanted());
        let mut kept = Kept::new(node.types.clone(), keys.clone(), wanted.map(|n| n as usize));
        if bounds.is_some_and(|bounds| bounds.take == Some(0)) {
            return Ok((kept.finish(), 0));
        }
        while let Some(batch) = self.input.next(input, cx).await? {
            let before = kept.memory();
            kept.push(batch);
            cx.state.release(before);
            cx.state.charge(kept.memory())?;
        }
        Ok((kept.finish(), bounds.map_or(0, |bounds| bounds.skip as usize)))
    }
}

impl Operator for SortOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
