//! `~` and the `regexp_*` functions.

use super::regex_translate::{Flags, invalid, translate};
use crate::functions::native::{int4_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function, Operator, SetRows};
use regex::{Captures, Regex, RegexBuilder};
use std::cell::RefCell;
use std::sync::Arc;
use types::oid::*;
use types::{Array, Datum, SqlError, SqlResult, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// Compiled patterns that each thread keeps: a query uses few of them, many times.
const CACHE_SIZE: usize = 32;
/// Memory that one compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 10 << 20;

type Cache = Vec<(String, Flags, Regex)>;

thread_local! {
    static COMPILED: RefCell<Cache> = const { RefCell::new(Vec::new()) };
}

fn compile(pattern: &str, flags: Flags) -> SqlResult<Regex> {
    let cached = COMPILED.with_borrow_mut(|cache| {
        let at = cache.iter().position(|entry| entry.1 == flags && entry.0 == pattern)?;
        let entry = cache.remove(at);
        let regex = entry.2.clone();
        cache.push(entry);
        Some(regex)
    });
    if let Some(regex) = cached {
        return Ok(regex);
    }
    let mut effective = flags;
    let translated = translate(pattern, &mut effective)?;
    let regex = RegexBuilder::new(&translated)
        .case_insensitive(effective.case_insensitive)
        .dot_matches_new_line(!effective.newline_stops)
        .multi_line(effective.line_anchors)
        .ignore_whitespace(effective.expanded)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| complaint(&error))?;
    COMPILED.with_borrow_mut(|cache| {
        if cache.len() == CACHE_SIZE {
            cache.remove(0);
        }
        cache.push((pattern.to_owned(), flags, regex.clone()));
    });
    Ok(regex)
}

/// The other engine's complaint in PostgreSQL's words, as far as they can be told apart.
fn complaint(error: &regex::Error) -> SqlError {
    let text = error.to_string();
    let has = |part: &str| text.contains(part);
    invalid(if has("unclosed group") || has("unopened group") {
        "parentheses () not balanced"
    } else if has("unclosed character class") {
        "brackets [] not balanced"
    } else if has("repetition operator missing expression") || has("repetition quantifier expects")
    {
        "quantifier operand invalid"
    } else if has("invalid repetition count range") || has("decimal literal") {
        "invalid repetition count(s)"
    } else if has("invalid character class range") {
        "invalid character range"
    } else if has("size limit") {
        "regular expression is too complex"
    } else {
        "invalid escape \\ sequence"
    })
}

fn is_match(args: Args<'_>, case_insensitive: bool) -> SqlResult<bool> {
    let flags = Flags { case_insensitive, ..Flags::default() };
    Ok(compile(text_of(&args[1])?, flags)?.is_match(text_of(&args[0])?))
}

fn matches(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(is_match(args, false)?))
}

fn not_matches(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(!is_match(args, false)?))
}

fn matches_any_case(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(is_match(args, true)?))
}

fn not_matches_any_case(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(!is_match(args, true)?))
}

fn flags_at(args: Args<'_>, at: usize) -> SqlResult<Flags> {
    args.get(at).map_or(Ok(Flags::default()), |flags| Flags::parse(text_of(flags)?))
}

/// `substring(text from pattern)`: the first group, or the whole match.
fn substring(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let regex = compile(text_of(&args[1])?, Flags::default())?;
    let Some(found) = regex.captures(text_of(&args[0])?) else { return Ok(Datum::Null) };
    Ok(group(&found, usize::from(found.len() > 1)))
}

fn group(found: &Captures<'_>, at: usize) -> Datum {
    found.get(at).map_or(Datum::Null, |part| Datum::Text(part.as_str().into()))
}

/// `regexp_replace(text, pattern, replacement [, flags])`.
fn replace(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let flags = match args.get(3) {
        // A digit would be the start of the longer form.
        Some(flags) => Flags::parse(text_of(flags)?)?,
        None => Flags::default(),
    };
    let occurrence = if flags.global { 0 } else { 1 };
    replace_occurrence(
        text_of(&args[0])?,
        text_of(&args[1])?,
        text_of(&args[2])?,
        1,
        occurrence,
        flags,
    )
}

/// `regexp_replace(text, pattern, replacement, start [, N [, flags]])`.
fn replace_from(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let start = positive("start", int4_of(&args[3])?)?;
    let flags = flags_at(args, 5)?;
    let occurrence = match args.get(4) {
        Some(n) => {
            let n = int4_of(n)?;
            if n < 0 {
                return Err(parameter_problem("n", n));
            }
            n
        }
        None if flags.global => 0,
        None => 1,
    };
    replace_occurrence(
        text_of(&args[0])?,
        text_of(&args[1])?,
        text_of(&args[2])?,
        start,
        occurrence,
        Flags { global: false, ..flags },
    )
}

