//! Statements that keep the database in order: VACUUM, ANALYZE, LOCK; and the ones that the grammar
//! lacks.

mod extra;
mod maintain;

pub(crate) use extra::{Extra, parse_string};
pub(crate) use maintain::{maintain, run_extra};
