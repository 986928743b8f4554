//! Loops over typed vectors for the operators that queries run most.

use crate::exec::vector::{Typed, Vector};
use crate::functions::Operator;
use types::{Datum, SqlError, oid};

/// A comparison or arithmetic operator between integers or floats; `None` when there is no loop
/// for these operands.
pub(super) fn binary(
    op: &Operator,
    a: &Vector,
    b: &Vector,
    rows: usize,
) -> Result<Option<Vector>, SqlError> {
    match (op.left, op.right) {
        (oid::INT4 | oid::INT8, oid::INT4 | oid::INT8) => {
            let (Some(x), Some(y)) = (ints(a), ints(b)) else { return Ok(None) };
            integers(op, &x, &y, rows)
        }
        (oid::FLOAT8, oid::FLOAT8) => {
            let (Some(x), Some(y)) = (floats(a), floats(b)) else { return Ok(None) };
            Ok(compare(op.symbol, rows, |i| Some(types::compare::cmp_float(x.get(i)?, y.get(i)?))))
        }
        _ => Ok(None),
    }
}

/// An operand: a vector or one value.
enum Side<'a, A, B> {
    Narrow(&'a Typed<A>),
    Wide(&'a Typed<B>),
    One(Option<B>),
}

type Ints<'a> = Side<'a, i32, i64>;
type Floats<'a> = Side<'a, f64, f64>;

impl Ints<'_> {
    #[inline]
    fn get(&self, at: usize) -> Option<i64> {
        match self {
            Side::Narrow(v) => v.get(at).map(i64::from),
            Side::Wide(v) => v.get(at),
            Side::One(value) => *value,
        }
    }
}

impl Floats<'_> {
    #[inline]
    fn get(&self, at: usize) -> Option<f64> {
        match self {
            Side::Narrow(v) | Side::Wide(v) => v.get(at),
            Side::One(value) => *value,
        }
    }
}

fn ints(vector: &Vector) -> Option<Ints<'_>> {
    match vector {
        Vector::Int4(v) => Some(Side::Narrow(v)),
        Vector::Int8(v) => Some(Side::Wide(v)),
        Vector::Const(Datum::Int4(x), _) => Some(Side::One(Some(i64::from(*x)))),
        Vector::Const(Datum::Int8(x), _) => Some(Side::One(Some(*x))),
        Vector::Const(Datum::Null, _) => Some(Side::One(None)),
        _ => None,
    }
}

fn floats(vector: &Vector) -> Option<Floats<'_>> {
    match vector {
        Vector::Float8(v) => Some(Side::Wide(v)),
        Vector::Const(Datum::Float8(x), _) => Some(Side::One(Some(*x))),
        Vector::Const(Datum::Null, _) => Some(Side::One(None)),
        _ => None,
    }
}

fn integers(
    op: &Operator,
    x: &Ints<'_>,
    y: &Ints<'_>,
    rows: usize,
) -> Result<Option<Vector>, SqlError> {
    let found = compare(op.symbol, rows, |i| Some(x.get(i)?.cmp(&y.get(i)?)));
    if found.is_some() {
        return Ok(found);
    }
    let apply: fn(i64, i64) -> Option<i64> = match op.symbol {
        "+" => i64::checked_add,
        "-" => i64::checked_sub,
        "*" => i64::checked_mul,
        _ => return Ok(None),
    };
    match op.returns {
        oid::INT4 => {
            let narrow = |v: i64| i32::try_from(v).ok();
            let mut out = Typed::with_capacity(rows);
            for i in 0..rows {
                out.push(match (x.get(i), y.get(i)) {
                    (Some(a), Some(b)) => Some(
                        apply(a, b)
                            .and_then(narrow)
                            .ok_or_else(|| SqlError::out_of_range("integer"))?,
                    ),
                    _ => None,
                });
            }
            Ok(Some(Vector::Int4(out)))
        }
        oid::INT8 => {
            let mut out = Typed::with_capacity(rows);
            for i in 0..rows {
                out.push(match (x.get(i), y.get(i)) {
                    (Some(a), Some(b)) => {
                        Some(apply(a, b).ok_or_else(|| SqlError::out_of_range("bigint"))?)
                    }
                    _ => None,
                });
            }
            Ok(Some(Vector::Int8(out)))
        }
        _ => Ok(None),
    }
}

fn compare(
    symbol: &str,
    rows: usize,
    order: impl Fn(usize) -> Option<std::cmp::Ordering>,
) -> Option<Vector> {
    let test: fn(std::cmp::Ordering) -> bool = match symbol {
        "=" => std::cmp::Ordering::is_eq,
        "<>" => std::cmp::Ordering::is_ne,
        "<" => std::cmp::Ordering::is_lt,
        "<=" => std::cmp::Ordering::is_le,
        ">" => std::cmp::Ordering::is_gt,
        ">=" => std::cmp::Ordering::is_ge,
        _ => return None,
    };
    let mut out = Typed::with_capacity(rows);
    for i in 0..rows {
        out.push(order(i).map(test));
    }
    Some(Vector::Bool(out))
}
