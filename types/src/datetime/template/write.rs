//! `to_char`.

use super::tokens::{Case, Field, Token, tokenize};
use crate::datetime::calendar::{
    Civil, EPOCH_JULIAN, MONTHS, WEEKDAYS, civil_of, day_of_week, day_of_year, iso_week,
    iso_week_start,
};
use crate::datetime::timestamp::split;
use crate::datetime::{Interval, zone};
use crate::{Settings, SqlError, SqlResult, sqlstate};

const ROMAN: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// What a template is filled with.
struct Moment {
    days: i64,
    date: Civil,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// Seconds east and abbreviation.
    zone: Option<(i32, String)>,
    interval: bool,
}

impl Moment {
    fn of_local(local: i64, zone: Option<(i32, String)>) -> Moment {
        let (days, clock) = split(local);
        let seconds = clock / 1_000_000;
        Moment {
            days,
            date: civil_of(days),
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: clock % 1_000_000,
            zone,
            interval: false,
        }
    }
}

/// A timestamp by a template.
pub fn to_char_timestamp(local: i64, template: &str) -> SqlResult<String> {
    fill(&Moment::of_local(local, None), template)
}

/// A timestamp with time zone by a template, in the session's zone.
pub fn to_char_timestamptz(utc: i64, template: &str, settings: &Settings) -> SqlResult<String> {
    let (seconds_east, abbreviation) = zone::offset_at(utc, &settings.time_zone);
    let local = utc.saturating_add(i64::from(seconds_east) * 1_000_000);
    fill(&Moment::of_local(local, Some((seconds_east, abbreviation))), template)
}

/// An interval by a template.
pub fn to_char_interval(span: Interval, template: &str) -> SqlResult<String> {
    let seconds = span.micros / 1_000_000;
    let moment = Moment {
        days: i64::from(span.months) * 30 + i64::from(span.days),
        date: Civil { year: i64::from(span.months / 12), month: span.months % 12, day: span.days },
        hour: seconds / 3600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        micros: span.micros % 1_000_000,
        zone: None,
        interval: true,
    };
    fill(&moment, template)
}

fn fill(moment: &Moment, template: &str) -> SqlResult<String> {
    let mut out = String::new();
    for token in tokenize(template) {
        match token {
            Token::Literal(c) | Token::Separator(c) => out.push(c),
            Token::Field { field, case, fill, ordinal, .. } => {
                let text = render(moment, field, case, fill)?;
                out.push_str(&text);
                if let Some(ordinal_case) = ordinal {
                    out.push_str(&ordinal_suffix(&text, ordinal_case));
                }
            }
        }
    }
    Ok(out)
}

/// st, nd, rd, th.
fn ordinal_suffix(number: &str, case: Case) -> String {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let teens = digits.len() > 1 && digits[digits.len() - 2] == b'1';
    let suffix = match digits.last() {
        Some(b'1') if !teens => "ST",
        Some(b'2') if !teens => "ND",
        Some(b'3') if !teens => "RD",
        _ => "TH",
    };
    if case == Case::Upper { suffix.to_owned() } else { suffix.to_ascii_lowercase() }
}

fn no_calendar() -> SqlError {
    SqlError::new(
        sqlstate::INVALID_DATETIME_FORMAT,
        "invalid format specification for an interval value",
    )
    .with_hint("Intervals are not tied to specific calendar dates.")
}

/// A number with at least so many digits, unless padding is off.
fn number(value: i64, width: usize, fill: bool) -> String {
    if fill {
        return value.to_string();
    }
    let width = if value < 0 { width + 1 } else { width };
    format!("{value:0width$}")
}

fn in_case(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Title => text.to_owned(),
    }
}

/// A name, padded with blanks to the length of the longest.
fn name(text: &str, case: Case, width: usize, fill: bool) -> String {
    let text = in_case(text, case);
    if fill { text } else { format!("{text:width$}") }
}

fn render(moment: &Moment, field: Field, case: Case, fill: bool) -> SqlResult<String> {
    Ok(match field {
        Field::Hour24 => number(moment.hour, 2, fill),
        Field::Hour12 => {
            let hour = moment.hour % 12;
            number(if hour == 0 { 12 } else { hour }, 2, fill)
        }
        Field::Minute => number(moment.minute, 2, fill),
        Field::Second => number(moment.second, 2, fill),
        Field::Fraction(digits) => {
            let value = moment.micros / 10i64.pow(6 - digits);
            number(value, digits as usize, false)
        }
        Field::SecondOfDay => (moment.hour * 3600 + moment.minute * 60 + moment.second).to_string(),
        Field::Meridian { points } => {
            let late = moment.hour.rem_euclid(24) >= 12;
            let word = match (late, points) {
                (true, true) => "P.M.",
                (true, false) => "PM",
                (false, true) => "A.M.",
                (false, false) => "AM",
            };
            in_case(word, case)
        }
        _ if moment.interval => return render_interval(moment, field, case, fill),
        Field::ZoneName | Field::ZoneHour | Field::ZoneMinute | Field::ZoneOffset => {
            render_zone(moment, field, case, fill)?
        }
        _ => render_date(moment, field, case, fill),
    })
}

