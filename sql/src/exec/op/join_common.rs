//! What all joins share: pairing rows, padding with NULLs.

use crate::exec::batch::{Batch, BatchBuilder};
use crate::exec::eval::{Env, eval_row, is_true};
use crate::plan::expr::Expr;
use types::{Datum, SqlError, SqlType};

/// Does a pair of rows satisfy the condition? `both` is a scratch buffer that ends up holding it.
pub(super) fn pair_matches(
    condition: Option<&Expr>,
    left: (&Batch, usize),
    right: (&Batch, usize),
    both: &mut Vec<Datum>,
    env: &Env<'_>,
) -> Result<bool, SqlError> {
    both.clear();
    both.extend(left.0.columns.iter().map(|c| c.get(left.1)));
    both.extend(right.0.columns.iter().map(|c| c.get(right.1)));
    match condition {
        None => Ok(true),
        Some(condition) => Ok(is_true(&eval_row(condition, both.as_slice(), env)?)),
    }
}

/// Appends a left row without partner.
pub(super) fn pad_right(out: &mut BatchBuilder, left: &Batch, row: usize, types: &[SqlType]) {
    let mut values = left.row(row);
    values.resize(types.len(), Datum::Null);
    out.push(values);
}

/// Appends a right row without partner.
pub(super) fn pad_left(out: &mut BatchBuilder, right: &Batch, row: usize, types: &[SqlType]) {
    let missing = types.len() - right.columns.len();
    let mut values = vec![Datum::Null; missing];
    values.extend(right.row(row));
    out.push(values);
}
