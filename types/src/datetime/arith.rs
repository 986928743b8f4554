//! Arithmetic of dates, times and intervals.

use super::calendar::{Civil, MICROS_PER_DAY, civil_of, days_in_month, days_of};
use super::date::{DATE_END, DATE_MIN};
use super::timestamp::{local_to_utc, split, utc_to_local};
use super::{Interval, check_timestamp, out_of_range};
use crate::{Settings, SqlError, SqlResult, sqlstate};

fn interval_range() -> SqlError {
    out_of_range("interval")
}

fn is_infinite(value: i64) -> bool {
    value == i64::MAX || value == i64::MIN
}

/// `interval + interval`.
pub fn add_interval(a: Interval, b: Interval) -> SqlResult<Interval> {
    Ok(Interval {
        months: a.months.checked_add(b.months).ok_or_else(interval_range)?,
        days: a.days.checked_add(b.days).ok_or_else(interval_range)?,
        micros: a.micros.checked_add(b.micros).ok_or_else(interval_range)?,
    })
}

/// `interval - interval`.
pub fn interval_diff(a: Interval, b: Interval) -> SqlResult<Interval> {
    Ok(Interval {
        months: a.months.checked_sub(b.months).ok_or_else(interval_range)?,
        days: a.days.checked_sub(b.days).ok_or_else(interval_range)?,
        micros: a.micros.checked_sub(b.micros).ok_or_else(interval_range)?,
    })
}

/// `- interval`.
pub fn negate_interval(a: Interval) -> SqlResult<Interval> {
    interval_diff(Interval::default(), a)
}

/// `interval * number`: fractions of months go into days (30 a month), fractions of days into
/// the clock.
pub fn mul_interval(a: Interval, factor: f64) -> SqlResult<Interval> {
    scale_interval(a, |part| part * factor)
}

/// `interval / number`.
pub fn div_interval(a: Interval, divisor: f64) -> SqlResult<Interval> {
    if divisor == 0.0 {
        return Err(SqlError::division_by_zero());
    }
    scale_interval(a, |part| part / divisor)
}

fn scale_interval(a: Interval, scale: impl Fn(f64) -> f64) -> SqlResult<Interval> {
    let to_i32 = |value: f64| {
        let fits = value > -2_147_483_649.0 && value < 2_147_483_648.0;
        if fits { Ok(value as i32) } else { Err(interval_range()) }
    };
    // Noise below a microsecond must not turn into a different number of days.
    let round = |value: f64| (value * 1e6).round_ties_even() / 1e6;
    let exact_months = scale(f64::from(a.months));
    let exact_days = scale(f64::from(a.days));
    let months = to_i32(exact_months)?;
    let mut days = to_i32(exact_days)?;
    let days_of_month_rest = round((exact_months - f64::from(months)) * 30.0);
    let day_rest = exact_days - f64::from(days) + days_of_month_rest - days_of_month_rest.trunc();
    let mut seconds = round(day_rest * 86_400.0);
    if seconds.abs() >= 86_400.0 {
        let whole = (seconds / 86_400.0).trunc();
        days = days.checked_add(whole as i32).ok_or_else(interval_range)?;
        seconds -= whole * 86_400.0;
    }
    days = days.checked_add(days_of_month_rest as i32).ok_or_else(interval_range)?;
    let micros = (scale(a.micros as f64) + seconds * 1e6).round_ties_even();
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros);
    if !fits {
        return Err(interval_range());
    }
    Ok(Interval { months, days, micros: micros as i64 })
}

/// `timestamp + interval`: months first (the day cut to the month's length), then days, then the
/// clock.
pub fn add_timestamp_interval(value: i64, span: Interval) -> SqlResult<i64> {
    if is_infinite(value) {
        return Ok(value);
    }
    let beyond = || out_of_range("timestamp");
    let moved = add_calendar(value, span)?;
    let sum = moved.checked_add(span.micros).ok_or_else(beyond)?;
    check_finite(sum)
}

/// `timestamptz + interval`: months and days by the calendar of the session's zone, the clock in
/// real time.
pub fn add_timestamptz_interval(value: i64, span: Interval, settings: &Settings) -> SqlResult<i64> {
    if is_infinite(value) {
        return Ok(value);
    }
    let moved = if span.months == 0 && span.days == 0 {
        value
    } else {
        let local = utc_to_local(value, &settings.time_zone)?;
        local_to_utc(add_calendar(local, span)?, &settings.time_zone)?
    };
    let sum = moved.checked_add(span.micros).ok_or_else(|| out_of_range("timestamp"))?;
    check_finite(sum)
}

