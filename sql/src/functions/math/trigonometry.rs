//! Angles.

use super::{Args, Context, F, FF, float};
use crate::functions::Function;
use types::oid::FLOAT8;
use types::{Datum, SqlError, SqlResult, sqlstate};

/// Functions of a circle refuse infinite input.
macro_rules! circle {
    ($($name:ident = $expression:expr;)*) => {
        $(fn $name(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
            let value = float(args, 0)?;
            if value.is_infinite() {
                return Err(input_range());
            }
            let compute: fn(f64) -> f64 = $expression;
            Ok(Datum::Float8(compute(value)))
        })*
    };
}

circle! {
    sin = f64::sin;
    cos = f64::cos;
    tan = f64::tan;
    cot = |value| 1.0 / value.tan();
    sind = sin_degrees;
    cosd = |value| sin_degrees(value % 360.0 + 90.0);
    tand = tan_degrees;
    cotd = |value| 1.0 / tan_degrees(value);
}

/// The sine of an angle in degrees, exact at multiples of 30 and 90.
fn sin_degrees(value: f64) -> f64 {
    let turn = value.rem_euclid(360.0);
    let (quarter, sign) = if turn >= 180.0 { (turn - 180.0, -1.0) } else { (turn, 1.0) };
    let angle = if quarter > 90.0 { 180.0 - quarter } else { quarter };
    let magnitude = match angle {
        0.0 => 0.0,
        30.0 => 0.5,
        90.0 => 1.0,
        angle => angle.to_radians().sin(),
    };
    if magnitude == 0.0 { 0.0 } else { sign * magnitude }
}

fn tan_degrees(value: f64) -> f64 {
    if value < 0.0 {
        return -tan_degrees(-value);
    }
    match value % 180.0 {
        0.0 => 0.0,
        45.0 => 1.0,
        135.0 => -1.0,
        90.0 => f64::INFINITY,
        turn if turn > 90.0 => -(180.0 - turn).to_radians().tan(),
        turn => turn.to_radians().tan(),
    }
}

/// Inverse functions refuse what lies beyond ±1.
macro_rules! inverse {
    ($($name:ident = $expression:expr;)*) => {
        $(fn $name(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
            let value = float(args, 0)?;
            if !(-1.0..=1.0).contains(&value) && !value.is_nan() {
                return Err(input_range());
            }
            let compute: fn(f64) -> f64 = $expression;
            Ok(Datum::Float8(compute(value)))
        })*
    };
}

inverse! {
    asin = f64::asin;
    acos = f64::acos;
    asind = |value| clean_degrees(value.asin().to_degrees());
    acosd = |value| clean_degrees(value.acos().to_degrees());
    atanh = f64::atanh;
}

fn acosh(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = float(args, 0)?;
    if value < 1.0 { Err(input_range()) } else { Ok(Datum::Float8(value.acosh())) }
}

fn atand(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(clean_degrees(float(args, 0)?.atan().to_degrees())))
}

fn atan2d(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(clean_degrees(float(args, 0)?.atan2(float(args, 1)?).to_degrees())))
}

/// Whole degrees come out whole.
fn clean_degrees(value: f64) -> f64 {
    let near = value.round();
    if (value - near).abs() < 1e-13 * near.abs().max(1.0) { near } else { value }
}

fn input_range() -> SqlError {
    SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

fn atan2(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(float(args, 0)?.atan2(float(args, 1)?)))
}

pub(in crate::functions) const FUNCTIONS: &[Function] = &[
    Function::new("sin", F, FLOAT8, sin),
    Function::new("cos", F, FLOAT8, cos),
    Function::new("tan", F, FLOAT8, tan),
    Function::new("cot", F, FLOAT8, cot),
    Function::new("sind", F, FLOAT8, sind),
    Function::new("cosd", F, FLOAT8, cosd),
    Function::new("tand", F, FLOAT8, tand),
    Function::new("cotd", F, FLOAT8, cotd),
    Function::new("asin", F, FLOAT8, asin),
    Function::new("acos", F, FLOAT8, acos),
    Function::new("atan2", FF, FLOAT8, atan2),
    Function::new("asind", F, FLOAT8, asind),
    Function::new("acosd", F, FLOAT8, acosd),
    Function::new("atand", F, FLOAT8, atand),
    Function::new("atan2d", FF, FLOAT8, atan2d),
    Function::new("acosh", F, FLOAT8, acosh),
    Function::new("atanh", F, FLOAT8, atanh),
];