/// `occurrence` 0 replaces all.
fn replace_occurrence(
    text: &str,
    pattern: &str,
    replacement: &str,
    start: i32,
    occurrence: i32,
    flags: Flags,
) -> SqlResult<Datum> {
    let regex = compile(pattern, Flags { global: false, ..flags })?;
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    let from = byte_at(text, start);
    for (at, found) in captures_from(&regex, text, from).enumerate() {
        if occurrence > 0 && at as i32 + 1 != occurrence {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[kept..whole.start()]);
        expand(replacement, &found, &mut out);
        kept = whole.end();
        if occurrence > 0 {
            break;
        }
    }
    out.push_str(&text[kept..]);
    text_result(out)
}

/// Byte position of a character counted from 1.
fn byte_at(text: &str, start: i32) -> usize {
    text.char_indices().nth(start.max(1) as usize - 1).map_or(text.len(), |(at, _)| at)
}

/// All matches from a byte position on, with what stands before it still visible to anchors.
fn captures_from<'t>(
    regex: &Regex,
    text: &'t str,
    from: usize,
) -> impl Iterator<Item = Captures<'t>> {
    let regex = regex.clone();
    let mut at = Some(from);
    std::iter::from_fn(move || {
        let found = regex.captures_at(text, at?)?;
        let whole = found.get(0)?;
        at = if whole.is_empty() {
            // An empty match moves on by one character.
            text[whole.end()..].chars().next().map(|c| whole.end() + c.len_utf8())
        } else {
            Some(whole.end())
        };
        Some(found)
    })
}

/// `\1` to `\9`, `\&` and `\\` of a replacement.
fn expand(replacement: &str, found: &Captures<'_>, out: &mut String) {
    let mut chars = replacement.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        match chars.next() {
            Some(digit @ '1'..='9') => out.push_str(part(digit as usize - '0' as usize)),
            Some('&') => out.push_str(part(0)),
            Some('\\') | None => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
}

/// The groups of a match as an array; the whole match when there are no groups.
fn groups(found: &Captures<'_>) -> Datum {
    let from = usize::from(found.len() > 1);
    let values = (from..found.len()).map(|at| group(found, at)).collect();
    Datum::Array(Arc::new(Array::one_dimensional(TEXT, values)))
}

fn no_global(function: &str) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        format!("{function}() does not support the \"global\" option"),
    )
}

/// `regexp_match(text, pattern [, flags])`.
fn first_match(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let flags = flags_at(args, 2)?;
    if flags.global {
        return Err(no_global("regexp_match").with_hint("Use the regexp_matches function instead."));
    }
    let regex = compile(text_of(&args[1])?, flags)?;
    Ok(regex.captures(text_of(&args[0])?).map_or(Datum::Null, |found| groups(&found)))
}

/// `regexp_matches(text, pattern [, flags])`.
fn all_matches(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<SetRows> {
    let flags = flags_at(args, 2)?;
    let regex = compile(text_of(&args[1])?, Flags { global: false, ..flags })?;
    let limit = if flags.global { usize::MAX } else { 1 };
    let rows: Vec<_> = captures_from(&regex, text_of(&args[0])?, 0)
        .take(limit)
        .map(|found| Ok(vec![groups(&found)]))
        .collect();
    Ok(Box::new(rows.into_iter()))
}

/// The pieces between matches; empty matches at the ends and beside others cut nothing.
fn split(args: Args<'_>) -> SqlResult<Vec<Datum>> {
    let flags = flags_at(args, 2)?;
    if flags.global {
        return Err(no_global("regexp_split_to_table"));
    }
    let text = text_of(&args[0])?;
    let regex = compile(text_of(&args[1])?, flags)?;
    let mut pieces = Vec::new();
    let mut kept = 0;
    for found in regex.find_iter(text) {
        if found.is_empty() && (found.start() == kept || found.start() == text.len()) {
            continue;
        }
        pieces.push(Datum::Text(text[kept..found.start()].into()));
        kept = found.end();
    }
    pieces.push(Datum::Text(text[kept..].into()));
    Ok(pieces)
}

fn split_to_array(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Array(Arc::new(Array::one_dimensional(TEXT, split(args)?))))
}

fn split_to_table(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<SetRows> {
    Ok(Box::new(split(args)?.into_iter().map(|piece| Ok(vec![piece]))))
}

fn parameter_problem(name: &str, value: i32) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_PARAMETER_VALUE,
        format!("invalid value for parameter \"{name}\": {value}"),
    )
}

fn positive(name: &str, value: i32) -> SqlResult<i32> {
    if value > 0 { Ok(value) } else { Err(parameter_problem(name, value)) }
}

/// `regexp_count(text, pattern [, start [, flags]])`.
fn count(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let start = positive("start", args.get(2).map_or(Ok(1), int4_of)?)?;
    let flags = flags_at(args, 3)?;
    if flags.global {
        return Err(no_global("regexp_count"));
    }
    let regex = compile(text_of(&args[1])?, flags)?;
    let text = text_of(&args[0])?;
    Ok(Datum::Int4(captures_from(&regex, text, byte_at(text, start)).count() as i32))
}

/// `regexp_like(text, pattern [, flags])`.
fn like(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let flags = flags_at(args, 2)?;
    if flags.global {
        return Err(no_global("regexp_like"));
    }
    Ok(Datum::Bool(compile(text_of(&args[1])?, flags)?.is_match(text_of(&args[0])?)))
}

