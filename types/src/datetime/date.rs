//! `date`.

use super::calendar::{Civil, EPOCH_JULIAN, MICROS_PER_DAY, civil_of, days_in_month, days_of};
use super::decode::{Decoded, decode};
use super::timestamp::{TIMESTAMP_END, TIMESTAMP_MIN};
use super::{Problem, out_of_range, zone};
use crate::{DateOrder, DateStyle, Settings, SqlError, SqlResult, sqlstate};
use std::fmt::Write as _;

/// 4714-11-24 BC, Julian day 0.
pub(crate) const DATE_MIN: i64 = -EPOCH_JULIAN;
/// The first day after 5874897-12-31.
pub(crate) const DATE_END: i64 = 2_147_483_494 - EPOCH_JULIAN;

/// Reads the text form.
pub fn parse_date(input: &str, settings: &Settings) -> SqlResult<i32> {
    let beyond = || {
        SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{input}\""))
    };
    let decoded = decode(input, settings, false).map_err(|problem| problem.error("date", input))?;
    match decoded {
        Decoded::Infinity => Ok(i32::MAX),
        Decoded::NegInfinity => Ok(i32::MIN),
        Decoded::Epoch => Ok(-super::calendar::EPOCH_DAYS as i32),
        Decoded::Now => {
            let local = zone::to_local(settings.transaction_timestamp, &settings.time_zone);
            Ok(timestamp_to_date(local.ok_or_else(beyond)?))
        }
        Decoded::TimeOnly { .. } => Err(Problem::Format.error("date", input)),
        Decoded::Moment { date, .. } => {
            if !year_is_possible(date.year) {
                return Err(beyond());
            }
            valid_day(days_of(date)).ok_or_else(beyond)
        }
    }
}

/// Years beyond this cannot be counted in days.
pub(super) fn year_is_possible(year: i64) -> bool {
    (-4713..=5_874_897).contains(&year)
}

fn valid_day(day: i64) -> Option<i32> {
    (DATE_MIN..DATE_END).contains(&day).then_some(day as i32)
}

/// Checks a value that came in binary.
pub fn check_date(value: i32) -> SqlResult<i32> {
    if value == i32::MAX || value == i32::MIN {
        return Ok(value);
    }
    valid_day(i64::from(value)).ok_or_else(|| out_of_range("date"))
}

/// Appends the text form.
pub fn format_date(value: i32, settings: &Settings, out: &mut String) {
    match value {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        value => {
            let date = civil_of(i64::from(value));
            write_date(date, settings, out);
            if date.year <= 0 {
                out.push_str(" BC");
            }
        }
    }
}

/// The year as it is written: 1 BC and before count upward again.
pub(super) fn display_year(year: i64) -> i64 {
    if year > 0 { year } else { 1 - year }
}

fn write_date(date: Civil, settings: &Settings, out: &mut String) {
    let Civil { month, day, .. } = date;
    let year = display_year(date.year);
    let day_first = settings.date_order == DateOrder::Dmy;
    // Writing to a String does not fail.
    let _ = match settings.date_style {
        DateStyle::Iso => return write_iso(date, out),
        DateStyle::Sql if day_first => write!(out, "{day:02}/{month:02}/{year:04}"),
        DateStyle::Sql => write!(out, "{month:02}/{day:02}/{year:04}"),
        DateStyle::German => write!(out, "{day:02}.{month:02}.{year:04}"),
        DateStyle::Postgres if day_first => write!(out, "{day:02}-{month:02}-{year:04}"),
        DateStyle::Postgres => write!(out, "{month:02}-{day:02}-{year:04}"),
    };
}

/// `2000-01-31`, without the machinery of formatting: results are full of it.
pub(super) fn write_iso(date: Civil, out: &mut String) {
    let year = display_year(date.year);
    if year > 9999 {
        crate::int::format(year, out);
    } else {
        push_two((year / 100) as u32, out);
        push_two((year % 100) as u32, out);
    }
    out.push('-');
    push_two(date.month as u32, out);
    out.push('-');
    push_two(date.day as u32, out);
}

/// Two digits.
pub(super) fn push_two(value: u32, out: &mut String) {
    out.push(char::from(b'0' + (value / 10 % 10) as u8));
    out.push(char::from(b'0' + (value % 10) as u8));
}

/// Midnight of the date.
pub fn date_to_timestamp(value: i32) -> SqlResult<i64> {
    match value {
        i32::MAX => Ok(i64::MAX),
        i32::MIN => Ok(i64::MIN),
        value => {
            let micros = i64::from(value)
                .checked_mul(MICROS_PER_DAY)
                .filter(|micros| (TIMESTAMP_MIN..TIMESTAMP_END).contains(micros));
            micros.ok_or_else(|| {
                SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")
            })
        }
    }
}

/// Midnight of the date in the session's zone.
pub fn date_to_timestamptz(value: i32, settings: &Settings) -> SqlResult<i64> {
    let local = date_to_timestamp(value)?;
    super::timestamp_to_timestamptz(local, settings)
}

/// The day of a timestamp.
pub fn timestamp_to_date(value: i64) -> i32 {
    match value {
        i64::MAX => i32::MAX,
        i64::MIN => i32::MIN,
        value => value.div_euclid(MICROS_PER_DAY) as i32,
    }
}

/// `make_date`; negative years are BC.
pub fn make_date(year: i32, month: i32, day: i32) -> SqlResult<i32> {
    let invalid = || {
        SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("date field value out of range: {year}-{month:02}-{day:02}"),
        )
    };
    let astronomical = match year {
        0 => return Err(invalid()),
        year if year < 0 => i64::from(year) + 1,
        year => i64::from(year),
    };
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(astronomical, month) {
        return Err(invalid());
    }
    let beyond = || {
        SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("date out of range: {year}-{month:02}-{day:02}"),
        )
    };
    if !year_is_possible(astronomical) {
        return Err(beyond());
    }
    valid_day(days_of(Civil { year: astronomical, month, day })).ok_or_else(beyond)
}
