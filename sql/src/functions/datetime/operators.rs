//! `+ - * /` with dates, times and intervals; `AT TIME ZONE`, `OVERLAPS`, `age`, `justify_*`.

use super::make::zone_of;
use super::{date_of, interval_of, micros_of, time_of};
use crate::functions::native::{Native, int4_of, text_of};
use crate::functions::{EvalContext, Function, Operator};
use types::oid::*;
use types::{Datum, Interval, SqlError, SqlResult, TimeZone, compare, datetime, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// Calls a function with its first two arguments swapped.
macro_rules! swapped {
    ($($name:ident = $original:ident;)*) => {
        $(fn $name(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
            $original(&[args[1].clone(), args[0].clone()], context)
        })*
    };
}

swapped! {
    integer_plus_date = date_plus_integer;
    interval_plus_date = date_plus_interval;
    time_plus_date = date_plus_time;
    interval_plus_time = time_plus_interval;
    interval_plus_timestamp = timestamp_plus_interval;
    interval_plus_timestamptz = timestamptz_plus_interval;
    float_times_interval = interval_times_float;
}

fn date_plus_integer(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::add_date_days(date_of(&args[0])?, i64::from(int4_of(&args[1])?)).map(Datum::Date)
}

fn date_minus_integer(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::add_date_days(date_of(&args[0])?, -i64::from(int4_of(&args[1])?)).map(Datum::Date)
}

fn date_minus_date(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::date_diff(date_of(&args[0])?, date_of(&args[1])?).map(Datum::Int4)
}

fn date_plus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let midnight = datetime::date_to_timestamp(date_of(&args[0])?)?;
    datetime::add_timestamp_interval(midnight, interval_of(&args[1])?).map(Datum::Timestamp)
}

fn date_minus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let midnight = datetime::date_to_timestamp(date_of(&args[0])?)?;
    let back = datetime::negate_interval(interval_of(&args[1])?)?;
    datetime::add_timestamp_interval(midnight, back).map(Datum::Timestamp)
}

fn date_plus_time(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let midnight = datetime::date_to_timestamp(date_of(&args[0])?)?;
    if midnight == i64::MAX || midnight == i64::MIN {
        return Ok(Datum::Timestamp(midnight));
    }
    datetime::check_timestamp(midnight + time_of(&args[1])?).map(Datum::Timestamp)
}

fn time_minus_time(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let micros = time_of(&args[0])? - time_of(&args[1])?;
    Ok(Datum::Interval(Interval { months: 0, days: 0, micros }))
}

fn time_plus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Time(datetime::time_plus_interval(time_of(&args[0])?, interval_of(&args[1])?)))
}

fn time_minus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let back = datetime::negate_interval(interval_of(&args[1])?)?;
    Ok(Datum::Time(datetime::time_plus_interval(time_of(&args[0])?, back)))
}

fn timestamp_plus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::add_timestamp_interval(micros_of(&args[0])?, interval_of(&args[1])?)
        .map(Datum::Timestamp)
}

fn timestamp_minus_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let back = datetime::negate_interval(interval_of(&args[1])?)?;
    datetime::add_timestamp_interval(micros_of(&args[0])?, back).map(Datum::Timestamp)
}

fn timestamptz_plus_interval(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let span = interval_of(&args[1])?;
    datetime::add_timestamptz_interval(micros_of(&args[0])?, span, context.settings)
        .map(Datum::Timestamptz)
}

fn timestamptz_minus_interval(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let back = datetime::negate_interval(interval_of(&args[1])?)?;
    datetime::add_timestamptz_interval(micros_of(&args[0])?, back, context.settings)
        .map(Datum::Timestamptz)
}

fn timestamp_minus_timestamp(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::sub_timestamps(micros_of(&args[0])?, micros_of(&args[1])?).map(Datum::Interval)
}

fn interval_plus(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::add_interval(interval_of(&args[0])?, interval_of(&args[1])?).map(Datum::Interval)
}

fn interval_minus(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::interval_diff(interval_of(&args[0])?, interval_of(&args[1])?).map(Datum::Interval)
}

fn interval_negate(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::negate_interval(interval_of(&args[0])?).map(Datum::Interval)
}

