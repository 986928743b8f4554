//! `extract`, `date_part`, `date_trunc`, `date_bin`.

use super::make::zone_of;
use super::{interval_of, micros_of};
use crate::functions::native::{mismatch, numeric, text_of};
use crate::functions::{EvalContext, Function};
use types::datetime::PartOf;
use types::oid::*;
use types::{Datum, Settings, SqlResult, datetime};

fn whole_of(datum: &Datum) -> SqlResult<PartOf> {
    Ok(match datum {
        Datum::Date(days) => PartOf::Date(*days),
        Datum::Time(micros) => PartOf::Time(*micros),
        Datum::Timestamp(micros) => PartOf::Timestamp(*micros),
        Datum::Timestamptz(micros) => PartOf::Timestamptz(*micros),
        Datum::Interval(span) => PartOf::Interval(*span),
        other => return Err(mismatch("date, time or interval", other)),
    })
}

fn extract(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let part = datetime::extract(text_of(&args[0])?, whole_of(&args[1])?, context.settings)?;
    part.map_or(Ok(Datum::Null), numeric)
}

fn date_part(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let part = datetime::extract_float(text_of(&args[0])?, whole_of(&args[1])?, context.settings)?;
    Ok(part.map_or(Datum::Null, Datum::Float8))
}

/// `date_part` of a date goes by the timestamp of its midnight, as PostgreSQL's does.
fn date_part_of_date(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let midnight = datetime::date_to_timestamp(super::date_of(&args[1])?)?;
    date_part(&[args[0].clone(), Datum::Timestamp(midnight)], context)
}

fn trunc_timestamp(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    datetime::date_trunc(text_of(&args[0])?, micros_of(&args[1])?, "timestamp without time zone")
        .map(Datum::Timestamp)
}

fn trunc_zoned(name: &str, utc: i64, settings: &Settings) -> SqlResult<Datum> {
    let local = datetime::timestamptz_to_timestamp(utc, settings)?;
    let cut = datetime::date_trunc(name, local, "timestamp with time zone")?;
    // Parts of an hour are the same everywhere, and going through the local time would jump in
    // the hour that a clock change repeats.
    let small = ["micro", "milli", "sec", "min", "us", "ms"];
    let is_small = small.iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix))
        && !name.to_ascii_lowercase().starts_with("millenn");
    if is_small || name.eq_ignore_ascii_case("hour") {
        return Ok(Datum::Timestamptz(utc - (local - cut)));
    }
    datetime::timestamp_to_timestamptz(cut, settings).map(Datum::Timestamptz)
}

fn trunc_timestamptz(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    trunc_zoned(text_of(&args[0])?, micros_of(&args[1])?, context.settings)
}

fn trunc_in_zone(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    let time_zone = zone_of(text_of(&args[2])?)?;
    let settings = Settings { time_zone, ..context.settings.clone() };
    trunc_zoned(text_of(&args[0])?, micros_of(&args[1])?, &settings)
}

fn trunc_interval(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    datetime::date_trunc_interval(text_of(&args[0])?, interval_of(&args[1])?).map(Datum::Interval)
}

fn bin(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let (stride, value, origin) =
        (interval_of(&args[0])?, micros_of(&args[1])?, micros_of(&args[2])?);
    let bin = datetime::date_bin(stride, value, origin)?;
    Ok(match &args[1] {
        Datum::Timestamp(_) => Datum::Timestamp(bin),
        _ => Datum::Timestamptz(bin),
    })
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("extract", &[TEXT, DATE], NUMERIC, extract),
    Function::new("extract", &[TEXT, TIME], NUMERIC, extract),
    Function::new("extract", &[TEXT, TIMESTAMP], NUMERIC, extract),
    Function::new("extract", &[TEXT, TIMESTAMPTZ], NUMERIC, extract).stable(),
    Function::new("extract", &[TEXT, INTERVAL], NUMERIC, extract),
    Function::new("date_part", &[TEXT, DATE], FLOAT8, date_part_of_date),
    Function::new("date_part", &[TEXT, TIME], FLOAT8, date_part),
    Function::new("date_part", &[TEXT, TIMESTAMP], FLOAT8, date_part),
    Function::new("date_part", &[TEXT, TIMESTAMPTZ], FLOAT8, date_part).stable(),
    Function::new("date_part", &[TEXT, INTERVAL], FLOAT8, date_part),
    Function::new("date_trunc", &[TEXT, TIMESTAMP], TIMESTAMP, trunc_timestamp),
    Function::new("date_trunc", &[TEXT, TIMESTAMPTZ], TIMESTAMPTZ, trunc_timestamptz).stable(),
    Function::new("date_trunc", &[TEXT, TIMESTAMPTZ, TEXT], TIMESTAMPTZ, trunc_in_zone).stable(),
    Function::new("date_trunc", &[TEXT, INTERVAL], INTERVAL, trunc_interval),
    Function::new("date_bin", &[INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, bin),
    Function::new("date_bin", &[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], TIMESTAMPTZ, bin),
];
