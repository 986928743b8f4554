//! Functions, operators and aggregates answer as PostgreSQL did when `testdata/functions/record.sh`
//! asked it. A line is kind, name, arguments, settings, answer.

use sql::functions::{self, EvalContext, Function, NoEnv};
use std::path::Path;
use types::oid::*;
use types::{Datum, Settings, SqlError, SqlType, TimeZone, text};

fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/functions").join(file);
    let lines = std::fs::read_to_string(path).expect("recorded answers");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines.lines() {
        let fields: Vec<String> = line.split('\t').map(unescape).collect();
        let [kind, name, args, settings, expected] = fields.as_slice() else {
            panic!("{file}: not five fields: {line}");
        };
        count += 1;
        let found = answer(kind, name, args, &parse_settings(settings));
        if found != *expected && !near(&found, expected) {
            wrong.push(format!(
                "{kind} {name} {args} {settings}\n  PG: {expected:?}\n  us: {found:?}"
            ));
        }
    }
    assert!(count > 100, "{file} holds hardly any case");
    assert!(wrong.is_empty(), "{file}: {} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Transcendental functions of doubles may differ in the last digit between C libraries.
fn near(found: &str, expected: &str) -> bool {
    within(found, expected, 1e-15)
}

fn within(found: &str, expected: &str, tolerance: f64) -> bool {
    let number = |answer: &str| {
        answer.strip_prefix("ok\tdouble precision\t").and_then(|text| text.parse::<f64>().ok())
    };
    match (number(found), number(expected)) {
        (Some(a), Some(b)) => (a - b).abs() <= b.abs() * tolerance,
        _ => false,
    }
}

/// The escapes of COPY's text format.
fn unescape(field: &str) -> String {
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn parse_settings(pairs: &str) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in pairs.split(';').filter_map(|pair| pair.split_once('=')) {
        assert_eq!(name, "timezone");
        settings.time_zone = TimeZone::parse(value).expect("time zone");
    }
    settings
}

/// `type:value`, or `type` alone for NULL.
fn parse_arg(arg: &str, settings: &Settings) -> Result<(SqlType, Datum), SqlError> {
    let (name, value) = match arg.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (arg, None),
    };
    let ty = match name.strip_suffix("[]") {
        Some(element) => SqlType::new(
            types::array_of(types::type_by_name(element).expect(element).oid).expect("array"),
        ),
        None => SqlType::new(types::type_by_name(name).expect(name).oid),
    };
    let datum = value.map_or(Ok(Datum::Null), |value| text::parse(ty, value, settings))?;
    Ok((ty, datum))
}

/// Whether a declared type takes an actual one, and how well (lower is better).
fn fit(declared: Oid, actual: SqlType) -> Option<u32> {
    let is_array = types::element_of(actual.oid).is_some();
    match declared {
        declared if declared == actual.oid => Some(0),
        ANYARRAY | ANYCOMPATIBLEARRAY => is_array.then_some(1),
        ANYELEMENT | ANYCOMPATIBLE => Some(2),
        ANYNONARRAY => (!is_array).then_some(2),
        ANY => Some(3),
        TEXT if matches!(actual.oid, BPCHAR | NAME) => Some(4),
        _ => None,
    }
}

fn fit_all(declared: &[Oid], variadic: bool, actual: &[SqlType]) -> Option<u32> {
    let enough =
        if variadic { actual.len() >= declared.len() } else { actual.len() == declared.len() };
    if !enough {
        return None;
    }
    actual
        .iter()
        .enumerate()
        .map(|(at, actual)| fit(declared[at.min(declared.len() - 1)], *actual))
        .sum()
}

/// The type of a polymorphic result.
fn resolve(returns: Oid, actual: &[SqlType]) -> Oid {
    let array = actual.iter().map(|ty| ty.oid).find(|&oid| types::element_of(oid).is_some());
    let element = array.and_then(types::element_of).or(actual.first().map(|ty| ty.oid));
    match returns {
        ANYARRAY | ANYCOMPATIBLEARRAY => array.or(element.and_then(types::array_of)).unwrap_or(0),
        ANYELEMENT | ANYCOMPATIBLE => element.unwrap_or(0),
        other => other,
    }
}

fn answer(kind: &str, name: &str, args: &str, settings: &Settings) -> String {
    match try_answer(kind, name, args, settings) {
        Ok(answer) => answer,
        Err(error) => format!("{}\t{}", error.code, error.message),
    }
}

