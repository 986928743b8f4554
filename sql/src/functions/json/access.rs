//! `->`, `->>`, `#>`, `#>>` and what reads parts of a document.
//!
//! `json` keeps the text that it was given, so its parts are cut out of the text; `jsonb` gives
//! canonical values.

use super::path_of;
use crate::functions::native::{integer_of, jsonb_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function, Operator};
use std::sync::Arc;
use types::jsonb::raw;
use types::oid::*;
use types::{Datum, Jsonb, SqlError, SqlResult, jsonb, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// One step into a document.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Place(i64),
    /// Of a path: a key of an object or a place in an array.
    Either(&'a str),
}

/// A part of a document, in either representation.
enum Part<'a> {
    Value(&'a Jsonb),
    Text(&'a str),
}

impl<'a> Part<'a> {
    fn of(datum: &'a Datum) -> SqlResult<Part<'a>> {
        match datum {
            Datum::Text(text) => Ok(Part::Text(text.trim())),
            other => Ok(Part::Value(jsonb_of(other)?)),
        }
    }

    fn step(&self, step: Step<'_>) -> SqlResult<Option<Part<'a>>> {
        Ok(match self {
            Part::Value(value) => step_value(value, step).map(Part::Value),
            Part::Text(text) => match step {
                Step::Key(key) => raw::member(text, key)?,
                Step::Place(place) => raw::element(text, place)?,
                Step::Either(name) => match raw::is_array(text) {
                    true => match name.trim().parse() {
                        Ok(place) => raw::element(text, place)?,
                        Err(_) => None,
                    },
                    false => raw::member(text, name)?,
                },
            }
            .map(Part::Text),
        })
    }

    /// As json or jsonb.
    fn document(&self) -> Datum {
        match self {
            Part::Value(value) => Datum::Jsonb(Arc::new((*value).clone())),
            Part::Text(text) => Datum::Text((*text).into()),
        }
    }

    /// As text: strings without quotes, null as NULL.
    fn text(&self) -> SqlResult<Datum> {
        match self {
            Part::Value(value) => Ok(value_text(value)),
            Part::Text(text) if text.starts_with('"') => Ok(value_text(&jsonb::parse(text)?)),
            Part::Text("null") => Ok(Datum::Null),
            Part::Text(text) => text_result(*text),
        }
    }
}

/// A value as text: strings without quotes, null as NULL.
pub(super) fn value_text(value: &Jsonb) -> Datum {
    match value {
        Jsonb::Null => Datum::Null,
        Jsonb::String(text) => Datum::Text(text.clone()),
        other => {
            let mut out = String::new();
            jsonb::format(other, &mut out);
            Datum::Text(out.into())
        }
    }
}

fn step_value<'a>(value: &'a Jsonb, step: Step<'_>) -> Option<&'a Jsonb> {
    match step {
        Step::Key(key) => value.get(key),
        Step::Place(place) => match value {
            Jsonb::Array(_) | Jsonb::Object(_) => value.element(place),
            // A bare scalar is stored as an array of one, and it shows here.
            scalar => (place == 0 || place == -1).then_some(scalar),
        },
        Step::Either(name) => match value {
            Jsonb::Array(_) => value.element(name.trim().parse().ok()?),
            _ => value.get(name),
        },
    }
}

fn one_step(args: Args<'_>, as_text: bool) -> SqlResult<Datum> {
    let step = match &args[1] {
        Datum::Text(key) => Step::Key(key),
        place => Step::Place(integer_of(place)?),
    };
    finish(Part::of(&args[0])?.step(step)?, as_text)
}

fn finish(part: Option<Part<'_>>, as_text: bool) -> SqlResult<Datum> {
    match part {
        None => Ok(Datum::Null),
        Some(part) if as_text => part.text(),
        Some(part) => Ok(part.document()),
    }
}

fn follow(document: &Datum, path: &[Option<&str>], as_text: bool) -> SqlResult<Datum> {
    let mut part = Part::of(document)?;
    for name in path {
        let Some(name) = name else { return Ok(Datum::Null) };
        match part.step(Step::Either(name))? {
            Some(next) => part = next,
            None => return Ok(Datum::Null),
        }
    }
    finish(Some(part), as_text)
}

fn get(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    one_step(args, false)
}

fn get_text(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    one_step(args, true)
}

fn get_path(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    follow(&args[0], &path_of(&args[1])?, false)
}

fn get_path_text(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    follow(&args[0], &path_of(&args[1])?, true)
}

fn names(args: Args<'_>) -> SqlResult<Vec<Option<&str>>> {
    args[1..].iter().map(|name| text_of(name).map(Some)).collect()
}

/// `json_extract_path(document, name, ...)`.
fn extract_path(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    follow(&args[0], &names(args)?, false)
}

fn extract_path_text(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    follow(&args[0], &names(args)?, true)
}

fn type_of(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(super::json_of(&args[0])?.type_name())
}

fn array_length(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let problem = |message| Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message));
    match &*super::json_of(&args[0])? {
        Jsonb::Array(values) => Ok(Datum::Int4(values.len() as i32)),
        Jsonb::Object(_) => problem("cannot get array length of a non-array"),
        _ => problem("cannot get array length of a scalar"),
    }
}

fn pretty(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let mut out = String::new();
    jsonb::pretty(jsonb_of(&args[0])?, &mut out);
    text_result(out)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("json_extract_path", &[JSON, TEXT], JSON, extract_path).variadic(),
    Function::new("jsonb_extract_path", &[JSONB, TEXT], JSONB, extract_path).variadic(),
    Function::new("json_extract_path_text", &[JSON, TEXT], TEXT, extract_path_text).variadic(),
    Function::new("jsonb_extract_path_text", &[JSONB, TEXT], TEXT, extract_path_text).variadic(),
    Function::new("json_typeof", &[JSON], TEXT, type_of),
    Function::new("jsonb_typeof", &[JSONB], TEXT, type_of),
    Function::new("json_array_length", &[JSON], INT4, array_length),
    Function::new("jsonb_array_length", &[JSONB], INT4, array_length),
    Function::new("jsonb_pretty", &[JSONB], TEXT, pretty),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("->", JSON, TEXT, JSON, get),
    Operator::new("->", JSON, INT4, JSON, get),
    Operator::new("->", JSONB, TEXT, JSONB, get),
    Operator::new("->", JSONB, INT4, JSONB, get),
    Operator::new("->>", JSON, TEXT, TEXT, get_text),
    Operator::new("->>", JSON, INT4, TEXT, get_text),
    Operator::new("->>", JSONB, TEXT, TEXT, get_text),
    Operator::new("->>", JSONB, INT4, TEXT, get_text),
    Operator::new("#>", JSON, TEXT_ARRAY, JSON, get_path),
    Operator::new("#>", JSONB, TEXT_ARRAY, JSONB, get_path),
    Operator::new("#>>", JSON, TEXT_ARRAY, TEXT, get_path_text),
    Operator::new("#>>", JSONB, TEXT_ARRAY, TEXT, get_path_text),
];
