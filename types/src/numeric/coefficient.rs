//! The integer under a decimal number: 128 bits while they suffice.

use num_bigint::BigInt;
use num_traits::{Pow, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

/// An integer; `Big` only when it does not fit `Small`, so equal integers have equal forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Coefficient {
    Small(i128),
    Big(BigInt),
}

use Coefficient::{Big, Small};

/// 10^n for every n that fits.
const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// 10^n when it fits 128 bits.
pub(super) fn small_power(n: u32) -> Option<i128> {
    POWERS.get(n as usize).copied()
}

/// 10^n.
pub(super) fn big_power(n: u32) -> BigInt {
    match small_power(n) {
        Some(power) => BigInt::from(power),
        None => BigInt::from(10u8).pow(n),
    }
}

impl Coefficient {
    pub(super) fn from_big(value: BigInt) -> Self {
        match value.to_i128() {
            Some(small) => Small(small),
            None => Big(value),
        }
    }

    pub(super) fn to_big(&self) -> BigInt {
        match self {
            Small(value) => BigInt::from(*value),
            Big(value) => value.clone(),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        matches!(self, Small(0))
    }

    pub(super) fn signum(&self) -> i32 {
        match self {
            Small(value) => value.signum() as i32,
            Big(value) => {
                if value.is_negative() {
                    -1
                } else {
                    1
                }
            }
        }
    }

    pub(super) fn neg(&self) -> Self {
        match self {
            Small(value) => match value.checked_neg() {
                Some(negated) => Small(negated),
                None => Self::from_big(-BigInt::from(*value)),
            },
            Big(value) => Self::from_big(-value),
        }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        if let (Small(a), Small(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Small(sum);
        }
        Self::from_big(self.to_big() + other.to_big())
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        if let (Small(a), Small(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Small(product);
        }
        Self::from_big(self.to_big() * other.to_big())
    }

    /// Times 10^n.
    pub(super) fn scale_up(&self, n: u32) -> Self {
        if n == 0 || self.is_zero() {
            return self.clone();
        }
        if let (Small(value), Some(power)) = (self, small_power(n))
            && let Some(product) = value.checked_mul(power)
        {
            return Small(product);
        }
        Self::from_big(self.to_big() * big_power(n))
    }

    /// Quotient toward zero and remainder.
    pub(super) fn div_rem(&self, divisor: &Self) -> (Self, Self) {
        if let (Small(a), Small(b)) = (self, divisor)
            && let (Some(quotient), Some(remainder)) = (a.checked_div(*b), a.checked_rem(*b))
        {
            return (Small(quotient), Small(remainder));
        }
        let (a, b) = (self.to_big(), divisor.to_big());
        let quotient = &a / &b;
        let remainder = a - &quotient * b;
        (Self::from_big(quotient), Self::from_big(remainder))
    }

    /// Quotient and remainder by 10^n.
    pub(super) fn div_power(&self, n: u32) -> (Self, Self) {
        match small_power(n) {
            Some(power) => self.div_rem(&Small(power)),
            None => match self {
                // No 128-bit number has 39 digits after its first.
                Small(_) if n > 40 => (Small(0), self.clone()),
                _ => self.div_rem(&Self::from_big(big_power(n))),
            },
        }
    }

    pub(super) fn abs(&self) -> Self {
        if self.signum() < 0 { self.neg() } else { self.clone() }
    }

    pub(super) fn is_odd(&self) -> bool {
        match self {
            Small(value) => value & 1 == 1,
            Big(value) => value.bit(0),
        }
    }

    /// Number of decimal digits; 1 for zero.
    pub(super) fn digits(&self) -> u32 {
        match self {
            Small(value) => value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1,
            Big(value) => big_digits(value),
        }
    }

    /// Decimal digits of the absolute value.
    pub(super) fn to_digits(&self) -> String {
        match self {
            Small(value) => value.unsigned_abs().to_string(),
            Big(value) => value.magnitude().to_string(),
        }
    }

    /// Drops up to `limit` trailing zeros; says how many.
    pub(super) fn strip_zeros(&self, limit: u32) -> (Self, u32) {
        let mut value = self.clone();
        let mut dropped = 0;
        if value.is_zero() {
            return (value, limit);
        }
        while dropped < limit {
            let step = if limit - dropped >= 16 && matches!(value, Big(_)) { 16 } else { 1 };
            let (quotient, remainder) = value.div_power(step);
            let (quotient, remainder, step) = if remainder.is_zero() || step == 1 {
                (quotient, remainder, step)
            } else {
                let (quotient, remainder) = value.div_power(1);
                (quotient, remainder, 1)
            };
            if !remainder.is_zero() {
                break;
            }
            value = quotient;
            dropped += step;
        }
        (value, dropped)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Small(a), Small(b)) => a.cmp(b),
            (Big(a), Big(b)) => a.cmp(b),
            // A big one lies beyond every small one, on the side of its sign.
            (Small(_), Big(b)) => {
                if b.is_negative() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Big(a), Small(_)) => {
                if a.is_negative() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

/// Digits of a big integer: an estimate from its bits, corrected by one comparison.
fn big_digits(value: &BigInt) -> u32 {
    let bits = value.bits();
    let estimate = ((bits - 1) as f64 * std::f64::consts::LOG10_2).floor() as u32;
    let magnitude = value.magnitude();
    // The estimate counts the digits of a power of two: it is exact or one or two too low.
    let mut digits = estimate.max(1);
    let mut power = BigInt::from(10u8).pow(digits);
    while magnitude >= power.magnitude() {
        power *= 10u8;
        digits += 1;
    }
    debug_assert!(!value.is_zero());
    digits
}

/// Compares a / 10^a_scale with b / 10^b_scale.
pub(super) fn cmp_scaled(a: &Coefficient, a_scale: u16, b: &Coefficient, b_scale: u16) -> Ordering {
    match a_scale.cmp(&b_scale) {
        Ordering::Equal => a.cmp(b),
        _ if a.signum() != b.signum() => a.signum().cmp(&b.signum()),
        Ordering::Less => a.scale_up(u32::from(b_scale - a_scale)).cmp(b),
        Ordering::Greater => a.cmp(&b.scale_up(u32::from(a_scale - b_scale))),
    }
}
