//! Guesses about sizes: table statistics where ANALYZE left some, fixed fractions elsewhere.

use crate::plan::expr::{Callee, Expr, ExprKind};
use crate::plan::rel::{JoinKind, Rel, SetOpKind};
use types::Datum;

/// Rows of a table that was never analysed.
const UNKNOWN_ROWS: f64 = 1000.0;

/// Expected number of rows.
pub fn estimate(rel: &Rel) -> f64 {
    crate::plan::walk::deep(|| match rel {
        Rel::Unit => 1.0,
        Rel::Get(get) => table_rows(get.table.rows_estimate),
        Rel::Rows(_) => 100.0,
        Rel::Values { rows, .. } => rows.len() as f64,
        Rel::Function(_) => 100.0,
        Rel::CteRef { .. } => 100.0,
        Rel::Filter { input, predicate } => filtered(input, predicate),
        Rel::Project { input, .. }
        | Rel::Extend { input, .. }
        | Rel::Window { input, .. }
        | Rel::HostCalls { input, .. }
        | Rel::Apply { input, .. }
        | Rel::Sort { input, .. }
        | Rel::Lock { input, .. } => estimate(input),
        Rel::ProjectSet { input, .. } => estimate(input) * 10.0,
        Rel::Aggregate(a) if a.groups.is_empty() => 1.0,
        Rel::Aggregate(a) => (estimate(&a.input) / 10.0).max(1.0),
        Rel::Distinct { input, .. } => (estimate(input) / 5.0).max(1.0),
        Rel::Limit { input, limit, .. } => {
            let rows = estimate(input);
            match limit.as_ref().map(|l| &l.kind) {
                Some(ExprKind::Const(Datum::Int8(n))) => rows.min(*n as f64),
                _ => rows,
            }
        }
        Rel::Join { kind, left, right, on, .. } => joined(*kind, left, right, on),
        Rel::SetOp(op) => match op.kind {
            SetOpKind::Union => estimate(&op.left) + estimate(&op.right),
            _ => estimate(&op.left),
        },
        Rel::Recursive(r) => estimate(&r.base) * 10.0,
        Rel::With { body, .. } => estimate(body),
        Rel::Insert(i) => estimate(&i.input),
        Rel::Update(u) => estimate(&u.input),
        Rel::Delete(d) => estimate(&d.input),
    })
}

/// Rows of a table by its statistics.
pub(crate) fn table_rows(rows_estimate: i64) -> f64 {
    if rows_estimate < 0 { UNKNOWN_ROWS } else { (rows_estimate as f64).max(1.0) }
}

fn filtered(input: &Rel, predicate: &Expr) -> f64 {
    if let Rel::Get(get) = input
        && pins_key(get, predicate)
    {
        return 1.0;
    }
    (estimate(input) * selectivity(predicate)).max(1.0)
}

/// Equalities on every column of the row's key.
fn pins_key(get: &crate::plan::rel::Get, predicate: &Expr) -> bool {
    let parts: Vec<&Expr> = match &predicate.kind {
        ExprKind::And(parts) => parts.iter().collect(),
        _ => vec![predicate],
    };
    get.table.key.iter().all(|key| {
        let column = get.columns.iter().find(|(_, p)| get.table.columns[*p].id == key.column);
        column.is_some_and(|(id, _)| {
            parts.iter().any(|p| match &p.kind {
                ExprKind::Call(Callee::Operator(o), args) if o.symbol == "=" => {
                    args.iter().any(|a| matches!(a.kind, ExprKind::Column(c, _) if c == *id))
                }
                _ => false,
            })
        })
    })
}

/// The fraction of rows that a condition lets pass.
pub fn selectivity(predicate: &Expr) -> f64 {
    match &predicate.kind {
        ExprKind::And(parts) => parts.iter().map(selectivity).product(),
        ExprKind::Or(parts) => parts.iter().map(selectivity).sum::<f64>().min(1.0),
        ExprKind::Not(arg) => 1.0 - selectivity(arg),
        ExprKind::Const(Datum::Bool(true)) => 1.0,
        ExprKind::Const(_) => 0.0,
        ExprKind::IsNull(_, false) => 0.01,
        ExprKind::IsNull(_, true) => 0.99,
        ExprKind::InList { list, .. } => (list.len() as f64 * 0.005).min(0.5),
        ExprKind::Call(Callee::Operator(o), _) => match o.symbol {
            "=" => 0.005,
            "<>" => 0.995,
            "<" | ">" | "<=" | ">=" => 0.33,
            _ => 0.1,
        },
        _ => 0.33,
    }
}

fn joined(kind: JoinKind, left: &Rel, right: &Rel, on: &Expr) -> f64 {
    let (l, r) = (estimate(left), estimate(right));
    let has_equality =
        on.any(&|e| matches!(&e.kind, ExprKind::Call(Callee::Operator(o), _) if o.symbol == "="));
    let inner = if has_equality { l.max(r) } else { l * r * selectivity(on) };
    match kind {
        JoinKind::Inner => inner.max(1.0),
        JoinKind::Left => inner.max(l),
        JoinKind::Right => inner.max(r),
        JoinKind::Full => inner.max(l + r),
        JoinKind::Semi | JoinKind::Anti => (l * 0.5).max(1.0),
    }
}
