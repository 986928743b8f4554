//! Which conditions cannot be true when certain columns are NULL.

use crate::plan::expr::{Callee, ColId, Expr, ExprKind};
use std::collections::BTreeSet;

/// True when the condition is not true whenever all of these columns are NULL.
pub(crate) fn rejects_nulls(predicate: &Expr, columns: &BTreeSet<ColId>) -> bool {
    match &predicate.kind {
        ExprKind::And(parts) => parts.iter().any(|p| rejects_nulls(p, columns)),
        ExprKind::Or(parts) => parts.iter().all(|p| rejects_nulls(p, columns)),
        ExprKind::IsNull(arg, true) => null_in_null_out(arg, columns),
        ExprKind::IsBool { arg, negated: false, .. } => null_in_null_out(arg, columns),
        _ => null_in_null_out(predicate, columns),
    }
}

/// True when the value is NULL whenever all of these columns are.
fn null_in_null_out(expr: &Expr, columns: &BTreeSet<ColId>) -> bool {
    match &expr.kind {
        ExprKind::Column(id, _) => columns.contains(id),
        ExprKind::Call(callee, args) => {
            let strict = match callee {
                Callee::Function(f) => f.strict,
                Callee::Operator(o) => o.strict,
            };
            strict && args.iter().any(|a| null_in_null_out(a, columns))
        }
        ExprKind::Cast { arg, .. } | ExprKind::Not(arg) => null_in_null_out(arg, columns),
        ExprKind::InList { arg, .. } | ExprKind::AnyAll { arg, .. } => {
            null_in_null_out(arg, columns)
        }
        _ => false,
    }
}
