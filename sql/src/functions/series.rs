//! `generate_series`.

use super::native::{Native, integer_of, numeric_of};
use super::{EvalContext, Function, SetRows};
use std::sync::Arc;
use types::oid::*;
use types::{Datum, Interval, Numeric, Settings, SqlError, SqlResult, datetime, numeric, sqlstate};

fn zero_step() -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, "step size cannot equal zero")
}

/// Integers from the first to the last; ends quietly where the type ends.
fn integers(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let (first, last) = (integer_of(&args[0])?, integer_of(&args[1])?);
    let step = args.get(2).map_or(Ok(1), integer_of)?;
    if step == 0 {
        return Err(zero_step());
    }
    let small = matches!(args[0], Datum::Int4(_));
    let mut next = Some(first);
    Ok(Box::new(std::iter::from_fn(move || {
        let value = next.filter(|value| if step > 0 { *value <= last } else { *value >= last })?;
        next = value.checked_add(step);
        Some(Ok(vec![if small { Datum::Int4(value as i32) } else { Datum::Int8(value) }]))
    })))
}

fn numerics(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    let refuse = |value: &Numeric, what: &str| {
        let problem = if value.is_nan() { "NaN" } else { "infinity" };
        if value.is_finite() {
            return Ok(());
        }
        Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("{what} value cannot be {problem}"),
        ))
    };
    let (first, last) = (numeric_of(&args[0])?.clone(), numeric_of(&args[1])?.clone());
    let step = args.get(2).map_or(Ok(Numeric::from(1)), |step| numeric_of(step).cloned())?;
    refuse(&first, "start")?;
    refuse(&last, "stop")?;
    refuse(&step, "step size")?;
    if step.is_zero() {
        return Err(zero_step());
    }
    let forward = step.signum() > 0;
    let mut next = Some(first);
    Ok(Box::new(std::iter::from_fn(move || {
        let value =
            next.take().filter(|value| if forward { *value <= last } else { *value >= last })?;
        next = numeric::add(&value, &step).ok();
        Some(Ok(vec![Datum::Numeric(Arc::new(value))]))
    })))
}

/// Moments; the settings decide what a day is when they have a zone.
fn moments(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<SetRows> {
    let step = Interval::get(&args[2])?;
    let direction = step.span_micros();
    if direction == 0 {
        return Err(zero_step());
    }
    let zoned: Option<Settings> =
        matches!(args[0], Datum::Timestamptz(_)).then(|| context.settings.clone());
    let micros = |datum: &Datum| match datum {
        Datum::Timestamp(micros) | Datum::Timestamptz(micros) => Ok(*micros),
        _ => Err(SqlError::internal("generate_series of no moments")),
    };
    let (first, last) = (micros(&args[0])?, micros(&args[1])?);
    let mut next = Some(Ok(first));
    Ok(Box::new(std::iter::from_fn(move || {
        let value = match next.take()? {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        if if direction > 0 { value > last } else { value < last } {
            return None;
        }
        next = Some(match &zoned {
            Some(settings) => datetime::add_timestamptz_interval(value, step, settings),
            None => datetime::add_timestamp_interval(value, step),
        });
        let zoned = zoned.is_some();
        Some(Ok(vec![if zoned { Datum::Timestamptz(value) } else { Datum::Timestamp(value) }]))
    })))
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::set("generate_series", &[INT4, INT4], INT4, integers),
    Function::set("generate_series", &[INT4, INT4, INT4], INT4, integers),
    Function::set("generate_series", &[INT8, INT8], INT8, integers),
    Function::set("generate_series", &[INT8, INT8, INT8], INT8, integers),
    Function::set("generate_series", &[NUMERIC, NUMERIC], NUMERIC, numerics),
    Function::set("generate_series", &[NUMERIC, NUMERIC, NUMERIC], NUMERIC, numerics),
    Function::set("generate_series", &[TIMESTAMP, TIMESTAMP, INTERVAL], TIMESTAMP, moments),
    Function::set("generate_series", &[TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, moments)
        .stable(),
];
