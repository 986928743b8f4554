//! Type modifiers: what they mean, how they are applied to a value, how they are printed.

use crate::oid;
use crate::{Datum, SqlError, SqlResult, SqlType, datetime, numeric, sqlstate, string};
use std::sync::Arc;

/// Enforces a modifier on a value of the type. `explicit` casts cut overlong strings silently;
/// assignment refuses them.
pub(crate) fn apply(value: Datum, ty: SqlType, explicit: bool) -> SqlResult<Datum> {
    if ty.typmod < 0 {
        return Ok(value);
    }
    match (value, ty.oid) {
        (Datum::Text(text), oid::VARCHAR) => string::fit_varchar(text, ty.typmod - 4, explicit),
        (Datum::Text(text), oid::BPCHAR) => string::fit_bpchar(text, ty.typmod - 4, explicit),
        (Datum::Numeric(value), oid::NUMERIC) => {
            Ok(Datum::Numeric(Arc::new(numeric::apply_typmod(&value, ty.typmod)?)))
        }
        (Datum::Time(t), oid::TIME) => Ok(Datum::Time(datetime::round_time(t, ty.typmod))),
        (Datum::Timestamp(t), oid::TIMESTAMP) => {
            Ok(Datum::Timestamp(datetime::round_timestamp(t, ty.typmod)))
        }
        (Datum::Timestamptz(t), oid::TIMESTAMPTZ) => {
            Ok(Datum::Timestamptz(datetime::round_timestamp(t, ty.typmod)))
        }
        (Datum::Interval(i), oid::INTERVAL) => {
            Ok(Datum::Interval(datetime::apply_interval_typmod(i, ty.typmod)?))
        }
        (Datum::Array(array), _) => match crate::element_of(ty.oid) {
            Some(element) => {
                let element = SqlType::with_typmod(element, ty.typmod);
                let values = array
                    .values
                    .iter()
                    .map(|value| apply(value.clone(), element, explicit))
                    .collect::<SqlResult<Vec<_>>>()?;
                Ok(Datum::Array(Arc::new(crate::Array { values, ..(*array).clone() })))
            }
            None => Ok(Datum::Array(array)),
        },
        (value, _) => Ok(value),
    }
}

/// Encodes the modifiers of a type as SQL gives them: `numeric(10,2)` has `[10, 2]`. An empty list
/// means no modifier.
pub fn encode(type_oid: u32, arguments: &[i32]) -> SqlResult<i32> {
    if arguments.is_empty() {
        return Ok(-1);
    }
    let invalid = |message: String| SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message);
    match (type_oid, arguments) {
        (oid::VARCHAR | oid::BPCHAR, [length]) => {
            let name = if type_oid == oid::VARCHAR { "varchar" } else { "char" };
            match *length {
                ..1 => Err(invalid(format!("length for type {name} must be at least 1"))),
                10_485_761.. => {
                    Err(invalid(format!("length for type {name} cannot exceed 10485760")))
                }
                length => Ok(length + 4),
            }
        }
        (oid::NUMERIC, [precision]) => numeric_typmod(*precision, 0),
        (oid::NUMERIC, [precision, scale]) => numeric_typmod(*precision, *scale),
        (oid::NUMERIC, _) => Err(invalid("invalid NUMERIC type modifier".to_owned())),
        (oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ, [precision]) => {
            let (name, zone) = match type_oid {
                oid::TIME => ("TIME", ""),
                oid::TIMESTAMP => ("TIMESTAMP", ""),
                _ => ("TIMESTAMP", " WITH TIME ZONE"),
            };
            if *precision < 0 {
                return Err(invalid(format!(
                    "{name}({precision}){zone} precision must not be negative"
                )));
            }
            Ok((*precision).min(6))
        }
        (oid::INTERVAL, [precision]) => {
            if *precision < 0 {
                return Err(invalid(format!(
                    "INTERVAL({precision}) precision must not be negative"
                )));
            }
            Ok((0x7fff << 16) | (*precision).min(6))
        }
        (oid::VARCHAR | oid::BPCHAR | oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ, _) => {
            Err(invalid("invalid type modifier".to_owned()))
        }
        _ => {
            let name = crate::format_type(type_oid, -1);
            Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                format!("type modifier is not allowed for type \"{name}\""),
            ))
        }
    }
}

/// The typmod of an interval with a field range (`interval day to second(3)`); `range` is the mask
/// of `datetime::interval_range`.
pub fn encode_interval(range: i32, precision: Option<i32>) -> i32 {
    (range << 16) | precision.unwrap_or(0xffff).min(0xffff)
}

fn numeric_typmod(precision: i32, scale: i32) -> SqlResult<i32> {
    if !(1..=1000).contains(&precision) {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("NUMERIC precision {precision} must be between 1 and 1000"),
        ));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("NUMERIC scale {scale} must be between -1000 and 1000"),
        ));
    }
    Ok(((precision << 16) | (scale & 0x7ff)) + 4)
}

/// Precision and scale of a numeric modifier.
pub fn numeric_parts(typmod: i32) -> Option<(i32, i32)> {
    if typmod < 4 {
        return None;
    }
    let value = typmod - 4;
    Some((value >> 16 & 0xffff, ((value & 0x7ff) ^ 1024) - 1024))
}

/// A modifier as text, and the part of the type's name that comes after it.
pub(crate) fn display(type_oid: u32, typmod: i32) -> Option<(String, &'static str)> {
    if typmod < 0 {
        return None;
    }
    match type_oid {
        oid::VARCHAR | oid::BPCHAR if typmod >= 4 => Some((format!("({})", typmod - 4), "")),
        oid::NUMERIC => numeric_parts(typmod).map(|(p, s)| (format!("({p},{s})"), "")),
        oid::TIME | oid::TIMESTAMP => Some((format!("({typmod})"), " without time zone")),
        oid::TIMESTAMPTZ => Some((format!("({typmod})"), " with time zone")),
        oid::INTERVAL => Some((datetime::display_interval_typmod(typmod), "")),
        _ => None,
    }
}
