//! `timestamp` and `timestamptz`.

use super::calendar::{
    Civil, EPOCH_DAYS, MICROS_PER_DAY, MONTHS, WEEKDAYS, civil_of, day_of_week, days_of,
};
use super::date::{display_year, push_two, write_iso, year_is_possible};
use super::decode::{Decoded, decode};
use super::time::write_clock;
use super::{Problem, out_of_range, zone};
use crate::{DateOrder, DateStyle, Settings, SqlError, SqlResult, TimeZone, sqlstate};
use std::fmt::Write as _;

/// 4714-11-24 00:00 BC.
pub(crate) const TIMESTAMP_MIN: i64 = -211_813_488_000_000_000;
/// The first moment after 294276-12-31.
pub(crate) const TIMESTAMP_END: i64 = 9_223_371_331_200_000_000;

fn is_valid(value: i64) -> bool {
    (TIMESTAMP_MIN..TIMESTAMP_END).contains(&value)
}

/// Reads the text form of a timestamp; a zone in it is ignored, as the standard wants.
pub fn parse_timestamp(input: &str, settings: &Settings) -> SqlResult<i64> {
    parse_moment(input, "timestamp", settings, |local, _| Some(local))
}

/// Reads the text form of a timestamp with time zone.
pub fn parse_timestamptz(input: &str, settings: &Settings) -> SqlResult<i64> {
    parse_moment(input, "timestamp with time zone", settings, |local, named| {
        zone::to_utc(local, named.unwrap_or(&settings.time_zone))
    })
}

fn parse_moment(
    input: &str,
    type_name: &str,
    settings: &Settings,
    place: impl Fn(i64, Option<&TimeZone>) -> Option<i64>,
) -> SqlResult<i64> {
    let beyond = || {
        SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("timestamp out of range: \"{input}\""),
        )
    };
    let decoded =
        decode(input, settings, false).map_err(|problem| problem.error(type_name, input))?;
    match decoded {
        Decoded::Infinity => Ok(i64::MAX),
        Decoded::NegInfinity => Ok(i64::MIN),
        Decoded::Epoch => Ok(-EPOCH_DAYS * MICROS_PER_DAY),
        Decoded::TimeOnly { .. } => Err(Problem::Format.error(type_name, input)),
        Decoded::Now => {
            let utc = settings.transaction_timestamp;
            let local = zone::to_local(utc, &settings.time_zone);
            local.and_then(|local| place(local, None)).ok_or_else(beyond)
        }
        Decoded::Moment { date, micros, zone } => {
            if !year_is_possible(date.year) {
                return Err(beyond());
            }
            let local = days_of(date)
                .checked_mul(MICROS_PER_DAY)
                .and_then(|midnight| midnight.checked_add(micros));
            local
                .and_then(|local| place(local, zone.as_ref()))
                .filter(|&value| is_valid(value))
                .ok_or_else(beyond)
        }
    }
}

/// Checks a value that came in binary or out of arithmetic.
pub fn check_timestamp(value: i64) -> SqlResult<i64> {
    if is_valid(value) || value == i64::MAX || value == i64::MIN {
        Ok(value)
    } else {
        Err(out_of_range("timestamp"))
    }
}

fn infinity_name(value: i64) -> Option<&'static str> {
    match value {
        i64::MAX => Some("infinity"),
        i64::MIN => Some("-infinity"),
        _ => None,
    }
}

/// Day number and microseconds within the day.
pub(super) fn split(value: i64) -> (i64, i64) {
    (value.div_euclid(MICROS_PER_DAY), value.rem_euclid(MICROS_PER_DAY))
}

/// Appends the text form of a timestamp.
pub fn format_timestamp(value: i64, settings: &Settings, out: &mut String) {
    match infinity_name(value) {
        Some(name) => out.push_str(name),
        None => write_moment(value, None, settings, out),
    }
}

/// Appends the text form of a timestamp with time zone, in the session's zone.
pub fn format_timestamptz(value: i64, settings: &Settings, out: &mut String) {
    if let Some(name) = infinity_name(value) {
        return out.push_str(name);
    }
    if settings.date_style == DateStyle::Iso && settings.time_zone == TimeZone::UTC {
        return write_moment(value, Some((0, String::new())), settings, out);
    }
    let (seconds_east, abbreviation) = zone::offset_at(value, &settings.time_zone);
    let local = value.saturating_add(i64::from(seconds_east) * 1_000_000);
    write_moment(local, Some((seconds_east, abbreviation)), settings, out);
}

fn write_moment(local: i64, zone: Option<(i32, String)>, settings: &Settings, out: &mut String) {
    let (days, clock) = split(local);
    let date = civil_of(days);
    match settings.date_style {
        DateStyle::Iso => {
            write_iso(date, out);
            out.push(' ');
            write_clock(clock, out);
            if let Some((seconds_east, _)) = zone {
                write_offset(seconds_east, out);
            }
        }
        DateStyle::Postgres => write_postgres(days, date, clock, zone, settings, out),
        DateStyle::Sql | DateStyle::German => write_numbers(date, clock, zone, settings, out),
    }
    if date.year <= 0 {
        out.push_str(" BC");
    }
}

/// `01/31/2000 10:00:00 UTC`, `31.01.2000 10:00:00 UTC`.
fn write_numbers(
    date: Civil,
    clock: i64,
    zone: Option<(i32, String)>,
    settings: &Settings,
    out: &mut String,
) {
    let (separator, day_first) = match settings.date_style {
        DateStyle::German => ('.', true),
        _ => ('/', settings.date_order == DateOrder::Dmy),
    };
    let (first, second) = if day_first { (date.day, date.month) } else { (date.month, date.day) };
    // Writing to a String does not fail.
    let year = display_year(date.year);
    let _ = write!(out, "{first:02}{separator}{second:02}{separator}{year:04} ");
    write_clock(clock, out);
    write_zone_name(zone, out);
}

