//! Running plans: operators that pull column batches from each other.
//!
//! A plan is built once and shared; an [`Execution`] is one run of it with parameter values. It is
//! a value that the session holds and polls for batches: a suspended portal is an `Execution` that
//! nobody polls.
//!
//! ```text
//! let plan = plan::plan(bind::bind_statement(..)?, &planner)?;        // once
//! let mut run = exec::start(&plan, params, context);                  // per Execute
//! while let Some(batch) = run.next_batch(&mut txn).await? { .. }      // batch.row(i) -> Vec<Datum>
//! run.rows_affected()
//! ```
//!
//! Errors: [`ExecError::Sql`] is the client's; [`ExecError::Restart`] asks the session to roll back
//! to the statement's savepoint and run it again at a fresh snapshot; [`ExecError::Kv`] is the
//! store's, which the session decides about (retry, 40001, 57P03, ...), except that a `KeyExists`
//! becomes a unique violation through [`errors::unique_violation`].

pub mod batch;
pub mod errors;
pub mod eval;
pub mod hash_key;
pub mod host;
mod kept;
mod keys;
pub mod kv;
mod op;
mod point;
mod row_expr;
mod rows;
mod state;
pub mod vector;
mod write;

pub use batch::Batch;
pub use errors::{ExecError, ExecResult};
pub use host::{Host, Surroundings};
pub use kv::Kv;
pub use state::NodeStats;

pub(crate) use kept::Kept;
pub(crate) use keys::KeySet;
pub(crate) use op::{Operator, build, key_set};
pub(crate) use point::PointRead;
pub(crate) use row_expr::RowExpr;
pub(crate) use state::{Cx, State};
pub(crate) use write::PartialIndexes;

use crate::plan::Plan;
use crate::plan::physical::{InitKind, InitPlan};
use std::sync::Arc;
use types::{Array, Datum, Settings, SqlError, sqlstate};

/// What a run needs from the session.
pub struct Context {
    /// The session.
    pub host: Arc<dyn Surroundings>,
    /// Its settings, times included.
    pub settings: Settings,
}

/// One run of a plan.
pub struct Execution {
    plan: Arc<Plan>,
    root: Box<dyn Operator>,
    state: State,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    Done,
}

/// Begins a run. Nothing is read or written before the first [`Execution::next_batch`].
pub fn start(plan: &Arc<Plan>, params: Arc<[Datum]>, context: Context) -> Execution {
    let analyze = plan.explain.is_some_and(|e| e.analyze);
    let state = State::new(params, plan.outer_count, context, analyze.then_some(plan.node_count));
    Execution { root: build(&plan.root), plan: plan.clone(), state, phase: Phase::New }
}

impl Execution {
    /// The next rows; `None` at the end. A write without RETURNING gives no rows: its work is done
    /// when this answers `None`.
    pub async fn next_batch(&mut self, txn: &mut dyn Kv) -> ExecResult<Option<Batch>> {
        if self.phase == Phase::Done {
            return Ok(None);
        }
        if let Some(error) = self.state.host.interrupted() {
            return Err(error.into());
        }
        if self.plan.explain.is_some() {
            self.phase = Phase::Done;
            let lines = crate::explain::run(self, txn).await?;
            return Ok(Some(lines));
        }
        self.pull(txn).await
    }

    /// Pulls from the plan itself, also under EXPLAIN ANALYZE.
    pub(crate) async fn pull(&mut self, txn: &mut dyn Kv) -> ExecResult<Option<Batch>> {
        let plan = self.plan.clone();
        let mut cx = Cx { txn, state: &mut self.state };
        if self.phase == Phase::New {
            self.phase = Phase::Running;
            for init in &plan.init {
                run_init(init, &mut cx).await?;
            }
        }
        let silent = plan.output.is_empty() && plan.command != crate::bind::Command::Select;
        loop {
            match self.root.next(&plan.root, &mut cx).await? {
                Some(_) if silent => {}
                Some(batch) if batch.rows == 0 => {}
                Some(batch) => return Ok(Some(batch)),
                None => {
                    self.phase = Phase::Done;
                    return Ok(None);
                }
            }
        }
    }

    /// Rows written, or those of the outermost write.
    pub fn rows_affected(&self) -> u64 {
        self.state.affected
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn reopen(&mut self) {
        self.phase = Phase::New;
    }
}

/// Runs a subquery whose value is needed by the rest of the plan.
async fn run_init(init: &InitPlan, cx: &mut Cx<'_>) -> ExecResult<()> {
    let mut operator = build(&init.node);
    let mut rows = Vec::new();
    while let Some(batch) = operator.next(&init.node, cx).await? {
        match init.kind {
            InitKind::Exists if batch.rows > 0 => {
                rows.push(Datum::Bool(true));
                break;
            }
            InitKind::Exists => {}
            _ => rows.extend((0..batch.rows).map(|i| batch.get(0, i))),
        }
        if init.kind == InitKind::Scalar && rows.len() > 1 {
            return Err(too_many_rows().into());
        }
    }
    cx.state.outer[init.outer] = match init.kind {
        InitKind::Scalar => rows.pop().unwrap_or(Datum::Null),
        InitKind::Exists => Datum::Bool(!rows.is_empty()),
        InitKind::Array(element) => {
            Datum::Array(Arc::new(Array::one_dimensional(element.oid, rows)))
        }
    };
    Ok(())
}

/// A scalar subquery with two rows.
pub(crate) fn too_many_rows() -> SqlError {
    SqlError::new(
        sqlstate::CARDINALITY_VIOLATION,
        "more than one row returned by a subquery used as an expression",
    )
}

#[cfg(test)]
mod tests;
