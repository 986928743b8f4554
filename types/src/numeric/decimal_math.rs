//! Roots, powers, logarithms and exponentials of `numeric`, rounded to the scales that PostgreSQL
//! chooses.

use super::arith::{
    DISPLAY_SCALE_MAX, SIGNIFICANT_DIGITS_MIN, first_group, is_integer, is_odd_integer,
};
use super::coefficient::{Coefficient, big_power};
use super::convert::{exact_integer, to_f64};
use super::fixed::Fixed;
use super::{Decimal, Numeric, overflow, round};
use crate::{SqlError, SqlResult, sqlstate};
use num_bigint::BigInt;
use num_traits::{One, Signed};

use Numeric::{Finite, Infinity, NaN, NegInfinity};

/// log10(e).
const LOG10_E: f64 = std::f64::consts::LOG10_E;
/// Results smaller than this many digits behind the point are zero (`NUMERIC_MAX_RESULT_SCALE`).
const RESULT_SCALE_MAX: f64 = 2000.0;
/// e to this and beyond is refused, though the type could hold more.
const EXPONENT_MAX: f64 = 6000.0;

/// At least 16 significant digits, not fewer behind the point than the inputs have.
fn result_scale(digits_before: i32, inputs: &[&Decimal]) -> i32 {
    inputs
        .iter()
        .map(|input| i32::from(input.scale))
        .fold(SIGNIFICANT_DIGITS_MIN - digits_before, i32::max)
        .clamp(0, DISPLAY_SCALE_MAX)
}

/// `sqrt(a)`.
pub fn sqrt(a: &Numeric) -> SqlResult<Numeric> {
    let Finite(value) = a else {
        return if matches!(a, NegInfinity) { Err(sqrt_of_negative()) } else { Ok(a.clone()) };
    };
    if value.coefficient.signum() < 0 {
        return Err(sqrt_of_negative());
    }
    let weight = first_group(value).0;
    let digits_before = if weight >= 0 { weight * 4 / 2 + 1 } else { 1 - (1 - weight * 4) / 2 };
    sqrt_rounded(value, result_scale(digits_before, &[value]))
}

/// `sqrt(a)` rounded to a scale of the caller's.
pub fn sqrt_at_scale(a: &Numeric, scale: i32) -> SqlResult<Numeric> {
    match a {
        Finite(value) if value.coefficient.signum() >= 0 => sqrt_rounded(value, scale),
        _ => sqrt(a),
    }
}

fn sqrt_rounded(value: &Decimal, scale: i32) -> SqlResult<Numeric> {
    // One digit more than wanted, and a sticky one, decide the rounding.
    let guard = scale + 2;
    let shift = 2 * guard - i32::from(value.scale);
    let mut radicand = value.coefficient.to_big();
    if shift >= 0 {
        radicand *= big_power(shift as u32);
    } else {
        radicand /= big_power(shift.unsigned_abs());
    }
    let root = radicand.sqrt();
    let exact = &root * &root == radicand;
    let root = if exact { root * 10 } else { root * 10 + 1 };
    round(&Numeric::from_big(root, guard + 1)?, scale)
}

fn sqrt_of_negative() -> SqlError {
    SqlError::new(
        sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
        "cannot take square root of a negative number",
    )
}

/// The value as a fraction of integers.
fn fraction(value: &Decimal) -> (BigInt, BigInt) {
    (value.coefficient.to_big(), big_power(u32::from(value.scale)))
}

/// `exp(a)`.
pub fn exp(a: &Numeric) -> SqlResult<Numeric> {
    let value = match a {
        NegInfinity => return Ok(Numeric::ZERO),
        Infinity | NaN => return Ok(a.clone()),
        Finite(value) => value,
    };
    let (numerator, denominator) = fraction(value);
    let estimate = to_f64(a).unwrap_or(f64::INFINITY.copysign(f64::from(a.signum())));
    exp_of(&numerator, &denominator, estimate, &[value])
}

/// e to a fraction; `estimate` is the fraction as a double.
fn exp_of(
    numerator: &BigInt,
    denominator: &BigInt,
    estimate: f64,
    inputs: &[&Decimal],
) -> SqlResult<Numeric> {
    if estimate >= EXPONENT_MAX {
        return Err(overflow());
    }
    let decimal_weight = (estimate * LOG10_E).clamp(-RESULT_SCALE_MAX, f64::MAX);
    if decimal_weight > super::WHOLE_DIGITS_MAX as f64 {
        return Err(overflow());
    }
    let scale = result_scale(decimal_weight as i32, inputs);
    if decimal_weight <= -RESULT_SCALE_MAX {
        return round(&Numeric::ZERO, scale);
    }
    let digits = i64::from(scale) + decimal_weight.abs() as i64 + 8;
    let fixed = Fixed::with_digits(digits);
    let x = fixed.ratio(numerator, denominator);
    let power = fixed.exp(&x).ok_or_else(overflow)?;
    Numeric::from_big(fixed.to_decimal(&power, scale), scale)
}

