//! The current time, and waiting for a later one.

use crate::functions::native::text as text_result;
use crate::functions::{EvalContext, Function};
use types::oid::*;
use types::{Datum, SqlResult, datetime};

fn transaction_start(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Timestamptz(context.settings.transaction_timestamp))
}

fn statement_start(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Timestamptz(context.settings.statement_timestamp))
}

fn clock(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Timestamptz(context.env.clock_timestamp()))
}

fn local_now(context: &EvalContext<'_>) -> SqlResult<i64> {
    datetime::timestamptz_to_timestamp(context.settings.transaction_timestamp, context.settings)
}

fn current_date(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Date(datetime::timestamp_to_date(local_now(context)?)))
}

fn local_timestamp(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Timestamp(local_now(context)?))
}

fn local_time(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(datetime::timestamp_to_time(local_now(context)?).map_or(Datum::Null, Datum::Time))
}

/// `timeofday()`: the clock as text in a form of its own.
fn time_of_day(_: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let now = context.env.clock_timestamp();
    text_result(datetime::template::to_char_timestamptz(
        now,
        "Dy Mon DD HH24:MI:SS.US YYYY TZ",
        context.settings,
    )?)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", &[], TIMESTAMPTZ, transaction_start).stable(),
    Function::new("transaction_timestamp", &[], TIMESTAMPTZ, transaction_start).stable(),
    Function::new("current_timestamp", &[], TIMESTAMPTZ, transaction_start).stable(),
    Function::new("statement_timestamp", &[], TIMESTAMPTZ, statement_start).stable(),
    Function::new("clock_timestamp", &[], TIMESTAMPTZ, clock).volatile(),
    Function::new("timeofday", &[], TEXT, time_of_day).volatile(),
    Function::new("current_date", &[], DATE, current_date).stable(),
    Function::new("localtimestamp", &[], TIMESTAMP, local_timestamp).stable(),
    Function::new("localtime", &[], TIME, local_time).stable(),
    Function::session("pg_sleep", &[FLOAT8], VOID),
];
