//! Addition, multiplication, division, rounding: results carry the scales that PostgreSQL gives
//! them.

use super::coefficient::Coefficient;
use super::{Decimal, Numeric, SCALE_MAX};
use crate::{SqlError, SqlResult};
use num_integer::Integer;

use Numeric::{Finite, Infinity, NaN, NegInfinity};

/// Digits that a quotient has at least (`NUMERIC_MIN_SIG_DIGITS`).
pub(super) const SIGNIFICANT_DIGITS_MIN: i32 = 16;
/// `NUMERIC_MAX_DISPLAY_SCALE`: most digits behind the point that a function adds by itself.
pub(super) const DISPLAY_SCALE_MAX: i32 = 1000;

/// Which way digits are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves away from zero.
    HalfUp,
    /// Toward zero.
    Truncate,
    /// Toward negative infinity.
    Floor,
    /// Toward positive infinity.
    Ceiling,
}

/// `a + b`.
pub fn add(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    match (a, b) {
        (Finite(x), Finite(y)) => {
            let (scale, x, y) = align(x, y);
            Decimal::checked(x.add(&y), scale)
        }
        (NaN, _) | (_, NaN) | (Infinity, NegInfinity) | (NegInfinity, Infinity) => Ok(NaN),
        (Infinity, _) | (_, Infinity) => Ok(Infinity),
        (NegInfinity, _) | (_, NegInfinity) => Ok(NegInfinity),
    }
}

/// `a - b`.
pub fn sub(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    add(a, &neg(b))
}

/// `-a`.
pub fn neg(a: &Numeric) -> Numeric {
    match a {
        NaN => NaN,
        Infinity => NegInfinity,
        NegInfinity => Infinity,
        Finite(value) => {
            Finite(Decimal { coefficient: value.coefficient.neg(), scale: value.scale })
        }
    }
}

/// `a * b`. A product whose scale would pass the limit of the type is rounded to the limit.
pub fn mul(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    match (a, b) {
        (Finite(x), Finite(y)) => {
            let product = x.coefficient.mul(&y.coefficient);
            let scale = i32::from(x.scale) + i32::from(y.scale);
            if scale > SCALE_MAX {
                let kept = drop_digits(&product, (scale - SCALE_MAX) as u32, Rounding::HalfUp);
                return Decimal::checked(kept, SCALE_MAX);
            }
            Decimal::checked(product, scale)
        }
        (NaN, _) | (_, NaN) => Ok(NaN),
        _ => match a.signum() * b.signum() {
            0 => Ok(NaN),
            1 => Ok(Infinity),
            _ => Ok(NegInfinity),
        },
    }
}

/// `a / b`.
pub fn div(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    if let Some(special) = div_special(a, b)? {
        return Ok(special);
    }
    let (Finite(x), Finite(y)) = (a, b) else { return Ok(NaN) };
    let scale = quotient_scale(x, y);
    divide(x, y, scale, Rounding::HalfUp)
}

/// `div(a, b)`: the quotient cut to an integer.
pub fn div_trunc(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    if let Some(special) = div_special(a, b)? {
        return Ok(special);
    }
    let (Finite(x), Finite(y)) = (a, b) else { return Ok(NaN) };
    divide(x, y, 0, Rounding::Truncate)
}

fn div_special(a: &Numeric, b: &Numeric) -> SqlResult<Option<Numeric>> {
    if a.is_nan() || b.is_nan() {
        return Ok(Some(NaN));
    }
    match (a.is_finite(), b.is_finite()) {
        (true, true) if b.is_zero() => Err(SqlError::division_by_zero()),
        (true, true) => Ok(None),
        (false, false) => Ok(Some(NaN)),
        (true, false) => Ok(Some(Numeric::ZERO)),
        (false, true) => match a.signum() * b.signum() {
            0 => Err(SqlError::division_by_zero()),
            1 => Ok(Some(Infinity)),
            _ => Ok(Some(NegInfinity)),
        },
    }
}

