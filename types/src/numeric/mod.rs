//! `numeric`: exact decimal numbers of any length.
//!
//! A value is an integer coefficient and a display scale: 1.50 is 150 with scale 2. Coefficients
//! that fit 128 bits, which is nearly all of them, are plain integers; the rest are big integers.
//! The scale is part of the value's look but not of its worth: 1.5 equals 1.50.

mod arith;
mod coefficient;
mod convert;
mod decimal_math;
mod fixed;
mod io;
mod ordered;

pub use arith::{
    Rounding, add, ceil, div, div_trunc, floor, gcd, lcm, mul, neg, rem, round, sub, trunc,
};
pub use convert::{from_f32, from_f64, to_f64, to_i16, to_i32, to_i64};
pub use decimal_math::{exp, factorial, ln, log, log10, power, sqrt, sqrt_at_scale};
pub use io::parse;
pub(crate) use io::{decode, encode, format};
pub(crate) use ordered::{put_key, read_key};

use crate::{SqlError, SqlResult, sqlstate, typmod};
use coefficient::Coefficient;
use num_bigint::BigInt;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Most digits before the decimal point.
pub(crate) const WHOLE_DIGITS_MAX: i64 = 131_072;
/// Most digits after the decimal point.
pub(crate) const SCALE_MAX: i32 = 16_383;

/// A value of `numeric`.
#[derive(Clone, Debug)]
pub enum Numeric {
    NegInfinity,
    Finite(Decimal),
    Infinity,
    /// Equal to itself and above everything, as PostgreSQL has it.
    NaN,
}

/// A finite number: `coefficient / 10^scale`.
#[derive(Clone, Debug)]
pub struct Decimal {
    coefficient: Coefficient,
    scale: u16,
}

impl Numeric {
    /// Zero with scale 0.
    pub const ZERO: Numeric =
        Numeric::Finite(Decimal { coefficient: Coefficient::Small(0), scale: 0 });

    /// `mantissa / 10^scale`.
    pub fn from_parts(mantissa: i128, scale: u16) -> Numeric {
        Numeric::Finite(Decimal { coefficient: Coefficient::Small(mantissa), scale })
    }

    /// `mantissa / 10^scale` of any size, checked against the limits of the type.
    pub fn from_big(mantissa: BigInt, scale: i32) -> SqlResult<Numeric> {
        Decimal::checked(Coefficient::from_big(mantissa), scale)
    }

    /// The display scale; 0 for the special values.
    pub fn scale(&self) -> i32 {
        match self {
            Numeric::Finite(value) => i32::from(value.scale),
            _ => 0,
        }
    }

    pub fn is_nan(&self) -> bool {
        matches!(self, Numeric::NaN)
    }

    pub fn is_finite(&self) -> bool {
        matches!(self, Numeric::Finite(_))
    }

    pub fn is_zero(&self) -> bool {
        matches!(self, Numeric::Finite(value) if value.coefficient.is_zero())
    }

    /// -1, 0 or 1; NaN counts as positive.
    pub fn signum(&self) -> i32 {
        match self {
            Numeric::NegInfinity => -1,
            Numeric::Finite(value) => value.coefficient.signum(),
            Numeric::Infinity | Numeric::NaN => 1,
        }
    }

    /// The absolute value.
    pub fn abs(&self) -> Numeric {
        if self.signum() < 0 { neg(self) } else { self.clone() }
    }

    /// Mantissa and scale when the mantissa fits 128 bits: the fast path of sums.
    pub fn small_parts(&self) -> Option<(i128, u16)> {
        match self {
            Numeric::Finite(Decimal { coefficient: Coefficient::Small(mantissa), scale }) => {
                Some((*mantissa, *scale))
            }
            _ => None,
        }
    }

    /// Mantissa and scale of a finite value.
    pub fn big_parts(&self) -> Option<(BigInt, u16)> {
        match self {
            Numeric::Finite(value) => Some((value.coefficient.to_big(), value.scale)),
            _ => None,
        }
    }

