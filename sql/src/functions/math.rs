//! Mathematical functions.

use super::arithmetic::{float_problem, rem2, rem4, rem8};
use super::native::{Native, int4_of, integer_of, numeric, numeric_of};
use super::numeric_ops;
use super::{EvalContext, Function, Operator};
use types::oid::{FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC};
use types::{Datum, Numeric, SqlError, SqlResult, numeric as math, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

fn float(args: Args<'_>, at: usize) -> SqlResult<f64> {
    f64::get(&args[at])
}

fn abs(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let range = SqlError::out_of_range;
    Ok(match &args[0] {
        Datum::Int2(v) => Datum::Int2(v.checked_abs().ok_or_else(|| range("smallint"))?),
        Datum::Int4(v) => Datum::Int4(v.checked_abs().ok_or_else(|| range("integer"))?),
        Datum::Int8(v) => Datum::Int8(v.checked_abs().ok_or_else(|| range("bigint"))?),
        Datum::Float4(v) => Datum::Float4(v.abs()),
        Datum::Float8(v) => Datum::Float8(v.abs()),
        other => return numeric(numeric_of(other)?.abs()),
    })
}

fn ceil(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::ceil(numeric_of(&args[0])?)?)
}

fn floor(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::floor(numeric_of(&args[0])?)?)
}

/// `round(numeric [, places])`.
fn round(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let places = args.get(1).map_or(Ok(0), int4_of)?;
    numeric(math::round(numeric_of(&args[0])?, places.clamp(-2000, 2000))?)
}

/// `trunc(numeric [, places])`.
fn trunc(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let places = args.get(1).map_or(Ok(0), int4_of)?;
    numeric(math::trunc(numeric_of(&args[0])?, places.clamp(-2000, 2000))?)
}

fn sign(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = numeric_of(&args[0])?;
    numeric(if value.is_nan() { Numeric::NaN } else { Numeric::from(value.signum()) })
}

fn sqrt(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::sqrt(numeric_of(&args[0])?)?)
}

fn exp(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::exp(numeric_of(&args[0])?)?)
}

fn ln(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::ln(numeric_of(&args[0])?)?)
}

fn log10(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::log10(numeric_of(&args[0])?)?)
}

fn log(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::log(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn div_trunc(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::div_trunc(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn scale(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = numeric_of(&args[0])?;
    Ok(if value.is_finite() { Datum::Int4(value.scale()) } else { Datum::Null })
}

fn min_scale(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(numeric_of(&args[0])?.min_scale().map_or(Datum::Null, Datum::Int4))
}

fn trim_scale(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(numeric_of(&args[0])?.trim_scale())
}

fn factorial(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::factorial(integer_of(&args[0])?)?)
}

/// A float function that can overflow but has no other problem.
macro_rules! plain_float {
    ($($name:ident = $expression:expr;)*) => {
        $(fn $name(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
            let compute: fn(f64) -> f64 = $expression;
            Ok(Datum::Float8(compute(float(args, 0)?)))
        })*
    };
}

plain_float! {
    ceil_float = f64::ceil;
    floor_float = f64::floor;
    round_float = f64::round_ties_even;
    trunc_float = f64::trunc;
    cbrt = f64::cbrt;
    degrees = f64::to_degrees;
    radians = f64::to_radians;
    atan = f64::atan;
    tanh = f64::tanh;
    sinh = f64::sinh;
    cosh = f64::cosh;
    asinh = f64::asinh;
}

fn sign_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = float(args, 0)?;
    Ok(Datum::Float8(if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }))
}

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

fn sqrt_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = float(args, 0)?;
    if value < 0.0 {
        return Err(SqlError::new(
            sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "cannot take square root of a negative number",
        ));
    }
    Ok(Datum::Float8(value.sqrt()))
}

fn exp_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let value = float(args, 0)?;
    let result = value.exp();
    if result.is_infinite() && value.is_finite() {
        return Err(float_problem("overflow"));
    }
    if result == 0.0 && value.is_finite() {
        return Err(float_problem("underflow"));
    }
    Ok(Datum::Float8(result))
}

fn log_input(value: f64) -> SqlResult<f64> {
    let message = if value == 0.0 {
        "cannot take logarithm of zero"
    } else if value < 0.0 {
        "cannot take logarithm of a negative number"
    } else {
        return Ok(value);
    };
    Err(SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_LOG, message))
}

fn ln_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(log_input(float(args, 0)?)?.ln()))
}

fn log10_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(log_input(float(args, 0)?)?.log10()))
}

fn power_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (base, exponent) = (float(args, 0)?, float(args, 1)?);
    let bad = |message| Err(SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message));
    if base == 0.0 && exponent < 0.0 {
        return bad("zero raised to a negative power is undefined");
    }
    if base < 0.0 && exponent.is_finite() && base.is_finite() && exponent.fract() != 0.0 {
        return bad("a negative number raised to a non-integer power yields a complex result");
    }
    let result = base.powf(exponent);
    let finite = base.is_finite() && exponent.is_finite();
    if result.is_infinite() && finite {
        return Err(float_problem("overflow"));
    }
    if result == 0.0 && finite && base != 0.0 {
        return Err(float_problem("underflow"));
    }
    Ok(Datum::Float8(result))
}

