//! The proleptic Gregorian calendar. Years are astronomical: 0 is 1 BC.

/// Days between 1970-01-01 and 2000-01-01, PostgreSQL's epoch.
pub(crate) const EPOCH_DAYS: i64 = 10_957;
/// Julian day of 2000-01-01.
pub(crate) const EPOCH_JULIAN: i64 = 2_451_545;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(crate) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(crate) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// A calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: i32,
    pub day: i32,
}

/// Days since 2000-01-01 of a date; month and day must be valid.
pub fn days_of(date: Civil) -> i64 {
    let year = if date.month <= 2 { date.year - 1 } else { date.year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((date.month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(date.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 - EPOCH_DAYS
}

/// The date of a day number since 2000-01-01.
pub fn civil_of(days: i64) -> Civil {
    let shifted = days + EPOCH_DAYS + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as i32;
    let month = ((month_from_march + 2) % 12 + 1) as i32;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Civil { year, month, day }
}

pub fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

pub fn days_in_month(year: i64, month: i32) -> i32 {
    match month {
        2 => 28 + i32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 1 for January 1st.
pub fn day_of_year(date: Civil) -> i64 {
    days_of(date) - days_of(Civil { year: date.year, month: 1, day: 1 }) + 1
}

/// 0 for Sunday.
pub fn day_of_week(days: i64) -> i64 {
    // 2000-01-01 was a Saturday.
    (days + 6).rem_euclid(7)
}

/// ISO 8601 week-numbering year and week of a day number.
pub fn iso_week(days: i64) -> (i64, i64) {
    let week_start = |year: i64| {
        let fourth = days_of(Civil { year, month: 1, day: 4 });
        fourth - (day_of_week(fourth) + 6) % 7
    };
    let mut year = civil_of(days).year;
    if days >= week_start(year + 1) {
        year += 1;
    } else if days < week_start(year) {
        year -= 1;
    }
    (year, (days - week_start(year)) / 7 + 1)
}

/// The Monday of an ISO week.
pub fn iso_week_start(year: i64, week: i64) -> i64 {
    let fourth = days_of(Civil { year, month: 1, day: 4 });
    fourth - (day_of_week(fourth) + 6) % 7 + (week - 1) * 7
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
