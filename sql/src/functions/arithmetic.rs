//! `+ - * / %` and the bit operators on integers and floats.

use super::native::Native;
use super::{EvalContext, Operator};
use num_traits::{CheckedAdd, CheckedMul, CheckedSub};
use types::oid::{FLOAT4, FLOAT8, INT2, INT4, INT8};
use types::{Datum, SqlError, SqlResult, sqlstate};

/// An integer type.
trait Integer: Native + Copy + CheckedAdd + CheckedSub + CheckedMul + PartialEq {
    const NAME: &'static str;
    const ZERO: Self;
    fn div(self, divisor: Self) -> Option<Self>;
    fn rem(self, divisor: Self) -> Self;
    fn negate(self) -> Option<Self>;
    fn bits(self) -> i64;
    fn from_bits(bits: i64) -> Self;
    fn shift_left(self, by: i32) -> Self;
    fn shift_right(self, by: i32) -> Self;
}

macro_rules! integer {
    ($($type:ty, $name:literal);*) => {
        $(impl Integer for $type {
            const NAME: &'static str = $name;
            const ZERO: Self = 0;
            fn div(self, divisor: Self) -> Option<Self> {
                self.checked_div(divisor)
            }
            fn rem(self, divisor: Self) -> Self {
                // The one overflow, MIN % -1, is zero.
                self.wrapping_rem(divisor)
            }
            fn negate(self) -> Option<Self> {
                self.checked_neg()
            }
            fn bits(self) -> i64 {
                i64::from(self)
            }
            fn from_bits(bits: i64) -> Self {
                bits as $type
            }
            // The shift count wraps as the processor's does; int2 is shifted as an int4.
            fn shift_left(self, by: i32) -> Self {
                let width = if size_of::<$type>() == 8 { 63 } else { 31 };
                (i64::from(self) << (by & width)) as $type
            }
            fn shift_right(self, by: i32) -> Self {
                let width = if size_of::<$type>() == 8 { 63 } else { 31 };
                (i64::from(self) >> (by & width)) as $type
            }
        })*
    };
}

integer!(i16, "smallint"; i32, "integer"; i64, "bigint");

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// Both operands widened to the result's type.
fn operands<L: Native, R: Native, O: From<L> + From<R>>(args: Args<'_>) -> SqlResult<(O, O)> {
    Ok((O::from(L::get(&args[0])?), O::from(R::get(&args[1])?)))
}

fn add<L: Native, R: Native, O: Integer + From<L> + From<R>>(
    args: Args<'_>,
    _: Context<'_, '_>,
) -> SqlResult<Datum> {
    let (a, b) = operands::<L, R, O>(args)?;
    a.checked_add(&b).map(O::put).ok_or_else(|| SqlError::out_of_range(O::NAME))
}

fn sub<L: Native, R: Native, O: Integer + From<L> + From<R>>(
    args: Args<'_>,
    _: Context<'_, '_>,
) -> SqlResult<Datum> {
    let (a, b) = operands::<L, R, O>(args)?;
    a.checked_sub(&b).map(O::put).ok_or_else(|| SqlError::out_of_range(O::NAME))
}

fn mul<L: Native, R: Native, O: Integer + From<L> + From<R>>(
    args: Args<'_>,
    _: Context<'_, '_>,
) -> SqlResult<Datum> {
    let (a, b) = operands::<L, R, O>(args)?;
    a.checked_mul(&b).map(O::put).ok_or_else(|| SqlError::out_of_range(O::NAME))
}

fn div<L: Native, R: Native, O: Integer + From<L> + From<R>>(
    args: Args<'_>,
    _: Context<'_, '_>,
) -> SqlResult<Datum> {
    let (a, b) = operands::<L, R, O>(args)?;
    if b == O::ZERO {
        return Err(SqlError::division_by_zero());
    }
    a.div(b).map(O::put).ok_or_else(|| SqlError::out_of_range(O::NAME))
}

pub(super) fn rem2(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    rem::<i16>(args, context)
}

pub(super) fn rem4(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    rem::<i32>(args, context)
}

pub(super) fn rem8(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    rem::<i64>(args, context)
}

fn rem<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = (T::get(&args[0])?, T::get(&args[1])?);
    if b == T::ZERO { Err(SqlError::division_by_zero()) } else { Ok(a.rem(b).put()) }
}

fn neg<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    T::get(&args[0])?.negate().map(T::put).ok_or_else(|| SqlError::out_of_range(T::NAME))
}

pub(super) fn plus(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(args[0].clone())
}

fn bit_and<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::from_bits(T::get(&args[0])?.bits() & T::get(&args[1])?.bits()).put())
}

fn bit_or<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::from_bits(T::get(&args[0])?.bits() | T::get(&args[1])?.bits()).put())
}

fn bit_xor<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::from_bits(T::get(&args[0])?.bits() ^ T::get(&args[1])?.bits()).put())
}

fn bit_not<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::from_bits(!T::get(&args[0])?.bits()).put())
}

fn shift_left<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::get(&args[0])?.shift_left(i32::get(&args[1])?).put())
}

fn shift_right<T: Integer>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(T::get(&args[0])?.shift_right(i32::get(&args[1])?).put())
}

/// `value out of range: overflow` and `underflow`.
pub(super) fn float_problem(what: &str) -> SqlError {
    SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("value out of range: {what}"))
}

/// A float type.
trait Float: Native + Copy {
    fn wide(self) -> f64;
    /// Rounds to the type and refuses what overflows.
    fn narrow(value: f64, inputs_finite: bool) -> SqlResult<Self>;
}

