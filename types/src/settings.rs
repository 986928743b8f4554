//! What a session may change about the meaning and the look of values.

use crate::oid::Oid;
use chrono::{Offset, TimeZone as _};
use chrono_tz::Tz;
use std::fmt;
use std::sync::Arc;

/// The settings that text input, output and date arithmetic depend on. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `TimeZone`.
    pub time_zone: TimeZone,
    /// `DateStyle`, first word.
    pub date_style: DateStyle,
    /// `DateStyle`, second word.
    pub date_order: DateOrder,
    /// `IntervalStyle`.
    pub interval_style: IntervalStyle,
    /// `extra_float_digits`: above 0 prints the shortest text that reads back exactly.
    pub extra_float_digits: i32,
    /// `bytea_output`.
    pub bytea_output: ByteaOutput,
    /// Start of the transaction, microseconds since 2000-01-01 UTC: `now()` and the input `now`.
    pub transaction_timestamp: i64,
    /// Arrival of the statement, same unit.
    pub statement_timestamp: i64,
    /// Whose names `regclass` and its kin print; without, they print numbers.
    pub names: Option<Names>,
}

/// Names of the objects of a catalog.
pub trait ObjectNames: Send + Sync {
    /// The name that a value of this reg type prints, `None` when there is no such object.
    fn object_name(&self, reg_type: Oid, object: Oid) -> Option<String>;
}

/// A catalog that knows names.
#[derive(Clone)]
pub struct Names(pub Arc<dyn ObjectNames>);

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            time_zone: TimeZone::UTC,
            date_style: DateStyle::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            extra_float_digits: 1,
            bytea_output: ByteaOutput::Hex,
            transaction_timestamp: 0,
            statement_timestamp: 0,
            names: None,
        }
    }
}

/// `DateStyle`, the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    Iso,
    Sql,
    Postgres,
    German,
}

/// `DateStyle`, how ambiguous dates are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    Ymd,
    Dmy,
    Mdy,
}

/// `IntervalStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

/// `bytea_output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteaOutput {
    Hex,
    Escape,
}

/// A time zone: one of the IANA database, or a fixed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeZone {
    Named(Tz),
    /// Seconds east of UTC and the abbreviation that SHOW and verbose styles print.
    Fixed {
        seconds_east: i32,
        abbreviation: String,
    },
}

impl TimeZone {
    pub const UTC: TimeZone = TimeZone::Named(Tz::UTC);

    /// Reads a zone as `SET TimeZone` takes it: an IANA name in any case, a number of hours, or a
    /// POSIX specification without daylight rules (`<+03>-03`, `UTC+3`).
    pub fn parse(text: &str) -> Option<TimeZone> {
        let text = text.trim();
        if let Ok(hours) = text.parse::<f64>() {
            if hours.abs() > 167.0 {
                return None;
            }
            return Some(TimeZone::fixed((hours * 3600.0).round() as i32));
        }
        if let Some(tz) = crate::datetime::named_zone(text) {
            return Some(TimeZone::Named(tz));
        }
        crate::datetime::posix_zone(text)
    }

    /// A fixed offset, named as PostgreSQL names the zone of `SET TIME ZONE -3`.
    pub fn fixed(seconds_east: i32) -> TimeZone {
        let sign = if seconds_east < 0 { '-' } else { '+' };
        let seconds = seconds_east.unsigned_abs();
        let mut abbreviation = format!("{sign}{:02}", seconds / 3600);
        if !seconds.is_multiple_of(3600) {
            abbreviation.push_str(&format!(":{:02}", seconds / 60 % 60));
        }
        if !seconds.is_multiple_of(60) {
            abbreviation.push_str(&format!(":{:02}", seconds % 60));
        }
        TimeZone::Fixed { seconds_east, abbreviation }
    }

