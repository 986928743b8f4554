//! Cuts a template into fields and literal text.

/// What a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    YearComma,
    /// The last so many digits of the year.
    Year(u32),
    IsoYear(u32),
    Hour24,
    Hour12,
    Minute,
    Second,
    /// Digits of the fraction of a second.
    Fraction(u32),
    SecondOfDay,
    /// `AM`, `PM`, with points or without.
    Meridian {
        points: bool,
    },
    /// `AD`, `BC`.
    Era {
        points: bool,
    },
    MonthName,
    MonthShort,
    Month,
    MonthRoman,
    DayName,
    DayShort,
    DayOfYear,
    IsoDayOfYear,
    Day,
    DayOfWeek,
    IsoDayOfWeek,
    Week,
    IsoWeek,
    WeekOfMonth,
    Century,
    Julian,
    Quarter,
    ZoneName,
    ZoneHour,
    ZoneMinute,
    ZoneOffset,
}

/// How letters of a field are printed; the template's own case says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Title,
    Lower,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Field {
        field: Field,
        case: Case,
        /// `FM`: no padding.
        fill: bool,
        /// `TH` or `th` behind it.
        ordinal: Option<Case>,
        /// The field as the template writes it, for messages.
        name: String,
    },
    /// Text in double quotes or an escaped character.
    Literal(char),
    /// Anything else that is not a field.
    Separator(char),
}

/// Longer names first where one starts another. Names with several spellings have their case from
/// the template.
const FIELDS: &[(&str, Field)] = &[
    ("Y,YYY", Field::YearComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("I", Field::IsoYear(1)),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("MI", Field::Minute),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("MS", Field::Fraction(3)),
    ("US", Field::Fraction(6)),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("A.M.", Field::Meridian { points: true }),
    ("P.M.", Field::Meridian { points: true }),
    ("AM", Field::Meridian { points: false }),
    ("PM", Field::Meridian { points: false }),
    ("A.D.", Field::Era { points: true }),
    ("B.C.", Field::Era { points: true }),
    ("AD", Field::Era { points: false }),
    ("BC", Field::Era { points: false }),
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthShort),
    ("MM", Field::Month),
    ("RM", Field::MonthRoman),
    ("DAY", Field::DayName),
    ("DY", Field::DayShort),
    ("DDD", Field::DayOfYear),
    ("DD", Field::Day),
    ("D", Field::DayOfWeek),
    ("WW", Field::Week),
    ("W", Field::WeekOfMonth),
    ("CC", Field::Century),
    ("J", Field::Julian),
    ("Q", Field::Quarter),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("TZ", Field::ZoneName),
    ("OF", Field::ZoneOffset),
];

/// Cuts the template.
pub(super) fn tokenize(template: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = template;
    let mut fill = false;
    while let Some(c) = rest.chars().next() {
        if starts_with(rest, "FM") {
            fill = true;
            rest = &rest[2..];
        } else if starts_with(rest, "FX") || starts_with(rest, "TM") {
            rest = &rest[2..];
        } else if let Some((name, field)) = field_at(rest) {
            let (case, name) = (case_of(&rest[..name.len()]), rest[..name.len()].to_owned());
            rest = &rest[name.len()..];
            let ordinal = starts_with(rest, "TH").then(|| case_of(&rest[..2]));
            if ordinal.is_some() {
                rest = &rest[2..];
            }
            tokens.push(Token::Field { field, case, fill, ordinal, name });
            fill = false;
        } else if c == '"' {
            rest = quoted(&rest[1..], &mut tokens);
        } else if c == '\\' && rest[1..].starts_with('"') {
            tokens.push(Token::Literal('"'));
            rest = &rest[2..];
        } else {
            tokens.push(Token::Separator(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    tokens
}

fn starts_with(text: &str, name: &str) -> bool {
    text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
}

fn field_at(text: &str) -> Option<(&'static str, Field)> {
    FIELDS.iter().find(|(name, _)| starts_with(text, name)).copied()
}

fn case_of(written: &str) -> Case {
    let mut letters = written.chars().filter(char::is_ascii_alphabetic);
    match (letters.next(), letters.next()) {
        (Some(first), Some(second))
            if first.is_ascii_uppercase() && second.is_ascii_lowercase() =>
        {
            Case::Title
        }
        (Some(first), _) if first.is_ascii_lowercase() => Case::Lower,
        _ => Case::Upper,
    }
}

/// Takes literal text up to the closing quote; says what follows.
fn quoted<'a>(text: &'a str, tokens: &mut Vec<Token>) -> &'a str {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return &text[at + 1..],
            '\\' => tokens.extend(chars.next().map(|(_, escaped)| Token::Literal(escaped))),
            plain => tokens.push(Token::Literal(plain)),
        }
    }
    ""
}
