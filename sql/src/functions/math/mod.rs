//! Mathematical functions.

pub(super) mod bucket;
pub(super) mod trigonometry;

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
    Function::new("atan", F, FLOAT8, atan),
    Function::new("sinh", F, FLOAT8, sinh),
    Function::new("cosh", F, FLOAT8, cosh),
    Function::new("tanh", F, FLOAT8, tanh),
    Function::new("asinh", F, FLOAT8, asinh),
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
