//! Reads date and time text: PostgreSQL's grammar, which guesses the meaning of each field from
//! its look and from what is still missing.

use super::Problem;
use super::calendar::{Civil, EPOCH_JULIAN, civil_of, days_in_month, days_of};
use super::tokens::{Field, Shape, split};
use super::words::{DateWord, Unit, date_word};
use super::zone::{abbreviated_zone, named_zone, posix_zone};
use crate::{DateOrder, Settings, TimeZone};

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

    /// Whether a word with punctuation names a zone though no date has been read yet.
    fn is_zone(&self, text: &str) -> bool {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && self.has(part::TIME)
            && named_zone(text).is_some()
    }

    fn zone_name(&mut self, text: &str) -> Step {
        let zone = match named_zone(text) {
            Some(zone) => TimeZone::Named(zone),
            None => posix_zone(text).ok_or_else(|| Problem::Zone(text.to_owned()))?,
        };
        self.zone = Some(zone);
        Ok(part::ZONE)
    }

    fn number_field(&mut self, text: &str) -> Step {
        if let Some(prefix) = self.prefix.take() {
            return self.prefixed_number(prefix, text);
        }
        let (whole, has_point) = match text.find('.') {
            Some(at) => (at, true),
            None => (text.len(), false),
        };
        if has_point && self.found & part::DATE == 0 {
            return self.date(text);
        }
        if has_point && whole > 2 {
            // Several digits before the point: a concatenated date or time.
            return self.concatenated(text, self.found);
        }
        if text.len() >= 6 && (!self.has_any(part::DATE) || !self.has_any(part::TIME)) {
            return self.concatenated(text, self.found);
        }
        self.number(text, self.found)
    }

    /// A number where a time of day is wanted: its digits can only be hours, minutes, seconds.
    fn number_field_of_time(&mut self, text: &str) -> Step {
        if let Some(prefix) = self.prefix.take() {
            return match prefix {
                DateWord::IsoTime => self.concatenated(text, self.found | part::DATE),
                _ => Err(Problem::Format),
            };
        }
        match text.find('.') {
            Some(whole) if whole <= 2 => Err(Problem::Format),
            _ => self.concatenated(text, self.found | part::DATE),
        }
    }

    fn has_any(&self, parts: u32) -> bool {
        self.found & parts != 0
    }

    /// A number behind `y`, `m`, `d`, `h`, `mm`, `s`, `t` or `j`.
    fn prefixed_number(&mut self, prefix: DateWord, text: &str) -> Step {
        match prefix {
            DateWord::Julian => self.julian(text),
            DateWord::IsoTime => {
                let added = self.concatenated(text, self.found | part::DATE)?;
                if added & part::TIME != part::TIME { Err(Problem::Format) } else { Ok(added) }
            }
            DateWord::Unit(unit) => {
                let (whole, fraction) = match text.split_once('.') {
                    Some((whole, fraction)) => (whole, Some(fraction)),
                    None => (text, None),
                };
                if fraction.is_some() && unit != Unit::Second {
                    return Err(Problem::Format);
                }
                let value: i64 = whole.parse().map_err(|_| Problem::Field)?;
                self.unit(unit, value, fraction)
            }
            _ => Err(Problem::Format),
        }
    }

    fn unit(&mut self, unit: Unit, value: i64, fraction: Option<&str>) -> Step {
        match unit {
            Unit::Year => {
                self.year = value;
                Ok(part::YEAR)
            }
            // After a date and an hour, `m` means minutes.
            Unit::Month if self.has(part::MONTH) && self.has(part::HOUR) => {
                self.minute = value;
                Ok(part::MINUTE)
            }
            Unit::Month => {
                self.month = i32::try_from(value).map_err(|_| Problem::Field)?;
                Ok(part::MONTH)
            }
            Unit::Day => {
                self.day = i32::try_from(value).map_err(|_| Problem::Field)?;
                Ok(part::DAY)
            }
            Unit::Hour => {
                self.hour = value;
                Ok(part::HOUR)
            }
            Unit::Minute => {
                self.minute = value;
                Ok(part::MINUTE)
            }
            _ => {
                self.second = value;
                if let Some(fraction) = fraction {
                    self.micros = parse_fraction(fraction)?;
                }
                Ok(part::SECOND)
            }
        }
    }

    fn julian(&mut self, text: &str) -> Step {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let day: i64 = whole.parse().map_err(|_| Problem::Field)?;
        if day > i64::from(i32::MAX) {
            return Err(Problem::Field);
        }
        self.set_date(civil_of(day - EPOCH_JULIAN));
        if text.contains('.') {
            let share: f64 = format!("0.{fraction}").parse().map_err(|_| Problem::Format)?;
            let micros = (share * 86_400_000_000.0) as i64;
            self.set_time_of_day(micros);
            return Ok(part::DATE | part::TIME);
        }
        Ok(part::DATE)
    }

    fn set_date(&mut self, date: Civil) {
        (self.year, self.month, self.day) = (date.year, date.month, date.day);
        self.year_is_final = true;
    }

    fn set_time_of_day(&mut self, micros: i64) {
        self.hour = micros / 3_600_000_000;
        self.minute = micros / 60_000_000 % 60;
        self.second = micros / 1_000_000 % 60;
        self.micros = micros % 1_000_000;
    }

    fn word(&mut self, text: &str, next: Option<&Field>, last: bool, time_only: bool) -> Step {
        // An abbreviation of a zone goes before a word of the calendar.
        if date_word(text).is_none() || matches!(text, "sat" | "z") {
            if let Some(zone) = abbreviated_zone(text).filter(|_| text != "sat") {
                self.zone = Some(zone);
                return Ok(part::ZONE);
            }
        }
        let Some(word) = date_word(text) else {
            return match named_zone(text) {
                Some(zone) => {
                    self.zone = Some(TimeZone::Named(zone));
                    Ok(part::ZONE)
                }
                None => Err(Problem::Format),
            };
        };
        match word {
            DateWord::Ignored => Ok(0),
            DateWord::Now
            | DateWord::Today
            | DateWord::Tomorrow
            | DateWord::Yesterday
            | DateWord::AllBalls
            | DateWord::Epoch
            | DateWord::Infinity
            | DateWord::NegInfinity => self.named_moment(word, time_only),
            DateWord::Month(_) | DateWord::Weekday if time_only => Err(Problem::Format),
            DateWord::Month(month) => {
                // Already a month, from a number: then that number was the day.
                let added = if self.has(part::MONTH)
                    && !self.text_month
                    && !self.has(part::DAY)
                    && (1..=31).contains(&self.month)
                {
                    self.day = self.month;
                    part::DAY
                } else {
                    part::MONTH
                };
                self.text_month = true;
                self.month = month;
                Ok(added)
            }
            DateWord::Weekday => Ok(part::WEEKDAY),
            DateWord::Am => {
                self.meridian = Meridian::Am;
                Ok(part::MERIDIAN)
            }
            DateWord::Pm => {
                self.meridian = Meridian::Pm;
                Ok(part::MERIDIAN)
            }
            DateWord::Ad => Ok(part::ERA),
            DateWord::Bc => {
                self.before_christ = true;
                Ok(part::ERA)
            }
            DateWord::DaylightModifier => {
                if let Some(TimeZone::Fixed { seconds_east, .. }) = &mut self.zone {
                    *seconds_east += 3600;
                }
                Ok(part::DAYLIGHT)
            }
            DateWord::Unit(_) | DateWord::Julian => {
                self.prefix = Some(word);
                if last { Err(Problem::Format) } else { Ok(0) }
            }
            DateWord::IsoTime => self.iso_time(word, next, time_only),
        }
    }

    /// `t` between a date and a time.
    fn iso_time(&mut self, word: DateWord, next: Option<&Field>, time_only: bool) -> Step {
        if !time_only && !self.has(part::DATE) {
            return Err(Problem::Format);
        }
        match next.map(|field| field.shape) {
            Some(Shape::Number | Shape::Time | Shape::Date) => {
                self.prefix = Some(word);
                Ok(0)
            }
            _ => Err(Problem::Format),
        }
    }

    fn named_moment(&mut self, word: DateWord, time_only: bool) -> Step {
        let today = || {
            let local = super::zone::to_local(
                self.settings.transaction_timestamp,
                &self.settings.time_zone,
            );
            local.unwrap_or(0).div_euclid(86_400_000_000)
        };
        match word {
            DateWord::Now => {
                self.special = Some(Decoded::Now);
                Ok(part::DATE | part::TIME | part::ZONE)
            }
            DateWord::Today | DateWord::Tomorrow | DateWord::Yesterday if !time_only => {
                let day = match word {
                    DateWord::Today => today(),
                    DateWord::Tomorrow => today() + 1,
                    _ => today() - 1,
                };
                self.set_date(civil_of(day));
                Ok(part::DATE)
            }
            DateWord::AllBalls => {
                self.zone = Some(TimeZone::UTC);
                Ok(part::TIME | part::ZONE)
            }
            DateWord::Epoch if !time_only => self.whole(Decoded::Epoch),
            DateWord::Infinity if !time_only => self.whole(Decoded::Infinity),
            DateWord::NegInfinity if !time_only => self.whole(Decoded::NegInfinity),
            _ => Err(Problem::Format),
        }
    }

    fn whole(&mut self, moment: Decoded) -> Step {
        self.special = Some(moment);
        Ok(part::WHOLE)
    }

    /// A date in one piece: month names first, since they are certain, then the numbers.
    fn date(&mut self, text: &str) -> Step {
        let mut pieces: Vec<&str> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|piece| !piece.is_empty())
            .flat_map(split_letters)
            .collect();
        let mut added = 0;
        let mut text_month = false;
        let mut unknown = false;
        pieces.retain(|piece| {
            if !piece.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return true;
            }
            match date_word(piece) {
                Some(DateWord::Ignored) => {}
                Some(DateWord::Month(month)) if added & part::MONTH == 0 => {
                    self.month = month;
                    text_month = true;
                    added |= part::MONTH;
                }
                _ => unknown = true,
            }
            false
        });
        if unknown || added & self.found != 0 {
            return Err(Problem::Format);
        }
        let saved = std::mem::replace(&mut self.text_month, text_month);
        for piece in pieces {
            let more = self.number(piece, self.found | added)?;
            if more & (self.found | added) != 0 {
                return Err(Problem::Format);
            }
            added |= more;
        }
        self.text_month |= saved;
        // Nothing but a zone may stand before a date in one piece.
        let all = (self.found | added) & !(part::DAY_OF_YEAR | part::ZONE);
        if all != part::DATE { Err(Problem::Format) } else { Ok(added) }
    }

    /// One number; what it is follows from what is known already.
    fn number(&mut self, text: &str, found: u32) -> Step {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(Problem::Format);
        }
        let value: i64 = text[..digits].parse().map_err(|_| Problem::Field)?;
        if value > i64::from(i32::MAX) {
            return Err(Problem::Field);
        }
        match &text[digits..] {
            "" => {}
            fraction if fraction.starts_with('.') => {
                if digits > 2 {
                    return self.concatenated(text, found | part::DATE);
                }
                self.micros = parse_fraction(&fraction[1..])?;
            }
            _ => return Err(Problem::Format),
        }
        let length = text.len();
        let known = found & part::DATE;
        if length == 3 && known == part::YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(part::DAY_OF_YEAR | part::MONTH | part::DAY);
        }
        let order = self.settings.date_order;
        match known {
            0 if length >= 3 || order == DateOrder::Ymd => self.set_year(value, length),
            0 if order == DateOrder::Dmy => self.set_day(value),
            0 | part::YEAR => self.set_month(value),
            part::MONTH if self.text_month && (length >= 3 || order == DateOrder::Ymd) => {
                self.set_year(value, length)
            }
            part::MONTH => self.set_day(value),
            known if known == part::YEAR | part::MONTH => {
                if self.text_month && length >= 3 && self.two_digit_year {
                    // DD-MON-YYYY though years were expected first.
                    self.day = i32::try_from(self.year).map_err(|_| Problem::Field)?;
                    self.year = value;
                    self.two_digit_year = false;
                    return Ok(part::DAY);
                }
                self.set_day(value)
            }
            part::DAY => self.set_month(value),
            known if known == part::MONTH | part::DAY => self.set_year(value, length),
            part::DATE => self.concatenated(text, found),
            _ => Err(Problem::Format),
        }
    }

    fn set_year(&mut self, value: i64, length: usize) -> Step {
        self.year = value;
        self.two_digit_year = length <= 2;
        Ok(part::YEAR)
    }

    fn set_month(&mut self, value: i64) -> Step {
        self.month = value as i32;
        Ok(part::MONTH)
    }

    fn set_day(&mut self, value: i64) -> Step {
        self.day = value as i32;
        Ok(part::DAY)
    }

    /// `20010203`, `010203`, `040506.789`, `0405`.
    fn concatenated(&mut self, text: &str, found: u32) -> Step {
        let (digits, fraction) = match text.split_once('.') {
            Some((digits, fraction)) => (digits, Some(fraction)),
            None => (text, None),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::Format);
        }
        let number = |digits: &str| digits.parse::<i64>().map_err(|_| Problem::Field);
        if let Some(fraction) = fraction {
            self.micros = parse_fraction(fraction)?;
        } else if found & part::DATE != part::DATE && digits.len() >= 6 {
            let (year, rest) = digits.split_at(digits.len() - 4);
            self.year = number(year)?;
            self.month = number(&rest[..2])? as i32;
            self.day = number(&rest[2..])? as i32;
            self.two_digit_year = year.len() == 2;
            return Ok(part::DATE);
        }
        if found & part::TIME != part::TIME {
            match digits.len() {
                6 => {
                    self.hour = number(&digits[..2])?;
                    self.minute = number(&digits[2..4])?;
                    self.second = number(&digits[4..])?;
                    return Ok(part::TIME);
                }
                4 => {
                    self.hour = number(&digits[..2])?;
                    self.minute = number(&digits[2..])?;
                    self.second = 0;
                    return Ok(part::TIME);
                }
                _ => {}
            }
        }
        Err(Problem::Format)
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

/// Letters and digits that touch are separate pieces of a date: `08jan99`.
fn split_letters(piece: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = piece;
    while let Some(first) = rest.chars().next() {
        let alphabetic = first.is_ascii_alphabetic();
        let end = rest.find(|c: char| c.is_ascii_alphabetic() != alphabetic).unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// The parts of `hh:mm[:ss[.f]]`.
pub(super) struct TimeText {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) micros: i64,
}

/// Reads a time with colons. `mm:ss.f` is minutes and seconds.
pub(super) fn parse_time_text(text: &str) -> Result<TimeText, Problem> {
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
