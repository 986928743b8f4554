//! The pieces that can be read without knowing what stands around them.

use crate::datetime::Problem;

/// The parts of `hh:mm[:ss[.f]]`.
pub(in crate::datetime) struct TimeText {
    pub(in crate::datetime) hour: i64,
    pub(in crate::datetime) minute: i64,
    pub(in crate::datetime) second: i64,
    pub(in crate::datetime) micros: i64,
}

/// Reads a time with colons. `mm:ss.f` is minutes and seconds.
pub(in crate::datetime) fn parse_time_text(text: &str) -> Result<TimeText, Problem> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts = clock
        .split(':')
        .map(|part| {
            if !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Problem::Format);
            }
            // Nothing between or behind colons is zero, as C reads it.
            if part.is_empty() { Ok(0) } else { part.parse::<i64>().map_err(|_| Problem::Field) }
        })
        .collect::<Result<Vec<_>, _>>();
    let parts = parts?;
    let micros = fraction.map_or(Ok(0), parse_fraction)?;
    let time = match (parts.as_slice(), fraction) {
        (&[minute, second], Some(_)) => TimeText { hour: 0, minute, second, micros },
        (&[hour, minute], None) => TimeText { hour, minute, second: 0, micros },
        (&[hour, minute, second], _) => TimeText { hour, minute, second, micros },
        _ => return Err(Problem::Format),
    };
    if time.minute > 59 || time.second > 60 || time.hour > i64::from(i32::MAX) {
        return Err(Problem::Field);
    }
    Ok(time)
}

/// Digits behind the point of a second, rounded to microseconds.
pub(super) fn parse_fraction(digits: &str) -> Result<i64, Problem> {
    if digits.is_empty() {
        return Ok(0);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::Format);
    }
    let fraction: f64 = format!("0.{digits}").parse().map_err(|_| Problem::Format)?;
    Ok((fraction * 1_000_000.0).round_ties_even() as i64)
}

/// `+05`, `-0530`, `+05:30:15`: seconds east.
pub(super) fn parse_offset(text: &str) -> Result<i32, Problem> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').ok_or(Problem::Format)?),
    };
    let mut parts = digits.split(':');
    let mut next = || -> Result<Option<i32>, Problem> {
        match parts.next() {
            None => Ok(None),
            Some(part) if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => {
                part.parse().map(Some).map_err(|_| Problem::Displacement)
            }
            Some(_) => Err(Problem::Format),
        }
    };
    let (first, second, third) = (next()?.unwrap_or(0), next()?, next()?);
    let (hours, minutes) = match second {
        None if digits.len() > 2 => (first / 100, first % 100),
        None => (first, 0),
        Some(minutes) => (first, minutes),
    };
    let seconds = third.unwrap_or(0);
    if parts.next().is_some() {
        return Err(Problem::Format);
    }
    if hours > 15 || minutes > 59 || seconds > 59 {
        return Err(Problem::Displacement);
    }
    let total = (hours * 60 + minutes) * 60 + seconds;
    Ok(if negative { -total } else { total })
}
