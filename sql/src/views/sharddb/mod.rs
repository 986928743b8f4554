//! The cluster's own views: ranges, nodes, settings, sessions.

mod nodes;
mod ranges;
mod settings;

use super::Shape;
use super::row::Rows;
use crate::session::view::SessionView;
use types::SqlError;
use types::oid::*;

#[rustfmt::skip]
pub(in crate::views) const SHAPES: &[Shape] = &[
    ("nodes", 13_101, &[("node_id", INT8), ("rpc_address", TEXT), ("sql_address", TEXT), ("http_address", TEXT), ("roles", TEXT), ("is_live", BOOL), ("replicas", INT8), ("leaders", INT8), ("bytes", INT8), ("leads_meta", BOOL)]),
    ("ranges", 13_102, &[("range_id", INT8), ("start_key", TEXT), ("end_key", TEXT), ("database_name", TEXT), ("table_name", TEXT), ("index_name", TEXT), ("leader", INT8), ("replicas", INT8_ARRAY), ("learners", INT8_ARRAY), ("epoch", INT8), ("bytes", INT8)]),
    ("settings", 13_103, &[("name", TEXT), ("value", TEXT)]),
];

pub(in crate::views) async fn fill(
    name: &str,
    view: &SessionView,
    rows: &mut Rows,
) -> Result<(), SqlError> {
    match name {
        "nodes" => nodes::fill(view, rows).await,
        "ranges" => ranges::fill(view, rows).await,
        "settings" => settings::fill(view, rows).await,
        _ => Ok(()),
    }
}
