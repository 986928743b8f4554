//! Functions and operators of text.

mod build;
mod edit;
mod format;
mod hash;
mod measure;
mod pattern;
mod regex_translate;
mod regexp;

use super::{Function, Operator};

pub(super) const FUNCTIONS: &[&[Function]] = &[
    build::FUNCTIONS,
    edit::FUNCTIONS,
    format::FUNCTIONS,
    hash::FUNCTIONS,
    measure::FUNCTIONS,
    pattern::FUNCTIONS,
    regexp::FUNCTIONS,
];

pub(super) const OPERATORS: &[&[Operator]] =
    &[build::OPERATORS, pattern::OPERATORS, regexp::OPERATORS];

/// Longest text that a function builds: PostgreSQL's limit of a value.
pub(super) const TEXT_BYTES_MAX: usize = 1 << 30;

/// `requested length too large`.
pub(super) fn too_long() -> types::SqlError {
    types::SqlError::new(types::sqlstate::PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}
