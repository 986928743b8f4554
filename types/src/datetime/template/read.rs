//! `to_date` and `to_timestamp`.

use super::tokens::{Field, Token, tokenize};
use crate::datetime::calendar::{
    Civil, EPOCH_JULIAN, MONTHS, WEEKDAYS, civil_of, days_in_month, days_of, iso_week_start,
};
use crate::datetime::timestamp::{TIMESTAMP_END, TIMESTAMP_MIN, local_to_utc};
use crate::datetime::zone::abbreviated_zone;
use crate::{Settings, SqlError, SqlResult, TimeZone, sqlstate};

/// What the template found in the text.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    iso_year: Option<i64>,
    century: Option<i64>,
    month: Option<i32>,
    day: Option<i32>,
    day_of_year: Option<i64>,
    iso_day_of_year: Option<i64>,
    iso_weekday: Option<i64>,
    week: Option<i64>,
    iso_week: Option<i64>,
    week_of_month: Option<i64>,
    julian: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    second_of_day: Option<i64>,
    twelve_hours: bool,
    afternoon: Option<bool>,
    before_christ: bool,
    zone_sign: i32,
    zone_hour: Option<i32>,
    zone_minute: i32,
    zone: Option<TimeZone>,
}

/// `to_date(text, template)`.
pub fn to_date(input: &str, template: &str) -> SqlResult<i32> {
    let found = scan(input, template)?;
    let day = day_of(&found, input)?;
    i32::try_from(day).map_err(|_| {
        SqlError::new(sqlstate::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{input}\""))
    })
}

/// `to_timestamp(text, template)`.
pub fn to_timestamp(input: &str, template: &str, settings: &Settings) -> SqlResult<i64> {
    let found = scan(input, template)?;
    let day = day_of(&found, input)?;
    let clock = clock_of(&found, input)?;
    let local = day
        .checked_mul(86_400_000_000)
        .and_then(|midnight| midnight.checked_add(clock))
        .filter(|local| (TIMESTAMP_MIN..TIMESTAMP_END).contains(local))
        .ok_or_else(|| {
            SqlError::new(
                sqlstate::DATETIME_FIELD_OVERFLOW,
                format!("timestamp out of range: \"{input}\""),
            )
        })?;
    let given = match found.zone_hour {
        Some(hours) => {
            let seconds = (hours * 60 + found.zone_minute) * 60;
            Some(TimeZone::fixed(if found.zone_sign < 0 { -seconds } else { seconds }))
        }
        None => found.zone,
    };
    local_to_utc(local, given.as_ref().unwrap_or(&settings.time_zone))
}

fn field_range(input: &str) -> SqlError {
    SqlError::new(
        sqlstate::DATETIME_FIELD_OVERFLOW,
        format!("date/time field value out of range: \"{input}\""),
    )
}