/// `a / b` at a given scale.
pub(super) fn divide(
    x: &Decimal,
    y: &Decimal,
    scale: i32,
    rounding: Rounding,
) -> SqlResult<Numeric> {
    // x.c / 10^xs / (y.c / 10^ys) * 10^scale
    let shift = scale - i32::from(x.scale) + i32::from(y.scale);
    let (numerator, denominator) = if shift >= 0 {
        (x.coefficient.scale_up(shift as u32), y.coefficient.clone())
    } else {
        (x.coefficient.clone(), y.coefficient.scale_up(shift.unsigned_abs()))
    };
    let negative = numerator.signum() * denominator.signum() < 0;
    let (quotient, remainder) = numerator.div_rem(&denominator);
    let away = rounds_away(&remainder, &denominator, negative, rounding);
    Decimal::checked(step_away(quotient, away, negative), scale)
}

/// PostgreSQL's `select_div_scale`: at least 16 significant digits, not fewer than either input
/// shows. It estimates the quotient's size from the first base-10000 digits; so must this.
fn quotient_scale(x: &Decimal, y: &Decimal) -> i32 {
    let (x_weight, x_first) = first_group(x);
    let (y_weight, y_first) = first_group(y);
    let mut weight = x_weight - y_weight;
    if x_first <= y_first {
        weight -= 1;
    }
    (SIGNIFICANT_DIGITS_MIN - weight * 4)
        .max(i32::from(x.scale))
        .max(i32::from(y.scale))
        .clamp(0, DISPLAY_SCALE_MAX)
}

/// Weight and value of the first nonzero base-10000 digit; zero has weight 0 and digit 0.
pub(super) fn first_group(value: &Decimal) -> (i32, i32) {
    let Some(exponent) = value.exponent() else { return (0, 0) };
    let weight = exponent.div_euclid(4);
    // How many decimal digits of the number lie in the first group.
    let wanted = exponent.rem_euclid(4) as u32 + 1;
    let digits = value.coefficient.digits();
    let first = if digits >= wanted {
        value.coefficient.abs().div_power(digits - wanted).0
    } else {
        value.coefficient.abs().scale_up(wanted - digits)
    };
    match first {
        Coefficient::Small(group) => (weight, group as i32),
        Coefficient::Big(_) => (weight, 9999),
    }
}

/// `a % b`, with the sign of `a`.
pub fn rem(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    match (a, b) {
        (NaN, _) | (_, NaN) => Ok(NaN),
        (Infinity | NegInfinity, other) => {
            if other.is_zero() {
                Err(SqlError::division_by_zero())
            } else {
                Ok(NaN)
            }
        }
        (Finite(_), Infinity | NegInfinity) => Ok(a.clone()),
        (Finite(x), Finite(y)) => {
            if y.coefficient.is_zero() {
                return Err(SqlError::division_by_zero());
            }
            let (scale, x, y) = align(x, y);
            Decimal::checked(x.div_rem(&y).1, scale)
        }
    }
}

/// `round(a, places)`; negative places round before the point.
pub fn round(a: &Numeric, places: i32) -> SqlResult<Numeric> {
    rescale(a, places, Rounding::HalfUp)
}

/// `trunc(a, places)`.
pub fn trunc(a: &Numeric, places: i32) -> SqlResult<Numeric> {
    rescale(a, places, Rounding::Truncate)
}

/// `floor(a)`.
pub fn floor(a: &Numeric) -> SqlResult<Numeric> {
    rescale(a, 0, Rounding::Floor)
}

/// `ceil(a)`.
pub fn ceil(a: &Numeric) -> SqlResult<Numeric> {
    rescale(a, 0, Rounding::Ceiling)
}