/// `regexp_substr(text, pattern [, start [, N [, flags [, subexpression]]]])`.
fn substr(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let start = positive("start", args.get(2).map_or(Ok(1), int4_of)?)?;
    let occurrence = positive("n", args.get(3).map_or(Ok(1), int4_of)?)?;
    let flags = flags_at(args, 4)?;
    if flags.global {
        return Err(no_global("regexp_substr"));
    }
    let part = args.get(5).map_or(Ok(0), int4_of)?;
    if part < 0 {
        return Err(parameter_problem("subexpr", part));
    }
    let regex = compile(text_of(&args[1])?, flags)?;
    let text = text_of(&args[0])?;
    let found = captures_from(&regex, text, byte_at(text, start)).nth(occurrence as usize - 1);
    Ok(found.map_or(Datum::Null, |found| group(&found, part as usize)))
}

/// `similar_to_escape(pattern [, escape])`: a SIMILAR TO pattern as a regular expression.
fn similar_to_escape(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let pattern = text_of(&args[0])?;
    let escape = match args.get(1) {
        None => Some('\\'),
        Some(escape) => {
            let escape = text_of(escape)?;
            if escape.chars().count() > 1 {
                return Err(SqlError::new(
                    sqlstate::INVALID_ESCAPE_SEQUENCE,
                    "invalid escape string",
                )
                .with_hint("Escape string must be empty or one character."));
            }
            escape.chars().next()
        }
    };
    let mut out = String::from("^(?:");
    let mut chars = pattern.chars();
    let mut in_bracket = false;
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            if let Some(literal) = chars.next() {
                out.push('\\');
                out.push(literal);
            }
            continue;
        }
        match c {
            ']' => in_bracket = false,
            '[' => in_bracket = true,
            _ => {}
        }
        match c {
            '%' if !in_bracket => out.push_str(".*"),
            '_' if !in_bracket => out.push('.'),
            '(' if !in_bracket => out.push_str("(?:"),
            '\\' | '.' | '^' | '$' if !in_bracket => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push_str(")$");
    text_result(out)
}

const TT: &[Oid] = &[TEXT, TEXT];
const TTT: &[Oid] = &[TEXT, TEXT, TEXT];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("substring", TT, TEXT, substring),
    Function::new("regexp_replace", TTT, TEXT, replace),
    Function::new("regexp_replace", &[TEXT, TEXT, TEXT, TEXT], TEXT, replace),
    Function::new("regexp_replace", &[TEXT, TEXT, TEXT, INT4], TEXT, replace_from),
    Function::new("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4], TEXT, replace_from),
    Function::new("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4, TEXT], TEXT, replace_from),
    Function::new("regexp_match", TT, TEXT_ARRAY, first_match),
    Function::new("regexp_match", TTT, TEXT_ARRAY, first_match),
    Function::set("regexp_matches", TT, TEXT_ARRAY, all_matches),
    Function::set("regexp_matches", TTT, TEXT_ARRAY, all_matches),
    Function::new("regexp_split_to_array", TT, TEXT_ARRAY, split_to_array),
    Function::new("regexp_split_to_array", TTT, TEXT_ARRAY, split_to_array),
    Function::set("regexp_split_to_table", TT, TEXT, split_to_table),
    Function::set("regexp_split_to_table", TTT, TEXT, split_to_table),
    Function::new("regexp_count", TT, INT4, count),
    Function::new("regexp_count", &[TEXT, TEXT, INT4], INT4, count),
    Function::new("regexp_count", &[TEXT, TEXT, INT4, TEXT], INT4, count),
    Function::new("regexp_like", TT, BOOL, like),
    Function::new("regexp_like", TTT, BOOL, like),
    Function::new("regexp_substr", TT, TEXT, substr),
    Function::new("regexp_substr", &[TEXT, TEXT, INT4], TEXT, substr),
    Function::new("regexp_substr", &[TEXT, TEXT, INT4, INT4], TEXT, substr),
    Function::new("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT], TEXT, substr),
    Function::new("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT, INT4], TEXT, substr),
    Function::new("similar_to_escape", &[TEXT], TEXT, similar_to_escape),
    Function::new("similar_to_escape", TT, TEXT, similar_to_escape),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::test("~", TEXT, TEXT, matches),
    Operator::test("~", BPCHAR, TEXT, matches),
    Operator::test("~", NAME, TEXT, matches),
    Operator::test("!~", TEXT, TEXT, not_matches),
    Operator::test("!~", BPCHAR, TEXT, not_matches),
    Operator::test("!~", NAME, TEXT, not_matches),
    Operator::test("~*", TEXT, TEXT, matches_any_case),
    Operator::test("~*", BPCHAR, TEXT, matches_any_case),
    Operator::test("~*", NAME, TEXT, matches_any_case),
    Operator::test("!~*", TEXT, TEXT, not_matches_any_case),
    Operator::test("!~*", BPCHAR, TEXT, not_matches_any_case),
    Operator::test("!~*", NAME, TEXT, not_matches_any_case),
];
