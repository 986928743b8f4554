//! Every recorded answer of PostgreSQL about text input, text output, binary output and errors is
//! ours too. `testdata/types/record.sh` records; a line is type, input, settings, answer.

use std::path::Path;
use types::{
    ByteaOutput, DateOrder, DateStyle, IntervalStyle, Settings, SqlError, SqlType, TimeZone,
    binary, text, type_by_name, typmod,
};

fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/types").join(file);
    let lines = std::fs::read_to_string(path).expect("recorded answers");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines.lines() {
        let fields: Vec<String> = line.split('\t').map(unescape).collect();
        let [type_name, input, settings, expected] = fields.as_slice() else {
            panic!("{file}: not four fields: {line}");
        };
        count += 1;
        let found = answer(type_name, input, &parse_settings(settings));
        if found != *expected {
            wrong.push(format!(
                "{type_name} {input:?} {settings}\n  PG: {expected:?}\n  us: {found:?}"
            ));
        }
    }
    assert!(count > 20, "{file} holds hardly any case");
    assert!(wrong.is_empty(), "{file}: {} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The escapes of COPY's text format.
fn unescape(field: &str) -> String {
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('b') => out.push('\x08'),
                Some('f') => out.push('\x0c'),
                Some('v') => out.push('\x0b'),
                Some(other) => out.push(other),
                None => {}
            },
            (plain, _) => out.push(plain),
        }
    }
    out
}

fn parse_settings(pairs: &str) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in pairs.split(';').filter_map(|pair| pair.split_once('=')) {
        match name {
            "timezone" => settings.time_zone = TimeZone::parse(value).expect("time zone"),
            "datestyle" => {
                let (style, order) = value.split_once(", ").expect("style and order");
                settings.date_style = match style {
                    "ISO" => DateStyle::Iso,
                    "SQL" => DateStyle::Sql,
                    "Postgres" => DateStyle::Postgres,
                    _ => DateStyle::German,
                };
                settings.date_order = match order {
                    "MDY" => DateOrder::Mdy,
                    "DMY" => DateOrder::Dmy,
                    _ => DateOrder::Ymd,
                };
            }
            "intervalstyle" => {
                settings.interval_style = match value {
                    "postgres_verbose" => IntervalStyle::PostgresVerbose,
                    "sql_standard" => IntervalStyle::SqlStandard,
                    "iso_8601" => IntervalStyle::Iso8601,
                    _ => IntervalStyle::Postgres,
                }
            }
            "extra_float_digits" => settings.extra_float_digits = value.parse().expect("number"),
            "bytea_output" => settings.bytea_output = ByteaOutput::Escape,
            other => panic!("unknown setting {other}"),
        }
    }
    settings
}

/// `numeric(5,2)`, `interval day to second(1)`, `varchar(2)[]`.
fn parse_type(name: &str) -> SqlType {
    if let Some(element) = name.strip_suffix("[]") {
        let element = parse_type(element);
        let array = types::array_of(element.oid).expect("array type");
        return SqlType::with_typmod(array, element.typmod);
    }
    let (bare, arguments) = match name.split_once('(') {
        Some((bare, rest)) => (
            bare,
            rest.trim_end_matches(')')
                .split(',')
                .map(|n| n.trim().parse().expect("number"))
                .collect(),
        ),
        None => (name, Vec::new()),
    };
    if let Some(fields) = bare.strip_prefix("interval") {
        return parse_interval_type(fields, arguments.first().copied());
    }
    let bare = match bare {
        "char" => "bpchar",
        "\"char\"" => "char",
        other => other,
    };
    let oid = type_by_name(bare).unwrap_or_else(|| panic!("type {bare}")).oid;
    SqlType::with_typmod(oid, typmod::encode(oid, &arguments).expect("modifier"))
}

fn parse_interval_type(fields: &str, precision: Option<i32>) -> SqlType {
    use types::datetime::interval::field;
    let bits = [
        ("year", field::YEAR),
        ("month", field::MONTH),
        ("day", field::DAY),
        ("hour", field::HOUR),
        ("minute", field::MINUTE),
        ("second", field::SECOND),
    ];
    let place = |word: &str| bits.iter().position(|(name, _)| *name == word).expect("field");
    let words: Vec<&str> = fields.split_whitespace().filter(|word| *word != "to").collect();
    let range = match words.as_slice() {
        [] => field::ALL,
        [only] => bits[place(only)].1,
        [first, .., last] => bits[place(first)..=place(last)].iter().map(|(_, bit)| bit).sum(),
    };
    if words.is_empty() && precision.is_none() {
        return SqlType::INTERVAL;
    }
    SqlType::with_typmod(types::oid::INTERVAL, typmod::encode_interval(range, precision))
}

fn answer(type_name: &str, input: &str, settings: &Settings) -> String {
    let ty = parse_type(type_name);
    match text::parse(ty, input, settings) {
        Ok(value) => {
            let mut sent = Vec::new();
            binary::encode(&value, ty, &mut sent);
            let hex: String = sent.iter().map(|byte| format!("{byte:02x}")).collect();
            let back = binary::decode(ty, &sent).expect("our own binary form is valid");
            assert_eq!(back, value, "{type_name} {input:?} survives its binary form");
            format!("ok\t{}\t{hex}", text::to_string(&value, ty, settings))
        }
        Err(error) => show(&error),
    }
}

fn show(error: &SqlError) -> String {
    let mut out = format!("{}\t{}", error.code, error.message);
    if let Some(detail) = &error.detail {
        out.push_str(&format!("\tDETAIL: {detail}"));
    }
    if let Some(hint) = &error.hint {
        out.push_str(&format!("\tHINT: {hint}"));
    }
    out
}

macro_rules! recorded {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(concat!(stringify!($name), ".txt"));
        })*
    };
}

recorded!(array bool bytea date float int interval json numeric string time timestamp uuid);
