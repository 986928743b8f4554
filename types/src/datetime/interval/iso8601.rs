//! ISO 8601 intervals: `P1Y2M3DT4H5M6S` and the alternative form `P0001-02-03T04:05:06`.

use super::Interval;
use super::decode::Sum;
use crate::datetime::Problem;
use crate::datetime::words::Unit;

/// Reads the text.
pub(super) fn decode(input: &str) -> Result<Interval, Problem> {
    let mut rest = input.strip_prefix('P').ok_or(Problem::Format)?;
    if rest.is_empty() {
        return Err(Problem::Format);
    }
    let mut sum = Sum::default();
    let mut in_clock = false;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            in_clock = true;
            any = false;
            rest = after;
            continue;
        }
        let (count, fraction, after) = number(rest)?;
        let designator = after.chars().next();
        let unit = match (in_clock, designator) {
            (false, Some('Y')) => Unit::Year,
            (false, Some('M')) => Unit::Month,
            (false, Some('W')) => Unit::Week,
            (false, Some('D')) => Unit::Day,
            (true, Some('H')) => Unit::Hour,
            (true, Some('M')) => Unit::Minute,
            (true, Some('S')) => Unit::Second,
            _ if !any => {
                let (more, left) = alternative(&mut sum, rest, in_clock)?;
                rest = left;
                in_clock |= more;
                continue;
            }
            _ => return Err(Problem::Format),
        };
        sum.add(unit, count, fraction)?;
        any = true;
        rest = &after[1..];
    }
    sum.finish()
}

/// One of the two halves of the alternative form. Says whether a clock follows, and what is left.
fn alternative<'a>(
    sum: &mut Sum,
    text: &'a str,
    in_clock: bool,
) -> Result<(bool, &'a str), Problem> {
    let (half, left, more) = match text.split_once('T') {
        Some((half, left)) if !in_clock => (half, left, true),
        _ => (text, "", false),
    };
    let (separator, units) = if in_clock {
        (':', [Unit::Hour, Unit::Minute, Unit::Second])
    } else {
        ('-', [Unit::Year, Unit::Month, Unit::Day])
    };
    let compact = !half.is_empty() && half.bytes().all(|b| b.is_ascii_digit());
    if compact && in_clock && half.len() == 6 {
        for (at, unit) in units.into_iter().enumerate() {
            let part = &half[at * 2..at * 2 + 2];
            sum.add(unit, part.parse().map_err(|_| Problem::Format)?, 0.0)?;
        }
    } else if compact && !in_clock && half.len() == 8 {
        for (part, unit) in [&half[..4], &half[4..6], &half[6..]].into_iter().zip(units) {
            sum.add(unit, part.parse().map_err(|_| Problem::Format)?, 0.0)?;
        }
    } else {
        let mut rest = half;
        for unit in units {
            let (count, fraction, after) = number(rest)?;
            sum.add(unit, count, fraction)?;
            match after.strip_prefix(separator) {
                Some(next) => rest = next,
                None if after.is_empty() => {
                    rest = "";
                    break;
                }
                None => return Err(Problem::Format),
            }
        }
        if !rest.is_empty() {
            return Err(Problem::Format);
        }
    }
    if more && left.is_empty() {
        return Err(Problem::Format);
    }
    Ok((more, left))
}

/// Sign, digits and fraction; and what follows.
fn number(text: &str) -> Result<(i64, f64, &str), Problem> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, after) = unsigned.split_at(end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return Err(Problem::Format);
    }
    let count: i64 =
        if whole.is_empty() { 0 } else { whole.parse().map_err(|_| Problem::Field)? };
    let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| Problem::Format)?;
    Ok(if negative { (-count, -fraction, after) } else { (count, fraction, after) })
}
