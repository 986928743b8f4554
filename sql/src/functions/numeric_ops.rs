//! Operators of `numeric`.

use super::arithmetic::plus;
use super::native::{numeric, numeric_of};
use super::{EvalContext, Operator};
use types::oid::NUMERIC;
use types::{Datum, SqlResult, numeric as math};

fn add(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::add(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn sub(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::sub(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn mul(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::mul(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn div(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::div(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

pub(super) fn rem(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::rem(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn neg(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::neg(numeric_of(&args[0])?))
}

pub(super) fn power(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    numeric(math::power(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("+", NUMERIC, NUMERIC, NUMERIC, add),
    Operator::new("-", NUMERIC, NUMERIC, NUMERIC, sub),
    Operator::new("*", NUMERIC, NUMERIC, NUMERIC, mul),
    Operator::new("/", NUMERIC, NUMERIC, NUMERIC, div),
    Operator::new("%", NUMERIC, NUMERIC, NUMERIC, rem),
    Operator::new("^", NUMERIC, NUMERIC, NUMERIC, power),
    Operator::prefix("-", NUMERIC, NUMERIC, neg),
    Operator::prefix("+", NUMERIC, NUMERIC, plus),
];