/// Decimal weight of ln(value), PostgreSQL's estimate: it decides the scale of results.
fn ln_weight(value: &Decimal) -> i32 {
    let number = to_f64(&Finite(value.clone()));
    if let Some(number) = number.filter(|number| (0.9..=1.1).contains(number)) {
        // ln(1 + x) is about x.
        let one = Numeric::from(1);
        if let Ok(Finite(rest)) = super::sub(&Finite(value.clone()), &one) {
            if rest.coefficient.is_zero() {
                return 0;
            }
            let (weight, first) = first_group(&rest);
            return weight * 4 + f64::from(first).log10() as i32;
        }
        return (number - 1.0).abs().log10() as i32;
    }
    let digits = value.coefficient.to_digits();
    let leading: f64 = digits[..digits.len().min(8)].parse().unwrap_or(1.0);
    let exponent = digits.len() as i32 - digits.len().min(8) as i32 - i32::from(value.scale);
    let ln = leading.ln() + f64::from(exponent) * std::f64::consts::LN_10;
    ln.abs().log10() as i32
}

fn log_problem(value: &Numeric) -> Option<SqlError> {
    let message = match value.signum() {
        0 => "cannot take logarithm of zero",
        -1 => "cannot take logarithm of a negative number",
        _ => return None,
    };
    Some(SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_LOG, message))
}

/// `ln(a)`.
pub fn ln(a: &Numeric) -> SqlResult<Numeric> {
    if a.is_nan() {
        return Ok(NaN);
    }
    if let Some(problem) = log_problem(a) {
        return Err(problem);
    }
    let Finite(value) = a else { return Ok(Infinity) };
    let scale = result_scale(ln_weight(value), &[value]);
    let fixed = Fixed::with_digits(i64::from(scale) + 8);
    let (numerator, denominator) = fraction(value);
    Numeric::from_big(fixed.to_decimal(&fixed.ln(&numerator, &denominator), scale), scale)
}

/// `log(a)`: to base 10.
pub fn log10(a: &Numeric) -> SqlResult<Numeric> {
    log(&Numeric::from(10), a)
}

/// `log(base, a)`.
pub fn log(base: &Numeric, a: &Numeric) -> SqlResult<Numeric> {
    if base.is_nan() || a.is_nan() {
        return Ok(NaN);
    }
    if let Some(problem) = log_problem(base).or_else(|| log_problem(a)) {
        return Err(problem);
    }
    let (Finite(b), Finite(x)) = (base, a) else {
        return Ok(match (base.is_finite(), a.is_finite()) {
            (false, false) => NaN,
            (false, true) => Numeric::ZERO,
            _ => Infinity,
        });
    };
    let (base_weight, weight) = (ln_weight(b), ln_weight(x));
    let scale = result_scale(weight - base_weight, &[b, x]);
    let digits = i64::from(scale) + 2 * i64::from(base_weight.abs()) + i64::from(weight.abs()) + 16;
    let fixed = Fixed::with_digits(digits);
    let (numerator, denominator) = fraction(b);
    let ln_base = fixed.ln(&numerator, &denominator);
    let (numerator, denominator) = fraction(x);
    let ln_a = fixed.ln(&numerator, &denominator);
    if ln_base == BigInt::ZERO {
        return Err(SqlError::division_by_zero());
    }
    Numeric::from_big(fixed.to_decimal(&fixed.ratio(&ln_a, &ln_base), scale), scale)
}

/// `power(base, exponent)`.
pub fn power(base: &Numeric, exponent: &Numeric) -> SqlResult<Numeric> {
    let (Finite(b), Finite(e)) = (base, exponent) else { return power_special(base, exponent) };
    let bad = |message| Err(SqlError::new(sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message));
    if base.is_zero() && exponent.signum() < 0 {
        return bad("zero raised to a negative power is undefined");
    }
    if base.signum() < 0 && !is_integer(e) {
        return bad("a negative number raised to a non-integer power yields a complex result");
    }
    if let Some(whole) = exact_integer(e).and_then(|whole| i32::try_from(whole).ok()) {
        return power_integer(b, whole, e);
    }
    if base.is_zero() {
        return round(&Numeric::ZERO, SIGNIFICANT_DIGITS_MIN);
    }
    let negative = base.signum() < 0 && is_odd_integer(e);
    let positive = Decimal { coefficient: b.coefficient.abs(), scale: b.scale };
    let (numerator, denominator) = fraction(&positive);
    let estimate = to_f64(&Finite(positive.clone())).map_or(f64::INFINITY, f64::ln)
        * to_f64(exponent).unwrap_or(f64::INFINITY);
    let digits = i64::from(DISPLAY_SCALE_MAX.min(estimate.abs() as i32))
        + 60
        + i64::from(b.scale.max(e.scale))
        + e.coefficient.digits() as i64;
    let fixed = Fixed::with_digits(digits);
    let ln_base = fixed.ln(&numerator, &denominator);
    let (e_numerator, e_denominator) = fraction(e);
    let product = ln_base * e_numerator;
    let result = exp_of(&product, &(e_denominator * fixed.one()), estimate, &[b, e])?;
    Ok(if negative { super::neg(&result) } else { result })
}

