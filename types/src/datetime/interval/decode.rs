//! Reads interval text. The fields are taken from the right, because a unit follows its number.

use super::typmod::{field, range_of};
use super::{Interval, apply_interval_typmod, iso8601};
use crate::datetime::Problem;
use crate::datetime::decode::{TimeText, parse_time_text};
use crate::datetime::tokens::{Field, Shape, split};
use crate::datetime::words::{Unit, unit};
use crate::{IntervalStyle, Settings, SqlResult};

/// Reads the text form and applies the modifier.
pub fn parse_interval(input: &str, typmod: i32, settings: &Settings) -> SqlResult<Interval> {
    let value = match decode(input, range_of(typmod), settings) {
        Err(Problem::Format) => iso8601::decode(input),
        other => other,
    };
    let value = value.map_err(|problem| {
        let problem = if problem == Problem::Field { Problem::Interval } else { problem };
        problem.error("interval", input)
    })?;
    apply_interval_typmod(value, typmod)
}

/// The sum of the parts found so far, wide enough to notice overflow at the end.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) years: i64,
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) micros: i64,
}

impl Sum {
    pub(super) fn finish(self) -> Result<Interval, Problem> {
        Ok(Interval {
            months: i32::try_from(self.years * 12 + self.months)
                .map_err(|_| Problem::IntervalRange)?,
            days: i32::try_from(self.days).map_err(|_| Problem::Interval)?,
            micros: self.micros,
        })
    }

    fn add_months(&mut self, count: i64, each: i64) -> Result<(), Problem> {
        let months = count.checked_mul(each).ok_or(Problem::Field)?;
        self.months = self.months.checked_add(months).ok_or(Problem::Field)?;
        i32::try_from(self.months).map(|_| ()).map_err(|_| Problem::Field)
    }

    fn add_days(&mut self, count: i64, each: i64) -> Result<(), Problem> {
        let days = count.checked_mul(each).ok_or(Problem::Field)?;
        self.days = self.days.checked_add(days).ok_or(Problem::Field)?;
        i32::try_from(self.days).map(|_| ()).map_err(|_| Problem::Field)
    }

    fn add_micros(&mut self, micros: i64) -> Result<(), Problem> {
        self.micros = self.micros.checked_add(micros).ok_or(Problem::Field)?;
        Ok(())
    }

    /// A fraction of so many microseconds.
    fn add_micro_share(&mut self, fraction: f64, each: i64) -> Result<(), Problem> {
        self.add_micros((fraction * each as f64).round_ties_even() as i64)
    }

    /// A fraction of so many days: whole days, and the rest in microseconds.
    fn add_day_share(&mut self, fraction: f64, each: i64) -> Result<(), Problem> {
        let days = fraction * each as f64;
        self.add_days(days.trunc() as i64, 1)?;
        self.add_micro_share(days.fract(), 86_400_000_000)
    }

    /// A fraction of so many years, rounded to months.
    fn add_year_share(&mut self, fraction: f64, each: i64) -> Result<(), Problem> {
        self.add_months((fraction * each as f64 * 12.0).round_ties_even() as i64, 1)
    }

    /// So many of a unit, the fraction spread over smaller parts.
    pub(super) fn add(&mut self, unit: Unit, count: i64, fraction: f64) -> Result<(), Problem> {
        let micros_each = match unit {
            Unit::Microsecond => 1,
            Unit::Millisecond => 1_000,
            Unit::Second => 1_000_000,
            Unit::Minute => 60_000_000,
            Unit::Hour => 3_600_000_000,
            Unit::Day => {
                self.add_days(count, 1)?;
                return self.add_micro_share(fraction, 86_400_000_000);
            }
            Unit::Week => {
                self.add_days(count, 7)?;
                return self.add_day_share(fraction, 7);
            }
            Unit::Month => {
                self.add_months(count, 1)?;
                return self.add_day_share(fraction, 30);
            }
            Unit::Quarter => return Err(Problem::Format),
            Unit::Year => return self.add_years(count, fraction, 1),
            Unit::Decade => return self.add_years(count, fraction, 10),
            Unit::Century => return self.add_years(count, fraction, 100),
            Unit::Millennium => return self.add_years(count, fraction, 1000),
        };
        self.add_micros(count.checked_mul(micros_each).ok_or(Problem::Field)?)?;
        self.add_micro_share(fraction, micros_each)
    }

