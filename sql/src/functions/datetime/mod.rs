//! Functions and operators of dates, times and intervals.

mod make;
mod now;
mod operators;
mod parts;
mod template;

use super::{Function, Operator};

pub(super) const FUNCTIONS: &[&[Function]] =
    &[make::FUNCTIONS, now::FUNCTIONS, operators::FUNCTIONS, parts::FUNCTIONS, template::FUNCTIONS];

pub(super) const OPERATORS: &[&[Operator]] = &[operators::OPERATORS];

use super::native::mismatch;
use types::{Datum, Interval, SqlResult};

/// A date argument.
fn date_of(datum: &Datum) -> SqlResult<i32> {
    match datum {
        Datum::Date(days) => Ok(*days),
        other => Err(mismatch("date", other)),
    }
}

/// Microseconds of a time argument.
fn time_of(datum: &Datum) -> SqlResult<i64> {
    match datum {
        Datum::Time(micros) => Ok(*micros),
        other => Err(mismatch("time", other)),
    }
}

/// Microseconds of a timestamp argument, with or without zone.
fn micros_of(datum: &Datum) -> SqlResult<i64> {
    match datum {
        Datum::Timestamp(micros) | Datum::Timestamptz(micros) => Ok(*micros),
        other => Err(mismatch("timestamp", other)),
    }
}

/// An interval argument.
fn interval_of(datum: &Datum) -> SqlResult<Interval> {
    match datum {
        Datum::Interval(span) => Ok(*span),
        other => Err(mismatch("interval", other)),
    }
}
