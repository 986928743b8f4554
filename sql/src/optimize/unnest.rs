//! Subqueries in expressions become operators: EXISTS and IN in a WHERE clause semi and anti joins,
//! the others an apply. What depends on nothing stays in its expression: it runs once, ahead.

use super::Optimizer;
use crate::plan::expr::{ColId, Expr, ExprKind, Subquery, SubqueryKind};
use crate::plan::rel::{ApplyKind, HostCall, JoinKind, Rel};
use std::collections::BTreeSet;
use types::{SqlError, SqlType};

impl Optimizer<'_> {
    /// Takes the subqueries and the calls into the session out of all expressions of a plan.
    pub(super) fn unnest(&mut self, mut rel: Rel) -> Result<Rel, SqlError> {
        crate::plan::walk::deep(|| {
            let mut failed = None;
            rel.inputs_mut(&mut |input| {
                let taken = std::mem::replace(input, Rel::Unit);
                match self.unnest(taken) {
                    Ok(done) => *input = done,
                    Err(error) => failed = Some(error),
                }
            });
            if let Some(error) = failed {
                return Err(error);
            }
            let mut failed = None;
            rel.own_exprs_mut(&mut |expr| {
                if let Err(error) = self.unnest_inside(expr) {
                    failed = Some(error);
                }
            });
            if let Some(error) = failed {
                return Err(error);
            }
            self.unnest_here(rel)
        })
    }

    /// Unnests within the subqueries of an expression.
    fn unnest_inside(&mut self, expr: &mut Expr) -> Result<(), SqlError> {
        let mut result = Ok(());
        expr.children_mut(&mut |child| {
            if result.is_ok() {
                result = self.unnest_inside(child);
            }
        });
        result?;
        if let ExprKind::Subquery(sub) = &mut expr.kind {
            let inner = std::mem::replace(&mut sub.rel, Rel::Unit);
            sub.rel = self.unnest(inner)?;
        }
        Ok(())
    }

    fn unnest_here(&mut self, rel: Rel) -> Result<Rel, SqlError> {
        match rel {
            Rel::Filter { input, predicate } => self.unnest_filter(*input, predicate),
            Rel::Values { columns, rows } if rows.iter().flatten().any(needs_operator) => {
                self.unnest_values(columns, rows)
            }
            Rel::Join { kind, left, right, mut on, lateral } if needs_operator(&on) => {
                if kind != JoinKind::Inner {
                    return Err(SqlError::not_supported(
                        "a subquery in the condition of an outer join is not supported",
                    ));
                }
                let condition = std::mem::replace(&mut on, Expr::bool(true));
                let joined = Rel::Join { kind, left, right, on, lateral };
                self.unnest_filter(joined, condition)
            }
            other => self.extract(other),
        }
    }

    fn unnest_filter(&mut self, input: Rel, predicate: Expr) -> Result<Rel, SqlError> {
        let mut rel = input;
        let mut rest = Vec::new();
        let mut joins = Vec::new();
        for part in predicate.into_conjuncts() {
            match semi_join(part) {
                Ok(join) => joins.push(join),
                Err(part) => rest.push(part),
            }
        }
        let (plain, computed): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|p| !needs_operator(p));
        rel = rel.filter(Expr::and(plain));
        for (kind, sub) in joins {
            rel = self.join_subquery(rel, kind, sub);
        }
        if computed.is_empty() {
            return Ok(rel);
        }
        self.extract(Rel::Filter { input: Box::new(rel), predicate: Expr::and(computed) })
    }

    /// `[NOT] EXISTS` or `IN` as a join. Conditions that tie the subquery to its surroundings move
    /// into the join's condition; if some cannot, the join stays lateral.
    fn join_subquery(&mut self, left: Rel, kind: JoinKind, sub: Subquery) -> Rel {
        let Subquery { kind: sub_kind, rel, .. } = sub;
        let test = match sub_kind {
            SubqueryKind::Any(test) => *test,
            _ => Expr::bool(true),
        };
        let exists_only = test.is_true_const();
        let outer: BTreeSet<ColId> = rel.free_columns();
        let mut pulled = Vec::new();
        let right =
            if outer.is_empty() { rel } else { pull(rel, &outer, &mut pulled, exists_only) };
        let lateral = !right.free_columns().is_empty();
        pulled.push(test);
        Rel::Join {
            kind,
            left: Box::new(left),
            right: Box::new(right),
            on: Expr::and(pulled),
            lateral,
        }
    }

    /// Takes remaining subqueries and session calls out of a single-input operator.
    fn extract(&mut self, mut rel: Rel) -> Result<Rel, SqlError> {
        let mut found = Vec::new();
        rel.own_exprs_mut(&mut |expr| self.take(expr, &mut found));
        if found.is_empty() {
            return Ok(rel);
        }
        let mut inputs = 0;
        rel.inputs(&mut |_| inputs += 1);
        if inputs != 1 {
            return Err(SqlError::not_supported("a subquery or session call cannot stand here"));
        }
        rel.inputs_mut(&mut |input| {
            let mut below = std::mem::replace(input, Rel::Unit);
            for taken in found.drain(..) {
                below = taken.over(below);
            }
            *input = below;
        });
        Ok(rel)
    }

    fn take(&mut self, expr: &mut Expr, found: &mut Vec<Taken>) {
        crate::plan::walk::deep(|| {
            expr.children_mut(&mut |child| self.take(child, found));
            let ty = expr.ty;
            match &mut expr.kind {
                ExprKind::Subquery(sub) if !runs_once(sub) => {
                    let column = self.new_column("?subquery?", ty);
                    let old = std::mem::replace(expr, Expr::column(column, ty));
                    if let ExprKind::Subquery(sub) = old.kind {
                        found.push(Taken::Apply(column, *sub));
                    }
                }
                ExprKind::Host(..) => {
                    let column = self.new_column("?call?", ty);
                    let old = std::mem::replace(expr, Expr::column(column, ty));
                    if let ExprKind::Host(function, args) = old.kind {
                        found.push(Taken::Host(HostCall { column, function, args }));
                    }
                }
                _ => {}
            }
        });
    }

    /// VALUES with subqueries: each row a projection of its own.
    fn unnest_values(
        &mut self,
        columns: Vec<ColId>,
        rows: Vec<Vec<Expr>>,
    ) -> Result<Rel, SqlError> {
        let mut all: Option<(Rel, Vec<ColId>)> = None;
        for row in rows {
            let mut exprs = Vec::with_capacity(row.len());
            for value in row {
                let id = self.new_column("column", value.ty);
                exprs.push((id, value));
            }
            let ids: Vec<ColId> = exprs.iter().map(|(id, _)| *id).collect();
            let project = Rel::Project { input: Box::new(Rel::Unit), exprs };
            let project = self.extract(project)?;
            all = Some(match all {
                None => (project, ids),
                Some((left, left_columns)) => {
                    let mut out = Vec::with_capacity(ids.len());
                    for id in &ids {
                        let ty = self.columns[id.0 as usize].ty;
                        out.push(self.new_column("column", ty));
                    }
                    let op = crate::plan::rel::SetOp {
                        kind: crate::plan::rel::SetOpKind::Union,
                        all: true,
                        columns: out.clone(),
                        left: Box::new(left),
                        left_columns,
                        right: Box::new(project),
                        right_columns: ids,
                    };
                    (Rel::SetOp(op), out)
                }
            });
        }
        let Some((rel, ids)) = all else { return Ok(Rel::Values { columns, rows: Vec::new() }) };
        let typed = |id: &ColId| Expr::column(*id, self.columns[id.0 as usize].ty);
        let exprs = columns.into_iter().zip(ids.iter().map(typed)).collect();
        Ok(Rel::Project { input: Box::new(rel), exprs })
    }
}

