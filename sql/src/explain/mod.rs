//! EXPLAIN and EXPLAIN ANALYZE in PostgreSQL's shape, with the ranges and nodes that hold the keys
//! a plan reads.

mod deparse;
mod json;
mod node;
mod scan;
mod text;

use crate::exec::batch::BatchBuilder;
use crate::exec::{Batch, ExecError, ExecResult, Execution, Kv};
use base::{NodeId, RangeId};
use node::PlanNode;
use types::{Datum, SqlError, SqlType};

/// Explains a plan, after running it for ANALYZE.
pub(crate) async fn run(execution: &mut Execution, txn: &mut dyn Kv) -> ExecResult<Batch> {
    let plan = execution.plan().clone();
    let Some(options) = plan.explain else {
        return Err(ExecError::Sql(SqlError::internal("not an EXPLAIN")));
    };
    let mut micros = 0;
    if options.analyze {
        let before = execution.state().host.functions().clock_timestamp();
        execution.reopen();
        while execution.pull(txn).await?.is_some() {}
        micros = execution.state().host.functions().clock_timestamp() - before;
    }
    let touched = if options.analyze { txn.touched() } else { Vec::new() };
    let mut tree = PlanNode::of_plan(&plan, execution.state());
    tree.find_ranges(execution.state()).await;
    let lines = if options.json {
        vec![json::render(&tree, options, micros, &touched)]
    } else {
        text::render(&tree, options, micros, &touched)
    };
    let mut out = BatchBuilder::new(&[SqlType::TEXT]);
    for line in lines {
        out.push([Datum::Text(line.into())]);
    }
    Ok(out.finish())
}

/// `r1 (n1), r2 (n3)`.
fn shown_ranges(ranges: &[(RangeId, NodeId)]) -> String {
    let texts: Vec<String> = ranges
        .iter()
        .map(|(range, node)| match node.0 {
            0 => range.to_string(),
            _ => format!("{range} ({node})"),
        })
        .collect();
    texts.join(", ")
}