fn interval_times_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::mul_interval(interval_of(&args[0])?, f64::get(&args[1])?).map(Datum::Interval)
}

fn interval_over_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::div_interval(interval_of(&args[0])?, f64::get(&args[1])?).map(Datum::Interval)
}

fn age(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::age(micros_of(&args[0])?, micros_of(&args[1])?).map(Datum::Interval)
}

fn age_zoned(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let local = |arg: &Datum| datetime::timestamptz_to_timestamp(micros_of(arg)?, context.settings);
    datetime::age(local(&args[0])?, local(&args[1])?).map(Datum::Interval)
}

/// Midnight of the current day in the session's zone.
fn today(context: Context<'_, '_>) -> SqlResult<i64> {
    let now = context.settings.transaction_timestamp;
    let local = datetime::timestamptz_to_timestamp(now, context.settings)?;
    datetime::date_to_timestamp(datetime::timestamp_to_date(local))
}

fn age_today(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let moment = match &args[0] {
        Datum::Timestamptz(utc) => datetime::timestamptz_to_timestamp(*utc, context.settings)?,
        local => micros_of(local)?,
    };
    datetime::age(today(context)?, moment).map(Datum::Interval)
}

fn justify_hours(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::justify_hours(interval_of(&args[0])?).map(Datum::Interval)
}

fn justify_days(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::justify_days(interval_of(&args[0])?).map(Datum::Interval)
}

fn justify_interval(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    datetime::justify_interval(interval_of(&args[0])?).map(Datum::Interval)
}

/// `timezone(zone, moment)`, which `moment AT TIME ZONE zone` means.
fn at_zone(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    convert(&zone_of(text_of(&args[0])?)?, &args[1])
}

/// `timezone(interval, moment)`.
fn at_offset(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let span = interval_of(&args[0])?;
    if span.months != 0 || span.days != 0 {
        let shown =
            types::text::to_string(&args[0], types::SqlType::INTERVAL, &types::Settings::default());
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("interval time zone \"{shown}\" must not include months or days"),
        ));
    }
    convert(&TimeZone::fixed((span.micros / 1_000_000) as i32), &args[1])
}

fn convert(zone: &TimeZone, moment: &Datum) -> SqlResult<Datum> {
    match moment {
        Datum::Timestamp(local) => {
            datetime::at_time_zone(*local, zone, true).map(Datum::Timestamptz)
        }
        other => datetime::at_time_zone(micros_of(other)?, zone, false).map(Datum::Timestamp),
    }
}

/// `(a, b) OVERLAPS (c, d)`; NULLs are allowed at some places.
fn overlaps(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    // Order each pair; NULL stands last.
    let pair = |a: &Datum, b: &Datum| -> Option<(Datum, Datum)> {
        match (a, b) {
            (Datum::Null, Datum::Null) => None,
            (Datum::Null, one) | (one, Datum::Null) => Some((one.clone(), Datum::Null)),
            (a, b) if compare::cmp(a, b).is_gt() => Some((b.clone(), a.clone())),
            (a, b) => Some((a.clone(), b.clone())),
        }
    };
    let (Some(first), Some(second)) = (pair(&args[0], &args[1]), pair(&args[2], &args[3])) else {
        return Ok(Datum::Null);
    };
    let (early, late) =
        if compare::cmp(&first.0, &second.0).is_gt() { (second, first) } else { (first, second) };
    if compare::eq(&early.0, &late.0) {
        let unknown = matches!(early.1, Datum::Null) || matches!(late.1, Datum::Null);
        return Ok(if unknown { Datum::Null } else { Datum::Bool(true) });
    }
    // The late one starts within the early one, or not.
    Ok(match &early.1 {
        Datum::Null => Datum::Null,
        end if compare::cmp(&late.0, end).is_lt() => Datum::Bool(true),
        _ if matches!(late.1, Datum::Null) => Datum::Null,
        _ => Datum::Bool(false),
    })
}