/// Something taken out of an expression.
enum Taken {
    Apply(ColId, Subquery),
    Host(HostCall),
}

impl Taken {
    fn over(self, input: Rel) -> Rel {
        match self {
            Taken::Host(call) => Rel::HostCalls { input: Box::new(input), calls: vec![call] },
            Taken::Apply(column, sub) => {
                let first = sub.columns.first().copied().unwrap_or(column);
                let kind = match sub.kind {
                    SubqueryKind::Scalar => ApplyKind::Scalar(first),
                    SubqueryKind::Exists => ApplyKind::Exists,
                    SubqueryKind::Any(test) => ApplyKind::Any(*test),
                    SubqueryKind::All(test) => ApplyKind::All(*test),
                    SubqueryKind::Array => ApplyKind::Array(first, SqlType::UNKNOWN),
                };
                Rel::Apply { input: Box::new(input), sub: Box::new(sub.rel), column, kind }
            }
        }
    }
}

/// True when an expression cannot be evaluated by itself.
fn needs_operator(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Host(..) => true,
        ExprKind::Subquery(sub) if !runs_once(sub) => true,
        _ => {
            let mut found = false;
            expr.children(&mut |child| found |= needs_operator(child));
            found
        }
    }
}

/// A subquery whose value is the same for the whole statement.
pub(crate) fn runs_once(sub: &Subquery) -> bool {
    let by_kind =
        matches!(sub.kind, SubqueryKind::Scalar | SubqueryKind::Exists | SubqueryKind::Array);
    by_kind && sub.rel.free_columns().is_empty()
}