fn pi(_: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Float8(std::f64::consts::PI))
}

fn random(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    // 53 bits fill a double's mantissa.
    let bits = context.env.random_u64() >> 11;
    Ok(Datum::Float8(bits as f64 / (1u64 << 53) as f64))
}

fn setseed(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let seed = float(args, 0)?;
    if !(-1.0..=1.0).contains(&seed) {
        return Err(SqlError::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("setseed parameter {seed} is out of allowed range [-1,1]"),
        ));
    }
    context.env.set_seed(seed);
    Ok(Datum::Text("".into()))
}

/// Euclid's algorithm on absolute values.
fn gcd_of(a: i64, b: i64) -> u64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn fit_integer(like: &Datum, value: u64) -> SqlResult<Datum> {
    match like {
        Datum::Int4(_) => {
            i32::try_from(value).map(Datum::Int4).map_err(|_| SqlError::out_of_range("integer"))
        }
        _ => i64::try_from(value).map(Datum::Int8).map_err(|_| SqlError::out_of_range("bigint")),
    }
}

fn gcd(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    fit_integer(&args[0], gcd_of(integer_of(&args[0])?, integer_of(&args[1])?))
}

fn lcm(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = (integer_of(&args[0])?, integer_of(&args[1])?);
    if a == 0 || b == 0 {
        return fit_integer(&args[0], 0);
    }
    let multiple = (a.unsigned_abs() / gcd_of(a, b)).checked_mul(b.unsigned_abs());
    fit_integer(&args[0], multiple.unwrap_or(u64::MAX))
}

