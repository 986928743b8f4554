//! Aggregation (on the shards where it can be) and window functions.

use super::push::push_aggregate;
use super::{Lower, Needed};
use crate::plan::expr::{ColId, Expr};
use crate::plan::physical::*;
use crate::plan::rel::{AggregateCall, Aggregation, Bound, Rel, SortKey, WindowCall};
use types::SqlError;

impl Lower<'_> {
    pub(super) fn aggregate(
        &mut self,
        aggregation: Aggregation,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let Aggregation { input, groups, calls, sets } = aggregation;
        let mut below = Needed::new();
        groups.iter().for_each(|(_, e)| e.free_columns(&mut below));
        for (_, call) in &calls {
            call.args.iter().chain(&call.filter).for_each(|e| e.free_columns(&mut below));
            call.order.iter().for_each(|k| k.expr.free_columns(&mut below));
        }
        let input = self.rel(*input, &below)?;
        let columns: Vec<ColId> =
            groups.iter().map(|(c, _)| *c).chain(calls.iter().map(|(c, _)| *c)).collect();
        let groups = groups.into_iter().map(|(_, e)| e).collect();
        let groups = self.exprs(groups, &input.columns)?;
        let mut slots = Vec::with_capacity(calls.len());
        for (_, call) in calls {
            slots.push(self.aggregate_slot(call, &input.columns)?);
        }
        let mut node = AggregateNode { input, groups, calls: slots, sets, merges: false };
        push_aggregate(&mut node);
        Ok(self.node(Op::Aggregate(Box::new(node)), columns, rows))
    }

    fn aggregate_slot(
        &mut self,
        call: AggregateCall,
        layout: &[ColId],
    ) -> Result<AggregateSlot, SqlError> {
        Ok(AggregateSlot {
            function: call.function,
            args: self.exprs(call.args, layout)?,
            distinct: call.distinct,
            order: self.order_exprs(call.order, layout)?,
            filter: call.filter.map(|f| self.expr(f, layout)).transpose()?,
            ty: call.ty,
        })
    }

    fn order_exprs(
        &mut self,
        keys: Vec<SortKey>,
        layout: &[ColId],
    ) -> Result<Vec<(Expr, bool, bool)>, SqlError> {
        keys.into_iter().map(|k| Ok((self.expr(k.expr, layout)?, k.desc, k.nulls_first))).collect()
    }

    pub(super) fn window(
        &mut self,
        input: Rel,
        calls: Vec<WindowCall>,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let mut below = self.below(&input, needed);
        for call in &calls {
            let exprs = call.args.iter().chain(&call.partition).chain(&call.filter);
            exprs.for_each(|e| e.free_columns(&mut below));
            call.order.iter().for_each(|k| k.expr.free_columns(&mut below));
        }
        let input = self.rel(input, &below)?;
        let layout = input.columns.clone();
        let mut columns = layout.clone();
        let mut lowered = Vec::with_capacity(calls.len());
        for call in calls {
            columns.push(call.column);
            lowered.push(WindowNode {
                function: call.function,
                args: self.exprs(call.args, &layout)?,
                filter: call.filter.map(|f| self.expr(f, &layout)).transpose()?,
                partition: self.exprs(call.partition, &layout)?,
                order: self.order_exprs(call.order, &layout)?,
                frame: crate::plan::rel::Frame {
                    unit: call.frame.unit,
                    start: self.bound(call.frame.start, &layout)?,
                    end: self.bound(call.frame.end, &layout)?,
                },
                ty: call.ty,
            });
        }
        let op = Op::Window { input: Box::new(input), calls: lowered };
        Ok(self.node(op, columns, rows))
    }

    fn bound(&mut self, bound: Bound, layout: &[ColId]) -> Result<Bound, SqlError> {
        Ok(match bound {
            Bound::Preceding(e) => Bound::Preceding(self.expr(e, layout)?),
            Bound::Following(e) => Bound::Following(self.expr(e, layout)?),
            other => other,
        })
    }
}
