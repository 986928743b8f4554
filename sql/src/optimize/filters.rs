//! Conditions move down to where their columns come from.

use super::nulls::rejects_nulls;
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::{JoinKind, Rel, SetOp};
use crate::plan::walk::deep;
use std::collections::{BTreeMap, BTreeSet};

/// Pushes `predicates` (and the filters met on the way) into a plan.
pub(super) fn push(rel: Rel, predicates: Vec<Expr>) -> Rel {
    deep(|| push_inner(rel, predicates))
}

fn push_inner(rel: Rel, mut predicates: Vec<Expr>) -> Rel {
    match rel {
        Rel::Filter { input, predicate } => {
            predicates.extend(predicate.into_conjuncts());
            push(*input, predicates)
        }
        Rel::Project { input, exprs } => {
            let map: BTreeMap<ColId, &Expr> = exprs.iter().map(|(c, e)| (*c, e)).collect();
            let (down, up) = split(predicates, |p| can_substitute(p, &map));
            let down = down.into_iter().map(|p| substitute(p, &map)).collect();
            let project = Rel::Project { input: Box::new(push(*input, down)), exprs };
            project.filter(Expr::and(up))
        }
        Rel::Extend { input, exprs } => {
            let map: BTreeMap<ColId, &Expr> = exprs.iter().map(|(c, e)| (*c, e)).collect();
            let (down, up) = split(predicates, |p| can_substitute(p, &map));
            let down = down.into_iter().map(|p| substitute(p, &map)).collect();
            let extend = Rel::Extend { input: Box::new(push(*input, down)), exprs };
            extend.filter(Expr::and(up))
        }
        Rel::Join { kind, left, right, on, lateral } => {
            push_join(kind, *left, *right, on, lateral, predicates)
        }
        Rel::Aggregate(mut aggregation) => {
            let map: BTreeMap<ColId, &Expr> =
                aggregation.groups.iter().map(|(c, e)| (*c, e)).collect();
            let plain = aggregation.sets.is_none();
            let (down, up) =
                split(predicates, |p| plain && uses_only(p, &map) && can_substitute(p, &map));
            let down = down.into_iter().map(|p| substitute(p, &map)).collect();
            let input = std::mem::replace(aggregation.input.as_mut(), Rel::Unit);
            *aggregation.input = push(input, down);
            Rel::Aggregate(aggregation).filter(Expr::and(up))
        }
        Rel::Sort { input, keys } => Rel::Sort { input: Box::new(push(*input, predicates)), keys },
        Rel::Lock { input, targets, lock } => {
            Rel::Lock { input: Box::new(push(*input, predicates)), targets, lock }
        }
        Rel::Distinct { input, on } => {
            let (down, up) = split(predicates, |p| p.columns().iter().all(|c| on.contains(c)));
            let distinct = Rel::Distinct { input: Box::new(push(*input, down)), on };
            distinct.filter(Expr::and(up))
        }
        Rel::Apply { input, sub, column, kind } => {
            let (down, up) = split(predicates, |p| !p.columns().contains(&column));
            let input = Box::new(push(*input, down));
            let sub = Box::new(push(*sub, Vec::new()));
            Rel::Apply { input, sub, column, kind }.filter(Expr::and(up))
        }
        Rel::SetOp(op) => push_set(op, predicates),
        Rel::With { ctes, body } => {
            let ctes = ctes
                .into_iter()
                .map(|mut cte| {
                    cte.rel = push(cte.rel, Vec::new());
                    cte
                })
                .collect();
            Rel::With { ctes, body: Box::new(push(*body, predicates)) }
        }
        mut other => {
            other.inputs_mut(&mut |input| {
                let taken = std::mem::replace(input, Rel::Unit);
                *input = push(taken, Vec::new());
            });
            inside_subqueries(&mut other);
            other.filter(Expr::and(predicates))
        }
    }
}

/// Subqueries that run ahead are plans of their own.
fn inside_subqueries(rel: &mut Rel) {
    rel.own_exprs_mut(&mut |expr| {
        expr.rewrite(&mut |e| {
            if let ExprKind::Subquery(sub) = &mut e.kind {
                let taken = std::mem::replace(&mut sub.rel, Rel::Unit);
                sub.rel = push(taken, Vec::new());
            }
        });
    });
}

fn split(predicates: Vec<Expr>, test: impl Fn(&Expr) -> bool) -> (Vec<Expr>, Vec<Expr>) {
    predicates.into_iter().partition(test)
}

