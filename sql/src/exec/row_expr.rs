//! An expression over the columns of a table, evaluated row by row without running a statement:
//! the USING of ALTER COLUMN … TYPE.

use super::Context;
use super::eval::eval_row;
use super::state::State;
use crate::plan::Plan;
use crate::plan::physical::{Node, Op, Scan};
use std::sync::Arc;
use types::{Datum, SqlError, SqlType};

/// The expression, ready to be evaluated.
pub(crate) struct RowExpr {
    plan: Arc<Plan>,
    state: State,
}

impl RowExpr {
    /// Takes the expression from the plan of `SELECT expression FROM table`.
    pub(crate) fn new(plan: &Arc<Plan>, context: Context) -> Result<RowExpr, SqlError> {
        if scan(&plan.root).is_none() || !plan.init.is_empty() {
            return Err(SqlError::not_supported("such an expression over a table's own columns"));
        }
        let state = State::new(Arc::new([]), plan.outer_count, context, None);
        Ok(RowExpr { plan: plan.clone(), state })
    }

    /// Type of the value.
    pub(crate) fn ty(&self) -> SqlType {
        self.plan.output.first().map_or(SqlType::TEXT, |column| column.ty)
    }

    /// The value for a row, a datum for each of the table's columns.
    pub(crate) fn value(&self, row: &[Datum]) -> Result<Datum, SqlError> {
        let lost = || SqlError::internal("the plan of an expression has another shape");
        let scan = scan(&self.plan.root).ok_or_else(lost)?;
        let place = |slot: &usize| row.get(scan.columns.get(*slot)?.position).cloned();
        let slots = scan.emit.iter().map(place).collect::<Option<Vec<Datum>>>().ok_or_else(lost)?;
        match &self.plan.root.op {
            Op::Project { exprs, .. } => match exprs.first() {
                Some(expr) => eval_row(expr, &slots[..], &self.state.env()),
                None => Err(lost()),
            },
            _ => slots.into_iter().next().ok_or_else(lost),
        }
    }
}

/// The scan of a plan that has nothing else but a projection.
fn scan(root: &Node) -> Option<&Scan> {
    match &root.op {
        Op::Project { input, .. } => match &input.op {
            Op::Scan(scan) => Some(scan),
            _ => None,
        },
        Op::Scan(scan) => Some(scan),
        _ => None,
    }
}
