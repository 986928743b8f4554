//! Evaluation of expressions: over one row, and over a batch with fast paths for the common
//! comparisons and arithmetic.

mod batch;
mod kernel;
mod row;

pub use batch::{eval_batch, filter_batch};
pub use row::{eval_row, eval_scalar, is_true};

use crate::functions::{EvalContext, FunctionEnv};
use types::{Datum, Settings};

/// What expressions see besides their row.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// Parameters of the statement.
    pub params: &'a [Datum],
    /// Values computed elsewhere: see [`crate::plan::expr::ExprKind::Outer`].
    pub outer: &'a [Datum],
    /// Session settings.
    pub settings: &'a Settings,
    /// The session behind functions that ask about it.
    pub functions: &'a dyn FunctionEnv,
}

impl<'a> Env<'a> {
    /// Without parameters and session: plan-time folding, shards.
    pub fn bare(settings: &'a Settings) -> Env<'a> {
        Env { params: &[], outer: &[], settings, functions: &crate::functions::NoEnv }
    }

    fn context(&self) -> EvalContext<'a> {
        EvalContext::new(self.settings, self.functions)
    }
}

/// A row that slots are read from.
pub trait Row {
    /// The value in a slot.
    fn slot(&self, at: usize) -> Datum;
}

impl Row for [Datum] {
    fn slot(&self, at: usize) -> Datum {
        self[at].clone()
    }
}

/// One row of a batch.
pub struct BatchRow<'a> {
    /// The batch.
    pub batch: &'a super::batch::Batch,
    /// The row.
    pub row: usize,
}

impl Row for BatchRow<'_> {
    fn slot(&self, at: usize) -> Datum {
        self.batch.columns[at].get(self.row)
    }
}
