//! WITH queries that are read once and have no effects are put in place of their name; those that
//! nobody reads are dropped.

use crate::bind::ColumnMeta;
use crate::functions::Volatility;
use crate::plan::expr::{Callee, Expr, ExprKind};
use crate::plan::rel::{Cte, Rel};

/// Inlines throughout a plan.
pub(super) fn inline(mut rel: Rel, metas: &[ColumnMeta]) -> Rel {
    each_rel(&mut rel, &mut |rel| {
        if let Rel::With { ctes, body } = rel {
            let ctes = std::mem::take(ctes);
            let body = std::mem::replace(body.as_mut(), Rel::Unit);
            *rel = inline_here(ctes, body, metas);
        }
    });
    rel
}

fn inline_here(ctes: Vec<Cte>, mut body: Rel, metas: &[ColumnMeta]) -> Rel {
    let mut kept: Vec<Cte> = Vec::new();
    // Later queries may read earlier ones: go from the last to the first.
    for cte in ctes.into_iter().rev() {
        let mut readers = count(&mut body, cte.cte);
        for later in &mut kept {
            readers += count(&mut later.rel, cte.cte);
        }
        let pure = is_pure(&cte.rel);
        if pure && readers == 0 {
            continue;
        }
        if pure && readers == 1 && !matches!(cte.rel, Rel::Recursive(_)) {
            let mut place = Some(cte);
            replace(&mut body, &mut place, metas);
            for later in &mut kept {
                replace(&mut later.rel, &mut place, metas);
            }
            continue;
        }
        kept.push(cte);
    }
    if kept.is_empty() {
        return body;
    }
    kept.reverse();
    Rel::With { ctes: kept, body: Box::new(body) }
}

fn count(rel: &mut Rel, cte: usize) -> usize {
    let mut found = 0;
    each_rel(rel, &mut |r| {
        if matches!(r, Rel::CteRef { cte: c, .. } if *c == cte) {
            found += 1;
        }
        // A reference that runs again and again is worth computing once.
        if let Rel::Recursive(_) = r {
            found += usize::from(mentions(r, cte));
        }
    });
    found
}

fn mentions(rel: &Rel, cte: usize) -> bool {
    let mut found = false;
    rel.visit(&mut |r| found |= matches!(r, Rel::CteRef { cte: c, .. } if *c == cte));
    found
}

fn replace(rel: &mut Rel, place: &mut Option<Cte>, metas: &[ColumnMeta]) {
    each_rel(rel, &mut |r| {
        let Rel::CteRef { cte, columns, .. } = r else { return };
        if place.as_ref().is_none_or(|p| p.cte != *cte) {
            return;
        }
        let Some(found) = place.take() else { return };
        let column = |at: usize| {
            let id = found.columns[at];
            Expr::column(id, metas[id.0 as usize].ty)
        };
        let exprs = columns.iter().map(|(id, at)| (*id, column(*at))).collect();
        *r = Rel::Project { input: Box::new(found.rel), exprs };
    });
}

/// Nothing in it writes, locks, calls into the session or is volatile.
fn is_pure(rel: &Rel) -> bool {
    let mut pure = true;
    rel.visit(&mut |r| {
        pure &= !matches!(
            r,
            Rel::Insert(_)
                | Rel::Update(_)
                | Rel::Delete(_)
                | Rel::Lock { .. }
                | Rel::HostCalls { .. }
        );
    });
    rel.visit_exprs(&mut |e| pure &= !is_volatile(e));
    pure
}

/// A call whose result changes or that has effects.
pub(crate) fn is_volatile(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(Callee::Function(f), _) => f.volatility == Volatility::Volatile,
        ExprKind::Call(Callee::Operator(o), _) => o.volatility == Volatility::Volatile,
        ExprKind::Host(..) => true,
        _ => false,
    }
}

/// Calls `f` on every operator of the plan, inputs first, subqueries in expressions included.
pub(crate) fn each_rel(rel: &mut Rel, f: &mut dyn FnMut(&mut Rel)) {
    crate::plan::walk::deep(|| {
        rel.own_exprs_mut(&mut |e| each_rel_in(e, f));
        rel.inputs_mut(&mut |input| each_rel(input, f));
        f(rel);
    });
}

fn each_rel_in(expr: &mut Expr, f: &mut dyn FnMut(&mut Rel)) {
    crate::plan::walk::deep(|| {
        expr.children_mut(&mut |child| each_rel_in(child, f));
        if let ExprKind::Subquery(sub) = &mut expr.kind {
            each_rel(&mut sub.rel, f);
        }
    });
}
