//! `date_trunc` and `date_bin`.

use super::calendar::{Civil, MICROS_PER_DAY, civil_of, days_of, iso_week, iso_week_start};
use super::part::{count_from_one, unrecognized, unsupported};
use super::timestamp::split;
use super::words::{self, Unit};
use super::{Interval, check_timestamp, out_of_range};
use crate::{SqlError, SqlResult, sqlstate};

fn unit_named(name: &str, type_name: &str) -> SqlResult<Unit> {
    if let Some(unit) = words::unit(name) {
        return Ok(unit);
    }
    // Parts that exist but cannot be cut to.
    let known = ["timezone", "timezone_h", "timezone_hour", "timezone_m", "timezone_minute"];
    if known.contains(&name) {
        return Err(unsupported(name, type_name));
    }
    Err(unrecognized(name, type_name))
}

/// `date_trunc(name, timestamp)`, on a local time.
pub fn date_trunc(name: &str, local: i64, type_name: &str) -> SqlResult<i64> {
    let name = name.to_ascii_lowercase();
    if local == i64::MAX || local == i64::MIN {
        return Ok(local);
    }
    let unit = unit_named(&name, type_name)?;
    let (days, clock) = split(local);
    let cut_clock = |unit: i64| days * MICROS_PER_DAY + clock / unit * unit;
    let date = civil_of(days);
    let year_start = |year: i64| midnight(Civil { year, month: 1, day: 1 });
    let cut = match unit {
        Unit::Microsecond => local,
        Unit::Millisecond => cut_clock(1_000),
        Unit::Second => cut_clock(1_000_000),
        Unit::Minute => cut_clock(60_000_000),
        Unit::Hour => cut_clock(3_600_000_000),
        Unit::Day => days * MICROS_PER_DAY,
        Unit::Week => {
            let (year, week) = iso_week(days);
            iso_week_start(year, week) * MICROS_PER_DAY
        }
        Unit::Month => midnight(Civil { day: 1, ..date }),
        Unit::Quarter => midnight(Civil { month: (date.month - 1) / 3 * 3 + 1, day: 1, ..date }),
        Unit::Year => year_start(date.year),
        Unit::Decade => year_start(decade_start(date.year)),
        Unit::Century => year_start(start_of(date.year, 100)),
        Unit::Millennium => year_start(start_of(date.year, 1000)),
    };
    check_timestamp(cut)
}

fn midnight(date: Civil) -> i64 {
    days_of(date) * MICROS_PER_DAY
}

fn decade_start(year: i64) -> i64 {
    if year > 0 { year / 10 * 10 } else { -((8 - (year - 1)) / 10) * 10 }
}

/// First year of a century or a millennium.
fn start_of(year: i64, length: i64) -> i64 {
    let count = count_from_one(year, length);
    if year > 0 { count * length - length + 1 } else { count * length + 1 }
}

/// `date_trunc(name, interval)`.
pub fn date_trunc_interval(name: &str, span: Interval) -> SqlResult<Interval> {
    let name = name.to_ascii_lowercase();
    let unit = unit_named(&name, "interval")?;
    let cut_clock = |unit: i64| Interval { micros: span.micros / unit * unit, ..span };
    let cut_months = |unit: i32| Interval { months: span.months / unit * unit, days: 0, micros: 0 };
    Ok(match unit {
        Unit::Microsecond => span,
        Unit::Millisecond => cut_clock(1_000),
        Unit::Second => cut_clock(1_000_000),
        Unit::Minute => cut_clock(60_000_000),
        Unit::Hour => cut_clock(3_600_000_000),
        Unit::Day => Interval { micros: 0, ..span },
        Unit::Week => {
            return Err(
                unsupported(&name, "interval").with_detail("Months usually have fractional weeks.")
            );
        }
        Unit::Month => cut_months(1),
        Unit::Quarter => cut_months(3),
        Unit::Year => cut_months(12),
        Unit::Decade => cut_months(120),
        Unit::Century => cut_months(1_200),
        Unit::Millennium => cut_months(12_000),
    })
}

/// `date_bin(stride, value, origin)`.
pub fn date_bin(stride: Interval, value: i64, origin: i64) -> SqlResult<i64> {
    let infinite = |value: i64| value == i64::MAX || value == i64::MIN;
    if infinite(value) {
        return Ok(value);
    }
    if infinite(origin) {
        return Err(out_of_range("origin"));
    }
    if stride.months != 0 {
        return Err(SqlError::not_supported(
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let step = i64::from(stride.days)
        .checked_mul(MICROS_PER_DAY)
        .and_then(|days| days.checked_add(stride.micros))
        .ok_or_else(|| out_of_range("interval"))?;
    if step <= 0 {
        return Err(SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            "stride must be greater than zero",
        ));
    }
    let distance = value.checked_sub(origin).ok_or_else(|| out_of_range("interval"))?;
    let bin = distance.div_euclid(step).checked_mul(step).and_then(|at| at.checked_add(origin));
    check_timestamp(bin.ok_or_else(|| out_of_range("timestamp"))?)
}
