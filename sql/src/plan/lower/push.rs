//! What shards do besides filtering: limits, the first rows of an order, aggregation in parts. All
//! of it looks through projections, down to the scan.

use super::scan::is_pushable;
use crate::optimize::is_volatile;
use crate::plan::expr::{Expr, ExprKind};
use crate::plan::physical::*;
use base::layout::PRIMARY_INDEX;
use types::SqlType;

/// Tells the scans below that no more rows are needed.
pub(super) fn push_limit(node: &mut Node, bounds: &LimitExprs) {
    if !is_fixed(bounds) {
        return;
    }
    match &mut node.op {
        Op::Scan(scan) if scan.partial.is_none() && scan.local_filter.is_none() => {
            scan.limit = Some(bounds.clone());
        }
        Op::Project { input, .. } => push_limit(input, bounds),
        Op::Append { inputs } => inputs.iter_mut().for_each(|input| push_limit(input, bounds)),
        Op::Lock { limit, .. } => *limit = Some(bounds.clone()),
        _ => {}
    }
}

/// A limit that comes to the same number for everybody who asks.
fn is_fixed(bounds: &LimitExprs) -> bool {
    let mut parts = bounds.limit.iter().chain(&bounds.offset);
    bounds.limit.is_some() && !parts.any(|part| part.any(&|e| is_volatile(e)))
}

/// Tells the scan below that only the first rows in an order are needed.
pub(super) fn push_top(node: &mut Node, keys: &[SortSlot], bounds: &LimitExprs) {
    if !is_fixed(bounds) {
        return;
    }
    let exprs = keys.iter().map(|key| Expr::slot(key.slot, key.ty)).collect();
    let Some((node, exprs)) = over_scan(node, exprs) else { return };
    let Op::Scan(scan) = &mut node.op else { return };
    let sorted = exprs.into_iter().zip(keys).map(|(e, key)| (e, key.desc, key.nulls_first));
    scan.top = Some(TopRows { keys: sorted.collect(), limit: bounds.clone() });
}

/// Lets shards leave out rows of which they have seen the like. `on` are all columns, or it is not
/// this kind of DISTINCT.
pub(super) fn push_distinct(node: &mut Node, on: &[usize]) {
    if on.is_empty()
        || on.len() != node.columns.len()
        || !(0..on.len()).all(|slot| on.contains(&slot))
    {
        return;
    }
    let exprs = (0..on.len()).map(|slot| Expr::slot(slot, node.types[slot])).collect();
    let (columns, types) = (node.columns.clone(), node.types.clone());
    if push_groups(node, exprs, Vec::new()).is_some() {
        node.columns = columns;
        node.types = types;
    }
}

/// Moves an aggregation that shards can do in parts onto the scan below it.
pub(super) fn push_aggregate(node: &mut AggregateNode) {
    if node.sets.is_some() || node.calls.iter().any(|call| !call.order.is_empty()) {
        return;
    }
    if node.calls.iter().all(|call| call.function.splittable && !call.distinct) {
        push_parts(node);
    } else if node.calls.iter().all(|call| call.distinct && call.filter.is_none()) {
        push_distinct_arguments(node);
    }
}

/// Shards send groups with states, to be merged.
fn push_parts(node: &mut AggregateNode) {
    let groups = node.groups.clone();
    let types: Vec<SqlType> = groups.iter().map(|group| group.ty).collect();
    if push_groups(&mut node.input, groups, node.calls.clone()).is_none() {
        return;
    }
    node.groups = types.iter().enumerate().map(|(slot, ty)| Expr::slot(slot, *ty)).collect();
    node.input.types = types;
    node.input.types.extend(node.calls.iter().map(|_| SqlType::BYTEA));
    node.merges = true;
}

