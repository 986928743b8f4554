//! Aggregation (on the shards where it can be) and window functions.

use super::scan::is_pushable;
use super::{Lower, Needed};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::physical::*;
use crate::plan::rel::{AggregateCall, Aggregation, Bound, Rel, SortKey, WindowCall};
use types::{SqlError, SqlType};

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

/// Moves an aggregation that shards can do in parts onto the scan below it.
fn push_aggregate(node: &mut AggregateNode) {
    let splittable = node.sets.is_none()
        && node.calls.iter().all(|c| {
            c.function.splittable
                && !c.distinct
                && c.order.is_empty()
                && c.args.iter().chain(&c.filter).all(is_pushable)
        })
        && node.groups.iter().all(is_pushable);
    let Op::Scan(scan) = &mut node.input.op else { return };
    let plain = scan.local_filter.is_none()
        && scan.lock.is_none()
        && scan.limit.is_none()
        && !scan.row_key
        && !scan.keys.is_points()
        && (scan.covering || scan.index == base::layout::PRIMARY_INDEX);
    if !splittable || !plain {
        return;
    }
    // Expressions over the scan's output become expressions over its slots.
    let emit = scan.emit.clone();
    let inward = |expr: &Expr| {
        let mut expr = expr.clone();
        expr.rewrite(&mut |e| {
            if let ExprKind::Slot(at) = &mut e.kind {
                *at = emit[*at];
            }
        });
        expr
    };
    let groups: Vec<Expr> = node.groups.iter().map(inward).collect();
    let calls: Vec<AggregateSlot> = node
        .calls
        .iter()
        .map(|c| AggregateSlot {
            args: c.args.iter().map(inward).collect(),
            filter: c.filter.as_ref().map(inward),
            ..c.clone()
        })
        .collect();
    let mut types: Vec<SqlType> = groups.iter().map(|g| g.ty).collect();
    types.extend(calls.iter().map(|_| SqlType::BYTEA));
    node.groups = groups.iter().enumerate().map(|(i, g)| Expr::slot(i, g.ty)).collect();
    scan.partial = Some(PartialAggregate { groups, calls });
    node.input.types = types;
    node.merges = true;
}
