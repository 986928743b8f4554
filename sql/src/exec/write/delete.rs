//! DELETE.

use super::row::Changes;
use super::{foreign, key_at, lock_found};
use crate::exec::batch::Batch;
use crate::exec::errors::ExecResult;
use crate::exec::op::{Operator, drain, mismatch};
use crate::exec::state::Cx;
use crate::plan::physical::{DeleteNode, Node, Op};
use base::{BoxFuture, Key};
use std::collections::BTreeSet;
use types::Datum;

/// A running DELETE.
pub(crate) struct DeleteOp {
    input: Box<dyn Operator>,
    returned: Option<std::vec::IntoIter<Batch>>,
}

impl DeleteOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> DeleteOp {
        DeleteOp { input, returned: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Delete(plan) = &node.op else { return mismatch() };
        if self.returned.is_none() {
            let batches = drain(&mut self.input, &plan.input, cx).await?;
            if !plan.locked {
                let keys: Vec<Key> = batches
                    .iter()
                    .flat_map(|b| (0..b.rows).filter_map(|row| key_at(b, plan.row_key, row)))
                    .collect();
                lock_found(&keys, cx).await?;
            }
            let batches = write(plan, batches, cx).await?;
            self.returned = Some(batches.into_iter());
        }
        Ok(self.returned.as_mut().and_then(Iterator::next))
    }
}

async fn write(plan: &DeleteNode, batches: Vec<Batch>, cx: &mut Cx<'_>) -> ExecResult<Vec<Batch>> {
    let mut changes = Changes::default();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut gone = Vec::new();
    let mut out = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut kept = Vec::with_capacity(batch.rows);
        for at in 0..batch.rows {
            let Some(key) = key_at(&batch, plan.row_key, at) else { continue };
            if !seen.insert(key.clone()) {
                continue;
            }
            let slot = |s: &Option<usize>| s.map_or(Datum::Null, |s| batch.get(s, at));
            let old: Vec<Datum> = plan.old.iter().map(slot).collect();
            changes.delete(&plan.target, key, &old, &cx.state.env())?;
            if !plan.target.children.is_empty() {
                gone.push(old);
            }
            kept.push(at as u32);
        }
        out.push(batch.gather(&kept));
    }
    cx.state.affected += seen.len() as u64;
    changes.apply(cx)?;
    foreign::children_of_deleted(&plan.target, &gone, cx).await?;
    Ok(out)
}

impl Operator for DeleteOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
