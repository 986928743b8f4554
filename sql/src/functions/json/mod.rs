//! Functions and operators of json and jsonb.

mod access;
mod build;
mod change;
mod contains;
mod expand;

use super::{Function, Operator};

pub(super) use build::{key_text, to_jsonb_value, write_json};

pub(super) const FUNCTIONS: &[&[Function]] = &[
    access::FUNCTIONS,
    build::FUNCTIONS,
    change::FUNCTIONS,
    contains::FUNCTIONS,
    expand::FUNCTIONS,
];

pub(super) const OPERATORS: &[&[Operator]] =
    &[access::OPERATORS, change::OPERATORS, contains::OPERATORS];

use types::{Datum, Jsonb, SqlResult, jsonb};

/// A json or jsonb argument as a value.
fn json_of(datum: &Datum) -> SqlResult<std::borrow::Cow<'_, Jsonb>> {
    match datum {
        Datum::Text(text) => Ok(std::borrow::Cow::Owned(jsonb::parse(text)?)),
        other => Ok(std::borrow::Cow::Borrowed(super::native::jsonb_of(other)?)),
    }
}

/// A text path `{a,0,b}`; NULL elements are None.
fn path_of(datum: &Datum) -> SqlResult<Vec<Option<&str>>> {
    super::native::array_of(datum)?
        .values
        .iter()
        .map(|value| match value {
            Datum::Null => Ok(None),
            other => super::native::text_of(other).map(Some),
        })
        .collect()
}