/// Shards send each combination of groups and arguments once.
fn push_distinct_arguments(node: &mut AggregateNode) {
    let args = node.calls.iter().flat_map(|call| &call.args);
    let exprs: Vec<Expr> = node.groups.iter().chain(args).cloned().collect();
    let types: Vec<SqlType> = exprs.iter().map(|expr| expr.ty).collect();
    if push_groups(&mut node.input, exprs, Vec::new()).is_none() {
        return;
    }
    node.input.types = types;
    let args = node.calls.iter_mut().flat_map(|call| &mut call.args);
    for (slot, expr) in node.groups.iter_mut().chain(args).enumerate() {
        *expr = Expr::slot(slot, expr.ty);
    }
}

/// Puts groups and aggregates, over the node's output, on the scan below, which takes the node's
/// place. `None`, and nothing done, when shards cannot do it or when it would save nothing.
fn push_groups(node: &mut Node, groups: Vec<Expr>, calls: Vec<AggregateSlot>) -> Option<()> {
    let group_count = groups.len();
    let mut exprs = groups;
    for call in &calls {
        exprs.extend(call.args.iter().chain(&call.filter).cloned());
    }
    let (below, mut groups) = over_scan(node, exprs)?;
    let mut rest = groups.split_off(group_count).into_iter();
    let inward = |call: AggregateSlot| AggregateSlot {
        args: rest.by_ref().take(call.args.len()).collect(),
        filter: call.filter.and_then(|_| rest.next()),
        ..call
    };
    let calls = calls.into_iter().map(inward).collect();
    let Op::Scan(scan) = &mut below.op else { return None };
    if !can_repeat(scan, &groups) {
        return None;
    }
    scan.partial = Some(PartialAggregate { groups, calls });
    let empty = Node { id: 0, op: Op::Empty, types: Vec::new(), columns: Vec::new(), rows: 0.0 };
    let scan = std::mem::replace(below, empty);
    *node = scan;
    Some(())
}

/// Groups that hold the whole key of a row are never met twice.
fn can_repeat(scan: &Scan, groups: &[Expr]) -> bool {
    let is_grouped = |id: u32| {
        groups.iter().any(|group| match group.kind {
            ExprKind::Slot(slot) => scan.columns.get(slot).is_some_and(|column| column.id == id),
            _ => false,
        })
    };
    !scan.table.key.iter().all(|key| is_grouped(key.column))
}

/// The scan under projections, and expressions over the node's output as expressions over the
/// scan's slots; `None` unless shards can evaluate them on all rows that the scan gives.
fn over_scan(node: &mut Node, exprs: Vec<Expr>) -> Option<(&mut Node, Vec<Expr>)> {
    let (mut node, mut exprs) = (node, exprs);
    while matches!(node.op, Op::Project { .. }) {
        let Op::Project { input, exprs: made } = &mut node.op else { return None };
        exprs = substituted(exprs, |slot| made[slot].clone());
        node = input;
    }
    if !exprs.iter().all(is_pushable) {
        return None;
    }
    let Op::Scan(scan) = &node.op else { return None };
    if !gives_spans(scan) {
        return None;
    }
    let width = scan.columns.len();
    if scan.emit.iter().any(|slot| *slot >= width) {
        // The row's key is known to the session alone.
        return None;
    }
    let types: Vec<SqlType> = scan.columns.iter().map(|column| column.ty).collect();
    let emit = scan.emit.clone();
    Some((node, substituted(exprs, |slot| Expr::slot(emit[slot], types[emit[slot]]))))
}

/// Whole stretches of an index that holds all that is needed, with no more to be done to the rows.
fn gives_spans(scan: &Scan) -> bool {
    scan.local_filter.is_none()
        && scan.lock.is_none()
        && scan.limit.is_none()
        && scan.top.is_none()
        && scan.partial.is_none()
        && !scan.row_key
        && !scan.keys.is_points()
        && (scan.covering || scan.index == PRIMARY_INDEX)
}

fn substituted(mut exprs: Vec<Expr>, slot: impl Fn(usize) -> Expr) -> Vec<Expr> {
    for expr in &mut exprs {
        expr.rewrite(&mut |part| {
            if let ExprKind::Slot(at) = part.kind {
                *part = slot(at);
            }
        });
    }
    exprs
}
