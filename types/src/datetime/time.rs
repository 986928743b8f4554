//! `time`.

use super::calendar::MICROS_PER_DAY;
use super::date::push_two;
use super::decode::{Decoded, decode};
use super::{Problem, out_of_range};
use crate::{Settings, SqlError, SqlResult, sqlstate};

/// Reads the text form.
pub fn parse_time(input: &str, settings: &Settings) -> SqlResult<i64> {
    let decoded = decode(input, settings, true).map_err(|problem| problem.error("time", input))?;
    match decoded {
        Decoded::TimeOnly { micros } | Decoded::Moment { micros, .. } => Ok(micros),
        Decoded::Now => {
            let local = super::timestamptz_to_timestamp(settings.transaction_timestamp, settings)?;
            Ok(local.rem_euclid(MICROS_PER_DAY))
        }
        Decoded::Epoch | Decoded::Infinity | Decoded::NegInfinity => {
            Err(Problem::Format.error("time", input))
        }
    }
}

/// Checks a value that came in binary.
pub fn check_time(value: i64) -> SqlResult<i64> {
    if (0..=MICROS_PER_DAY).contains(&value) { Ok(value) } else { Err(out_of_range("time")) }
}

/// Appends the text form.
pub fn format_time(value: i64, out: &mut String) {
    write_clock(value, out);
}

/// `hh:mm:ss[.ffffff]` of a time of day in microseconds.
pub(super) fn write_clock(micros: i64, out: &mut String) {
    let seconds = micros / 1_000_000;
    push_two((seconds / 3600) as u32, out);
    out.push(':');
    push_two((seconds / 60 % 60) as u32, out);
    out.push(':');
    push_two((seconds % 60) as u32, out);
    write_fraction(micros % 1_000_000, out);
}

/// `.5` for 500000; nothing for 0.
pub(super) fn write_fraction(micros: i64, out: &mut String) {
    if micros == 0 {
        return;
    }
    out.push('.');
    let digits = format!("{micros:06}");
    out.push_str(digits.trim_end_matches('0'));
}

/// Rounds to a number of fractional digits.
pub fn round_time(value: i64, digits: i32) -> i64 {
    super::timestamp::round_micros(value, digits)
}

/// `make_time`.
pub fn make_time(hour: i32, minute: i32, second: f64) -> SqlResult<i64> {
    let invalid = || {
        SqlError::new(
            sqlstate::DATETIME_FIELD_OVERFLOW,
            format!("time field value out of range: {hour}:{minute:02}:{}", pad_seconds(second)),
        )
    };
    if second.is_nan() {
        return Err(invalid());
    }
    let micros = (second * 1_000_000.0).round_ties_even();
    let clock_is_valid = (0..=24).contains(&hour) && (0..60).contains(&minute);
    if !clock_is_valid || !(0.0..=60_000_000.0).contains(&micros) {
        return Err(invalid());
    }
    let total = i64::from(hour * 60 + minute) * 60_000_000 + micros as i64;
    if total > MICROS_PER_DAY { Err(invalid()) } else { Ok(total) }
}

/// Seconds as `%02g` prints them.
fn pad_seconds(second: f64) -> String {
    let mut text = String::new();
    crate::float::format_float8(second, -9, &mut text);
    if text.len() < 2 { format!("0{text}") } else { text }
}
