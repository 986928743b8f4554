//! Making documents out of SQL values.

use crate::functions::native::{array_of, jsonb as jsonb_result, text as text_result};
use crate::functions::{EvalContext, Function};
use std::sync::Arc;
use types::oid::*;
use types::{
    Array, ArrayDimension, Datum, Jsonb, Numeric, Settings, SqlError, SqlResult, SqlType, jsonb,
    numeric, sqlstate,
};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// A value as jsonb, as `to_jsonb` makes it.
pub(in crate::functions) fn to_jsonb_value(
    value: &Datum,
    ty: SqlType,
    settings: &Settings,
) -> SqlResult<Jsonb> {
    Ok(match value {
        Datum::Null => Jsonb::Null,
        Datum::Bool(value) => Jsonb::Bool(*value),
        Datum::Int2(value) => Jsonb::Number(Numeric::from(i64::from(*value))),
        Datum::Int4(value) => Jsonb::Number(Numeric::from(*value)),
        Datum::Int8(value) => Jsonb::Number(Numeric::from(*value)),
        Datum::Numeric(value) if value.is_finite() => Jsonb::Number((**value).clone()),
        Datum::Float4(_) | Datum::Float8(_) => {
            let text = types::text::to_string(value, ty, settings);
            match numeric::parse(&text) {
                Ok(number) if number.is_finite() => Jsonb::Number(number),
                _ => Jsonb::String(text.into()),
            }
        }
        Datum::Jsonb(value) => (**value).clone(),
        Datum::Text(text) if ty.oid == JSON => jsonb::parse(text)?,
        Datum::Array(array) => array_to_jsonb(array, settings)?,
        Datum::Record(values) => Jsonb::object(
            values
                .iter()
                .enumerate()
                .map(|(at, value)| {
                    let ty = SqlType::new(types::compare::natural_oid(value));
                    Ok((format!("f{}", at + 1).into(), to_jsonb_value(value, ty, settings)?))
                })
                .collect::<SqlResult<Vec<_>>>()?,
        ),
        Datum::Date(_) | Datum::Timestamp(_) | Datum::Timestamptz(_) => {
            Jsonb::String(iso_text(value, ty, settings).into())
        }
        other => Jsonb::String(types::text::to_string(other, ty, settings).into()),
    })
}

/// Moments are written in ISO 8601 whatever the session's style.
fn iso_text(value: &Datum, ty: SqlType, settings: &Settings) -> String {
    let iso = Settings { date_style: types::DateStyle::Iso, ..settings.clone() };
    let text = types::text::to_string(value, ty, &iso);
    if matches!(value, Datum::Date(_)) {
        return text;
    }
    let mut text = text.replacen(' ', "T", 1);
    if matches!(value, Datum::Timestamptz(_)) && text.len() > 3 {
        // ISO 8601 offsets have minutes.
        let era = text.strip_suffix(" BC").map(str::len);
        let end = era.unwrap_or(text.len());
        let hours_only =
            text.as_bytes().get(end.wrapping_sub(3)).is_some_and(|b| matches!(b, b'+' | b'-'));
        if hours_only {
            text.insert_str(end, ":00");
        }
    }
    text
}

fn array_to_jsonb(array: &Array, settings: &Settings) -> SqlResult<Jsonb> {
    let mut values = array.values.iter();
    let element = SqlType::new(array.element_oid);
    if array.dimensions.is_empty() {
        return Ok(Jsonb::Array(Vec::new()));
    }
    level(&array.dimensions, &mut values, element, settings)
}

fn level(
    dimensions: &[ArrayDimension],
    values: &mut std::slice::Iter<'_, Datum>,
    element: SqlType,
    settings: &Settings,
) -> SqlResult<Jsonb> {
    let Some((dimension, inner)) = dimensions.split_first() else {
        return values.next().map_or(Ok(Jsonb::Null), |v| to_jsonb_value(v, element, settings));
    };
    let items = (0..dimension.length).map(|_| level(inner, values, element, settings));
    Ok(Jsonb::Array(items.collect::<SqlResult<_>>()?))
}

