//! `date`, `time`, `timestamp`, `timestamptz` and `interval`.
//!
//! Moments count from 2000-01-01, as in PostgreSQL: dates in days, the rest in microseconds.
//! `timestamptz` is a moment in UTC; a session's zone only matters for its text and its calendar.

mod abbreviations;
mod age;
mod arith;
pub mod calendar;
mod date;
mod decode;
pub mod interval;
mod part;
pub mod template;
mod time;
mod timestamp;
mod tokens;
mod trunc;
mod words;
mod zone;

pub use age::age;
pub use arith::{
    add_date_days, add_interval, add_timestamp_interval, add_timestamptz_interval, date_diff,
    div_interval, interval_diff, justify_days, justify_hours, justify_interval, mul_interval,
    negate_interval, sub_timestamps, time_plus_interval,
};
pub use date::{
    check_date, date_to_timestamp, date_to_timestamptz, format_date, make_date, parse_date,
    timestamp_to_date,
};
pub use interval::{
    Interval, apply_interval_typmod, decode_interval, display_interval_typmod, encode_interval,
    format_interval, interval_to_time, make_interval, parse_interval,
};
pub use part::{PartOf, extract, extract_float};
pub use time::{check_time, format_time, make_time, parse_time, round_time};
pub use timestamp::{
    at_time_zone, check_timestamp, format_timestamp, format_timestamptz, from_unix_seconds,
    parse_timestamp, parse_timestamptz, round_timestamp, timestamp_to_time,
    timestamp_to_timestamptz, timestamptz_to_timestamp,
};
pub use trunc::{date_bin, date_trunc, date_trunc_interval};
pub use words::Unit;
pub use zone::zone_of_text;
pub(crate) use zone::{local_offset, named_zone, posix_zone};

use crate::{SqlError, sqlstate};

/// Why text is no date, time or interval.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// It does not look like one.
    Format,
    /// A part is beyond its range.
    Field,
    /// A month or a day is beyond its range: perhaps the order was meant differently.
    MonthDay,
    /// A part of an interval is beyond its range.
    Interval,
    /// Years and months together are beyond the range of months.
    IntervalRange,
    /// A zone offset is beyond its range.
    Displacement,
    /// A zone that nobody knows.
    Zone(String),
}

impl Problem {
    fn error(self, type_name: &str, input: &str) -> SqlError {
        let field = || {
            SqlError::new(
                sqlstate::DATETIME_FIELD_OVERFLOW,
                format!("date/time field value out of range: \"{input}\""),
            )
        };
        match self {
            Problem::Format => SqlError::new(
                sqlstate::INVALID_DATETIME_FORMAT,
                format!("invalid input syntax for type {type_name}: \"{input}\""),
            ),
            Problem::Field => field(),
            Problem::MonthDay => {
                field().with_hint("Perhaps you need a different \"datestyle\" setting.")
            }
            Problem::Interval => SqlError::new(
                sqlstate::INTERVAL_FIELD_OVERFLOW,
                format!("interval field value out of range: \"{input}\""),
            ),
            Problem::IntervalRange => out_of_range("interval"),
            Problem::Displacement => SqlError::new(
                sqlstate::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                format!("time zone displacement out of range: \"{input}\""),
            ),
            Problem::Zone(name) => SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                format!("time zone \"{name}\" not recognized"),
            ),
        }
    }
}

/// `timestamp out of range`, `date out of range` and their kin (22008).
pub(crate) fn out_of_range(type_name: &str) -> SqlError {
    SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("{type_name} out of range"))
}