    /// The value without trailing zeros behind the point.
    pub fn trim_scale(&self) -> Numeric {
        match self {
            Numeric::Finite(value) => {
                let (coefficient, dropped) = value.coefficient.strip_zeros(u32::from(value.scale));
                let scale = value.scale - dropped as u16;
                Numeric::Finite(Decimal { coefficient, scale })
            }
            other => other.clone(),
        }
    }

    /// Fewest digits behind the point that still show the value exactly.
    pub fn min_scale(&self) -> Option<i32> {
        self.is_finite().then(|| self.trim_scale().scale())
    }
}

impl Decimal {
    fn checked(coefficient: Coefficient, scale: i32) -> SqlResult<Numeric> {
        debug_assert!(scale >= 0);
        let whole_digits = coefficient.digits() as i64 - i64::from(scale);
        if whole_digits > WHOLE_DIGITS_MAX || scale > SCALE_MAX {
            return Err(overflow());
        }
        Ok(Numeric::Finite(Decimal { coefficient, scale: scale as u16 }))
    }

    /// Decimal exponent of the first digit: 0 for 1..9.99, -1 for 0.1. None for zero.
    fn exponent(&self) -> Option<i32> {
        let digits = self.coefficient.digits() as i32;
        (!self.coefficient.is_zero()).then(|| digits - 1 - i32::from(self.scale))
    }
}

/// `value overflows numeric format`.
pub(crate) fn overflow() -> SqlError {
    SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

/// Rounds to `numeric(precision, scale)` and checks that the value fits.
pub(crate) fn apply_typmod(value: &Numeric, modifier: i32) -> SqlResult<Numeric> {
    let Some((precision, scale)) = typmod::numeric_parts(modifier) else {
        return Ok(value.clone());
    };
    let too_big = |detail: String| {
        SqlError::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow")
            .with_detail(detail)
    };
    match value {
        Numeric::NaN => Ok(Numeric::NaN),
        Numeric::Infinity | Numeric::NegInfinity => Err(too_big(format!(
            "A field with precision {precision}, scale {scale} cannot hold an infinite value."
        ))),
        Numeric::Finite(_) => {
            let rounded = round(value, scale)?;
            let exponent = match &rounded {
                Numeric::Finite(decimal) => decimal.exponent(),
                _ => None,
            };
            let whole_digits_max = precision - scale;
            if exponent.is_some_and(|exponent| exponent >= whole_digits_max) {
                let (prefix, power) =
                    if whole_digits_max == 0 { ("", 0) } else { ("10^", whole_digits_max) };
                let limit = if power == 0 { "1".to_owned() } else { format!("{prefix}{power}") };
                return Err(too_big(format!(
                    "A field with precision {precision}, scale {scale} must round to an \
                     absolute value less than {limit}."
                )));
            }
            Ok(rounded)
        }
    }
}

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        Numeric::from_parts(i128::from(value), 0)
    }
}

impl From<i32> for Numeric {
    fn from(value: i32) -> Self {
        Numeric::from_parts(i128::from(value), 0)
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Numeric::Finite(a), Numeric::Finite(b)) => {
                coefficient::cmp_scaled(&a.coefficient, a.scale, &b.coefficient, b.scale)
            }
            _ => self.class().cmp(&other.class()),
        }
    }
}

impl Numeric {
    fn class(&self) -> u8 {
        match self {
            Numeric::NegInfinity => 0,
            Numeric::Finite(_) => 1,
            Numeric::Infinity => 2,
            Numeric::NaN => 3,
        }
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.trim_scale() {
            Numeric::Finite(Decimal { coefficient, scale }) => {
                // Trailing zeros before the point stay: equal values have equal trimmed forms.
                scale.hash(state);
                coefficient.hash(state);
            }
            other => (0xffffu16, other.class()).hash(state),
        }
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        format(self, &mut out);
        f.write_str(&out)
    }
}