    fn add_years(&mut self, count: i64, fraction: f64, each: i64) -> Result<(), Problem> {
        let years = count.checked_mul(each).ok_or(Problem::Field)?;
        self.years = self.years.checked_add(years).ok_or(Problem::Field)?;
        i32::try_from(self.years).map_err(|_| Problem::Field)?;
        self.add_year_share(fraction, each)
    }

    fn negate(&mut self) -> Result<(), Problem> {
        self.years = -self.years;
        self.months = -self.months;
        self.days = -self.days;
        self.micros = self.micros.checked_neg().ok_or(Problem::Field)?;
        Ok(())
    }
}

/// Where the reading from the right stands.
struct Reader<'a> {
    sum: Sum,
    /// The unit of the next number to the left.
    unit: Option<Unit>,
    /// Units seen, one bit each, to refuse repetition.
    seen: u32,
    range: i32,
    force_negative: bool,
    /// "ago" wants a unit to its left.
    after_ago: bool,
    fields: &'a [Field],
}

fn decode(input: &str, range: i32, settings: &Settings) -> Result<Interval, Problem> {
    let fields = split(input).ok_or(Problem::Format)?;
    // In the SQL standard's style one leading minus covers all parts, unless others have signs.
    let signed = |field: &Field| matches!(field.shape, Shape::Offset | Shape::Special);
    let force_negative = settings.interval_style == IntervalStyle::SqlStandard
        && fields.first().is_some_and(|field| field.text.starts_with('-'))
        && !fields.iter().skip(1).any(signed);
    let mut reader = Reader {
        sum: Sum::default(),
        unit: None,
        seen: 0,
        range,
        force_negative,
        after_ago: false,
        fields: &fields,
    };
    let ago = reader.read()?;
    if reader.seen == 0 {
        return Err(Problem::Format);
    }
    let mut sum = reader.sum;
    if ago {
        sum.negate()?;
    }
    sum.finish()
}

const CLOCK: u32 = 1 << 31;

