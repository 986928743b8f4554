//! Which rows belong to the partial indexes of a table, for DDL, which writes entries without
//! running a statement for each row.

use super::row::belongs;
use crate::exec::Context;
use crate::exec::state::State;
use crate::plan::Plan;
use crate::plan::physical::Op;
use catalog::Index;
use std::sync::Arc;
use types::{Datum, SqlError};

/// The predicates of a table's indexes, ready to be evaluated.
pub(crate) struct PartialIndexes {
    plan: Arc<Plan>,
    state: State,
}

impl PartialIndexes {
    /// Takes the predicates from a plan that deletes rows of the table.
    pub(crate) fn new(plan: &Arc<Plan>, context: Context) -> PartialIndexes {
        let state = State::new(Arc::new([]), plan.outer_count, context, None);
        PartialIndexes { plan: plan.clone(), state }
    }

    /// True when a row, a datum for each of the table's columns, belongs to the index.
    pub(crate) fn have(&self, index: &Index, row: &[Datum]) -> Result<bool, SqlError> {
        match &self.plan.root.op {
            Op::Delete(delete) => belongs(&delete.target, index, row, &self.state.env()),
            _ => Err(SqlError::internal("predicates are taken from a plan of DELETE")),
        }
    }
}
