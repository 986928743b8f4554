//! Reads date and time text: PostgreSQL's grammar, which guesses the meaning of each field from
//! its look and from what is still missing.

mod number;
mod text;
mod word;

pub(super) use text::{TimeText, parse_time_text};

use super::Problem;
use super::calendar::{Civil, civil_of, days_in_month, days_of};
use super::tokens::{Field, Shape, split};
use super::words::DateWord;
use crate::{Settings, TimeZone};
use text::parse_offset;

/// What has been found, one bit a part.
mod part {
    pub(super) const YEAR: u32 = 1;
    pub(super) const MONTH: u32 = 1 << 1;
    pub(super) const DAY: u32 = 1 << 2;
    pub(super) const DATE: u32 = YEAR | MONTH | DAY;
    pub(super) const HOUR: u32 = 1 << 3;
    pub(super) const MINUTE: u32 = 1 << 4;
    pub(super) const SECOND: u32 = 1 << 5;
    pub(super) const TIME: u32 = HOUR | MINUTE | SECOND;
    pub(super) const ZONE: u32 = 1 << 6;
    pub(super) const DAY_OF_YEAR: u32 = 1 << 7;
    pub(super) const WEEKDAY: u32 = 1 << 8;
    pub(super) const ERA: u32 = 1 << 9;
    pub(super) const MERIDIAN: u32 = 1 << 10;
    pub(super) const DAYLIGHT: u32 = 1 << 11;
    /// A word such as `epoch` that stands for the whole.
    pub(super) const WHOLE: u32 = 1 << 12;
}

/// What the text turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decoded {
    /// A date, perhaps with a time and a zone.
    Moment {
        date: Civil,
        micros: i64,
        zone: Option<TimeZone>,
    },
    /// Only a time of day, perhaps with a zone.
    TimeOnly {
        micros: i64,
    },
    /// The start of the transaction.
    Now,
    Epoch,
    Infinity,
    NegInfinity,
}

/// Which half of a day a time is in.
#[derive(Clone, Copy, PartialEq)]
enum Meridian {
    Am,
    Pm,
    Day24,
}

struct Decoder<'a> {
    settings: &'a Settings,
    found: u32,
    year: i64,
    month: i32,
    day: i32,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    zone: Option<TimeZone>,
    meridian: Meridian,
    before_christ: bool,
    /// A Julian day or a named day set the year: it needs no interpretation.
    year_is_final: bool,
    two_digit_year: bool,
    text_month: bool,
    special: Option<Decoded>,
    /// A word that gives the next number its meaning.
    prefix: Option<DateWord>,
}

type Step = Result<u32, Problem>;

/// Reads the text of a date or a timestamp, or of a time of day when `time_only`.
pub(super) fn decode(
    input: &str,
    settings: &Settings,
    time_only: bool,
) -> Result<Decoded, Problem> {
    let fields = split(input).ok_or(Problem::Format)?;
    let mut decoder = Decoder {
        settings,
        found: 0,
        year: 0,
        month: 0,
        day: 0,
        day_of_year: 0,
        hour: 0,
        minute: 0,
        second: 0,
        micros: 0,
        zone: None,
        meridian: Meridian::Day24,
        before_christ: false,
        year_is_final: false,
        two_digit_year: false,
        text_month: false,
        special: None,
        prefix: None,
    };
    for at in 0..fields.len() {
        let added = decoder.field(&fields, at, time_only)?;
        if added & decoder.found != 0 {
            return Err(Problem::Format);
        }
        decoder.found |= added;
    }
    decoder.finish(time_only)
}