    /// The name that SHOW prints.
    pub fn name(&self) -> String {
        match self {
            TimeZone::Named(tz) => tz.name().to_owned(),
            TimeZone::Fixed { seconds_east, abbreviation } => {
                // POSIX counts west of Greenwich as positive.
                let opposite = match TimeZone::fixed(-seconds_east) {
                    TimeZone::Fixed { abbreviation, .. } => abbreviation,
                    TimeZone::Named(tz) => tz.name().to_owned(),
                };
                let opposite =
                    if *seconds_east < 0 { opposite } else { opposite.replacen("+00", "-00", 1) };
                format!("<{abbreviation}>{opposite}")
            }
        }
    }

    /// Seconds east of UTC and the abbreviation in force at a moment (seconds since 1970 UTC).
    pub fn offset_at(&self, unix_seconds: i64) -> (i32, String) {
        match self {
            TimeZone::Fixed { seconds_east, abbreviation } => (*seconds_east, abbreviation.clone()),
            TimeZone::Named(tz) => {
                if let Some((seconds_east, abbreviation)) = constant(*tz) {
                    return (seconds_east, abbreviation.to_owned());
                }
                let at = clamp(unix_seconds);
                let offset = tz.offset_from_utc_datetime(&at);
                (offset.fix().local_minus_utc(), offset.to_string())
            }
        }
    }

    /// Seconds east of UTC at a moment; the part of [`TimeZone::offset_at`] that allocates nothing.
    pub fn seconds_east_at(&self, unix_seconds: i64) -> i32 {
        match self {
            TimeZone::Fixed { seconds_east, .. } => *seconds_east,
            TimeZone::Named(tz) => {
                if let Some((seconds_east, _)) = constant(*tz) {
                    return seconds_east;
                }
                tz.offset_from_utc_datetime(&clamp(unix_seconds)).fix().local_minus_utc()
            }
        }
    }

    /// Seconds east of UTC for a local time (seconds since 1970 as if the clock showed UTC). In a
    /// gap or an overlap PostgreSQL takes the offset that was in force before the change as
    /// standard time; so does this.
    pub fn seconds_east_local(&self, local_seconds: i64) -> i32 {
        match self {
            TimeZone::Fixed { seconds_east, .. } => *seconds_east,
            TimeZone::Named(Tz::UTC) => 0,
            TimeZone::Named(_) => crate::datetime::local_offset(self, local_seconds),
        }
    }
}

/// The database knows changes of clocks for this century; the rules of its end go on for ever, so
/// that a later year behaves as an earlier one with the same calendar.
fn clamp(unix_seconds: i64) -> chrono::NaiveDateTime {
    use crate::datetime::calendar::{Civil, EPOCH_DAYS, civil_of, day_of_week, days_of, is_leap};
    const DAY: i64 = 86_400;
    const LAST_YEAR: i64 = 2090;
    const FAR: i64 = 8_000_000_000_000;
    let unix_seconds = unix_seconds.clamp(-FAR, i64::MAX / 2);
    let new_year = |year: i64| days_of(Civil { year, month: 1, day: 1 });
    let year = civil_of(unix_seconds.div_euclid(DAY) - EPOCH_DAYS).year;
    let mut moved = unix_seconds;
    if year > LAST_YEAR {
        let weekday = day_of_week(new_year(year));
        let twin = (LAST_YEAR - 27..=LAST_YEAR).find(|&candidate| {
            is_leap(candidate) == is_leap(year) && day_of_week(new_year(candidate)) == weekday
        });
        moved += (new_year(twin.unwrap_or(LAST_YEAR)) - new_year(year)) * DAY;
    }
    chrono::DateTime::from_timestamp(moved, 0).unwrap_or_default().naive_utc()
}

/// Zones that are an offset and nothing else. Newer databases make three of them links to places,
/// with the history of the place.
fn constant(tz: Tz) -> Option<(i32, &'static str)> {
    match tz {
        Tz::UTC => Some((0, "UTC")),
        Tz::EST => Some((-5 * 3600, "EST")),
        Tz::MST => Some((-7 * 3600, "MST")),
        Tz::HST => Some((-10 * 3600, "HST")),
        _ => None,
    }
}
