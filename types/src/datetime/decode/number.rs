//! Numbers: what one means follows from its length and from what is known already.

use super::text::parse_fraction;
use super::{Decoder, Step, part};
use crate::DateOrder;
use crate::datetime::Problem;
use crate::datetime::calendar::{Civil, EPOCH_JULIAN, civil_of};
use crate::datetime::words::{DateWord, Unit, date_word};

impl Decoder<'_> {
    pub(super) fn number_field(&mut self, text: &str) -> Step {
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
    pub(super) fn number_field_of_time(&mut self, text: &str) -> Step {
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

    /// A number behind `y`, `m`, `d`, `h`, `mm`, `s`, `t` or `j`.
    pub(super) fn prefixed_number(&mut self, prefix: DateWord, text: &str) -> Step {
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

    pub(super) fn unit(&mut self, unit: Unit, value: i64, fraction: Option<&str>) -> Step {
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

    pub(super) fn julian(&mut self, text: &str) -> Step {
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

    pub(super) fn set_date(&mut self, date: Civil) {
        (self.year, self.month, self.day) = (date.year, date.month, date.day);
        self.year_is_final = true;
    }

    pub(super) fn set_time_of_day(&mut self, micros: i64) {
        self.hour = micros / 3_600_000_000;
        self.minute = micros / 60_000_000 % 60;
        self.second = micros / 1_000_000 % 60;
        self.micros = micros % 1_000_000;
    }

    /// A date in one piece: month names first, since they are certain, then the numbers.
    pub(super) fn date(&mut self, text: &str) -> Step {
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
    pub(super) fn number(&mut self, text: &str, found: u32) -> Step {
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

    pub(super) fn set_year(&mut self, value: i64, length: usize) -> Step {
        self.year = value;
        self.two_digit_year = length <= 2;
        Ok(part::YEAR)
    }

    pub(super) fn set_month(&mut self, value: i64) -> Step {
        self.month = value as i32;
        Ok(part::MONTH)
    }

    pub(super) fn set_day(&mut self, value: i64) -> Step {
        self.day = value as i32;
        Ok(part::DAY)
    }

    /// `20010203`, `010203`, `040506.789`, `0405`.
    pub(super) fn concatenated(&mut self, text: &str, found: u32) -> Step {
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
