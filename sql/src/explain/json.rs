//! FORMAT JSON.

use super::node::PlanNode;
use super::shown_ranges;
use crate::bind::ExplainOptions;
use base::{NodeId, RangeId};
use serde_json::{Map, Value, json};

/// Renders a plan as one document.
pub(super) fn render(
    tree: &PlanNode,
    options: ExplainOptions,
    micros: i64,
    touched: &[(RangeId, NodeId)],
) -> String {
    let mut top = Map::new();
    top.insert("Plan".to_owned(), node(tree, options));
    if options.analyze {
        top.insert("Ranges Touched".to_owned(), json!(shown_ranges(touched)));
        top.insert("Execution Time".to_owned(), json!(micros as f64 / 1000.0));
    }
    let document = Value::Array(vec![Value::Object(top)]);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn node(tree: &PlanNode, options: ExplainOptions) -> Value {
    let mut out = Map::new();
    out.insert("Node Type".to_owned(), json!(tree.name));
    if let Some(label) = &tree.label {
        out.insert("Subplan Name".to_owned(), json!(label));
    }
    for (key, value) in &tree.properties {
        out.insert((*key).to_owned(), json!(value));
    }
    if options.costs {
        out.insert("Startup Cost".to_owned(), json!(0.0));
        out.insert("Total Cost".to_owned(), json!((tree.rows * 0.01 * 100.0).round() / 100.0));
        out.insert("Plan Rows".to_owned(), json!(tree.rows.round() as i64));
        out.insert("Plan Width".to_owned(), json!(tree.width));
    }
    if let Some(stats) = tree.stats.filter(|_| options.analyze) {
        let loops = stats.loops.max(1);
        out.insert("Actual Rows".to_owned(), json!(stats.rows / loops));
        out.insert("Actual Loops".to_owned(), json!(stats.loops));
        if options.timing {
            let millis = stats.micros as f64 / 1000.0 / loops as f64;
            out.insert("Actual Total Time".to_owned(), json!(millis));
        }
    }
    for (label, text) in &tree.details {
        out.insert((*label).to_owned(), json!(text));
    }
    if !tree.ranges.is_empty() {
        out.insert("Ranges".to_owned(), json!(shown_ranges(&tree.ranges)));
    }
    if !tree.inputs.is_empty() {
        let inputs = tree.inputs.iter().map(|i| node(i, options)).collect();
        out.insert("Plans".to_owned(), Value::Array(inputs));
    }
    Value::Object(out)
}
