//! `@>`, `<@`, `?`, `?|`, `?&`.

use crate::functions::native::{array_of, jsonb_of, text_of};
use crate::functions::{EvalContext, Function, Operator};
use types::oid::*;
use types::{Datum, Jsonb, SqlResult, jsonb};

/// Whether the first document contains the second.
fn holds(outer: &Jsonb, inner: &Jsonb) -> bool {
    match (outer, inner) {
        // The one exception: an array at the top also contains a bare scalar.
        (Jsonb::Array(values), scalar) if !is_container(scalar) => {
            values.iter().any(|value| jsonb::cmp(value, scalar).is_eq())
        }
        _ => nested_holds(outer, inner),
    }
}

fn is_container(value: &Jsonb) -> bool {
    matches!(value, Jsonb::Array(_) | Jsonb::Object(_))
}

fn nested_holds(outer: &Jsonb, inner: &Jsonb) -> bool {
    match (outer, inner) {
        (Jsonb::Object(_), Jsonb::Object(pairs)) => pairs
            .iter()
            .all(|(key, value)| outer.get(key).is_some_and(|found| nested_holds(found, value))),
        (Jsonb::Array(candidates), Jsonb::Array(wanted)) => wanted
            .iter()
            .all(|value| candidates.iter().any(|candidate| nested_holds(candidate, value))),
        (outer, inner) => {
            !is_container(outer) && !is_container(inner) && jsonb::cmp(outer, inner).is_eq()
        }
    }
}

fn contains(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(holds(jsonb_of(&args[0])?, jsonb_of(&args[1])?)))
}

fn contained(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(holds(jsonb_of(&args[1])?, jsonb_of(&args[0])?)))
}

/// Whether a text is a key of an object or a string in an array.
fn has_key(value: &Jsonb, key: &str) -> bool {
    match value {
        Jsonb::Object(_) => value.get(key).is_some(),
        Jsonb::Array(values) => {
            values.iter().any(|value| matches!(value, Jsonb::String(text) if &**text == key))
        }
        Jsonb::String(text) => &**text == key,
        _ => false,
    }
}

fn exists(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(has_key(jsonb_of(&args[0])?, text_of(&args[1])?)))
}

fn keys(datum: &Datum) -> SqlResult<Vec<&str>> {
    let keys = array_of(datum)?.values.iter().filter(|key| !matches!(key, Datum::Null));
    keys.map(text_of).collect()
}

fn exists_any(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let value = jsonb_of(&args[0])?;
    Ok(Datum::Bool(keys(&args[1])?.into_iter().any(|key| has_key(value, key))))
}

fn exists_all(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let value = jsonb_of(&args[0])?;
    Ok(Datum::Bool(keys(&args[1])?.into_iter().all(|key| has_key(value, key))))
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("jsonb_contains", &[JSONB, JSONB], BOOL, contains),
    Function::new("jsonb_contained", &[JSONB, JSONB], BOOL, contained),
    Function::new("jsonb_exists", &[JSONB, TEXT], BOOL, exists),
    Function::new("jsonb_exists_any", &[JSONB, TEXT_ARRAY], BOOL, exists_any),
    Function::new("jsonb_exists_all", &[JSONB, TEXT_ARRAY], BOOL, exists_all),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::test("@>", JSONB, JSONB, contains),
    Operator::test("<@", JSONB, JSONB, contained),
    Operator::test("?", JSONB, TEXT, exists),
    Operator::test("?|", JSONB, TEXT_ARRAY, exists_any),
    Operator::test("?&", JSONB, TEXT_ARRAY, exists_all),
];