impl Reader<'_> {
    /// Returns whether "ago" was said.
    fn read(&mut self) -> Result<bool, Problem> {
        let mut ago = false;
        for field in self.fields.iter().rev() {
            match field.shape {
                Shape::Time => self.clock(&field.text, false)?,
                Shape::Offset if field.text[1..].contains(':') => {
                    self.clock(&field.text[1..], field.text.starts_with('-'))?;
                }
                Shape::Offset | Shape::Date | Shape::Number => self.number(&field.text)?,
                Shape::Word | Shape::Special if field.text == "ago" => {
                    ago = true;
                    self.unit = None;
                    self.after_ago = true;
                }
                Shape::Word | Shape::Special => {
                    let named = unit(&field.text).filter(|unit| *unit != Unit::Quarter);
                    self.unit = Some(named.ok_or(Problem::Format)?);
                    self.after_ago = false;
                }
            }
        }
        Ok(ago)
    }

    fn mark(&mut self, bits: u32) -> Result<(), Problem> {
        if self.seen & bits != 0 {
            return Err(Problem::Format);
        }
        self.seen |= bits;
        Ok(())
    }

    fn clock(&mut self, text: &str, negative: bool) -> Result<(), Problem> {
        let mut time = parse_time_text(text)?;
        if self.range == field::MINUTE | field::SECOND && text.matches(':').count() == 1 {
            // "12:34" of `interval minute to second`.
            if !text.contains('.') {
                time = TimeText { hour: 0, minute: time.hour, second: time.minute, micros: 0 };
            }
        }
        let seconds = time
            .hour
            .checked_mul(3600)
            .and_then(|hours| hours.checked_add(time.minute * 60 + time.second))
            .ok_or(Problem::Field)?;
        let micros = seconds
            .checked_mul(1_000_000)
            .and_then(|micros| micros.checked_add(time.micros))
            .ok_or(Problem::Field)?;
        let micros = if negative || self.force_negative { -micros } else { micros };
        self.mark(CLOCK | bit(Unit::Hour) | bit(Unit::Minute) | seconds_bits())?;
        self.sum.add_micros(micros)?;
        // A number to the left of a clock counts days.
        self.unit = Some(Unit::Day);
        self.after_ago = false;
        Ok(())
    }

    fn number(&mut self, text: &str) -> Result<(), Problem> {
        if self.after_ago {
            return Err(Problem::Format);
        }
        let (count, fraction) = self.amount(text)?;
        let unit = self.unit.unwrap_or_else(|| rightmost_unit(self.range));
        let bits = match unit {
            Unit::Second if fraction != 0.0 => seconds_bits(),
            unit => bit(unit),
        };
        self.mark(bits)?;
        self.sum.add(unit, count, fraction)?;
        // "1 2 hours" is one day and two hours.
        self.unit = Some(if unit == Unit::Hour { Unit::Day } else { unit });
        Ok(())
    }

    /// Whole and fractional part of a number; of `years-months` the months, and the unit changes.
    fn amount(&mut self, text: &str) -> Result<(i64, f64), Problem> {
        let negative = text.starts_with('-');
        let digits_end =
            text[1..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| at + 1);
        let starts_with_point = text.starts_with('.');
        let (whole, rest) = if starts_with_point { ("0", text) } else { text.split_at(digits_end) };
        let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::Format);
        }
        let mut count: i64 = whole.parse().map_err(|_| Problem::Field)?;
        let mut fraction = 0.0;
        if let Some(months) = rest.strip_prefix('-') {
            let months: i64 = match if months.is_empty() { "0" } else { months }.parse() {
                Ok(months) => months,
                Err(_) if months.bytes().all(|b| b.is_ascii_digit()) && !months.is_empty() => {
                    return Err(Problem::Field);
                }
                Err(_) => return Err(Problem::Format),
            };
            if !(0..12).contains(&months) {
                return Err(Problem::Field);
            }
            self.unit = Some(Unit::Month);
            let months = if negative { -months } else { months };
            count = count
                .checked_mul(12)
                .and_then(|years| years.checked_add(months))
                .ok_or(Problem::Field)?;
        } else if rest.starts_with('.') {
            fraction = parse_fraction(rest)?;
            if negative {
                fraction = -fraction;
            }
        } else if !rest.is_empty() {
            return Err(Problem::Format);
        }
        if self.force_negative {
            (count, fraction) = (-count.abs(), -fraction.abs());
        }
        Ok((count, fraction))
    }
}

/// `.5` as a number; a lone point is 0.
pub(super) fn parse_fraction(text: &str) -> Result<f64, Problem> {
    if text == "." {
        return Ok(0.0);
    }
    if !text[1..].bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::Format);
    }
    format!("0{text}").parse().map_err(|_| Problem::Format)
}

fn bit(unit: Unit) -> u32 {
    1 << unit as u32
}

fn seconds_bits() -> u32 {
    bit(Unit::Second) | bit(Unit::Millisecond) | bit(Unit::Microsecond)
}

/// What a number without a unit counts.
fn rightmost_unit(range: i32) -> Unit {
    match range {
        field::YEAR => Unit::Year,
        range if range == field::MONTH || range == field::YEAR | field::MONTH => Unit::Month,
        field::DAY => Unit::Day,
        range if range == field::HOUR || range == field::DAY | field::HOUR => Unit::Hour,
        range
            if range != field::ALL && range & field::MINUTE != 0 && range & field::SECOND == 0 =>
        {
            Unit::Minute
        }
        _ => Unit::Second,
    }
}