impl Float for f64 {
    fn wide(self) -> f64 {
        self
    }
    fn narrow(value: f64, inputs_finite: bool) -> SqlResult<f64> {
        if value.is_infinite() && inputs_finite {
            Err(float_problem("overflow"))
        } else {
            Ok(value)
        }
    }
}

impl Float for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn narrow(value: f64, inputs_finite: bool) -> SqlResult<f32> {
        let narrow = value as f32;
        if narrow.is_infinite() && inputs_finite {
            return Err(float_problem("overflow"));
        }
        Ok(narrow)
    }
}

fn floats<L: Float, R: Float>(args: Args<'_>) -> SqlResult<(f64, f64)> {
    Ok((L::get(&args[0])?.wide(), R::get(&args[1])?.wide()))
}

fn float_add<L: Float, R: Float, O: Float>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = floats::<L, R>(args)?;
    O::narrow(a + b, a.is_finite() && b.is_finite()).map(O::put)
}

fn float_sub<L: Float, R: Float, O: Float>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = floats::<L, R>(args)?;
    O::narrow(a - b, a.is_finite() && b.is_finite()).map(O::put)
}

fn float_mul<L: Float, R: Float, O: Float>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = floats::<L, R>(args)?;
    let product = O::narrow(a * b, a.is_finite() && b.is_finite())?;
    if product.wide() == 0.0 && a != 0.0 && b != 0.0 {
        return Err(float_problem("underflow"));
    }
    Ok(product.put())
}

fn float_div<L: Float, R: Float, O: Float>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = floats::<L, R>(args)?;
    if b == 0.0 && !a.is_nan() {
        return Err(SqlError::division_by_zero());
    }
    let quotient = O::narrow(a / b, a.is_finite())?;
    if quotient.wide() == 0.0 && a != 0.0 && !b.is_infinite() {
        return Err(float_problem("underflow"));
    }
    Ok(quotient.put())
}

fn float_neg<T: Float>(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = -T::get(&args[0])?.wide();
    T::narrow(value, false).map(T::put)
}

/// The four operations for one pair of integer types.
macro_rules! four {
    ($left:ident $l:ty, $right:ident $r:ty, $result:ident $o:ty) => {
        [
            Operator::new("+", $left, $right, $result, add::<$l, $r, $o>),
            Operator::new("-", $left, $right, $result, sub::<$l, $r, $o>),
            Operator::new("*", $left, $right, $result, mul::<$l, $r, $o>),
            Operator::new("/", $left, $right, $result, div::<$l, $r, $o>),
        ]
    };
    (float $left:ident $l:ty, $right:ident $r:ty, $result:ident $o:ty) => {
        [
            Operator::new("+", $left, $right, $result, float_add::<$l, $r, $o>),
            Operator::new("-", $left, $right, $result, float_sub::<$l, $r, $o>),
            Operator::new("*", $left, $right, $result, float_mul::<$l, $r, $o>),
            Operator::new("/", $left, $right, $result, float_div::<$l, $r, $o>),
        ]
    };
}

/// The operators of one integer type with itself.
macro_rules! single {
    ($oid:ident $type:ty) => {
        [
            Operator::new("%", $oid, $oid, $oid, rem::<$type>),
            Operator::prefix("-", $oid, $oid, neg::<$type>),
            Operator::prefix("+", $oid, $oid, plus),
            Operator::new("&", $oid, $oid, $oid, bit_and::<$type>),
            Operator::new("|", $oid, $oid, $oid, bit_or::<$type>),
            Operator::new("#", $oid, $oid, $oid, bit_xor::<$type>),
            Operator::prefix("~", $oid, $oid, bit_not::<$type>),
            Operator::new("<<", $oid, INT4, $oid, shift_left::<$type>),
            Operator::new(">>", $oid, INT4, $oid, shift_right::<$type>),
        ]
    };
}

/// Declared type by type; one slice each.
pub(super) const OPERATORS: &[&[Operator]] = &[
    &four!(INT2 i16, INT2 i16, INT2 i16),
    &four!(INT4 i32, INT4 i32, INT4 i32),
    &four!(INT8 i64, INT8 i64, INT8 i64),
    &four!(INT2 i16, INT4 i32, INT4 i32),
    &four!(INT4 i32, INT2 i16, INT4 i32),
    &four!(INT2 i16, INT8 i64, INT8 i64),
    &four!(INT8 i64, INT2 i16, INT8 i64),
    &four!(INT4 i32, INT8 i64, INT8 i64),
    &four!(INT8 i64, INT4 i32, INT8 i64),
    &single!(INT2 i16),
    &single!(INT4 i32),
    &single!(INT8 i64),
    &four!(float FLOAT4 f32, FLOAT4 f32, FLOAT4 f32),
    &four!(float FLOAT8 f64, FLOAT8 f64, FLOAT8 f64),
    &four!(float FLOAT4 f32, FLOAT8 f64, FLOAT8 f64),
    &four!(float FLOAT8 f64, FLOAT4 f32, FLOAT8 f64),
    &[
        Operator::prefix("-", FLOAT4, FLOAT4, float_neg::<f32>),
        Operator::prefix("-", FLOAT8, FLOAT8, float_neg::<f64>),
        Operator::prefix("+", FLOAT4, FLOAT4, plus),
        Operator::prefix("+", FLOAT8, FLOAT8, plus),
    ],
];