/// `Mon Jan 31 10:00:00 2000 UTC`.
fn write_postgres(
    days: i64,
    date: Civil,
    clock: i64,
    zone: Option<(i32, String)>,
    settings: &Settings,
    out: &mut String,
) {
    let weekday = &WEEKDAYS[day_of_week(days) as usize][..3];
    let month = &MONTHS[(date.month - 1) as usize][..3];
    // Writing to a String does not fail.
    let _ = if settings.date_order == DateOrder::Dmy {
        write!(out, "{weekday} {:02} {month} ", date.day)
    } else {
        write!(out, "{weekday} {month} {:02} ", date.day)
    };
    write_clock(clock, out);
    let _ = write!(out, " {:04}", display_year(date.year));
    write_zone_name(zone, out);
}

fn write_zone_name(zone: Option<(i32, String)>, out: &mut String) {
    match zone {
        None => {}
        Some((_, abbreviation)) if abbreviation.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            out.push(' ');
            out.push_str(&abbreviation);
        }
        Some((seconds_east, abbreviation)) if abbreviation.is_empty() && seconds_east == 0 => {
            out.push_str(" UTC");
        }
        Some((seconds_east, _)) => {
            out.push(' ');
            write_offset(seconds_east, out);
        }
    }
}

/// `+05`, `-03:30`, `+00:09:21`.
pub(super) fn write_offset(seconds_east: i32, out: &mut String) {
    out.push(if seconds_east < 0 { '-' } else { '+' });
    let seconds = seconds_east.unsigned_abs();
    push_two(seconds / 3600, out);
    if !seconds.is_multiple_of(3600) {
        out.push(':');
        push_two(seconds / 60 % 60, out);
    }
    if !seconds.is_multiple_of(60) {
        out.push(':');
        push_two(seconds % 60, out);
    }
}

/// Rounds to a number of fractional digits; infinities stay.
pub fn round_timestamp(value: i64, digits: i32) -> i64 {
    if value == i64::MAX || value == i64::MIN { value } else { round_micros(value, digits) }
}

/// Rounds microseconds to a number of fractional digits of a second, halves away from zero.
pub(super) fn round_micros(value: i64, digits: i32) -> i64 {
    if !(0..6).contains(&digits) {
        return value;
    }
    let unit = 10i64.pow(6 - digits as u32);
    if value >= 0 {
        value.saturating_add(unit / 2) / unit * unit
    } else {
        // Not negated first: the lowest number has no opposite.
        value.saturating_sub(unit / 2) / unit * unit
    }
}

/// The time of day; None for infinities.
pub fn timestamp_to_time(value: i64) -> Option<i64> {
    (value != i64::MAX && value != i64::MIN).then(|| value.rem_euclid(MICROS_PER_DAY))
}

/// Takes a local time as being in the session's zone.
pub fn timestamp_to_timestamptz(value: i64, settings: &Settings) -> SqlResult<i64> {
    local_to_utc(value, &settings.time_zone)
}

/// The local time in the session's zone.
pub fn timestamptz_to_timestamp(value: i64, settings: &Settings) -> SqlResult<i64> {
    utc_to_local(value, &settings.time_zone)
}

/// Takes a local time as being in a zone.
pub(super) fn local_to_utc(value: i64, time_zone: &TimeZone) -> SqlResult<i64> {
    if infinity_name(value).is_some() {
        return Ok(value);
    }
    zone::to_utc(value, time_zone)
        .filter(|&utc| is_valid(utc))
        .ok_or_else(|| out_of_range("timestamp"))
}

/// The local time in a zone.
pub(super) fn utc_to_local(value: i64, time_zone: &TimeZone) -> SqlResult<i64> {
    if infinity_name(value).is_some() {
        return Ok(value);
    }
    zone::to_local(value, time_zone)
        .filter(|&local| is_valid(local))
        .ok_or_else(|| out_of_range("timestamp"))
}

/// `value AT TIME ZONE zone`: from local to UTC when `from_local`, else from UTC to local.
pub fn at_time_zone(value: i64, time_zone: &TimeZone, from_local: bool) -> SqlResult<i64> {
    if from_local { local_to_utc(value, time_zone) } else { utc_to_local(value, time_zone) }
}

/// `to_timestamp(seconds since 1970)`.
pub fn from_unix_seconds(seconds: f64) -> SqlResult<i64> {
    let beyond = || {
        let mut shown = String::new();
        crate::float::format_float8(seconds, -9, &mut shown);
        SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("timestamp out of range: \"{shown}\""),
        )
    };
    if seconds.is_nan() {
        return Err(SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(if seconds > 0.0 { i64::MAX } else { i64::MIN });
    }
    let low = (TIMESTAMP_MIN / 1_000_000 + EPOCH_DAYS * 86_400) as f64;
    let high = (TIMESTAMP_END / 1_000_000 + EPOCH_DAYS * 86_400) as f64;
    if seconds < low || seconds >= high {
        return Err(beyond());
    }
    let shifted = seconds - (EPOCH_DAYS * 86_400) as f64;
    let value = (shifted * 1_000_000.0).round_ties_even() as i64;
    if is_valid(value) { Ok(value) } else { Err(beyond()) }
}