fn check_finite(value: i64) -> SqlResult<i64> {
    if is_infinite(value) { Err(out_of_range("timestamp")) } else { check_timestamp(value) }
}

fn add_calendar(local: i64, span: Interval) -> SqlResult<i64> {
    if span.months == 0 && span.days == 0 {
        return Ok(local);
    }
    let (mut day, clock) = split(local);
    if span.months != 0 {
        let date = civil_of(day);
        let months = date.year * 12 + i64::from(date.month - 1) + i64::from(span.months);
        let year = months.div_euclid(12);
        let month = months.rem_euclid(12) as i32 + 1;
        let last = days_in_month(year, month);
        day = days_of(Civil { year, month, day: date.day.min(last) });
    }
    day += i64::from(span.days);
    let moved = day.checked_mul(MICROS_PER_DAY).and_then(|midnight| midnight.checked_add(clock));
    moved.ok_or_else(|| out_of_range("timestamp"))
}

/// `timestamp - timestamp`: whole days and the rest.
pub fn sub_timestamps(a: i64, b: i64) -> SqlResult<Interval> {
    if is_infinite(a) || is_infinite(b) {
        return Err(SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            "cannot subtract infinite timestamps",
        ));
    }
    let micros = a.checked_sub(b).ok_or_else(interval_range)?;
    justify_hours(Interval { months: 0, days: 0, micros })
}

/// `date + integer`.
pub fn add_date_days(value: i32, days: i64) -> SqlResult<i32> {
    if value == i32::MAX || value == i32::MIN {
        return Ok(value);
    }
    let sum = i64::from(value) + days;
    if (DATE_MIN..DATE_END).contains(&sum) { Ok(sum as i32) } else { Err(out_of_range("date")) }
}

/// `date - date`.
pub fn date_diff(a: i32, b: i32) -> SqlResult<i32> {
    let infinite = |value: i32| value == i32::MAX || value == i32::MIN;
    if infinite(a) || infinite(b) {
        return Err(SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            "cannot subtract infinite dates",
        ));
    }
    Ok(a.wrapping_sub(b))
}

/// `time + interval`: only the clock part counts, around midnight.
pub fn time_plus_interval(value: i64, span: Interval) -> i64 {
    (value + span.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY)
}

/// `justify_hours`: 24 hours become a day.
pub fn justify_hours(value: Interval) -> SqlResult<Interval> {
    let whole = (value.micros / MICROS_PER_DAY) as i32;
    let mut micros = value.micros % MICROS_PER_DAY;
    let mut days = value.days.checked_add(whole).ok_or_else(interval_range)?;
    (days, micros) = same_sign(days, micros, MICROS_PER_DAY);
    Ok(Interval { months: value.months, days, micros })
}

/// `justify_days`: 30 days become a month.
pub fn justify_days(value: Interval) -> SqlResult<Interval> {
    let months = value.months.checked_add(value.days / 30).ok_or_else(interval_range)?;
    let (months, days) = same_sign(months, i64::from(value.days % 30), 30);
    Ok(Interval { months, days: days as i32, micros: value.micros })
}

/// Moves one unit between a large and a small part whose signs differ.
fn same_sign(large: i32, small: i64, unit: i64) -> (i32, i64) {
    if large > 0 && small < 0 {
        (large - 1, small + unit)
    } else if large < 0 && small > 0 {
        (large + 1, small - unit)
    } else {
        (large, small)
    }
}

/// `justify_interval`: both, and one sign for all.
pub fn justify_interval(value: Interval) -> SqlResult<Interval> {
    let days = i64::from(value.days) + value.micros / MICROS_PER_DAY;
    let mut micros = value.micros % MICROS_PER_DAY;
    let months = i64::from(value.months) + days / 30;
    let mut months = i32::try_from(months).map_err(|_| interval_range())?;
    let mut days = (days % 30) as i32;
    if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
        days += 30;
        months -= 1;
    } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
        days -= 30;
        months += 1;
    }
    (days, micros) = same_sign(days, micros, MICROS_PER_DAY);
    Ok(Interval { months, days, micros })
}
