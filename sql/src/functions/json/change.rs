//! `||`, `-`, `#-`, `jsonb_set` and what else changes documents.

use super::path_of;
use crate::functions::native::{
    Native, array_of, integer_of, jsonb as jsonb_result, jsonb_of, text_of,
};
use crate::functions::{EvalContext, Function, Operator};
use types::jsonb::raw;
use types::oid::*;
use types::{Datum, Jsonb, SqlError, SqlResult, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

fn problem(message: impl Into<String>) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

/// Objects merge, everything else joins as arrays.
fn concat(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = (jsonb_of(&args[0])?, jsonb_of(&args[1])?);
    jsonb_result(match (a, b) {
        (Jsonb::Object(a), Jsonb::Object(b)) => Jsonb::object(a.iter().chain(b).cloned().collect()),
        (a, b) => {
            let items = |value: &Jsonb| match value {
                Jsonb::Array(values) => values.clone(),
                other => vec![other.clone()],
            };
            Jsonb::Array([items(a), items(b)].concat())
        }
    })
}

/// Without the named members, or without equal strings in an array.
fn without(value: &Jsonb, names: &[&str]) -> SqlResult<Jsonb> {
    match value {
        Jsonb::Object(pairs) => Ok(Jsonb::Object(
            pairs.iter().filter(|pair| !names.contains(&&*pair.0)).cloned().collect(),
        )),
        Jsonb::Array(values) => Ok(Jsonb::Array(
            values
                .iter()
                .filter(|value| !matches!(value, Jsonb::String(text) if names.contains(&&**text)))
                .cloned()
                .collect(),
        )),
        _ => Err(problem("cannot delete from scalar")),
    }
}

fn delete_key(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    jsonb_result(without(jsonb_of(&args[0])?, &[text_of(&args[1])?])?)
}

fn delete_keys(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let names = array_of(&args[1])?.values.iter().filter(|name| !matches!(name, Datum::Null));
    let names = names.map(text_of).collect::<SqlResult<Vec<_>>>()?;
    jsonb_result(without(jsonb_of(&args[0])?, &names)?)
}

fn delete_place(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    match jsonb_of(&args[0])? {
        Jsonb::Array(values) => {
            let mut values = values.clone();
            if let Some(at) = place_in(integer_of(&args[1])?, values.len()) {
                values.remove(at);
            }
            jsonb_result(Jsonb::Array(values))
        }
        Jsonb::Object(_) => Err(problem("cannot delete from object using integer index")),
        _ => Err(problem("cannot delete from scalar")),
    }
}

/// The index of a place that may count from the end.
fn place_in(place: i64, length: usize) -> Option<usize> {
    let at = if place < 0 { place + length as i64 } else { place };
    usize::try_from(at).ok().filter(|&at| at < length)
}

/// What is done at the end of a path.
#[derive(Clone, Copy)]
enum Change<'a> {
    Delete,
    /// Replaces; creates when the flag says so.
    Set(&'a Jsonb, bool),
    /// Inserts into an array, behind the place when the flag says so; creates in an object.
    Insert(&'a Jsonb, bool),
}

fn change_at(
    value: &Jsonb,
    path: &[Option<&str>],
    depth: usize,
    change: Change<'_>,
) -> SqlResult<Jsonb> {
    let Some(name) = path[depth] else {
        return Err(SqlError::new(
            sqlstate::NULL_VALUE_NOT_ALLOWED,
            format!("path element at position {} is null", depth + 1),
        ));
    };
    let last = depth + 1 == path.len();
    match value {
        Jsonb::Object(pairs) => change_member(value, pairs, name, path, depth, last, change),
        Jsonb::Array(values) => change_element(values, name, path, depth, last, change),
        other => Ok(other.clone()),
    }
}

type Pairs = [(std::sync::Arc<str>, Jsonb)];

fn change_member(
    value: &Jsonb,
    pairs: &Pairs,
    name: &str,
    path: &[Option<&str>],
    depth: usize,
    last: bool,
    change: Change<'_>,
) -> SqlResult<Jsonb> {
    let exists = value.get(name).is_some();
    if !last {
        let changed = pairs.iter().map(|(key, inner)| {
            let inner = if **key == *name {
                change_at(inner, path, depth + 1, change)?
            } else {
                inner.clone()
            };
            Ok((key.clone(), inner))
        });
        return Ok(Jsonb::Object(changed.collect::<SqlResult<_>>()?));
    }
    let mut pairs = pairs.to_vec();
    match change {
        Change::Delete => pairs.retain(|pair| *pair.0 != *name),
        Change::Insert(..) if exists => {
            return Err(problem("cannot replace existing key")
                .with_hint("Try using the function jsonb_set to replace key value."));
        }
        Change::Set(_, false) if !exists => {}
        Change::Set(new, _) | Change::Insert(new, _) => pairs.push((name.into(), new.clone())),
    }
    Ok(Jsonb::object(pairs))
}

fn change_element(
    values: &[Jsonb],
    name: &str,
    path: &[Option<&str>],
    depth: usize,
    last: bool,
    change: Change<'_>,
) -> SqlResult<Jsonb> {
    if values.is_empty() && matches!(change, Change::Delete | Change::Set(_, false)) {
        return Ok(Jsonb::Array(Vec::new()));
    }
    let place: i64 = name.trim().parse().map_err(|_| {
        SqlError::new(
            sqlstate::INVALID_TEXT_REPRESENTATION,
            format!("path element at position {} is not an integer: \"{name}\"", depth + 1),
        )
    })?;
    let at = place_in(place, values.len());
    let mut values = values.to_vec();
    if !last {
        if let Some(at) = at {
            values[at] = change_at(&values[at], path, depth + 1, change)?;
        }
        return Ok(Jsonb::Array(values));
    }
    let beyond = if place < 0 { 0 } else { values.len() };
    match (change, at) {
        (Change::Delete, Some(at)) => drop(values.remove(at)),
        (Change::Delete, None) | (Change::Set(_, false), None) => {}
        (Change::Set(new, _), Some(at)) => values[at] = new.clone(),
        (Change::Set(new, true), None) => values.insert(beyond, new.clone()),
        (Change::Insert(new, after), Some(at)) => {
            values.insert(at + usize::from(after), new.clone());
        }
        (Change::Insert(new, _), None) => values.insert(beyond, new.clone()),
    }
    Ok(Jsonb::Array(values))
}

fn apply(
    document: &Datum,
    path: &Datum,
    change: Change<'_>,
    scalar_message: &str,
) -> SqlResult<Datum> {
    let value = jsonb_of(document)?;
    if !matches!(value, Jsonb::Array(_) | Jsonb::Object(_)) {
        return Err(problem(scalar_message));
    }
    let path = path_of(path)?;
    if path.is_empty() {
        return Ok(document.clone());
    }
    jsonb_result(change_at(value, &path, 0, change)?)
}

fn delete_path(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    apply(&args[0], &args[1], Change::Delete, "cannot delete path in scalar")
}

/// `jsonb_set(document, path, value [, create])`.
fn set(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let create = args.get(3).map_or(Ok(true), bool::get)?;
    let change = Change::Set(jsonb_of(&args[2])?, create);
    apply(&args[0], &args[1], change, "cannot set path in scalar")
}

/// `jsonb_insert(document, path, value [, after])`.
fn insert(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let after = args.get(3).map_or(Ok(false), bool::get)?;
    let change = Change::Insert(jsonb_of(&args[2])?, after);
    apply(&args[0], &args[1], change, "cannot set path in scalar")
}

fn strip(value: &Jsonb) -> Jsonb {
    match value {
        Jsonb::Object(pairs) => Jsonb::Object(
            pairs
                .iter()
                .filter(|pair| !matches!(pair.1, Jsonb::Null))
                .map(|(key, value)| (key.clone(), strip(value)))
                .collect(),
        ),
        Jsonb::Array(values) => Jsonb::Array(values.iter().map(strip).collect()),
        other => other.clone(),
    }
}

fn strip_nulls(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    jsonb_result(strip(jsonb_of(&args[0])?))
}

fn json_strip_nulls(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Text(raw::strip_nulls(text_of(&args[0])?)?.into()))
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("jsonb_concat", &[JSONB, JSONB], JSONB, concat),
    Function::new("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB], JSONB, set),
    Function::new("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, set),
    Function::new("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB], JSONB, insert),
    Function::new("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, insert),
    Function::new("jsonb_delete_path", &[JSONB, TEXT_ARRAY], JSONB, delete_path),
    Function::new("jsonb_strip_nulls", &[JSONB], JSONB, strip_nulls),
    Function::new("json_strip_nulls", &[JSON], JSON, json_strip_nulls),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("||", JSONB, JSONB, JSONB, concat),
    Operator::new("-", JSONB, TEXT, JSONB, delete_key),
    Operator::new("-", JSONB, INT4, JSONB, delete_place),
    Operator::new("-", JSONB, TEXT_ARRAY, JSONB, delete_keys),
    Operator::new("#-", JSONB, TEXT_ARRAY, JSONB, delete_path),
];
