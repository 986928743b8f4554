//! Logarithm and exponential on binary fixed-point numbers of any precision.
//!
//! A number is an integer times 2^-bits. Callers add guard bits and round at the end.

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// A precision, and the arithmetic at it.
pub(super) struct Fixed {
    bits: u64,
}

impl Fixed {
    /// Enough bits for this many decimal digits behind the point, and some to lose.
    pub(super) fn with_digits(digits: i64) -> Fixed {
        Fixed { bits: (digits.max(0) as f64 * 3.322).ceil() as u64 + 96 }
    }

    pub(super) fn one(&self) -> BigInt {
        BigInt::one() << self.bits
    }

    /// `numerator / denominator`.
    pub(super) fn ratio(&self, numerator: &BigInt, denominator: &BigInt) -> BigInt {
        (numerator << self.bits) / denominator
    }

    pub(super) fn mul(&self, a: &BigInt, b: &BigInt) -> BigInt {
        (a * b) >> self.bits
    }

    /// The number as a decimal coefficient at a scale, halves away from zero.
    pub(super) fn to_decimal(&self, value: &BigInt, scale: i32) -> BigInt {
        let scaled = value.abs() * super::coefficient::big_power(scale.max(0) as u32);
        let half = BigInt::one() << (self.bits - 1);
        let rounded: BigInt = (scaled + half) >> self.bits;
        if value.is_negative() { -rounded } else { rounded }
    }

    /// atanh(1/n) by its series.
    fn atanh_inverse(&self, n: u32) -> BigInt {
        let square = BigInt::from(n) * n;
        let mut power = self.one() / n;
        let mut sum = power.clone();
        let mut odd = 3u32;
        loop {
            power /= &square;
            if power.is_zero() {
                return sum;
            }
            sum += &power / odd;
            odd += 2;
        }
    }

    fn ln_2(&self) -> BigInt {
        self.atanh_inverse(26) * 18 - self.atanh_inverse(4801) * 2 + self.atanh_inverse(8749) * 8
    }

    /// ln of `numerator / denominator`, both positive.
    pub(super) fn ln(&self, numerator: &BigInt, denominator: &BigInt) -> BigInt {
        // Bring the number between 1/2 and 2, then near 1 by square roots.
        let shift = numerator.bits() as i64 - denominator.bits() as i64;
        let mantissa = if shift >= 0 {
            self.ratio(numerator, &(denominator << shift as u64))
        } else {
            self.ratio(&(numerator << shift.unsigned_abs()), denominator)
        };
        const ROOTS: u32 = 6;
        let mut root = mantissa;
        for _ in 0..ROOTS {
            root = (root << self.bits).sqrt();
        }
        let one = self.one();
        let t = ((&root - &one) << self.bits) / (&root + &one);
        let square = self.mul(&t, &t);
        let mut power = t.clone();
        let mut sum = t;
        let mut odd = 3u32;
        loop {
            power = self.mul(&power, &square);
            if power.magnitude().bits() <= 1 {
                break;
            }
            sum += &power / odd;
            odd += 2;
        }
        (sum << (ROOTS + 1)) + self.ln_2() * shift
    }

    /// e^x. None when the result has more bits than any numeric could.
    pub(super) fn exp(&self, x: &BigInt) -> Option<BigInt> {
        let ln_2 = self.ln_2();
        let halvings = (x / &ln_2).to_i64()?;
        if halvings.abs() > 2_000_000 {
            return None;
        }
        let rest = x - &ln_2 * halvings;
        const SQUARINGS: u32 = 8;
        let small = rest >> SQUARINGS;
        let mut term = self.one();
        let mut sum = self.one();
        let mut n = 1u32;
        loop {
            term = self.mul(&term, &small) / n;
            if term.magnitude().bits() <= 1 {
                break;
            }
            sum += &term;
            n += 1;
        }
        for _ in 0..SQUARINGS {
            sum = self.mul(&sum, &sum);
        }
        Some(if halvings >= 0 { sum << halvings as u64 } else { sum >> halvings.unsigned_abs() })
    }
}
