//! `extract` and `date_part`.

use super::calendar::{
    Civil, EPOCH_DAYS, EPOCH_JULIAN, MICROS_PER_DAY, civil_of, day_of_week, day_of_year, iso_week,
};
use super::timestamp::split;
use super::words::{self, Unit};
use super::{Interval, zone};
use crate::{Numeric, Settings, SqlError, SqlResult, numeric, sqlstate};

/// What a part is taken of.
#[derive(Clone, Copy, Debug)]
pub enum PartOf {
    Date(i32),
    Time(i64),
    Timestamp(i64),
    Timestamptz(i64),
    Interval(Interval),
}

/// What can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Unit(Unit),
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Julian,
    Epoch,
    Zone,
    ZoneHour,
    ZoneMinute,
}

fn part_named(name: &str) -> Option<Part> {
    Some(match name {
        "dow" => Part::DayOfWeek,
        "isodow" => Part::IsoDayOfWeek,
        "doy" => Part::DayOfYear,
        "isoyear" => Part::IsoYear,
        "julian" | "jd" | "j" => Part::Julian,
        "epoch" => Part::Epoch,
        "timezone" => Part::Zone,
        "timezone_hour" | "timezone_h" => Part::ZoneHour,
        "timezone_minute" | "timezone_m" => Part::ZoneMinute,
        other => Part::Unit(words::unit(other)?),
    })
}

impl PartOf {
    fn type_name(&self) -> &'static str {
        match self {
            PartOf::Date(_) => "date",
            PartOf::Time(_) => "time without time zone",
            PartOf::Timestamp(_) => "timestamp without time zone",
            PartOf::Timestamptz(_) => "timestamp with time zone",
            PartOf::Interval(_) => "interval",
        }
    }
}

/// `unit "x" not supported for type y`.
pub(super) fn unsupported(name: &str, type_name: &str) -> SqlError {
    SqlError::new(
        sqlstate::FEATURE_NOT_SUPPORTED,
        format!("unit \"{name}\" not supported for type {type_name}"),
    )
}

/// `unit "x" not recognized for type y`.
pub(super) fn unrecognized(name: &str, type_name: &str) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        format!("unit \"{name}\" not recognized for type {type_name}"),
    )
}

/// `extract(name FROM value)`; None is NULL (a part of an infinite moment that has no meaning).
pub fn extract(name: &str, value: PartOf, settings: &Settings) -> SqlResult<Option<Numeric>> {
    let name = name.to_ascii_lowercase();
    let part = part_named(&name).ok_or_else(|| unrecognized(&name, value.type_name()))?;
    let none = || unsupported(&name, value.type_name());
    let found = match value {
        PartOf::Date(i32::MAX) => return infinite_date(part, false).ok_or_else(none),
        PartOf::Date(i32::MIN) => return infinite_date(part, true).ok_or_else(none),
        PartOf::Timestamp(i64::MAX) | PartOf::Timestamptz(i64::MAX) => {
            return infinite(part, false).ok_or_else(none);
        }
        PartOf::Timestamp(i64::MIN) | PartOf::Timestamptz(i64::MIN) => {
            return infinite(part, true).ok_or_else(none);
        }
        PartOf::Date(days) => of_date(part, i64::from(days)),
        PartOf::Time(micros) => of_time(part, micros),
        PartOf::Timestamp(micros) => of_timestamp(part, micros),
        PartOf::Timestamptz(utc) => of_timestamptz(part, utc, settings),
        PartOf::Interval(span) => of_interval(part, span),
    };
    found.map(Some).ok_or_else(none)
}

/// `date_part(name, value)`.
pub fn extract_float(name: &str, value: PartOf, settings: &Settings) -> SqlResult<Option<f64>> {
    Ok(extract(name, value, settings)?.and_then(|found| numeric::to_f64(&found)))
}

fn whole(value: i64) -> Option<Numeric> {
    Some(Numeric::from(value))
}

fn micros_as(value: i64, scale: u16) -> Option<Numeric> {
    Some(Numeric::from_parts(i128::from(value), scale))
}

/// Parts that only grow are infinite too, the others have no value.
fn infinite(part: Part, negative: bool) -> Option<Option<Numeric>> {
    let endless = if negative { Numeric::NegInfinity } else { Numeric::Infinity };
    match part {
        Part::Unit(Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium)
        | Part::Julian
        | Part::IsoYear
        | Part::Epoch => Some(Some(endless)),
        _ => Some(None),
    }
}

fn infinite_date(part: Part, negative: bool) -> Option<Option<Numeric>> {
    of_date(part, 0)?;
    infinite(part, negative)
}

/// The year as SQL counts: 1 BC is -1.
fn sql_year(year: i64) -> i64 {
    if year > 0 { year } else { year - 1 }
}