/// A conjunct that is EXISTS, NOT EXISTS or IN; `Err` gives it back.
fn semi_join(part: Expr) -> Result<(JoinKind, Subquery), Expr> {
    let is_join = |e: &Expr| match &e.kind {
        ExprKind::Subquery(sub) => match &sub.kind {
            SubqueryKind::Exists => !runs_once(sub),
            SubqueryKind::Any(_) => true,
            _ => false,
        },
        _ => false,
    };
    let is_negated = |e: &Expr| match &e.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Subquery(sub) => matches!(sub.kind, SubqueryKind::Exists) && !runs_once(sub),
            _ => false,
        },
        _ => false,
    };
    if is_join(&part) {
        if let ExprKind::Subquery(sub) = part.kind {
            return Ok((JoinKind::Semi, *sub));
        }
        return Err(part);
    }
    if is_negated(&part)
        && let ExprKind::Not(inner) = part.kind
    {
        if let ExprKind::Subquery(sub) = inner.kind {
            return Ok((JoinKind::Anti, *sub));
        }
        return Err(Expr::new(ExprKind::Not(inner), SqlType::BOOL));
    }
    Err(part)
}

/// Pulls conditions that use outer columns out of a subquery, as far down as filters, projections
/// and inner joins go.
fn pull(rel: Rel, outer: &BTreeSet<ColId>, pulled: &mut Vec<Expr>, exists_only: bool) -> Rel {
    let is_tied = |e: &Expr| e.columns().iter().any(|c| outer.contains(c));
    match rel {
        Rel::Filter { input, predicate } => {
            let (tied, own): (Vec<_>, Vec<_>) =
                predicate.into_conjuncts().into_iter().partition(is_tied);
            pulled.extend(tied);
            let input = pull(*input, outer, pulled, exists_only);
            input.filter(Expr::and(own))
        }
        Rel::Project { input, exprs } if !exprs.iter().any(|(_, e)| is_tied(e)) => {
            let before = pulled.len();
            let input = pull(*input, outer, pulled, exists_only);
            if exists_only {
                // Only existence counts: what the subquery selects does not.
                return input;
            }
            let made = input.columns();
            let mut exprs = exprs;
            for part in &pulled[before..] {
                for column in part.columns() {
                    if made.contains(&column) && !exprs.iter().any(|(c, _)| *c == column) {
                        let ty = type_of(part, column);
                        exprs.push((column, Expr::column(column, ty)));
                    }
                }
            }
            Rel::Project { input: Box::new(input), exprs }
        }
        Rel::Join { kind: JoinKind::Inner, left, right, on, lateral: false } => {
            let (tied, own): (Vec<_>, Vec<_>) = on.into_conjuncts().into_iter().partition(is_tied);
            pulled.extend(tied);
            let left = pull(*left, outer, pulled, false);
            let right = pull(*right, outer, pulled, false);
            Rel::Join {
                kind: JoinKind::Inner,
                left: Box::new(left),
                right: Box::new(right),
                on: Expr::and(own),
                lateral: false,
            }
        }
        other => other,
    }
}

fn type_of(expr: &Expr, column: ColId) -> SqlType {
    let mut found = SqlType::UNKNOWN;
    expr.visit(&mut |e| {
        if matches!(e.kind, ExprKind::Column(id, _) if id == column) {
            found = e.ty;
        }
    });
    found
}
