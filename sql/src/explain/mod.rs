//! EXPLAIN.

use crate::exec::{Batch, ExecResult, Execution, Kv};

/// Explains a plan, after running it for ANALYZE.
pub(crate) async fn run(execution: &mut Execution, txn: &mut dyn Kv) -> ExecResult<Batch> {
    let _ = (execution, txn);
    Ok(Batch::default())
}