fn power_special(base: &Numeric, exponent: &Numeric) -> SqlResult<Numeric> {
    let one = Numeric::from(1);
    if base.is_nan() {
        return Ok(if exponent.is_zero() { one } else { NaN });
    }
    if exponent.is_nan() {
        return Ok(if *base == one { one } else { NaN });
    }
    if base.is_zero() && exponent.signum() < 0 {
        return Err(SqlError::new(
            sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "zero raised to a negative power is undefined",
        ));
    }
    if let Finite(e) = exponent {
        // The base is infinite.
        if exponent.is_zero() {
            return Ok(one);
        }
        if exponent.signum() < 0 {
            return Ok(Numeric::ZERO);
        }
        if matches!(base, NegInfinity) {
            if !is_integer(e) {
                return Err(SqlError::new(
                    sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                    "a negative number raised to a non-integer power yields a complex result",
                ));
            }
            return Ok(if is_odd_integer(e) { NegInfinity } else { Infinity });
        }
        return Ok(Infinity);
    }
    // The exponent is infinite.
    let magnitude = base.abs().cmp(&one);
    if magnitude.is_eq() {
        return Ok(one);
    }
    let grows = magnitude.is_gt() == (exponent.signum() > 0);
    Ok(if grows { Infinity } else { Numeric::ZERO })
}

/// Repeated squaring with more digits than are wanted, then one rounding.
fn power_integer(base: &Decimal, exponent: i32, typed_exponent: &Decimal) -> SqlResult<Numeric> {
    let Some(decimal_exponent) = base.exponent() else {
        let zero_to_zero = if exponent == 0 { Numeric::from(1) } else { Numeric::ZERO };
        let scale = result_scale(0, &[base, typed_exponent]);
        return round(&zero_to_zero, scale);
    };
    let digits = base.coefficient.to_digits();
    let leading: f64 = digits[..digits.len().min(16)].parse().unwrap_or(1.0);
    let shift = f64::from(decimal_exponent) - digits.len().min(16) as f64 + 1.0;
    let weight = f64::from(exponent) * (leading.log10() + shift);
    if weight > super::WHOLE_DIGITS_MAX as f64 {
        return Err(overflow());
    }
    if weight + 1.0 < -f64::from(DISPLAY_SCALE_MAX) {
        return round(&Numeric::ZERO, DISPLAY_SCALE_MAX);
    }
    // Integer powers always show sixteen digits behind the point, however small they are.
    let scale = result_scale(0, &[base, typed_exponent]);
    let magnitude = i64::from(exponent).unsigned_abs();
    let negative = base.coefficient.signum() < 0 && exponent & 1 == 1;
    let digits = weight.abs() as u64 + scale as u64 + GUARD_DIGITS;
    let (raised, raised_scale) = raise(base, magnitude, digits);
    let unit = |places: i64| big_power(places.max(0) as u32);
    let (numerator, denominator) = (raised * unit(-raised_scale), unit(raised_scale));
    let result = if exponent >= 0 {
        divide_big(numerator, denominator, scale)?
    } else {
        divide_big(denominator, numerator, scale)?
    };
    Ok(if negative { super::neg(&result) } else { result })
}

/// Digits beyond those wanted that powers are computed with: truncation costs about as many as the
/// exponent has.
const GUARD_DIGITS: u64 = 40;

/// |base|^magnitude by squaring, as mantissa and scale, cut to so many digits on the way.
fn raise(base: &Decimal, magnitude: u64, digits: u64) -> (BigInt, i64) {
    let cut = |(value, scale): (BigInt, i64)| {
        let excess = (value.bits() as f64 * std::f64::consts::LOG10_2) as u64;
        match excess.checked_sub(digits).filter(|excess| *excess > 0) {
            Some(excess) => (value / big_power(excess as u32), scale - excess as i64),
            None => (value, scale),
        }
    };
    let mut square = (base.coefficient.abs().to_big(), i64::from(base.scale));
    let mut result = (BigInt::one(), 0);
    let mut rest = magnitude;
    while rest > 0 {
        if rest & 1 == 1 {
            result = cut((result.0 * &square.0, result.1 + square.1));
        }
        rest >>= 1;
        if rest > 0 {
            square = cut((&square.0 * &square.0, square.1 * 2));
        }
    }
    result
}

/// numerator / denominator rounded to a scale.
fn divide_big(numerator: BigInt, denominator: BigInt, scale: i32) -> SqlResult<Numeric> {
    let negative = numerator.is_negative();
    let scaled = numerator.abs() * big_power(scale as u32) * 2;
    let quotient: BigInt = (scaled / &denominator + 1) / 2;
    Numeric::from_big(if negative { -quotient } else { quotient }, scale)
}

/// `factorial(n)`.
pub fn factorial(n: i64) -> SqlResult<Numeric> {
    if n < 0 {
        return Err(SqlError::new(
            sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
            "factorial of a negative number is undefined",
        ));
    }
    // 32177! has more digits than the type allows.
    if n > 32_177 {
        return Err(overflow());
    }
    let mut product = Coefficient::Small(1);
    for factor in 2..=n {
        product = product.mul(&Coefficient::Small(i128::from(factor)));
    }
    Decimal::checked(product, 0)
}
