//! Constant folding. Only immutable functions of constants are computed ahead; one that fails is
//! left alone, so that its error comes when (and if) it is reached.

use crate::exec::eval::{Env, eval_scalar};
use crate::functions::Volatility;
use crate::plan::expr::{Callee, Expr, ExprKind};
use types::{Datum, Settings, SqlType};

/// Folds an expression, operands first.
pub fn fold_expr(expr: &mut Expr, settings: &Settings) {
    expr.rewrite(&mut |e| fold_node(e, settings));
}

/// Folds one node whose operands are folded.
pub(super) fn fold_node(expr: &mut Expr, settings: &Settings) {
    match &mut expr.kind {
        ExprKind::And(parts) => {
            let parts = std::mem::take(parts);
            *expr = fold_and(parts);
        }
        ExprKind::Or(parts) => {
            let parts = std::mem::take(parts);
            *expr = fold_or(parts);
        }
        ExprKind::Call(callee, args) if is_immutable(callee) && all_const(args) => {
            compute(expr, settings);
        }
        ExprKind::Cast { arg, .. } if is_const(arg) && is_stable_cast(arg.ty, expr.ty) => {
            compute(expr, settings);
        }
        ExprKind::Array(args, _) | ExprKind::Coalesce(args) if all_const(args) => {
            compute(expr, settings);
        }
        ExprKind::Not(arg) | ExprKind::IsNull(arg, _) | ExprKind::IsBool { arg, .. }
            if is_const(arg) =>
        {
            compute(expr, settings);
        }
        _ => {}
    }
}

fn compute(expr: &mut Expr, settings: &Settings) {
    if let Ok(value) = eval_scalar(expr, &Env::bare(settings)) {
        *expr = Expr::constant(value, expr.ty);
    }
}

fn is_const(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(_))
}

fn all_const(args: &[Expr]) -> bool {
    args.iter().all(is_const)
}

fn is_immutable(callee: &Callee) -> bool {
    let volatility = match callee {
        Callee::Function(f) => f.volatility,
        Callee::Operator(o) => o.volatility,
    };
    volatility == Volatility::Immutable
}

/// Casts whose result depends on no setting and no name.
pub(crate) fn is_stable_cast(from: SqlType, to: SqlType) -> bool {
    use types::oid as o;
    let plain = |t: SqlType| {
        matches!(
            t.oid,
            o::BOOL
                | o::INT2
                | o::INT4
                | o::INT8
                | o::FLOAT4
                | o::FLOAT8
                | o::NUMERIC
                | o::TEXT
                | o::VARCHAR
                | o::BPCHAR
                | o::NAME
                | o::CHAR
                | o::UUID
                | o::JSON
                | o::JSONB
                | o::OID
        )
    };
    let dated = |t: SqlType| matches!(t.oid, o::DATE | o::TIMESTAMP | o::TIME | o::INTERVAL);
    (plain(from) && plain(to)) || (dated(from) && dated(to))
}

fn fold_and(parts: Vec<Expr>) -> Expr {
    if parts.iter().any(|p| matches!(p.kind, ExprKind::Const(Datum::Bool(false)))) {
        return Expr::bool(false);
    }
    Expr::and(parts)
}

fn fold_or(parts: Vec<Expr>) -> Expr {
    if parts.iter().any(Expr::is_true_const) {
        return Expr::bool(true);
    }
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part.kind {
            ExprKind::Or(inner) => flat.extend(inner),
            ExprKind::Const(Datum::Bool(false)) => {}
            _ => flat.push(part),
        }
    }
    match flat.len() {
        0 => Expr::bool(false),
        1 => flat.swap_remove(0),
        _ => Expr::new(ExprKind::Or(flat), SqlType::BOOL),
    }
}
