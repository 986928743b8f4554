//! Documents as rows: `jsonb_each`, `jsonb_array_elements`, `jsonb_object_keys`, ...

use super::access::value_text;
use crate::functions::native::text_of;
use crate::functions::{EvalContext, Function, SetRows};
use std::sync::Arc;
use types::jsonb::raw;
use types::oid::*;
use types::{Datum, Jsonb, SqlError, SqlResult, jsonb, sqlstate};

fn problem(message: String) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn rows(rows: Vec<Vec<Datum>>) -> SqlResult<SetRows> {
    Ok(Box::new(rows.into_iter().map(Ok)))
}

fn document(value: &Jsonb) -> Datum {
    Datum::Jsonb(Arc::new(value.clone()))
}

/// The members of a jsonb object.
fn members<'a>(datum: &'a Datum, function: &str) -> SqlResult<&'a [(Arc<str>, Jsonb)]> {
    match crate::functions::native::jsonb_of(datum)? {
        Jsonb::Object(pairs) => Ok(pairs),
        Jsonb::Array(_) if function == "jsonb_object_keys" => {
            Err(problem(format!("cannot call {function} on an array")))
        }
        _ if function == "jsonb_object_keys" => {
            Err(problem(format!("cannot call {function} on a scalar")))
        }
        _ => Err(problem(format!("cannot call {function} on a non-object"))),
    }
}

fn each(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = members(&args[0], "jsonb_each")?;
    rows(pairs.iter().map(|(key, value)| vec![Datum::Text(key.clone()), document(value)]).collect())
}

fn each_text(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = members(&args[0], "jsonb_each_text")?;
    rows(
        pairs
            .iter()
            .map(|(key, value)| vec![Datum::Text(key.clone()), value_text(value)])
            .collect(),
    )
}

fn object_keys(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = members(&args[0], "jsonb_object_keys")?;
    rows(pairs.iter().map(|(key, _)| vec![Datum::Text(key.clone())]).collect())
}

/// The elements of a jsonb array.
fn elements_of(datum: &Datum) -> SqlResult<&[Jsonb]> {
    match crate::functions::native::jsonb_of(datum)? {
        Jsonb::Array(values) => Ok(values),
        Jsonb::Object(_) => Err(problem("cannot extract elements from an object".to_owned())),
        _ => Err(problem("cannot extract elements from a scalar".to_owned())),
    }
}

fn elements(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    rows(elements_of(&args[0])?.iter().map(|value| vec![document(value)]).collect())
}

fn elements_text(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    rows(elements_of(&args[0])?.iter().map(|value| vec![value_text(value)]).collect())
}

/// Text of a piece of json: strings without quotes, null as NULL.
fn piece_text(piece: &str) -> SqlResult<Datum> {
    match piece {
        "null" => Ok(Datum::Null),
        string if string.starts_with('"') => Ok(value_text(&jsonb::parse(string)?)),
        other => Ok(Datum::Text(other.into())),
    }
}

fn json_members<'a>(datum: &'a Datum, function: &str) -> SqlResult<Vec<(String, &'a str)>> {
    let text = text_of(datum)?;
    if text.trim_start().starts_with('{') {
        return raw::members(text);
    }
    Err(problem(match (function, raw::is_array(text)) {
        ("json_object_keys", true) => "cannot call json_object_keys on an array".to_owned(),
        ("json_object_keys", false) => "cannot call json_object_keys on a scalar".to_owned(),
        (_, true) => "cannot deconstruct an array as an object".to_owned(),
        (_, false) => "cannot deconstruct a scalar".to_owned(),
    }))
}

fn json_each(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = json_members(&args[0], "json_each")?.into_iter();
    rows(
        pairs
            .map(|(key, piece)| vec![Datum::Text(key.into()), Datum::Text(piece.into())])
            .collect(),
    )
}

fn json_each_text(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = json_members(&args[0], "json_each_text")?.into_iter();
    let rows_of = pairs.map(|(key, piece)| Ok(vec![Datum::Text(key.into()), piece_text(piece)?]));
    rows(rows_of.collect::<SqlResult<_>>()?)
}

fn json_object_keys(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pairs = json_members(&args[0], "json_object_keys")?.into_iter();
    rows(pairs.map(|(key, _)| vec![Datum::Text(key.into())]).collect())
}

fn json_pieces<'a>(datum: &'a Datum, function: &str) -> SqlResult<Vec<&'a str>> {
    let text = text_of(datum)?;
    if raw::is_array(text) {
        return raw::elements(text);
    }
    Err(problem(if text.trim_start().starts_with('{') {
        format!("cannot call {function} on a non-array")
    } else {
        format!("cannot call {function} on a scalar")
    }))
}

fn json_elements(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pieces = json_pieces(&args[0], "json_array_elements")?.into_iter();
    rows(pieces.map(|piece| vec![Datum::Text(piece.into())]).collect())
}

fn json_elements_text(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let pieces = json_pieces(&args[0], "json_array_elements_text")?.into_iter();
    rows(pieces.map(|piece| Ok(vec![piece_text(piece)?])).collect::<SqlResult<_>>()?)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::set("jsonb_each", &[JSONB], RECORD, each).columns(&[("key", TEXT), ("value", JSONB)]),
    Function::set("jsonb_each_text", &[JSONB], RECORD, each_text)
        .columns(&[("key", TEXT), ("value", TEXT)]),
    Function::set("jsonb_object_keys", &[JSONB], TEXT, object_keys),
    Function::set("jsonb_array_elements", &[JSONB], JSONB, elements).columns(&[("value", JSONB)]),
    Function::set("jsonb_array_elements_text", &[JSONB], TEXT, elements_text)
        .columns(&[("value", TEXT)]),
    Function::set("json_each", &[JSON], RECORD, json_each)
        .columns(&[("key", TEXT), ("value", JSON)]),
    Function::set("json_each_text", &[JSON], RECORD, json_each_text)
        .columns(&[("key", TEXT), ("value", TEXT)]),
    Function::set("json_object_keys", &[JSON], TEXT, json_object_keys),
    Function::set("json_array_elements", &[JSON], JSON, json_elements).columns(&[("value", JSON)]),
    Function::set("json_array_elements_text", &[JSON], TEXT, json_elements_text)
        .columns(&[("value", TEXT)]),
];
