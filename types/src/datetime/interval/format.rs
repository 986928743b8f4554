//! Text output of `interval` in the four styles.

use super::Interval;
use crate::IntervalStyle;
use crate::datetime::date::push_two;
use crate::datetime::time::write_fraction;
use std::fmt::Write as _;

/// The parts as they are printed.
struct Parts {
    years: i32,
    months: i32,
    days: i32,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

impl Parts {
    fn of(value: Interval) -> Parts {
        let seconds = value.micros / 1_000_000;
        Parts {
            years: value.months / 12,
            months: value.months % 12,
            days: value.days,
            hours: seconds / 3600,
            minutes: seconds / 60 % 60,
            seconds: seconds % 60,
            micros: value.micros % 1_000_000,
        }
    }

    fn clock_is_zero(&self) -> bool {
        self.hours == 0 && self.minutes == 0 && self.seconds == 0 && self.micros == 0
    }

    fn clock_is_negative(&self) -> bool {
        self.hours < 0 || self.minutes < 0 || self.seconds < 0 || self.micros < 0
    }

    fn is_zero(&self) -> bool {
        self.years == 0 && self.months == 0 && self.days == 0 && self.clock_is_zero()
    }

    fn has_negative(&self) -> bool {
        self.years < 0 || self.months < 0 || self.days < 0 || self.clock_is_negative()
    }

    fn has_positive(&self) -> bool {
        self.years > 0
            || self.months > 0
            || self.days > 0
            || self.hours > 0
            || self.minutes > 0
            || self.seconds > 0
            || self.micros > 0
    }
}

/// Appends the text form.
pub fn format_interval(value: Interval, style: IntervalStyle, out: &mut String) {
    let parts = Parts::of(value);
    match style {
        IntervalStyle::Postgres => postgres(&parts, out),
        IntervalStyle::PostgresVerbose => verbose(&parts, out),
        IntervalStyle::SqlStandard => sql_standard(&parts, out),
        IntervalStyle::Iso8601 => iso_8601(&parts, out),
    }
}

/// `1 year 2 mons 3 days 04:05:06`.
fn postgres(parts: &Parts, out: &mut String) {
    let mut first = true;
    let mut after_negative = false;
    for (count, unit) in [(parts.years, "year"), (parts.months, "mon"), (parts.days, "day")] {
        if count == 0 {
            continue;
        }
        let space = if first { "" } else { " " };
        let sign = if after_negative && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        // Writing to a String does not fail.
        let _ = write!(out, "{space}{sign}{count} {unit}{plural}");
        after_negative = count < 0;
        first = false;
    }
    if !first && parts.clock_is_zero() {
        return;
    }
    if !first {
        out.push(' ');
    }
    if parts.clock_is_negative() {
        out.push('-');
    } else if after_negative {
        out.push('+');
    }
    clock(parts, out);
}

fn clock(parts: &Parts, out: &mut String) {
    // Writing to a String does not fail.
    let _ = write!(out, "{:02}:", parts.hours.abs());
    push_two(parts.minutes.unsigned_abs() as u32, out);
    out.push(':');
    push_two(parts.seconds.unsigned_abs() as u32, out);
    write_fraction(parts.micros.abs(), out);
}

/// `@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago`.
fn verbose(parts: &Parts, out: &mut String) {
    out.push('@');
    let mut first = true;
    let mut ago = false;
    let whole = [
        (i64::from(parts.years), "year"),
        (i64::from(parts.months), "mon"),
        (i64::from(parts.days), "day"),
        (parts.hours, "hour"),
        (parts.minutes, "min"),
    ];
    for (count, unit) in whole {
        if count == 0 {
            continue;
        }
        // The first part decides the sign of the whole.
        if first {
            ago = count < 0;
        }
        let count = if ago { -count } else { count };
        let plural = if count == 1 { "" } else { "s" };
        // Writing to a String does not fail.
        let _ = write!(out, " {count} {unit}{plural}");
        first = false;
    }
    if parts.seconds != 0 || parts.micros != 0 {
        let negative = parts.seconds < 0 || parts.micros < 0;
        if first {
            ago = negative;
        }
        let _ = write!(out, " {}{}", if negative != ago { "-" } else { "" }, parts.seconds.abs());
        write_fraction(parts.micros.abs(), out);
        let plural = if parts.seconds.abs() == 1 && parts.micros == 0 { "" } else { "s" };
        let _ = write!(out, " sec{plural}");
        first = false;
    }
    if first {
        out.push_str(" 0");
    }
    if ago {
        out.push_str(" ago");
    }
}

/// `1-2 3 4:05:06`, with a sign on every part when they do not agree.
fn sql_standard(parts: &Parts, out: &mut String) {
    let has_year_month = parts.years != 0 || parts.months != 0;
    let has_day_clock = parts.days != 0 || !parts.clock_is_zero();
    let mixed_signs = parts.has_negative() && parts.has_positive();
    let needs_signs = mixed_signs || (has_year_month && has_day_clock);
    if parts.is_zero() {
        return out.push('0');
    }
    let (years, months) = (parts.years.abs(), parts.months.abs());
    let days = parts.days.abs();
    // Writing to a String does not fail.
    if needs_signs {
        let sign = |negative: bool| if negative { '-' } else { '+' };
        let year_sign = sign(parts.years < 0 || parts.months < 0);
        let day_sign = sign(parts.days < 0);
        let _ = write!(out, "{year_sign}{years}-{months} {day_sign}{days} ");
        out.push(sign(parts.clock_is_negative()));
        return short_clock(parts, out);
    }
    if parts.has_negative() {
        out.push('-');
    }
    if has_year_month {
        let _ = write!(out, "{years}-{months}");
    } else if parts.days != 0 {
        let _ = write!(out, "{days} ");
        short_clock(parts, out);
    } else {
        short_clock(parts, out);
    }
}

/// The clock with hours unpadded.
fn short_clock(parts: &Parts, out: &mut String) {
    // Writing to a String does not fail.
    let _ =
        write!(out, "{}:{:02}:{:02}", parts.hours.abs(), parts.minutes.abs(), parts.seconds.abs());
    write_fraction(parts.micros.abs(), out);
}

/// `P1Y2M3DT4H5M6S`.
fn iso_8601(parts: &Parts, out: &mut String) {
    if parts.is_zero() {
        return out.push_str("PT0S");
    }
    out.push('P');
    let mut put = |count: i64, unit: char| {
        if count != 0 {
            // Writing to a String does not fail.
            let _ = write!(out, "{count}{unit}");
        }
    };
    put(i64::from(parts.years), 'Y');
    put(i64::from(parts.months), 'M');
    put(i64::from(parts.days), 'D');
    if parts.clock_is_zero() {
        return;
    }
    out.push('T');
    let mut put = |count: i64, unit: char| {
        if count != 0 {
            let _ = write!(out, "{count}{unit}");
        }
    };
    put(parts.hours, 'H');
    put(parts.minutes, 'M');
    if parts.seconds != 0 || parts.micros != 0 {
        if parts.seconds < 0 || parts.micros < 0 {
            out.push('-');
        }
        let _ = write!(out, "{}", parts.seconds.abs());
        write_fraction(parts.micros.abs(), out);
        out.push('S');
    }
}
