//! The words of date, time and interval text.

/// A word of date or time text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateWord {
    Ad,
    Bc,
    Am,
    Pm,
    Month(i32),
    Weekday,
    /// `at`, `on`: say nothing.
    Ignored,
    /// `dst`: the zone before it is meant in summer.
    DaylightModifier,
    /// `t`: an ISO time follows.
    IsoTime,
    /// `j`, `jd`, `julian`: a Julian day follows.
    Julian,
    /// `y`, `m`, `d`, `h`, `mm`, `s` in front of a number.
    Unit(Unit),
    Now,
    Today,
    Tomorrow,
    Yesterday,
    AllBalls,
    Epoch,
    Infinity,
    NegInfinity,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
}

/// Words are told apart by their first ten letters.
const WORD_LENGTH: usize = 10;

fn cut(word: &str) -> &str {
    word.get(..WORD_LENGTH).unwrap_or(word)
}

/// Whether letters mean something in date text.
pub(super) fn is_date_word(word: &str) -> bool {
    date_word(word).is_some() || matches!(cut(word), "dow" | "doy" | "isodow" | "isoyear")
}

/// The meaning of a word in lower case.
pub(super) fn date_word(word: &str) -> Option<DateWord> {
    Some(match cut(word) {
        "ad" => DateWord::Ad,
        "bc" => DateWord::Bc,
        "am" => DateWord::Am,
        "pm" => DateWord::Pm,
        "jan" | "january" => DateWord::Month(1),
        "feb" | "february" => DateWord::Month(2),
        "mar" | "march" => DateWord::Month(3),
        "apr" | "april" => DateWord::Month(4),
        "may" => DateWord::Month(5),
        "jun" | "june" => DateWord::Month(6),
        "jul" | "july" => DateWord::Month(7),
        "aug" | "august" => DateWord::Month(8),
        "sep" | "sept" | "september" => DateWord::Month(9),
        "oct" | "october" => DateWord::Month(10),
        "nov" | "november" => DateWord::Month(11),
        "dec" | "december" => DateWord::Month(12),
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds"
        | "wednesday" | "thu" | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat"
        | "saturday" => DateWord::Weekday,
        "at" | "on" => DateWord::Ignored,
        "dst" => DateWord::DaylightModifier,
        "t" => DateWord::IsoTime,
        "j" | "jd" | "julian" => DateWord::Julian,
        "y" => DateWord::Unit(Unit::Year),
        "m" => DateWord::Unit(Unit::Month),
        "d" => DateWord::Unit(Unit::Day),
        "h" => DateWord::Unit(Unit::Hour),
        "mm" => DateWord::Unit(Unit::Minute),
        "s" => DateWord::Unit(Unit::Second),
        "now" => DateWord::Now,
        "today" => DateWord::Today,
        "tomorrow" => DateWord::Tomorrow,
        "yesterday" => DateWord::Yesterday,
        "allballs" => DateWord::AllBalls,
        "epoch" => DateWord::Epoch,
        "infinity" => DateWord::Infinity,
        "-infinity" => DateWord::NegInfinity,
        _ => return None,
    })
}

/// The unit that a word of interval text names, in lower case.
pub(crate) fn unit(word: &str) -> Option<Unit> {
    Some(match cut(word) {
        "us" | "usec" | "usecond" | "useconds" | "usecs" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecond" | "mseconds" | "msecs" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "second" | "seconds" | "secs" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hour" | "hours" | "hr" | "hrs" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "year" | "years" | "yr" | "yrs" => Unit::Year,
        "dec" | "decade" | "decades" | "decs" => Unit::Decade,
        "c" | "cent" | "centuries" | "century" => Unit::Century,
        "mil" | "millennia" | "millennium" | "mils" => Unit::Millennium,
        _ => return None,
    })
}