fn uses_only(predicate: &Expr, map: &BTreeMap<ColId, &Expr>) -> bool {
    let columns = predicate.columns();
    !columns.is_empty() && columns.iter().all(|c| map.contains_key(c))
}

/// May the columns of a condition be replaced by what computes them?
fn can_substitute(predicate: &Expr, map: &BTreeMap<ColId, &Expr>) -> bool {
    !predicate.has_subquery()
        && !predicate.any(&|e| super::cte::is_volatile(e))
        && predicate.columns().iter().all(|c| {
            map.get(c).is_none_or(|e| !e.has_subquery() && !e.any(&|e| super::cte::is_volatile(e)))
        })
}

fn substitute(mut predicate: Expr, map: &BTreeMap<ColId, &Expr>) -> Expr {
    predicate.rewrite(&mut |e| {
        if let ExprKind::Column(id, _) = e.kind
            && let Some(with) = map.get(&id)
        {
            *e = (*with).clone();
        }
    });
    predicate
}

fn push_join(
    kind: JoinKind,
    left: Rel,
    right: Rel,
    on: Expr,
    lateral: bool,
    predicates: Vec<Expr>,
) -> Rel {
    let left_columns: BTreeSet<ColId> = left.columns().into_iter().collect();
    let right_columns: BTreeSet<ColId> = right.columns().into_iter().collect();
    // An outer join whose padded rows no condition lets pass is an inner one.
    let kind = match kind {
        JoinKind::Left if predicates.iter().any(|p| rejects_nulls(p, &right_columns)) => {
            JoinKind::Inner
        }
        JoinKind::Right if predicates.iter().any(|p| rejects_nulls(p, &left_columns)) => {
            JoinKind::Inner
        }
        kind => kind,
    };
    if kind == JoinKind::Right && !lateral {
        return push_join(JoinKind::Left, right, left, on, false, predicates);
    }
    let mut sides = Sides { left: Vec::new(), right: Vec::new(), on: Vec::new(), up: Vec::new() };
    let of = |e: &Expr| {
        let columns = e.columns();
        let uses_left = columns.iter().any(|c| left_columns.contains(c));
        let uses_right = columns.iter().any(|c| right_columns.contains(c));
        (uses_left, uses_right)
    };
    for part in on.into_conjuncts() {
        match (kind, of(&part)) {
            (JoinKind::Inner | JoinKind::Semi, (true, false)) => sides.left.push(part),
            (JoinKind::Full, _) => sides.on.push(part),
            (_, (false, true)) => sides.right.push(part),
            _ => sides.on.push(part),
        }
    }
    for part in predicates {
        match (kind, of(&part)) {
            (JoinKind::Full, _) => sides.up.push(part),
            (_, (true, false)) => sides.left.push(part),
            (JoinKind::Inner, (false, true)) => sides.right.push(part),
            (JoinKind::Inner, (true, true)) => sides.on.push(part),
            _ => sides.up.push(part),
        }
    }
    Rel::Join {
        kind,
        left: Box::new(push(left, sides.left)),
        right: Box::new(push(right, sides.right)),
        on: Expr::and(sides.on),
        lateral,
    }
    .filter(Expr::and(sides.up))
}

struct Sides {
    left: Vec<Expr>,
    right: Vec<Expr>,
    on: Vec<Expr>,
    up: Vec<Expr>,
}

fn push_set(op: SetOp, predicates: Vec<Expr>) -> Rel {
    let (down, up) = split(predicates, |p| !p.has_subquery() && !p.columns().is_empty());
    let side = |columns: &[ColId]| -> Vec<Expr> {
        let types: BTreeMap<ColId, ColId> =
            op.columns.iter().copied().zip(columns.iter().copied()).collect();
        let rename = |p: &Expr| {
            let mut p = p.clone();
            p.rewrite(&mut |e| {
                if let ExprKind::Column(id, position) = e.kind
                    && let Some(to) = types.get(&id)
                {
                    e.kind = ExprKind::Column(*to, position);
                }
            });
            p
        };
        down.iter().map(rename).collect()
    };
    let (left_down, right_down) = (side(&op.left_columns), side(&op.right_columns));
    let SetOp { kind, all, columns, left, left_columns, right, right_columns } = op;
    Rel::SetOp(SetOp {
        kind,
        all,
        columns,
        left: Box::new(push(*left, left_down)),
        left_columns,
        right: Box::new(push(*right, right_down)),
        right_columns,
    })
    .filter(Expr::and(up))
}