fn try_answer(kind: &str, name: &str, args: &str, settings: &Settings) -> Result<String, SqlError> {
    let Datum::Array(list) = text::parse(SqlType::new(TEXT_ARRAY), args, settings)? else {
        panic!("arguments {args}");
    };
    let parsed = list
        .values
        .iter()
        .map(|arg| match arg {
            Datum::Text(arg) => parse_arg(arg, settings),
            other => panic!("argument {other:?}"),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (actual, values): (Vec<SqlType>, Vec<Datum>) = parsed.into_iter().unzip();
    let context = EvalContext::new(settings, &NoEnv);
    let show = |oid: Oid, value: &Datum| {
        let shown = match value {
            Datum::Null => "\\N".to_owned(),
            value => text::to_string(value, SqlType::new(oid), settings),
        };
        let shown_type = if oid == BPCHAR { "character".to_owned() } else { types::sql_name(oid) };
        format!("ok\t{shown_type}\t{shown}")
    };
    if kind == "o" {
        let operator = functions::operators(name)
            .iter()
            .filter_map(|operator| {
                let declared = [operator.left, operator.right];
                let declared = if operator.left == 0 { &declared[1..] } else { &declared[..] };
                Some((fit_all(declared, false, &actual)?, operator))
            })
            .min_by_key(|(fit, _)| *fit)
            .unwrap_or_else(|| panic!("no operator {name} for {args}"))
            .1;
        let returns = resolve(operator.returns, &actual);
        let value = operator.eval(&values, &context.typed(&actual, SqlType::new(returns)))?;
        return Ok(show(returns, &value));
    }
    if kind == "c" {
        let to = parse_type(name);
        let value = types::cast::cast(values[0].clone(), actual[0], to, true, settings)?;
        let exists = types::cast::context(actual[0].oid, to.oid).is_some();
        assert!(exists, "no cast from {args} to {name}");
        return Ok(show(to.oid, &value));
    }
    if kind == "a" {
        return aggregate(name, &actual[0], &values[0], settings, show);
    }
    let function = find(name, &actual, args);
    let returns = resolve(function.returns, &actual);
    let context = context.typed(&actual, SqlType::new(returns));
    if kind == "s" {
        let rows = function.eval_set(&values, &context)?;
        let mut shown = Vec::new();
        for row in rows {
            let row = row?;
            shown.push(match row.as_slice() {
                [only] => text::to_string(only, SqlType::new(returns), settings),
                several => text::to_string(
                    &Datum::Record(several.to_vec().into()),
                    SqlType::RECORD,
                    settings,
                ),
            });
        }
        let kind_of =
            if shown.is_empty() { String::new() } else { types::format_type(returns, -1) };
        return Ok(format!("ok\t{kind_of}\t{}", shown.join("|")));
    }
    let value = function.eval(&values, &context)?;
    Ok(show(returns, &value))
}

/// `numeric(5,2)`.
fn parse_type(name: &str) -> SqlType {
    let (bare, arguments) = match name.split_once('(') {
        Some((bare, rest)) => {
            let numbers = rest.trim_end_matches(')').split(',');
            (bare, numbers.map(|n| n.trim().parse().expect("number")).collect())
        }
        None => (name, Vec::new()),
    };
    let array = bare.strip_suffix("[]");
    let info = types::type_by_name(array.unwrap_or(bare)).unwrap_or_else(|| panic!("type {bare}"));
    let typmod = types::typmod::encode(info.oid, &arguments).expect("modifier");
    let oid = if array.is_some() { info.array_oid } else { info.oid };
    SqlType::with_typmod(oid, typmod)
}

fn find(name: &str, actual: &[SqlType], args: &str) -> &'static Function {
    functions::lookup(name)
        .iter()
        .filter_map(|function| {
            Some((fit_all(function.args, function.variadic, actual)?, *function))
        })
        .min_by_key(|(fit, _)| *fit)
        .unwrap_or_else(|| panic!("no function {name} for {args}"))
        .1
}

/// Computed in one go, and again in two halves that are merged; both must agree.
fn aggregate(
    name: &str,
    array: &SqlType,
    values: &Datum,
    settings: &Settings,
    show: impl Fn(Oid, &Datum) -> String,
) -> Result<String, SqlError> {
    let element = SqlType::new(types::element_of(array.oid).expect("array"));
    let found = functions::aggregates(name)
        .iter()
        .filter_map(|aggregate| Some((fit_all(aggregate.args, false, &[element])?, *aggregate)))
        .min_by_key(|(fit, _)| *fit)
        .unwrap_or_else(|| panic!("no aggregate {name}"))
        .1;
    let returns = match found.returns {
        ANYARRAY => types::array_of(element.oid).expect("array"),
        other => other,
    };
    let actual = [element];
    let context = EvalContext::new(settings, &NoEnv).typed(&actual, SqlType::new(returns));
    let Datum::Array(list) = values else { panic!("no array") };
    let rows: Vec<&Datum> =
        list.values.iter().filter(|value| !found.strict || !matches!(value, Datum::Null)).collect();
    let run = |rows: &[&Datum]| {
        let mut state = (found.state)();
        rows.iter().try_for_each(|row| state.update(std::slice::from_ref(*row), &context))?;
        Ok::<_, SqlError>(state)
    };
    let whole = run(&rows)?.finish(&context)?;
    if found.splittable {
        let (front, back) = rows.split_at(rows.len() / 2);
        let mut merged = (found.state)();
        for half in [front, back] {
            let mut encoded = Vec::new();
            run(half)?.encode(&mut encoded);
            merged.merge(&encoded)?;
        }
        let merged = merged.finish(&context)?;
        let (a, b) = (show(returns, &whole), show(returns, &merged));
        assert!(a == b || within(&a, &b, 1e-13), "{name} in halves: {a} and {b}");
    }
    Ok(show(returns, &whole))
}

macro_rules! recorded {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(concat!(stringify!($name), ".txt"));
        })*
    };
}

recorded!(arrays casts datetime json math operators text to_char);
