//! `information_schema`.

mod columns;
mod constraints;
mod shapes;
mod tables;

pub(in crate::views) use shapes::SHAPES;

use super::row::Rows;
use crate::session::view::SessionView;

pub(in crate::views) fn fill(name: &str, view: &SessionView, rows: &mut Rows) {
    match name {
        "tables" => tables::tables(view, rows),
        "views" => tables::views(view, rows),
        "schemata" => tables::schemata(view, rows),
        "sequences" => tables::sequences(view, rows),
        "columns" => columns::fill(view, rows),
        "table_constraints" => constraints::table_constraints(view, rows),
        "key_column_usage" => constraints::key_column_usage(view, rows),
        "constraint_column_usage" => constraints::constraint_column_usage(view, rows),
        "referential_constraints" => constraints::referential_constraints(view, rows),
        "check_constraints" => constraints::check_constraints(view, rows),
        _ => {}
    }
}
