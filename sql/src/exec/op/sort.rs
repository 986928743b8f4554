//! Sorting, whole or only the first rows.

use super::limit::bounds;
use super::{Operator, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::plan::physical::{Node, Op, SortSlot};
use base::BoxFuture;

/// A running sort.
pub(crate) struct SortOp {
    input: Box<dyn Operator>,
    sorted: Option<Sorted>,
}

struct Sorted {
    batches: Vec<Batch>,
    /// Batch and row, in order.
    order: Vec<(u32, u32)>,
    at: usize,
}

/// Rows gathered beyond the wanted ones before they are cut back.
const SLACK_ROWS: usize = 8 * BATCH_ROWS;

impl SortOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> SortOp {
        SortOp { input, sorted: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        if self.sorted.is_none() {
            self.sorted = Some(self.sort(node, cx).await?);
        }
        let Some(sorted) = &mut self.sorted else { return mismatch() };
        let rest = &sorted.order[sorted.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let count = rest.len().min(BATCH_ROWS);
        let mut out = BatchBuilder::new(&node.types);
        let mut row = Vec::new();
        for (batch, at) in &rest[..count] {
            sorted.batches[*batch as usize].row_into(*at as usize, &mut row);
            out.push(row.drain(..));
        }
        sorted.at += count;
        Ok(Some(out.finish()))
    }

    async fn sort(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Sorted> {
        let Op::Sort { input, keys, limit } = &node.op else { return mismatch() };
        let bounds = match limit {
            None => None,
            Some(exprs) => Some(bounds(exprs, &cx.state.env())?),
        };
        let wanted = bounds.and_then(|b| b.take.map(|t| t.saturating_add(b.skip) as usize));
        let mut kept = Kept { batches: Vec::new(), rows: Vec::new() };
        while let Some(batch) = self.input.next(input, cx).await? {
            if batch.rows == 0 {
                continue;
            }
            cx.state.charge(batch.memory())?;
            kept.add(batch, keys);
            if let Some(wanted) = wanted
                && kept.rows.len() > wanted.saturating_mul(2).max(SLACK_ROWS)
            {
                let freed = kept.cut(wanted, node);
                cx.state.release(freed);
            }
        }
        kept.rows.sort();
        let skip = bounds.map_or(0, |b| b.skip as usize).min(kept.rows.len());
        let end = wanted.unwrap_or(usize::MAX).min(kept.rows.len());
        let order = kept.rows[skip..end.max(skip)].iter().map(|(_, b, r)| (*b, *r)).collect();
        Ok(Sorted { batches: kept.batches, order, at: 0 })
    }
}

/// Rows with their sort keys. Batch and row number break ties: the sort is stable.
struct Kept {
    batches: Vec<Batch>,
    rows: Vec<(Box<[u8]>, u32, u32)>,
}

impl Kept {
    fn add(&mut self, batch: Batch, keys: &[SortSlot]) {
        let number = self.batches.len() as u32;
        for row in 0..batch.rows {
            let mut key = Vec::with_capacity(keys.len() * 10);
            for slot in keys {
                let value = batch.get(slot.slot, row);
                hash_key::put_sorted(&value, slot.ty, slot.desc, slot.nulls_first, &mut key);
            }
            self.rows.push((key.into_boxed_slice(), number, row as u32));
        }
        self.batches.push(batch);
    }

    /// Keeps the first rows only; answers how many bytes that freed.
    fn cut(&mut self, wanted: usize, node: &Node) -> usize {
        let before: usize = self.batches.iter().map(Batch::memory).sum();
        self.rows.sort();
        self.rows.truncate(wanted);
        let mut out = BatchBuilder::new(&node.types);
        let mut row = Vec::new();
        for (_, batch, at) in &self.rows {
            self.batches[*batch as usize].row_into(*at as usize, &mut row);
            out.push(row.drain(..));
        }
        let batch = out.finish();
        for (place, entry) in self.rows.iter_mut().enumerate() {
            entry.1 = 0;
            entry.2 = place as u32;
        }
        let after = batch.memory();
        self.batches = vec![batch];
        before.saturating_sub(after)
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
