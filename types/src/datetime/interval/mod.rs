//! `interval`.

mod decode;
mod format;
mod iso8601;
mod typmod;

pub use decode::parse_interval;
pub use format::format_interval;
pub use typmod::{apply_interval_typmod, display_interval_typmod, field};

use super::calendar::MICROS_PER_DAY;
use super::out_of_range;
use crate::SqlResult;

/// A span of time. Months, days and microseconds are kept apart: no number of one makes the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

/// Days of a month, where one has to be assumed.
const DAYS_PER_MONTH: i128 = 30;

impl Interval {
    /// Length for comparison: 30 days a month, 24 hours a day.
    pub fn span_micros(&self) -> i128 {
        let days = i128::from(self.months) * DAYS_PER_MONTH + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    /// An interval of a given length: the largest parts that it fills.
    pub(crate) fn from_span(span: i128) -> Interval {
        let days = span / i128::from(MICROS_PER_DAY);
        let micros = (span % i128::from(MICROS_PER_DAY)) as i64;
        let months = days / DAYS_PER_MONTH;
        match i32::try_from(months) {
            Ok(months) => Interval { months, days: (days % DAYS_PER_MONTH) as i32, micros },
            Err(_) => {
                // More months than fit: the rest goes back into days.
                let limit = if months > 0 { i32::MAX } else { i32::MIN };
                let rest = days - i128::from(limit) * DAYS_PER_MONTH;
                Interval { months: limit, days: rest as i32, micros }
            }
        }
    }
}

impl PartialEq for Interval {
    fn eq(&self, other: &Self) -> bool {
        self.span_micros() == other.span_micros()
    }
}

/// Appends the binary form.
pub fn encode_interval(value: Interval, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.micros.to_be_bytes());
    out.extend_from_slice(&value.days.to_be_bytes());
    out.extend_from_slice(&value.months.to_be_bytes());
}

/// Reads the binary form.
pub fn decode_interval(input: &[u8; 16]) -> Interval {
    let word =
        |at: usize| i32::from_be_bytes([input[at], input[at + 1], input[at + 2], input[at + 3]]);
    let micros = i64::from(word(0)) << 32 | i64::from(word(4) as u32);
    Interval { micros, days: word(8), months: word(12) }
}

/// The time of day that the interval's clock part shows.
pub fn interval_to_time(value: Interval) -> i64 {
    value.micros.rem_euclid(MICROS_PER_DAY)
}

/// `make_interval`.
pub fn make_interval(
    years: i32,
    months: i32,
    weeks: i32,
    days: i32,
    hours: i32,
    minutes: i32,
    seconds: f64,
) -> SqlResult<Interval> {
    let beyond = || out_of_range("interval");
    if !seconds.is_finite() {
        return Err(beyond());
    }
    let months = i64::from(years) * 12 + i64::from(months);
    let days = i64::from(weeks) * 7 + i64::from(days);
    let second_micros = (seconds * 1_000_000.0).round_ties_even();
    let clock = (i128::from(hours) * 60 + i128::from(minutes)) * 60_000_000;
    Ok(Interval {
        months: i32::try_from(months).map_err(|_| beyond())?,
        days: i32::try_from(days).map_err(|_| beyond())?,
        micros: i64::try_from(clock.saturating_add(second_micros as i128)).map_err(|_| beyond())?,
    })
}