impl Decoder<'_> {
    fn has(&self, parts: u32) -> bool {
        self.found & parts == parts
    }

    fn field(&mut self, fields: &[Field], at: usize, time_only: bool) -> Step {
        let field = &fields[at];
        match field.shape {
            Shape::Date if time_only => self.date_field_of_time(fields, at),
            Shape::Date => self.date_field(&field.text),
            Shape::Time => {
                // An "iso time" prefix may precede; it has done its duty.
                if self.prefix.take().is_some_and(|prefix| prefix != DateWord::IsoTime) {
                    return Err(Problem::Format);
                }
                self.time(&field.text)
            }
            Shape::Offset => {
                let seconds = parse_offset(&field.text)?;
                self.zone = Some(TimeZone::fixed(seconds));
                Ok(part::ZONE)
            }
            Shape::Number if time_only => self.number_field_of_time(&field.text),
            Shape::Number => self.number_field(&field.text),
            Shape::Word | Shape::Special => {
                let last = at + 1 == fields.len();
                self.word(&field.text, fields.get(at + 1), last, time_only)
            }
        }
    }

    /// A field with `-`, `/` or `.` inside: a date, a zone name, or a run-together time and zone.
    fn date_field(&mut self, text: &str) -> Step {
        if let Some(DateWord::Julian) = self.prefix {
            self.prefix = None;
            // `J2451187-08`: a Julian day and a zone.
            let split = text.find(['-', '+']).ok_or(Problem::Format)?;
            self.julian(&text[..split])?;
            self.zone = Some(TimeZone::fixed(parse_offset(&text[split..])?));
            return Ok(part::DATE | part::ZONE);
        }
        let starts_with_digit = text.starts_with(|c: char| c.is_ascii_digit());
        if !self.has(part::DATE) && !self.is_zone(text) {
            return self.date(text);
        }
        if starts_with_digit || self.prefix.is_some() {
            if self.prefix.take().is_some_and(|prefix| prefix != DateWord::IsoTime) {
                return Err(Problem::Format);
            }
            return self.clock_and_zone(text);
        }
        self.zone_name(text)
    }

    /// `040506-08`: a run-together time and a zone.
    fn clock_and_zone(&mut self, text: &str) -> Step {
        if self.has(part::TIME) {
            return Err(Problem::Format);
        }
        let split = text.find('-').ok_or(Problem::Format)?;
        let offset = parse_offset(&text[split..])?;
        let added = self.concatenated(&text[..split], self.found | part::DATE)?;
        self.zone = Some(TimeZone::fixed(offset));
        Ok(added | part::ZONE)
    }

    /// The same kind of field where a time of day is wanted: a date only in front of a time.
    fn date_field_of_time(&mut self, fields: &[Field], at: usize) -> Step {
        let text = &fields[at].text;
        let before_time = at == 0
            && fields.len() >= 2
            && (fields[fields.len() - 1].shape == Shape::Date || fields[1].shape == Shape::Time);
        if before_time {
            return self.date(text);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            self.prefix = None;
            return self.clock_and_zone(text);
        }
        self.zone_name(text)
    }

    fn has_any(&self, parts: u32) -> bool {
        self.found & parts != 0
    }

    fn time(&mut self, text: &str) -> Step {
        let time = parse_time_text(text)?;
        if time.hour > 24 || (time.hour == 24 && time.minute + time.second + time.micros > 0) {
            return Err(Problem::Field);
        }
        (self.hour, self.minute) = (time.hour, time.minute);
        (self.second, self.micros) = (time.second, time.micros);
        Ok(part::TIME)
    }

    fn finish(mut self, time_only: bool) -> Result<Decoded, Problem> {
        if self.prefix.is_some() {
            return Err(Problem::Format);
        }
        if self.special == Some(Decoded::Now) {
            return Ok(Decoded::Now);
        }
        self.validate_date()?;
        self.apply_meridian()?;
        if let Some(special) = self.special.take() {
            return Ok(special);
        }
        let micros = ((self.hour * 60 + self.minute) * 60 + self.second) * 1_000_000 + self.micros;
        let in_range = (0..=24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..=60).contains(&self.second)
            && micros <= 86_400_000_000;
        if !in_range {
            return Err(Problem::Field);
        }
        if time_only {
            if !self.has(part::TIME) {
                return Err(Problem::Format);
            }
            let needs_date =
                matches!(&self.zone, Some(TimeZone::Named(tz)) if *tz != chrono_tz::UTC);
            if needs_date && !self.has(part::DATE) {
                return Err(Problem::Format);
            }
            return Ok(Decoded::TimeOnly { micros });
        }
        if !self.has(part::DATE) {
            return Err(Problem::Format);
        }
        let date = Civil { year: self.year, month: self.month, day: self.day };
        Ok(Decoded::Moment { date, micros, zone: self.zone })
    }

    fn validate_date(&mut self) -> Result<(), Problem> {
        if self.has(part::YEAR) && !self.year_is_final {
            if self.before_christ {
                if self.year <= 0 {
                    return Err(Problem::Field);
                }
                self.year = 1 - self.year;
            } else if self.two_digit_year {
                self.year += if self.year < 70 { 2000 } else { 1900 };
            } else if self.year <= 0 {
                return Err(Problem::Field);
            }
        }
        if self.has(part::DAY_OF_YEAR) {
            let first = days_of(Civil { year: self.year, month: 1, day: 1 });
            let date = civil_of(first + self.day_of_year - 1);
            (self.year, self.month, self.day) = (date.year, date.month, date.day);
        }
        if self.has(part::MONTH) && !(1..=12).contains(&self.month) {
            return Err(Problem::MonthDay);
        }
        if self.has(part::DAY) && !(1..=31).contains(&self.day) {
            return Err(Problem::MonthDay);
        }
        if self.has(part::DATE) && self.day > days_in_month(self.year, self.month) {
            return Err(Problem::Field);
        }
        Ok(())
    }

    fn apply_meridian(&mut self) -> Result<(), Problem> {
        if self.meridian == Meridian::Day24 {
            return Ok(());
        }
        if self.hour > 12 {
            return Err(Problem::Field);
        }
        match (self.meridian, self.hour) {
            (Meridian::Am, 12) => self.hour = 0,
            (Meridian::Pm, hour) if hour != 12 => self.hour += 12,
            _ => {}
        }
        Ok(())
    }
}