fn gcd_numeric(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::gcd(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn lcm_numeric(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    numeric(math::lcm(numeric_of(&args[0])?, numeric_of(&args[1])?)?)
}

fn bucket_problem(message: &str) -> SqlError {
    SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, message)
}

/// `width_bucket(float8, float8, float8, int)`.
fn width_bucket_float(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (value, low, high) = (float(args, 0)?, float(args, 1)?, float(args, 2)?);
    let count = int4_of(&args[3])?;
    if count <= 0 {
        return Err(bucket_problem("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(bucket_problem("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(bucket_problem("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(bucket_problem("lower bound cannot equal upper bound"));
    }
    let beyond = || count.checked_add(1).ok_or_else(|| SqlError::out_of_range("integer"));
    let (below, above) =
        if low < high { (value < low, value >= high) } else { (value > low, value <= high) };
    let bucket = if below {
        0
    } else if above {
        beyond()?
    } else {
        let share =
            if low < high { (value - low) / (high - low) } else { (low - value) / (low - high) };
        (share * f64::from(count)) as i32 + 1
    };
    Ok(Datum::Int4(bucket.min(beyond()?)))
}

/// `width_bucket(numeric, numeric, numeric, int)`.
fn width_bucket(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (value, low, high) = (numeric_of(&args[0])?, numeric_of(&args[1])?, numeric_of(&args[2])?);
    let count = int4_of(&args[3])?;
    if count <= 0 {
        return Err(bucket_problem("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(bucket_problem("operand, lower bound, and upper bound cannot be NaN"));
    }
    if !low.is_finite() || !high.is_finite() {
        return Err(bucket_problem("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(bucket_problem("lower bound cannot equal upper bound"));
    }
    let rising = low < high;
    let (below, above) =
        if rising { (value < low, value >= high) } else { (value > low, value <= high) };
    if below {
        return Ok(Datum::Int4(0));
    }
    if above {
        return count
            .checked_add(1)
            .map(Datum::Int4)
            .ok_or_else(|| SqlError::out_of_range("integer"));
    }
    let (from, to) = if rising { (low, high) } else { (high, low) };
    let distance = if rising { math::sub(value, from)? } else { math::sub(to, value)? };
    let scaled = math::mul(&distance, &Numeric::from(count))?;
    let bucket = math::div_trunc(&scaled, &math::sub(to, from)?)?;
    Ok(Datum::Int4(math::to_i32(&bucket)?.saturating_add(1)))
}

const F: &[types::Oid] = &[FLOAT8];
const FF: &[types::Oid] = &[FLOAT8, FLOAT8];
const N: &[types::Oid] = &[NUMERIC];
const NN: &[types::Oid] = &[NUMERIC, NUMERIC];
const NI: &[types::Oid] = &[NUMERIC, INT4];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", &[INT2], INT2, abs),
    Function::new("abs", &[INT4], INT4, abs),
    Function::new("abs", &[INT8], INT8, abs),
    Function::new("abs", &[FLOAT4], FLOAT4, abs),
    Function::new("abs", F, FLOAT8, abs),
    Function::new("abs", N, NUMERIC, abs),
    Function::new("ceil", N, NUMERIC, ceil),
    Function::new("ceil", F, FLOAT8, ceil_float),
    Function::new("ceiling", N, NUMERIC, ceil),
    Function::new("ceiling", F, FLOAT8, ceil_float),
    Function::new("floor", N, NUMERIC, floor),
    Function::new("floor", F, FLOAT8, floor_float),
    Function::new("round", N, NUMERIC, round),
    Function::new("round", NI, NUMERIC, round),
    Function::new("round", F, FLOAT8, round_float),
    Function::new("trunc", N, NUMERIC, trunc),
    Function::new("trunc", NI, NUMERIC, trunc),
    Function::new("trunc", F, FLOAT8, trunc_float),
    Function::new("sign", N, NUMERIC, sign),
    Function::new("sign", F, FLOAT8, sign_float),
    Function::new("sqrt", N, NUMERIC, sqrt),
    Function::new("sqrt", F, FLOAT8, sqrt_float),
    Function::new("cbrt", F, FLOAT8, cbrt),
    Function::new("exp", N, NUMERIC, exp),
    Function::new("exp", F, FLOAT8, exp_float),
    Function::new("ln", N, NUMERIC, ln),
    Function::new("ln", F, FLOAT8, ln_float),
    Function::new("log", N, NUMERIC, log10),
    Function::new("log", F, FLOAT8, log10_float),
    Function::new("log", NN, NUMERIC, log),
    Function::new("log10", N, NUMERIC, log10),
    Function::new("log10", F, FLOAT8, log10_float),
    Function::new("power", NN, NUMERIC, numeric_ops::power),
    Function::new("power", FF, FLOAT8, power_float),
    Function::new("pow", NN, NUMERIC, numeric_ops::power),
    Function::new("pow", FF, FLOAT8, power_float),
    Function::new("mod", &[INT2, INT2], INT2, rem2),
    Function::new("mod", &[INT4, INT4], INT4, rem4),
    Function::new("mod", &[INT8, INT8], INT8, rem8),
    Function::new("mod", NN, NUMERIC, numeric_ops::rem),
    Function::new("div", NN, NUMERIC, div_trunc),
    Function::new("scale", N, INT4, scale),
    Function::new("min_scale", N, INT4, min_scale),
    Function::new("trim_scale", N, NUMERIC, trim_scale),
    Function::new("factorial", &[INT8], NUMERIC, factorial),
    Function::new("gcd", &[INT4, INT4], INT4, gcd),
    Function::new("gcd", &[INT8, INT8], INT8, gcd),
    Function::new("gcd", NN, NUMERIC, gcd_numeric),
    Function::new("lcm", &[INT4, INT4], INT4, lcm),
    Function::new("lcm", &[INT8, INT8], INT8, lcm),
    Function::new("lcm", NN, NUMERIC, lcm_numeric),
    Function::new("pi", &[], FLOAT8, pi),
    Function::new("random", &[], FLOAT8, random).volatile(),
    Function::new("setseed", F, types::oid::VOID, setseed).volatile(),
    Function::new("degrees", F, FLOAT8, degrees),
    Function::new("radians", F, FLOAT8, radians),
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
    Function::new("atan", F, FLOAT8, atan),
    Function::new("atan2", FF, FLOAT8, atan2),
    Function::new("asind", F, FLOAT8, asind),
    Function::new("acosd", F, FLOAT8, acosd),
    Function::new("atand", F, FLOAT8, atand),
    Function::new("atan2d", FF, FLOAT8, atan2d),
    Function::new("sinh", F, FLOAT8, sinh),
    Function::new("cosh", F, FLOAT8, cosh),
    Function::new("tanh", F, FLOAT8, tanh),
    Function::new("asinh", F, FLOAT8, asinh),
    Function::new("acosh", F, FLOAT8, acosh),
    Function::new("atanh", F, FLOAT8, atanh),
    Function::new("width_bucket", &[FLOAT8, FLOAT8, FLOAT8, INT4], INT4, width_bucket_float),
    Function::new("width_bucket", &[NUMERIC, NUMERIC, NUMERIC, INT4], INT4, width_bucket),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("^", FLOAT8, FLOAT8, FLOAT8, power_float),
    Operator::prefix("|/", FLOAT8, FLOAT8, sqrt_float),
    Operator::prefix("||/", FLOAT8, FLOAT8, cbrt),
    Operator::prefix("@", INT2, INT2, abs),
    Operator::prefix("@", INT4, INT4, abs),
    Operator::prefix("@", INT8, INT8, abs),
    Operator::prefix("@", FLOAT4, FLOAT4, abs),
    Operator::prefix("@", FLOAT8, FLOAT8, abs),
    Operator::prefix("@", NUMERIC, NUMERIC, abs),
];