fn clock_of(found: &Found, input: &str) -> SqlResult<i64> {
    if let Some(seconds) = found.second_of_day {
        return Ok(seconds * 1_000_000 + found.micros);
    }
    let mut hour = found.hour;
    if found.twelve_hours {
        if !(1..=12).contains(&hour) && hour != 0 {
            return Err(SqlError::new(
                sqlstate::INVALID_DATETIME_FORMAT,
                format!("hour \"{hour}\" is invalid for the 12-hour clock"),
            )
            .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        match found.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
    }
    if hour > 23 || found.minute > 59 || found.second > 59 {
        return Err(field_range(input));
    }
    Ok(((hour * 60 + found.minute) * 60 + found.second) * 1_000_000 + found.micros)
}

fn day_of(found: &Found, input: &str) -> SqlResult<i64> {
    if let Some(julian) = found.julian {
        return Ok(julian - EPOCH_JULIAN);
    }
    if let Some(year) = found.iso_year {
        if let Some(day) = found.iso_day_of_year {
            return Ok(iso_week_start(year, 1) + day - 1);
        }
        if let Some(week) = found.iso_week {
            return Ok(iso_week_start(year, week) + found.iso_weekday.unwrap_or(1) - 1);
        }
    }
    let mut year =
        found.year.or(found.iso_year).unwrap_or(if found.century.is_some() { 1 } else { 0 });
    if let (Some(century), None) = (found.century, found.year) {
        year = (century - 1) * 100 + 1;
    }
    if found.before_christ && year > 0 {
        year = 1 - year;
    }
    let first = days_of(Civil { year, month: 1, day: 1 });
    if let Some(day) = found.day_of_year {
        return Ok(first + day - 1);
    }
    if let Some(week) = found.week {
        return Ok(first + (week - 1) * 7);
    }
    let month = found.month.unwrap_or(1);
    let mut day = found.day.unwrap_or(1);
    if let (Some(week), None) = (found.week_of_month, found.day) {
        day = ((week - 1) * 7 + 1) as i32;
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(field_range(input));
    }
    // A year that was not given at all is 1 BC, which PostgreSQL prints so.
    let date = civil_of(days_of(Civil { year, month, day }));
    Ok(days_of(date))
}

fn scan(input: &str, template: &str) -> SqlResult<Found> {
    let tokens = tokenize(template);
    let mut found = Found { zone_sign: 1, ..Found::default() };
    let mut rest = input;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(_) => rest = skip_one(rest),
            Token::Separator(c) if c.is_whitespace() || c.is_ascii_punctuation() => {
                rest = rest.trim_start();
                if rest.starts_with(|c: char| c.is_ascii_punctuation() && !matches!(c, '+' | '-'))
                    || (rest.starts_with(['-', '+']) && !next_is_signed(&tokens, at))
                {
                    rest = &rest[1..];
                }
            }
            Token::Separator(_) => rest = skip_one(rest),
            Token::Field { field, name, fill, ordinal, .. } => {
                rest = rest.trim_start();
                let exact = matches!(tokens.get(at + 1), Some(Token::Field { .. })) && !fill;
                let mut reader = Reader { rest, name, exact };
                reader.field(*field, &mut found)?;
                rest = reader.rest;
                if ordinal.is_some() && rest.len() >= 2 && rest.is_char_boundary(2) {
                    rest = &rest[2..];
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Whether the next field takes a sign of its own.
fn next_is_signed(tokens: &[Token], at: usize) -> bool {
    tokens[at + 1..].iter().find_map(|token| match token {
        Token::Field { field, .. } => Some(matches!(field, Field::ZoneHour | Field::ZoneOffset)),
        _ => None,
    }) == Some(true)
}

fn skip_one(text: &str) -> &str {
    text.chars().next().map_or("", |c| &text[c.len_utf8()..])
}

struct Reader<'a> {
    rest: &'a str,
    /// The field as the template writes it.
    name: &'a str,
    /// Another field follows directly: no more digits than this field has.
    exact: bool,
}

impl Reader<'_> {
    fn invalid(&self, shown: &str) -> SqlError {
        SqlError::new(
            sqlstate::INVALID_DATETIME_FORMAT,
            format!("invalid value \"{shown}\" for \"{}\"", self.name),
        )
    }

    fn number(&mut self, width: usize) -> SqlResult<i64> {
        let limit = if self.exact { width } else { usize::MAX };
        let signed = usize::from(self.rest.starts_with(['-', '+']));
        let digits = self.rest[signed..].bytes().take_while(u8::is_ascii_digit).count().min(limit);
        if digits == 0 {
            let shown: String = self.rest.chars().take(width).collect();
            return Err(self.invalid(&shown).with_detail("Value must be an integer."));
        }
        let (text, rest) = self.rest.split_at(signed + digits);
        self.rest = rest;
        text.parse::<i32>().map(i64::from).map_err(|_| {
            SqlError::new(
                sqlstate::DATETIME_FIELD_OVERFLOW,
                format!("value for \"{}\" in source string is out of range", self.name),
            )
        })
    }

    /// One of several words, in any case; the longest that fits.
    fn word(&mut self, words: &[&str], short: bool) -> SqlResult<usize> {
        for (at, word) in words.iter().enumerate() {
            let word = if short { &word[..3] } else { word };
            if self.rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
                self.rest = &self.rest[word.len()..];
                return Ok(at);
            }
        }
        let shown: String = self.rest.chars().take_while(|c| !c.is_whitespace()).collect();
        Err(self
            .invalid(&shown)
            .with_detail("The given value did not match any of the allowed values for this field."))
    }

    fn field(&mut self, field: Field, found: &mut Found) -> SqlResult<()> {
        match field {
            Field::YearComma => {
                let thousands = self.number(9)?;
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                found.year = Some(thousands * 1000 + self.number(3)?);
            }
            Field::Year(digits) => found.year = Some(self.year(digits)?),
            Field::IsoYear(digits) => found.iso_year = Some(self.year(digits)?),
            Field::Century => found.century = Some(self.number(2)?),
            Field::MonthName => {
                found.month = Some(
                    match self.word(&MONTHS, false) {
                        Ok(at) => at,
                        Err(_) => self.word(&MONTHS, true)?,
                    } as i32
                        + 1,
                );
            }
            Field::MonthShort => found.month = Some(self.word(&MONTHS, true)? as i32 + 1),
            Field::Month => found.month = Some(self.number(2)? as i32),
            Field::MonthRoman => {
                let at = self.word(
                    &["VIII", "XII", "VII", "III", "XI", "IX", "VI", "IV", "II", "X", "V", "I"],
                    false,
                )?;
                found.month = Some([8, 12, 7, 3, 11, 9, 6, 4, 2, 10, 5, 1][at]);
            }
            Field::DayName => drop(self.word(&WEEKDAYS, false)?),
            Field::DayShort => drop(self.word(&WEEKDAYS, true)?),
            Field::Day => found.day = Some(self.number(2)? as i32),
            Field::DayOfYear => found.day_of_year = Some(self.number(3)?),
            Field::IsoDayOfYear => found.iso_day_of_year = Some(self.number(3)?),
            Field::DayOfWeek => drop(self.number(1)?),
            Field::IsoDayOfWeek => found.iso_weekday = Some(self.number(1)?),
            Field::Week => found.week = Some(self.number(2)?),
            Field::IsoWeek => found.iso_week = Some(self.number(2)?),
            Field::WeekOfMonth => found.week_of_month = Some(self.number(1)?),
            Field::Quarter => drop(self.number(1)?),
            Field::Julian => found.julian = Some(self.number(10)?),
            Field::Era { .. } => found.before_christ = self.either("A", "B")?,
            _ => return self.clock_field(field, found),
        }
        Ok(())
    }

    fn clock_field(&mut self, field: Field, found: &mut Found) -> SqlResult<()> {
        match field {
            Field::Hour24 => found.hour = self.number(2)?,
            Field::Hour12 => {
                found.hour = self.number(2)?;
                found.twelve_hours = true;
            }
            Field::Minute => found.minute = self.number(2)?,
            Field::Second => found.second = self.number(2)?,
            Field::SecondOfDay => found.second_of_day = Some(self.number(5)?),
            Field::Fraction(digits) => found.micros = self.fraction(digits)?,
            Field::Meridian { .. } => found.afternoon = Some(self.either("A", "P")?),
            Field::ZoneHour | Field::ZoneOffset => {
                found.zone_sign = if self.rest.starts_with('-') { -1 } else { 1 };
                self.rest = self.rest.strip_prefix(['+', '-']).unwrap_or(self.rest);
                self.exact = true;
                found.zone_hour = Some(self.number(2)? as i32);
                if let (Field::ZoneOffset, Some(after)) = (field, self.rest.strip_prefix(':')) {
                    self.rest = after;
                    found.zone_minute = self.number(2)? as i32;
                }
            }
            Field::ZoneMinute => found.zone_minute = self.number(2)? as i32,
            _ => {
                let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                let (name, rest) = self.rest.split_at(length);
                found.zone = Some(abbreviated_zone(name).ok_or_else(|| self.invalid(name))?);
                self.rest = rest;
            }
        }
        Ok(())
    }

    /// Years with few digits lie near 2020, as PostgreSQL has it.
    fn year(&mut self, digits: u32) -> SqlResult<i64> {
        let before = self.rest.len();
        let value = self.number(digits as usize)?;
        let read = before - self.rest.len();
        Ok(match (digits, read) {
            (4, _) => value,
            (_, 4..) => value,
            _ if value < 70 => value + 2000,
            _ if value < 100 => value + 1900,
            _ if value < 520 => value + 2000,
            _ if value < 1000 => value + 1000,
            _ => value,
        })
    }

    /// The digits of a fraction: `5` is a half.
    fn fraction(&mut self, digits: u32) -> SqlResult<i64> {
        let before = self.rest.len();
        let value = self.number(digits as usize)?;
        let read = (before - self.rest.len()) as u32;
        Ok(if read <= 6 { value * 10i64.pow(6 - read) } else { value / 10i64.pow(read - 6) })
    }

    /// A.M./P.M. or A.D./B.C.: true for the second.
    fn either(&mut self, first: &str, second: &str) -> SqlResult<bool> {
        let starts = |text: &str, letter: &str| {
            text.get(..1).is_some_and(|head| head.eq_ignore_ascii_case(letter))
        };
        let is_second = starts(self.rest, second);
        if !is_second && !starts(self.rest, first) {
            return self.word(&[], false).map(|_| false);
        }
        let length = if self.rest.get(1..2) == Some(".") { 4 } else { 2 };
        self.rest = self.rest.get(length..).unwrap_or("");
        Ok(is_second)
    }
}
