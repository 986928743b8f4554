//! The text format.

use super::node::PlanNode;
use super::shown_ranges;
use crate::bind::ExplainOptions;
use base::{NodeId, RangeId};

/// Renders a plan, one line each.
pub(super) fn render(
    tree: &PlanNode,
    options: ExplainOptions,
    micros: i64,
    touched: &[(RangeId, NodeId)],
) -> Vec<String> {
    let mut out = Vec::new();
    node(tree, 0, options, &mut out);
    if options.analyze {
        if !touched.is_empty() {
            out.push(format!("Ranges Touched: {}", shown_ranges(touched)));
        }
        out.push(format!("Execution Time: {} ms", millis(micros)));
    }
    out
}

fn node(tree: &PlanNode, depth: usize, options: ExplainOptions, out: &mut Vec<String>) {
    let mut depth = depth;
    let mut indent = " ".repeat(depth);
    if let Some(label) = &tree.label {
        out.push(format!("{indent}{label}"));
        depth += 2;
        indent = " ".repeat(depth);
    }
    let arrow = if depth == 0 { "" } else { "->  " };
    out.push(format!("{indent}{arrow}{}{}{}", tree.name, tree.suffix, numbers(tree, options)));
    let inner = depth + arrow.len() + 2;
    let indent = " ".repeat(inner);
    for (label, text) in &tree.details {
        out.push(format!("{indent}{label}: {text}"));
    }
    if !tree.ranges.is_empty() {
        out.push(format!("{indent}Ranges: {}", shown_ranges(&tree.ranges)));
    }
    if let Some(stats) = tree.stats.filter(|s| options.analyze && s.rows_read > 0) {
        out.push(format!("{indent}Rows Read: {}", stats.rows_read));
    }
    for input in &tree.inputs {
        node(input, inner, options, out);
    }
}

fn numbers(tree: &PlanNode, options: ExplainOptions) -> String {
    let mut out = String::new();
    if options.costs {
        let (rows, width) = (tree.rows.max(0.0).round(), tree.width);
        out += &format!("  (cost=0.00..{:.2} rows={rows} width={width})", tree.rows * 0.01);
    }
    if options.analyze {
        match tree.stats {
            Some(stats) if stats.loops > 0 => {
                let loops = stats.loops;
                let rows = stats.rows / loops;
                let time = if options.timing {
                    format!("time=0.000..{} ", millis(stats.micros / loops as i64))
                } else {
                    String::new()
                };
                out += &format!(" (actual {time}rows={rows} loops={loops})");
            }
            Some(_) => out += " (never executed)",
            None => {}
        }
    }
    out
}

fn millis(micros: i64) -> String {
    format!("{}.{:03}", micros / 1000, micros.rem_euclid(1000))
}
