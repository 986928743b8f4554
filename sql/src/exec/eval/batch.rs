//! Evaluation over a batch.

use super::row::{eval_row, is_true};
use super::{BatchRow, Env, kernel};
use crate::exec::batch::Batch;
use crate::exec::vector::{Typed, Vector};
use crate::plan::expr::{Callee, Expr, ExprKind};
use std::sync::Arc;
use types::SqlError;

/// Evaluates an expression for every row.
pub fn eval_batch(expr: &Expr, batch: &Batch, env: &Env<'_>) -> Result<Arc<Vector>, SqlError> {
    match &expr.kind {
        ExprKind::Slot(at) => return Ok(batch.columns[*at].clone()),
        ExprKind::Const(value) => return Ok(Arc::new(Vector::Const(value.clone(), batch.rows))),
        ExprKind::Param(_) | ExprKind::Outer(_) => {
            let value = super::row::eval_scalar(expr, env)?;
            return Ok(Arc::new(Vector::Const(value, batch.rows)));
        }
        ExprKind::Call(Callee::Operator(op), args)
            if args.len() == 2 && is_cheap(&args[0]) && is_cheap(&args[1]) =>
        {
            let a = eval_batch(&args[0], batch, env)?;
            let b = eval_batch(&args[1], batch, env)?;
            if let Some(out) = kernel::binary(op, &a, &b, batch.rows)? {
                return Ok(Arc::new(out));
            }
        }
        _ => {}
    }
    let mut out = Vector::for_type(expr.ty.oid, batch.rows);
    for row in 0..batch.rows {
        out.push(eval_row(expr, &BatchRow { batch, row }, env)?);
    }
    Ok(Arc::new(out))
}

/// Operands whose evaluation has no effect but their value: slots, constants, arithmetic on them.
fn is_cheap(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Slot(_) | ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Outer(_) => true,
        ExprKind::Call(Callee::Operator(_), args) => args.iter().all(is_cheap),
        _ => false,
    }
}

/// The rows for which a condition is true; `None` when all are.
pub fn filter_batch(
    predicate: &Expr,
    batch: &Batch,
    env: &Env<'_>,
) -> Result<Option<Vec<u32>>, SqlError> {
    // Conjuncts run one after the other, each only over what the former ones left.
    if let ExprKind::And(parts) = &predicate.kind {
        let mut kept: Option<Vec<u32>> = None;
        for part in parts {
            let next = match &kept {
                None => filter_batch(part, batch, env)?,
                Some(rows) => {
                    let smaller = batch.gather(rows);
                    let inner = filter_batch(part, &smaller, env)?;
                    inner.map(|i| i.into_iter().map(|at| rows[at as usize]).collect())
                }
            };
            kept = next.or(kept);
            if kept.as_ref().is_some_and(Vec::is_empty) {
                break;
            }
        }
        return Ok(kept);
    }
    let result = eval_batch(predicate, batch, env)?;
    let rows: Vec<u32> = match result.as_ref() {
        Vector::Bool(Typed { values, nulls: None }) => {
            (0..batch.rows as u32).filter(|&i| values[i as usize]).collect()
        }
        Vector::Const(value, _) => {
            if is_true(value) {
                return Ok(None);
            }
            Vec::new()
        }
        other => (0..batch.rows as u32).filter(|&i| is_true(&other.get(i as usize))).collect(),
    };
    Ok((rows.len() < batch.rows).then_some(rows))
}
