//! Structural equality of expressions: what makes two of them the same group or sort key.

use super::expr::{Callee, Expr, ExprKind};
use types::{Datum, compare};

/// True when both compute the same thing from the same columns.
pub fn same_expr(a: &Expr, b: &Expr) -> bool {
    use ExprKind as K;
    if a.ty != b.ty {
        return false;
    }
    match (&a.kind, &b.kind) {
        (K::Const(x), K::Const(y)) => same_datum(x, y),
        (K::Param(x), K::Param(y)) | (K::Slot(x), K::Slot(y)) | (K::Outer(x), K::Outer(y)) => {
            x == y
        }
        (K::Column(x, _), K::Column(y, _)) => x == y,
        (K::Call(f, x), K::Call(g, y)) => same_callee(f, g) && all_same(x, y),
        (K::Cast { arg: x, explicit: e }, K::Cast { arg: y, explicit: f }) => {
            e == f && same_expr(x, y)
        }
        (K::And(x), K::And(y))
        | (K::Or(x), K::Or(y))
        | (K::Coalesce(x), K::Coalesce(y))
        | (K::Row(x), K::Row(y)) => all_same(x, y),
        (K::Array(x, m), K::Array(y, n)) => m == n && all_same(x, y),
        (K::Extreme(m, x), K::Extreme(n, y)) => m == n && all_same(x, y),
        (K::Not(x), K::Not(y)) => same_expr(x, y),
        (K::IsNull(x, m), K::IsNull(y, n)) => m == n && same_expr(x, y),
        (
            K::IsBool { arg: x, value: v, negated: m },
            K::IsBool { arg: y, value: w, negated: n },
        ) => v == w && m == n && same_expr(x, y),
        (
            K::Distinct { eq: f, args: x, negated: m },
            K::Distinct { eq: g, args: y, negated: n },
        ) => std::ptr::eq(*f, *g) && m == n && all_same(&x[..], &y[..]),
        (K::NullIf(f, x), K::NullIf(g, y)) => std::ptr::eq(*f, *g) && all_same(&x[..], &y[..]),
        (K::Case { whens: x, otherwise: e }, K::Case { whens: y, otherwise: f }) => {
            x.len() == y.len()
                && x.iter().zip(y).all(|(p, q)| same_expr(&p.0, &q.0) && same_expr(&p.1, &q.1))
                && match (e, f) {
                    (Some(e), Some(f)) => same_expr(e, f),
                    (None, None) => true,
                    _ => false,
                }
        }
        (
            K::InList { eq: f, arg: x, list: l, negated: m },
            K::InList { eq: g, arg: y, list: k, negated: n },
        ) => std::ptr::eq(*f, *g) && m == n && same_expr(x, y) && all_same(l, k),
        (
            K::AnyAll { op: f, arg: x, array: s, all: m },
            K::AnyAll { op: g, arg: y, array: t, all: n },
        ) => std::ptr::eq(*f, *g) && m == n && same_expr(x, y) && same_expr(s, t),
        (K::Subscript(x, i), K::Subscript(y, j)) => same_expr(x, y) && all_same(i, j),
        (K::Field(x, i), K::Field(y, j)) => i == j && same_expr(x, y),
        _ => false,
    }
}

fn all_same(a: &[Expr], b: &[Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same_expr(x, y))
}

fn same_callee(a: &Callee, b: &Callee) -> bool {
    match (a, b) {
        (Callee::Function(f), Callee::Function(g)) => std::ptr::eq(*f, *g),
        (Callee::Operator(f), Callee::Operator(g)) => std::ptr::eq(*f, *g),
        _ => false,
    }
}

fn same_datum(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Null, _) | (_, Datum::Null) => false,
        _ => {
            std::mem::discriminant(a) == std::mem::discriminant(b)
                && compare::cmp(a, b) == std::cmp::Ordering::Equal
        }
    }
}
