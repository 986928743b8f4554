//! Running plans: operators that pull column batches from each other.
//!
//! A plan is built once and shared; an [`Execution`] is one run of it with parameter values. It is
//! a value that the session holds and polls for batches: a suspended portal is an `Execution` that
//! nobody polls.
//!
//! ```text
//! let plan = plan::plan(bind::bind_statement(..)?, &planner)?;        // once
//! let mut run = exec::start(plan, params, context);                   // per Execute
//! while let Some(batch) = run.next_batch(&mut txn).await? { .. }      // batch.row(i) -> Vec<Datum>
//! run.rows_affected()
//! ```
//!
//! Errors: [`ExecError::Sql`] is the client's; [`ExecError::Restart`] asks the session to roll back
//! to the statement's savepoint and run it again at a fresh snapshot; [`ExecError::Kv`] is the
//! store's, which the session decides about (retry, 40001, 57P03, ...), except that a `KeyExists`
//! becomes a unique violation through [`errors::unique_violation`].

pub mod batch;
pub mod eval;
pub mod host;
pub mod kv;
pub mod vector;

pub use host::Host;
pub use kv::Kv;