/// Appends a value as json text, as `to_json` makes it: no blanks are added, json stays as it is.
pub(in crate::functions) fn write_json(
    value: &Datum,
    ty: SqlType,
    settings: &Settings,
    out: &mut String,
) -> SqlResult<()> {
    match value {
        Datum::Text(text) if ty.oid == JSON => out.push_str(text),
        Datum::Jsonb(value) => jsonb::format(value, out),
        Datum::Array(array) => {
            let element = SqlType::new(array.element_oid);
            if array.dimensions.is_empty() {
                out.push_str("[]");
                return Ok(());
            }
            return write_level(
                &array.dimensions,
                &mut array.values.iter(),
                element,
                settings,
                out,
            );
        }
        Datum::Record(values) => {
            out.push('{');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&format!("\"f{}\":", at + 1));
                let ty = SqlType::new(types::compare::natural_oid(value));
                write_json(value, ty, settings, out)?;
            }
            out.push('}');
        }
        Datum::Float4(_) | Datum::Float8(_) | Datum::Numeric(_) => {
            let text = types::text::to_string(value, ty, settings);
            // Only numbers that JSON can write stay numbers; they keep their own notation.
            if text.ends_with(|c: char| c.is_ascii_digit()) {
                out.push_str(&text);
            } else {
                jsonb::escape(&text, out);
            }
        }
        other => jsonb::format(&to_jsonb_value(other, ty, settings)?, out),
    }
    Ok(())
}

fn write_level(
    dimensions: &[ArrayDimension],
    values: &mut std::slice::Iter<'_, Datum>,
    element: SqlType,
    settings: &Settings,
    out: &mut String,
) -> SqlResult<()> {
    let Some((dimension, inner)) = dimensions.split_first() else {
        return values.next().map_or(Ok(()), |value| write_json(value, element, settings, out));
    };
    out.push('[');
    for at in 0..dimension.length {
        if at > 0 {
            out.push(',');
        }
        write_level(inner, values, element, settings, out)?;
    }
    out.push(']');
    Ok(())
}

fn to_jsonb(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    jsonb_result(to_jsonb_value(&args[0], context.arg_type(0, &args[0]), context.settings)?)
}

fn to_json(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let mut out = String::new();
    write_json(&args[0], context.arg_type(0, &args[0]), context.settings, &mut out)?;
    text_result(out)
}

fn array_to_json(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    array_of(&args[0])?;
    to_json(args, context)
}

/// The text of an object's key.
pub(in crate::functions) fn key_text(
    value: &Datum,
    ty: SqlType,
    settings: &Settings,
    at: usize,
) -> SqlResult<Arc<str>> {
    match value {
        Datum::Null => Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("argument {}: key must not be null", at + 1),
        )),
        Datum::Jsonb(_) | Datum::Array(_) | Datum::Record(_) => Err(bad_key()),
        Datum::Text(_) if ty.oid == JSON => Err(bad_key()),
        Datum::Float4(_) | Datum::Float8(_) => {
            Ok(types::text::to_string(value, ty, settings).into())
        }
        other => Ok(match to_jsonb_value(other, ty, settings)? {
            Jsonb::String(text) => text,
            scalar => {
                let mut out = String::new();
                jsonb::format(&scalar, &mut out);
                out.into()
            }
        }),
    }
}

fn bad_key() -> SqlError {
    SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        "key value must be scalar, not array, composite, or json",
    )
}

fn even(args: Args<'_>, function: &str) -> SqlResult<()> {
    if args.len().is_multiple_of(2) {
        return Ok(());
    }
    Err(SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        "argument list must have even number of elements",
    )
    .with_hint(format!(
        "The arguments of {function}() must consist of alternating keys and values."
    )))
}

fn jsonb_build_object(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    even(args, "jsonb_build_object")?;
    let settings = context.settings;
    let pairs = (0..args.len() / 2)
        .map(|pair| {
            let (k, v) = (2 * pair, 2 * pair + 1);
            let key = key_text(&args[k], context.arg_type(k, &args[k]), settings, k)?;
            Ok((key, to_jsonb_value(&args[v], context.arg_type(v, &args[v]), settings)?))
        })
        .collect::<SqlResult<Vec<_>>>()?;
    jsonb_result(Jsonb::object(pairs))
}

fn jsonb_build_array(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let values = args
        .iter()
        .enumerate()
        .map(|(at, arg)| to_jsonb_value(arg, context.arg_type(at, arg), context.settings))
        .collect::<SqlResult<Vec<_>>>()?;
    jsonb_result(Jsonb::Array(values))
}

