//! `= <> < <= > >=` for every type, and between types that compare without a cast.

use super::native::{integer_of, mismatch};
use super::{EvalContext, Operator};
use std::cmp::Ordering;
use types::oid::*;
use types::{Datum, SqlResult, compare, datetime};

/// How two values are compared.
trait Comparator {
    fn cmp(a: &Datum, b: &Datum, context: &EvalContext<'_>) -> SqlResult<Ordering>;
}

/// Values of one type.
struct Same;
/// Integers of different widths.
struct Integers;
/// Floats of different widths.
struct Floats;
/// `char(n)`: padding does not count.
struct Padded;
/// Dates and timestamps: the date is midnight.
struct Moments;
/// Moments of which one is without a zone: it is taken in the session's zone.
struct ZonedMoments;

impl Comparator for Same {
    fn cmp(a: &Datum, b: &Datum, _: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(compare::cmp(a, b))
    }
}

impl Comparator for Integers {
    fn cmp(a: &Datum, b: &Datum, _: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(integer_of(a)?.cmp(&integer_of(b)?))
    }
}

fn float_of(datum: &Datum) -> SqlResult<f64> {
    match datum {
        Datum::Float4(value) => Ok(f64::from(*value)),
        Datum::Float8(value) => Ok(*value),
        other => Err(mismatch("float", other)),
    }
}

impl Comparator for Floats {
    fn cmp(a: &Datum, b: &Datum, _: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(compare::cmp_float(float_of(a)?, float_of(b)?))
    }
}

impl Comparator for Padded {
    fn cmp(a: &Datum, b: &Datum, _: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(compare::cmp_as(BPCHAR, a, b))
    }
}

/// Microseconds of a local moment; dates beyond the range of timestamps stay apart.
fn local_micros(datum: &Datum) -> SqlResult<i128> {
    match datum {
        Datum::Date(i32::MAX) | Datum::Timestamp(i64::MAX) => Ok(i128::MAX),
        Datum::Date(i32::MIN) | Datum::Timestamp(i64::MIN) => Ok(i128::MIN),
        Datum::Date(days) => Ok(i128::from(*days) * 86_400_000_000),
        Datum::Timestamp(micros) => Ok(i128::from(*micros)),
        other => Err(mismatch("date or timestamp", other)),
    }
}

impl Comparator for Moments {
    fn cmp(a: &Datum, b: &Datum, _: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(local_micros(a)?.cmp(&local_micros(b)?))
    }
}

fn utc_micros(datum: &Datum, context: &EvalContext<'_>) -> SqlResult<i64> {
    match datum {
        Datum::Timestamptz(micros) => Ok(*micros),
        Datum::Timestamp(micros) => datetime::timestamp_to_timestamptz(*micros, context.settings),
        Datum::Date(days) => datetime::date_to_timestamptz(*days, context.settings),
        other => Err(mismatch("moment", other)),
    }
}

impl Comparator for ZonedMoments {
    fn cmp(a: &Datum, b: &Datum, context: &EvalContext<'_>) -> SqlResult<Ordering> {
        Ok(utc_micros(a, context)?.cmp(&utc_micros(b, context)?))
    }
}

fn eq<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_eq()))
}

fn ne<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_ne()))
}

fn lt<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_lt()))
}

fn le<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_le()))
}

fn gt<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_gt()))
}

fn ge<C: Comparator>(args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(C::cmp(&args[0], &args[1], context)?.is_ge()))
}

macro_rules! six {
    ($type:ident) => {
        six!($type, $type, Same)
    };
    ($left:ident, $right:ident, $how:ty) => {
        [
            Operator::test("=", $left, $right, eq::<$how>),
            Operator::test("<>", $left, $right, ne::<$how>),
            Operator::test("<", $left, $right, lt::<$how>),
            Operator::test("<=", $left, $right, le::<$how>),
            Operator::test(">", $left, $right, gt::<$how>),
            Operator::test(">=", $left, $right, ge::<$how>),
        ]
    };
    (stable $left:ident, $right:ident, $how:ty) => {
        [
            Operator::test("=", $left, $right, eq::<$how>).stable(),
            Operator::test("<>", $left, $right, ne::<$how>).stable(),
            Operator::test("<", $left, $right, lt::<$how>).stable(),
            Operator::test("<=", $left, $right, le::<$how>).stable(),
            Operator::test(">", $left, $right, gt::<$how>).stable(),
            Operator::test(">=", $left, $right, ge::<$how>).stable(),
        ]
    };
}

pub(super) const OPERATORS: &[&[Operator]] = &[
    &six!(BOOL),
    &six!(INT2),
    &six!(INT4),
    &six!(INT8),
    &six!(OID),
    &six!(FLOAT4),
    &six!(FLOAT8),
    &six!(NUMERIC),
    &six!(TEXT),
    &six!(NAME),
    &six!(CHAR),
    &six!(BYTEA),
    &six!(DATE),
    &six!(TIME),
    &six!(TIMESTAMP),
    &six!(TIMESTAMPTZ),
    &six!(INTERVAL),
    &six!(UUID),
    &six!(JSONB),
    &six!(ANYARRAY),
    &six!(RECORD),
    &six!(OIDVECTOR),
    &six!(PG_LSN),
    &six!(XID8),
    &six!(BPCHAR, BPCHAR, Padded),
    &six!(NAME, TEXT, Same),
    &six!(TEXT, NAME, Same),
    &six!(INT2, INT4, Integers),
    &six!(INT4, INT2, Integers),
    &six!(INT2, INT8, Integers),
    &six!(INT8, INT2, Integers),
    &six!(INT4, INT8, Integers),
    &six!(INT8, INT4, Integers),
    &six!(FLOAT4, FLOAT8, Floats),
    &six!(FLOAT8, FLOAT4, Floats),
    &six!(DATE, TIMESTAMP, Moments),
    &six!(TIMESTAMP, DATE, Moments),
    &six!(stable DATE, TIMESTAMPTZ, ZonedMoments),
    &six!(stable TIMESTAMPTZ, DATE, ZonedMoments),
    &six!(stable TIMESTAMP, TIMESTAMPTZ, ZonedMoments),
    &six!(stable TIMESTAMPTZ, TIMESTAMP, ZonedMoments),
    &[
        Operator::test("=", XID, XID, eq::<Same>),
        Operator::test("<>", XID, XID, ne::<Same>),
        Operator::test("=", CID, CID, eq::<Same>),
        Operator::test("=", TID, TID, eq::<Same>),
        Operator::test("<>", TID, TID, ne::<Same>),
        Operator::test("=", INT2VECTOR, INT2VECTOR, eq::<Same>),
    ],
];
