//! `numeric` from and to the other number types.

use super::coefficient::Coefficient;
use super::{Decimal, Numeric, io, round};
use crate::{SqlError, SqlResult, sqlstate};
use num_traits::ToPrimitive;

/// Rounds to bigint.
pub fn to_i64(value: &Numeric) -> SqlResult<i64> {
    to_integer(value, "bigint")
}

/// Rounds to integer.
pub fn to_i32(value: &Numeric) -> SqlResult<i32> {
    to_integer(value, "integer")
}

/// Rounds to smallint.
pub fn to_i16(value: &Numeric) -> SqlResult<i16> {
    to_integer(value, "smallint")
}

fn to_integer<T: TryFrom<i128>>(value: &Numeric, type_name: &str) -> SqlResult<T> {
    let special = |what: &str| {
        SqlError::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!("cannot convert {what} to {type_name}"),
        )
    };
    match round(value, 0)? {
        Numeric::NaN => Err(special("NaN")),
        Numeric::Infinity | Numeric::NegInfinity => Err(special("infinity")),
        Numeric::Finite(Decimal { coefficient: Coefficient::Small(whole), .. }) => {
            T::try_from(whole).map_err(|_| SqlError::out_of_range(type_name))
        }
        Numeric::Finite(_) => Err(SqlError::out_of_range(type_name)),
    }
}

/// The nearest double; None beyond its range.
pub fn to_f64(value: &Numeric) -> Option<f64> {
    match value {
        Numeric::NaN => Some(f64::NAN),
        Numeric::Infinity => Some(f64::INFINITY),
        Numeric::NegInfinity => Some(f64::NEG_INFINITY),
        Numeric::Finite(Decimal { coefficient: Coefficient::Small(whole), scale })
            if *scale <= 22 && whole.unsigned_abs() < 1 << 53 =>
        {
            // Both are exact doubles, so one division rounds correctly.
            Some(*whole as f64 / 10f64.powi(i32::from(*scale)))
        }
        Numeric::Finite(_) => {
            let mut text = String::new();
            io::format(value, &mut text);
            let nearest: f64 = text.parse().ok()?;
            let vanished = nearest == 0.0 && !value.is_zero();
            (nearest.is_finite() && !vanished).then_some(nearest)
        }
    }
}

/// A double's first 15 significant digits, as the cast takes them.
pub fn from_f64(value: f64) -> SqlResult<Numeric> {
    from_digits(value, 15)
}

/// A real's first 6 significant digits, as the cast takes them.
pub fn from_f32(value: f32) -> SqlResult<Numeric> {
    from_digits(f64::from(value), 6)
}

fn from_digits(value: f64, digits: usize) -> SqlResult<Numeric> {
    if value.is_nan() {
        return Ok(Numeric::NaN);
    }
    if value.is_infinite() {
        return Ok(if value > 0.0 { Numeric::Infinity } else { Numeric::NegInfinity });
    }
    let text = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    // What `%g` prints: no trailing zeros.
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    io::parse(&format!("{mantissa}e{exponent}"))
}

/// The value as an exact integer of 128 bits when it has no fraction and fits.
pub(super) fn exact_integer(value: &Decimal) -> Option<i128> {
    let (whole, fraction) = value.coefficient.div_power(u32::from(value.scale));
    if !fraction.is_zero() {
        return None;
    }
    whole.to_big().to_i128()
}