fn is_finite(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(match &args[0] {
        Datum::Date(days) => *days != i32::MAX && *days != i32::MIN,
        Datum::Interval(_) => true,
        other => !matches!(micros_of(other)?, i64::MAX | i64::MIN),
    }))
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("age", &[TIMESTAMP, TIMESTAMP], INTERVAL, age),
    Function::new("age", &[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, age_zoned).stable(),
    Function::new("age", &[TIMESTAMP], INTERVAL, age_today).stable(),
    Function::new("age", &[TIMESTAMPTZ], INTERVAL, age_today).stable(),
    Function::new("justify_hours", &[INTERVAL], INTERVAL, justify_hours),
    Function::new("justify_days", &[INTERVAL], INTERVAL, justify_days),
    Function::new("justify_interval", &[INTERVAL], INTERVAL, justify_interval),
    Function::new("timezone", &[TEXT, TIMESTAMPTZ], TIMESTAMP, at_zone),
    Function::new("timezone", &[TEXT, TIMESTAMP], TIMESTAMPTZ, at_zone),
    Function::new("timezone", &[INTERVAL, TIMESTAMPTZ], TIMESTAMP, at_offset),
    Function::new("timezone", &[INTERVAL, TIMESTAMP], TIMESTAMPTZ, at_offset),
    Function::new("overlaps", &[TIMESTAMP, TIMESTAMP, TIMESTAMP, TIMESTAMP], BOOL, overlaps)
        .null_aware(),
    Function::new(
        "overlaps",
        &[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ],
        BOOL,
        overlaps,
    )
    .null_aware(),
    Function::new("overlaps", &[TIME, TIME, TIME, TIME], BOOL, overlaps).null_aware(),
    Function::new("isfinite", &[DATE], BOOL, is_finite),
    Function::new("isfinite", &[TIMESTAMP], BOOL, is_finite),
    Function::new("isfinite", &[TIMESTAMPTZ], BOOL, is_finite),
    Function::new("isfinite", &[INTERVAL], BOOL, is_finite),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("+", DATE, INT4, DATE, date_plus_integer),
    Operator::new("+", INT4, DATE, DATE, integer_plus_date),
    Operator::new("-", DATE, INT4, DATE, date_minus_integer),
    Operator::new("-", DATE, DATE, INT4, date_minus_date),
    Operator::new("+", DATE, INTERVAL, TIMESTAMP, date_plus_interval),
    Operator::new("+", INTERVAL, DATE, TIMESTAMP, interval_plus_date),
    Operator::new("-", DATE, INTERVAL, TIMESTAMP, date_minus_interval),
    Operator::new("+", DATE, TIME, TIMESTAMP, date_plus_time),
    Operator::new("+", TIME, DATE, TIMESTAMP, time_plus_date),
    Operator::new("-", TIME, TIME, INTERVAL, time_minus_time),
    Operator::new("+", TIME, INTERVAL, TIME, time_plus_interval),
    Operator::new("+", INTERVAL, TIME, TIME, interval_plus_time),
    Operator::new("-", TIME, INTERVAL, TIME, time_minus_interval),
    Operator::new("+", TIMESTAMP, INTERVAL, TIMESTAMP, timestamp_plus_interval),
    Operator::new("+", INTERVAL, TIMESTAMP, TIMESTAMP, interval_plus_timestamp),
    Operator::new("-", TIMESTAMP, INTERVAL, TIMESTAMP, timestamp_minus_interval),
    Operator::new("+", TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, timestamptz_plus_interval).stable(),
    Operator::new("+", INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ, interval_plus_timestamptz).stable(),
    Operator::new("-", TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, timestamptz_minus_interval).stable(),
    Operator::new("-", TIMESTAMP, TIMESTAMP, INTERVAL, timestamp_minus_timestamp),
    Operator::new("-", TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL, timestamp_minus_timestamp),
    Operator::new("+", INTERVAL, INTERVAL, INTERVAL, interval_plus),
    Operator::new("-", INTERVAL, INTERVAL, INTERVAL, interval_minus),
    Operator::prefix("-", INTERVAL, INTERVAL, interval_negate),
    Operator::new("*", INTERVAL, FLOAT8, INTERVAL, interval_times_float),
    Operator::new("*", FLOAT8, INTERVAL, INTERVAL, float_times_interval),
    Operator::new("/", INTERVAL, FLOAT8, INTERVAL, interval_over_float),
];