/// json keeps the order and the duplicates of its keys.
fn json_build_object(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    even(args, "json_build_object")?;
    let mut out = String::from("{");
    for pair in 0..args.len() / 2 {
        let (k, v) = (2 * pair, 2 * pair + 1);
        if pair > 0 {
            out.push_str(", ");
        }
        if matches!(args[k], Datum::Null) {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("argument {} cannot be null", k + 1),
            )
            .with_hint("Object keys should be text."));
        }
        let key = key_text(&args[k], context.arg_type(k, &args[k]), context.settings, k)?;
        jsonb::escape(&key, &mut out);
        out.push_str(" : ");
        write_json(&args[v], context.arg_type(v, &args[v]), context.settings, &mut out)?;
    }
    out.push('}');
    text_result(out)
}

fn json_build_array(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let mut out = String::from("[");
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_json(arg, context.arg_type(at, arg), context.settings, &mut out)?;
    }
    out.push(']');
    text_result(out)
}

/// `jsonb_object(text[])`, keys and values alternating, or `jsonb_object(text[], text[])`.
fn object_pairs(args: Args<'_>) -> SqlResult<Vec<(Arc<str>, Jsonb)>> {
    let problem = |message| SqlError::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, message);
    let first = &array_of(&args[0])?.values;
    let (keys, values): (Vec<&Datum>, Vec<&Datum>) = match args.get(1) {
        Some(second) => {
            let second = &array_of(second)?.values;
            if first.len() != second.len() {
                return Err(problem("mismatched array dimensions"));
            }
            (first.iter().collect(), second.iter().collect())
        }
        None if first.len() % 2 == 1 => {
            return Err(problem("array must have even number of elements"));
        }
        None => first.chunks(2).map(|pair| (&pair[0], &pair[1])).unzip(),
    };
    keys.into_iter()
        .zip(values)
        .map(|(key, value)| match (key, value) {
            (Datum::Text(key), Datum::Text(value)) => {
                Ok((key.clone(), Jsonb::String(value.clone())))
            }
            (Datum::Text(key), _) => Ok((key.clone(), Jsonb::Null)),
            _ => Err(SqlError::new(
                sqlstate::NULL_VALUE_NOT_ALLOWED,
                "null value not allowed for object key",
            )),
        })
        .collect()
}

fn jsonb_object(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    jsonb_result(Jsonb::object(object_pairs(args)?))
}

fn json_object(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let mut out = String::from("{");
    for (at, (key, value)) in object_pairs(args)?.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        jsonb::escape(key, &mut out);
        out.push_str(" : ");
        jsonb::format(value, &mut out);
    }
    out.push('}');
    text_result(out)
}

const A: &[Oid] = &[TEXT_ARRAY];
const AA: &[Oid] = &[TEXT_ARRAY, TEXT_ARRAY];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("to_json", &[ANYELEMENT], JSON, to_json).stable(),
    Function::new("to_jsonb", &[ANYELEMENT], JSONB, to_jsonb).stable(),
    Function::new("array_to_json", &[ANYARRAY], JSON, array_to_json).stable(),
    Function::new("row_to_json", &[RECORD], JSON, to_json).stable(),
    Function::new("json_build_object", &[], JSON, json_build_object).stable(),
    Function::new("json_build_object", &[ANY], JSON, json_build_object)
        .variadic()
        .null_aware()
        .stable(),
    Function::new("json_build_array", &[], JSON, json_build_array).stable(),
    Function::new("json_build_array", &[ANY], JSON, json_build_array)
        .variadic()
        .null_aware()
        .stable(),
    Function::new("jsonb_build_object", &[], JSONB, jsonb_build_object).stable(),
    Function::new("jsonb_build_object", &[ANY], JSONB, jsonb_build_object)
        .variadic()
        .null_aware()
        .stable(),
    Function::new("jsonb_build_array", &[], JSONB, jsonb_build_array).stable(),
    Function::new("jsonb_build_array", &[ANY], JSONB, jsonb_build_array)
        .variadic()
        .null_aware()
        .stable(),
    Function::new("json_object", A, JSON, json_object),
    Function::new("json_object", AA, JSON, json_object),
    Function::new("jsonb_object", A, JSONB, jsonb_object),
    Function::new("jsonb_object", AA, JSONB, jsonb_object),
];
