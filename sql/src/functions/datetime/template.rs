//! `to_char`, `to_date` and `to_timestamp` of dates and times.

use super::{interval_of, micros_of};
use crate::functions::native::{text as text_result, text_of};
use crate::functions::{EvalContext, Function};
use types::datetime::template;
use types::oid::*;
use types::{Datum, SqlResult};

fn timestamp_to_char(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let (value, pattern) = (micros_of(&args[0])?, text_of(&args[1])?);
    if pattern.is_empty() || value == i64::MAX || value == i64::MIN {
        return Ok(Datum::Null);
    }
    text_result(match &args[0] {
        Datum::Timestamp(local) => template::to_char_timestamp(*local, pattern)?,
        _ => template::to_char_timestamptz(value, pattern, context.settings)?,
    })
}

fn interval_to_char(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let pattern = text_of(&args[1])?;
    if pattern.is_empty() {
        return Ok(Datum::Null);
    }
    text_result(template::to_char_interval(interval_of(&args[0])?, pattern)?)
}

fn to_date(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    template::to_date(text_of(&args[0])?, text_of(&args[1])?).map(Datum::Date)
}

fn to_timestamp(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    template::to_timestamp(text_of(&args[0])?, text_of(&args[1])?, context.settings)
        .map(Datum::Timestamptz)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("to_char", &[TIMESTAMP, TEXT], TEXT, timestamp_to_char).stable(),
    Function::new("to_char", &[TIMESTAMPTZ, TEXT], TEXT, timestamp_to_char).stable(),
    Function::new("to_char", &[INTERVAL, TEXT], TEXT, interval_to_char).stable(),
    Function::new("to_date", &[TEXT, TEXT], DATE, to_date).stable(),
    Function::new("to_timestamp", &[TEXT, TEXT], TIMESTAMPTZ, to_timestamp).stable(),
];
