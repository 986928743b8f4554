//! No function, operator or aggregate panics, whatever values its types allow: an error at most.

use sql::functions::{self, Body, EvalContext, NoEnv};
use types::oid::*;
use types::{Datum, Settings, SqlType, text};

/// Values at the edges of a type.
fn pool(oid: Oid) -> Vec<Datum> {
    let inputs: &[&str] = match oid {
        BOOL => &["t", "f"],
        INT2 => &["0", "-1", "32767", "-32768"],
        INT4 => &["0", "1", "-1", "2147483647", "-2147483648"],
        INT8 => &["0", "1", "-1", "9223372036854775807", "-9223372036854775808"],
        FLOAT4 => &["0", "-1.5", "3e38", "NaN", "Infinity"],
        FLOAT8 => &["0", "-1.5", "1e308", "-1e-308", "NaN", "Infinity", "-Infinity"],
        NUMERIC => &[
            "0",
            "-1.5",
            "1e1000",
            "1e-1000",
            "99999999999999999999",
            "NaN",
            "Infinity",
            "-Infinity",
        ],
        TEXT | NAME | BPCHAR | UNKNOWN | CSTRING => {
            &["", "a", "é%_\\", "(", "999.99EEEE", "FMYYYYthDDD", "\\", "%1$s%*L", "2020-13-45 99"]
        }
        BYTEA => &["\\x", "\\x00ff"],
        CHAR => &["", "x"],
        DATE => &["infinity", "-infinity", "4714-11-24 BC", "5874897-12-31", "2000-02-29"],
        TIME => &["00:00", "24:00"],
        TIMESTAMP => &["infinity", "-infinity", "4714-11-24 BC", "294276-12-31 23:59:59.999999"],
        TIMESTAMPTZ => {
            &["infinity", "-infinity", "4714-11-24 00:00+00 BC", "294276-12-31 23:00+00"]
        }
        INTERVAL => &[
            "0",
            "178956970 years",
            "-178956970 years",
            "2147483647 days",
            "-2147483648 days",
            "9223372036854775807 us",
            "-9223372036854775807 us",
        ],
        UUID => &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        JSON | JSONB => &["null", "{}", "[]", "\"x\"", "{\"a\":[1,{\"b\":null}]}", "1e1000"],
        OID | REGCLASS | REGTYPE | XID | CID => &["0", "4294967295"],
        INT4_ARRAY | ANYARRAY | ANYCOMPATIBLEARRAY => &[
            "{}",
            "{1,NULL}",
            "{{1,2},{3,4}}",
            "[2147483646:2147483646]={1}",
            "[-2147483648:-2147483648]={1}",
        ],
        TEXT_ARRAY => &["{}", "{a,NULL}", "{0,b}", "{-1}", "{a}"],
        ANY | ANYELEMENT | ANYNONARRAY | ANYCOMPATIBLE => return pool(INT4),
        _ => &[],
    };
    let concrete = match oid {
        ANYARRAY | ANYCOMPATIBLEARRAY => INT4_ARRAY,
        UNKNOWN | CSTRING => TEXT,
        REGCLASS | REGTYPE | XID | CID => OID,
        other => other,
    };
    let settings = Settings::default();
    let parse =
        |input: &&str| text::parse(SqlType::new(concrete), input, &settings).expect("valid");
    inputs.iter().map(parse).collect()
}

/// Every combination of the edges, up to a limit that cuts the longest argument lists.
fn combinations(args: &[Oid], mut visit: impl FnMut(&[Datum])) {
    let pools: Vec<Vec<Datum>> = args.iter().map(|oid| pool(*oid)).collect();
    if pools.iter().any(Vec::is_empty) {
        return;
    }
    let total: usize = pools.iter().map(Vec::len).product();
    let step = total.div_ceil(3000).max(1);
    for number in (0..total).step_by(step) {
        let mut rest = number;
        let values: Vec<Datum> = pools
            .iter()
            .map(|pool| {
                let value = pool[rest % pool.len()].clone();
                rest /= pool.len();
                value
            })
            .collect();
        visit(&values);
    }
}

#[test]
fn functions_do_not_panic() {
    let settings = Settings::default();
    let context = EvalContext::new(&settings, &NoEnv);
    for function in functions::all_functions() {
        combinations(function.args, |values| match function.body {
            Body::Scalar(_) => drop(function.eval(values, &context)),
            Body::Set(_) => {
                if let Ok(rows) = function.eval_set(values, &context) {
                    rows.take(5).for_each(drop);
                }
            }
            Body::Session => {}
        });
    }
}

#[test]
fn operators_do_not_panic() {
    let settings = Settings::default();
    let context = EvalContext::new(&settings, &NoEnv);
    for operator in functions::all_operators() {
        let args = [operator.left, operator.right];
        let args = if operator.left == 0 { &args[1..] } else { &args[..] };
        combinations(args, |values| drop(operator.eval(values, &context)));
    }
}

#[test]
fn aggregates_do_not_panic() {
    let settings = Settings::default();
    let context = EvalContext::new(&settings, &NoEnv);
    for aggregate in functions::all_aggregates() {
        let mut state = (aggregate.state)();
        combinations(aggregate.args, |values| drop(state.update(values, &context)));
        drop(state.finish(&context));
        let mut encoded = Vec::new();
        state.encode(&mut encoded);
        let mut other = (aggregate.state)();
        drop(other.merge(&encoded));
        for length in 0..encoded.len() {
            drop((aggregate.state)().merge(&encoded[..length]));
        }
    }
}

#[test]
fn casts_do_not_panic() {
    let settings = Settings::default();
    for (from, to, _) in types::cast::all() {
        for value in pool(*from) {
            drop(types::cast::cast(value, SqlType::new(*from), SqlType::new(*to), true, &settings));
        }
    }
}