/// Centuries and millennia start with a year that ends in 1 and have no zeroth.
pub(super) fn count_from_one(year: i64, length: i64) -> i64 {
    if year > 0 { (year + length - 1) / length } else { -((length - 1 - (year - 1)) / length) }
}

/// Decades start with a year that ends in 0.
pub(super) fn decade(year: i64) -> i64 {
    if year >= 0 { year / 10 } else { -((8 - (year - 1)) / 10) }
}

fn of_day(part: Part, days: i64) -> Option<Numeric> {
    let date: Civil = civil_of(days);
    let year = date.year;
    match part {
        Part::Unit(Unit::Day) => whole(i64::from(date.day)),
        Part::Unit(Unit::Week) => whole(iso_week(days).1),
        Part::Unit(Unit::Month) => whole(i64::from(date.month)),
        Part::Unit(Unit::Quarter) => whole(i64::from((date.month - 1) / 3 + 1)),
        Part::Unit(Unit::Year) => whole(sql_year(year)),
        Part::Unit(Unit::Decade) => whole(decade(year)),
        Part::Unit(Unit::Century) => whole(count_from_one(year, 100)),
        Part::Unit(Unit::Millennium) => whole(count_from_one(year, 1000)),
        Part::IsoYear => whole(sql_year(iso_week(days).0)),
        Part::DayOfWeek => whole(day_of_week(days)),
        Part::IsoDayOfWeek => whole((day_of_week(days) + 6) % 7 + 1),
        Part::DayOfYear => whole(day_of_year(date)),
        _ => None,
    }
}

fn of_clock(part: Part, micros: i64) -> Option<Numeric> {
    let minute = 60_000_000;
    match part {
        Part::Unit(Unit::Microsecond) => whole(micros % minute),
        Part::Unit(Unit::Millisecond) => micros_as(micros % minute, 3),
        Part::Unit(Unit::Second) => micros_as(micros % minute, 6),
        Part::Unit(Unit::Minute) => whole(micros / minute % 60),
        Part::Unit(Unit::Hour) => whole(micros / (60 * minute)),
        _ => None,
    }
}

fn of_date(part: Part, days: i64) -> Option<Numeric> {
    match part {
        Part::Julian => whole(days + EPOCH_JULIAN),
        Part::Epoch => whole((days + EPOCH_DAYS) * 86_400),
        part => of_day(part, days),
    }
}

fn of_time(part: Part, micros: i64) -> Option<Numeric> {
    match part {
        Part::Epoch => micros_as(micros, 6),
        part => of_clock(part, micros),
    }
}

fn of_timestamp(part: Part, micros: i64) -> Option<Numeric> {
    let (days, clock) = split(micros);
    match part {
        Part::Epoch => {
            let since_1970 = i128::from(micros) + i128::from(EPOCH_DAYS * MICROS_PER_DAY);
            Some(Numeric::from_parts(since_1970, 6))
        }
        Part::Julian => {
            let share = numeric::div(&Numeric::from(clock), &Numeric::from(MICROS_PER_DAY)).ok()?;
            numeric::add(&Numeric::from(days + EPOCH_JULIAN), &share).ok()
        }
        part => of_day(part, days).or_else(|| of_clock(part, clock)),
    }
}

fn of_timestamptz(part: Part, utc: i64, settings: &Settings) -> Option<Numeric> {
    let offset = i64::from(zone::offset_at(utc, &settings.time_zone).0);
    match part {
        Part::Epoch => of_timestamp(part, utc),
        Part::Zone => whole(offset),
        Part::ZoneHour => whole(offset / 3600),
        Part::ZoneMinute => whole(offset / 60 % 60),
        part => of_timestamp(part, utc.saturating_add(offset * 1_000_000)),
    }
}

fn of_interval(part: Part, span: Interval) -> Option<Numeric> {
    let (years, months) = (i64::from(span.months / 12), i64::from(span.months % 12));
    match part {
        Part::Unit(Unit::Day) => whole(i64::from(span.days)),
        Part::Unit(Unit::Month) => whole(months),
        Part::Unit(Unit::Quarter) => whole(months / 3 + 1),
        Part::Unit(Unit::Year) => whole(years),
        Part::Unit(Unit::Decade) => whole(years / 10),
        Part::Unit(Unit::Century) => whole(years / 100),
        Part::Unit(Unit::Millennium) => whole(years / 1000),
        Part::Epoch => {
            // A year counts 365.25 days here; four times everything keeps it in integers.
            let quarter_days = 1461 * years + 120 * months + 4 * i64::from(span.days);
            let seconds = i128::from(quarter_days) * 21_600;
            Some(Numeric::from_parts(seconds * 1_000_000 + i128::from(span.micros), 6))
        }
        part => of_clock(part, span.micros),
    }
}