fn render_interval(moment: &Moment, field: Field, case: Case, fill: bool) -> SqlResult<String> {
    let date = moment.date;
    // The day that the parts would name as a date; month and day may be zero there.
    let calendar_day = loose_julian(date) - EPOCH_JULIAN;
    Ok(match field {
        Field::YearComma => format!("{},{:03}", date.year / 1000, date.year % 1000),
        Field::Year(digits) => year(date.year, digits, fill),
        Field::Month => number(i64::from(date.month), 2, fill),
        Field::Day if fill => date.day.to_string(),
        Field::Day => format!("{:02}", date.day),
        Field::DayOfYear => number(moment.days, 3, fill),
        Field::Week => number((moment.days - 1) / 7 + 1, 2, fill),
        Field::WeekOfMonth => ((date.day - 1) / 7 + 1).to_string(),
        Field::IsoWeek => number(iso_week(calendar_day).1, 2, fill),
        Field::IsoDayOfYear => {
            let (year, _) = iso_week(calendar_day);
            number(calendar_day - iso_week_start(year, 1) + 1, 3, fill)
        }
        Field::IsoYear(digits) => year(iso_week(calendar_day).0, digits, fill),
        Field::Quarter if date.month == 0 => String::new(),
        Field::Quarter => number(i64::from((date.month - 1) / 3 + 1), 1, fill),
        Field::Century => number(date.year / 100, 2, fill),
        Field::Julian => (calendar_day + EPOCH_JULIAN).to_string(),
        Field::MonthRoman if date.month == 0 => String::new(),
        Field::MonthRoman => {
            let at = (date.month.rem_euclid(12) + 11) % 12;
            name(ROMAN[at as usize], case, 4, fill)
        }
        _ => return Err(no_calendar()),
    })
}

/// Julian day of a date whose month and day need not exist.
fn loose_julian(date: Civil) -> i64 {
    let month = i64::from(date.month);
    let (year, month) =
        if month > 2 { (date.year + 4800, month + 1) } else { (date.year + 4799, month + 13) };
    let century = year / 100;
    year * 365 - 32_167 + year / 4 - century
        + century / 4
        + 7834 * month / 256
        + i64::from(date.day)
}

fn render_zone(moment: &Moment, field: Field, case: Case, fill: bool) -> SqlResult<String> {
    let Some((seconds_east, abbreviation)) = &moment.zone else {
        return Ok(match field {
            Field::ZoneName => String::new(),
            Field::ZoneHour | Field::ZoneOffset => "+00".to_owned(),
            _ => "00".to_owned(),
        });
    };
    let sign = if *seconds_east < 0 { '-' } else { '+' };
    let seconds = seconds_east.unsigned_abs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Ok(match field {
        Field::ZoneName => in_case(abbreviation, case),
        Field::ZoneHour => format!("{sign}{hours:02}"),
        Field::ZoneMinute => format!("{minutes:02}"),
        _ => {
            let hours = number(i64::from(hours), 2, fill);
            let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
            format!("{sign}{hours}{minutes}")
        }
    })
}

/// Years before 1 count backward from 1 BC.
fn shown_year(year: i64) -> i64 {
    if year > 0 { year } else { 1 - year }
}

fn year(year: i64, digits: u32, fill: bool) -> String {
    match digits {
        4 => number(year, 4, fill),
        _ if fill => (year % 10i64.pow(digits)).to_string(),
        _ => format!("{:0width$}", year % 10i64.pow(digits), width = digits as usize),
    }
}

fn render_date(moment: &Moment, field: Field, case: Case, fill: bool) -> String {
    let date = moment.date;
    let days = moment.days;
    let month = (date.month - 1) as usize;
    let weekday = day_of_week(days);
    match field {
        Field::YearComma => {
            let shown = shown_year(date.year);
            format!("{},{:03}", shown / 1000, shown % 1000)
        }
        Field::Year(digits) => year(shown_year(date.year), digits, fill),
        Field::IsoYear(digits) => year(shown_year(iso_week(days).0), digits, fill),
        Field::Era { points } => {
            let word = match (date.year <= 0, points) {
                (true, true) => "B.C.",
                (true, false) => "BC",
                (false, true) => "A.D.",
                (false, false) => "AD",
            };
            in_case(word, case)
        }
        Field::MonthName => name(MONTHS[month], case, 9, fill),
        Field::MonthShort => in_case(&MONTHS[month][..3], case),
        Field::Month => number(i64::from(date.month), 2, fill),
        Field::MonthRoman => name(ROMAN[month], case, 4, fill),
        Field::DayName => name(WEEKDAYS[weekday as usize], case, 9, fill),
        Field::DayShort => in_case(&WEEKDAYS[weekday as usize][..3], case),
        Field::DayOfYear => number(day_of_year(date), 3, fill),
        Field::IsoDayOfYear => {
            let (year, _) = iso_week(days);
            number(days - iso_week_start(year, 1) + 1, 3, fill)
        }
        Field::Day => number(i64::from(date.day), 2, fill),
        Field::DayOfWeek => (weekday + 1).to_string(),
        Field::IsoDayOfWeek => ((weekday + 6) % 7 + 1).to_string(),
        Field::Week => number((day_of_year(date) - 1) / 7 + 1, 2, fill),
        Field::IsoWeek => number(iso_week(days).1, 2, fill),
        Field::WeekOfMonth => ((date.day - 1) / 7 + 1).to_string(),
        Field::Century => {
            let year = date.year;
            let century = if year > 0 { (year - 1) / 100 + 1 } else { year / 100 - 1 };
            number(century, 2, fill)
        }
        Field::Julian => (days + EPOCH_JULIAN).to_string(),
        Field::Quarter => (month / 3 + 1).to_string(),
        // Clock and zone were rendered before.
        _ => String::new(),
    }
}
