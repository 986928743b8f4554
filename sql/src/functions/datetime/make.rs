//! `make_date` and its kin.

use crate::functions::native::{Native, int4_of, text_of};
use crate::functions::{EvalContext, Function};
use types::oid::*;
use types::{Datum, Settings, SqlError, SqlResult, TimeZone, datetime, sqlstate};

fn make_date(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (year, month, day) = (int4_of(&args[0])?, int4_of(&args[1])?, int4_of(&args[2])?);
    datetime::make_date(year, month, day).map(Datum::Date)
}

fn make_time(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (hour, minute) = (int4_of(&args[0])?, int4_of(&args[1])?);
    datetime::make_time(hour, minute, f64::get(&args[2])?).map(Datum::Time)
}

/// Year, month, day, hour, minute, second as a local time.
fn local(args: &[Datum]) -> SqlResult<i64> {
    let day = datetime::make_date(int4_of(&args[0])?, int4_of(&args[1])?, int4_of(&args[2])?)?;
    let clock = datetime::make_time(int4_of(&args[3])?, int4_of(&args[4])?, f64::get(&args[5])?)?;
    datetime::date_to_timestamp(day)?
        .checked_add(clock)
        .ok_or_else(|| SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, "timestamp out of range"))
}

fn make_timestamp(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    datetime::check_timestamp(local(args)?).map(Datum::Timestamp)
}

fn make_timestamptz(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let settings = match args.get(6) {
        None => context.settings.clone(),
        Some(zone) => Settings { time_zone: zone_of(text_of(zone)?)?, ..context.settings.clone() },
    };
    datetime::timestamp_to_timestamptz(local(args)?, &settings).map(Datum::Timestamptz)
}

/// The zone that a text names.
pub(super) fn zone_of(name: &str) -> SqlResult<TimeZone> {
    datetime::zone_of_text(name).ok_or_else(|| {
        SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("time zone \"{name}\" not recognized"),
        )
    })
}

/// All parts may be left out from the right.
fn make_interval(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let part = |at: usize| args.get(at).map_or(Ok(0), int4_of);
    let seconds = args.get(6).map_or(Ok(0.0), f64::get)?;
    datetime::make_interval(part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, part(5)?, seconds)
        .map(Datum::Interval)
}

/// `to_timestamp(seconds since 1970)`.
fn from_unix(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    datetime::from_unix_seconds(f64::get(&args[0])?).map(Datum::Timestamptz)
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("make_date", &[INT4, INT4, INT4], DATE, make_date),
    Function::new("make_time", &[INT4, INT4, FLOAT8], TIME, make_time),
    Function::new(
        "make_timestamp",
        &[INT4, INT4, INT4, INT4, INT4, FLOAT8],
        TIMESTAMP,
        make_timestamp,
    ),
    Function::new(
        "make_timestamptz",
        &[INT4, INT4, INT4, INT4, INT4, FLOAT8],
        TIMESTAMPTZ,
        make_timestamptz,
    )
    .stable(),
    Function::new(
        "make_timestamptz",
        &[INT4, INT4, INT4, INT4, INT4, FLOAT8, TEXT],
        TIMESTAMPTZ,
        make_timestamptz,
    )
    .stable(),
    Function::new("make_interval", &[], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4, INT4], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4, INT4, INT4], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4, INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    Function::new("make_interval", &[INT4, INT4, INT4, INT4, INT4, INT4], INTERVAL, make_interval),
    Function::new(
        "make_interval",
        &[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8],
        INTERVAL,
        make_interval,
    ),
    Function::new("to_timestamp", &[FLOAT8], TIMESTAMPTZ, from_unix),
];