pub(super) fn rescale(a: &Numeric, places: i32, rounding: Rounding) -> SqlResult<Numeric> {
    let Finite(value) = a else { return Ok(a.clone()) };
    let places = places.clamp(-(SCALE_MAX + super::WHOLE_DIGITS_MAX as i32), SCALE_MAX);
    let dropped = i32::from(value.scale) - places;
    if dropped <= 0 {
        let coefficient = value.coefficient.scale_up(dropped.unsigned_abs());
        return Decimal::checked(coefficient, places);
    }
    let kept = drop_digits(&value.coefficient, dropped as u32, rounding);
    if places >= 0 {
        return Decimal::checked(kept, places);
    }
    Decimal::checked(kept.scale_up(places.unsigned_abs()), 0)
}

/// Divides by 10^n and rounds.
fn drop_digits(value: &Coefficient, n: u32, rounding: Rounding) -> Coefficient {
    if n > value.digits() + 1 && matches!(rounding, Rounding::HalfUp | Rounding::Truncate) {
        return Coefficient::Small(0);
    }
    let negative = value.signum() < 0;
    let (quotient, remainder) = value.div_power(n);
    let unit = Coefficient::Small(1).scale_up(n);
    let away = rounds_away(&remainder, &unit, negative, rounding);
    step_away(quotient, away, negative)
}

fn rounds_away(
    remainder: &Coefficient,
    divisor: &Coefficient,
    negative: bool,
    rounding: Rounding,
) -> bool {
    if remainder.is_zero() {
        return false;
    }
    match rounding {
        Rounding::Truncate => false,
        Rounding::Floor => negative,
        Rounding::Ceiling => !negative,
        Rounding::HalfUp => {
            let twice = remainder.abs().mul(&Coefficient::Small(2));
            twice.cmp(&divisor.abs()) != std::cmp::Ordering::Less
        }
    }
}

fn step_away(value: Coefficient, away: bool, negative: bool) -> Coefficient {
    match (away, negative) {
        (false, _) => value,
        (true, false) => value.add(&Coefficient::Small(1)),
        (true, true) => value.add(&Coefficient::Small(-1)),
    }
}

/// Both coefficients at the larger scale.
fn align(x: &Decimal, y: &Decimal) -> (i32, Coefficient, Coefficient) {
    let scale = x.scale.max(y.scale);
    let at = |value: &Decimal| value.coefficient.scale_up(u32::from(scale - value.scale));
    (i32::from(scale), at(x), at(y))
}

/// `gcd(a, b)`.
pub fn gcd(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    let (Finite(x), Finite(y)) = (a, b) else { return Ok(NaN) };
    let (scale, x, y) = align(x, y);
    let divisor = match (&x, &y) {
        (Coefficient::Small(x), Coefficient::Small(y)) if *x != i128::MIN && *y != i128::MIN => {
            Coefficient::Small(x.gcd(y))
        }
        _ => Coefficient::from_big(x.to_big().gcd(&y.to_big())),
    };
    Decimal::checked(divisor, scale)
}

/// `lcm(a, b)`.
pub fn lcm(a: &Numeric, b: &Numeric) -> SqlResult<Numeric> {
    let (Finite(x), Finite(y)) = (a, b) else { return Ok(NaN) };
    if x.coefficient.is_zero() || y.coefficient.is_zero() {
        return Decimal::checked(Coefficient::Small(0), i32::from(x.scale.max(y.scale)));
    }
    let (scale, x, y) = align(x, y);
    let multiple = x.to_big().lcm(&y.to_big());
    Decimal::checked(Coefficient::from_big(multiple).abs(), scale)
}

/// Whether the value is an odd integer; fractions count as not odd.
pub(super) fn is_odd_integer(value: &Decimal) -> bool {
    let (whole, fraction) = value.coefficient.div_power(u32::from(value.scale));
    fraction.is_zero() && whole.is_odd()
}

/// Whether the value has no fraction.
pub(super) fn is_integer(value: &Decimal) -> bool {
    value.coefficient.div_power(u32::from(value.scale)).1.is_zero()
}
