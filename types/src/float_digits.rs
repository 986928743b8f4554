//! The shortest decimal digits that read back as the same float, chosen as PostgreSQL chooses.
//!
//! Rust's formatting gives shortest digits too, but the two differ in two corners: of two equally
//! near candidates PostgreSQL takes the one with an even last digit, and a candidate that lies
//! exactly half-way to the next float is not taken at all (a reader might round it either way).

use num_bigint::BigUint;

/// Significant digits without trailing zeros, and the decimal exponent of the first.
pub(crate) struct Digits {
    pub(crate) negative: bool,
    pub(crate) digits: String,
    pub(crate) exponent: i32,
}

/// What the two float types differ in.
pub(crate) trait Shortest:
    Copy + std::fmt::LowerExp + PartialEq + std::str::FromStr
{
    /// Mantissa with its hidden bit, and the binary exponent of its last bit.
    fn parts(self) -> (u64, i32);
    /// Digits that always suffice.
    const DIGITS_MAX: usize;
    /// From this magnitude on (a power of two) a half-way point can have few digits.
    const HALF_WAY_BITS: i32;
    /// Bits of a full mantissa.
    const MANTISSA_BITS: u32;
}

impl Shortest for f64 {
    fn parts(self) -> (u64, i32) {
        let bits = self.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        match (bits >> 52 & 0x7ff) as i32 {
            0 => (fraction, -1074),
            exponent => (fraction | 1 << 52, exponent - 1075),
        }
    }
    const DIGITS_MAX: usize = 17;
    const HALF_WAY_BITS: i32 = 50;
    const MANTISSA_BITS: u32 = 53;
}

impl Shortest for f32 {
    fn parts(self) -> (u64, i32) {
        let bits = self.to_bits();
        let fraction = u64::from(bits & ((1 << 23) - 1));
        match (bits >> 23 & 0xff) as i32 {
            0 => (fraction, -149),
            exponent => (fraction | 1 << 23, exponent - 150),
        }
    }
    const DIGITS_MAX: usize = 9;
    const HALF_WAY_BITS: i32 = 20;
    const MANTISSA_BITS: u32 = 24;
}

/// Shortest digits of a finite number.
pub(crate) fn shortest<F: Shortest>(value: F) -> Digits {
    let mut found = split(&format!("{value:e}"));
    let (mantissa, exponent) = value.parts();
    let top_bit = exponent + (64 - mantissa.leading_zeros()) as i32;
    if top_bit >= F::HALF_WAY_BITS && is_half_way::<F>(&found, mantissa, exponent) {
        for length in found.digits.len()..=F::DIGITS_MAX {
            let candidate = format!("{value:.*e}", length - 1);
            let digits = split(&candidate);
            let reads_back = candidate.parse::<F>().is_ok_and(|back| back == value);
            if reads_back && !is_half_way::<F>(&digits, mantissa, exponent) {
                found = digits;
                break;
            }
        }
    }
    even_out(&mut found, mantissa, exponent);
    found
}

/// Cuts `-1.25e-7` into its parts.
pub(crate) fn split(scientific: &str) -> Digits {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_end_matches('0').len().max(1);
    Digits {
        negative: mantissa.starts_with('-'),
        digits: digits[..significant].to_owned(),
        exponent: exponent.parse().unwrap_or(0),
    }
}

/// Whether the digits are exactly the middle between the float and one of its neighbours.
fn is_half_way<F: Shortest>(found: &Digits, mantissa: u64, exponent: i32) -> bool {
    let power = found.exponent + 1 - found.digits.len() as i32;
    let Ok(digits) = found.digits.parse::<u64>() else { return false };
    // In quarters of the last bit, so that the middle below a power of two is whole too.
    let scale = exponent - 2;
    let mut left = BigUint::from(digits);
    let mut right_unit = BigUint::from(1u8);
    if power >= 0 {
        left *= BigUint::from(10u8).pow(power as u32);
    } else {
        right_unit *= BigUint::from(10u8).pow(power.unsigned_abs());
    }
    if scale >= 0 {
        right_unit <<= scale as u32;
    } else {
        left <<= scale.unsigned_abs();
    }
    let is_power_of_two = mantissa == 1 << (F::MANTISSA_BITS - 1);
    let below = if is_power_of_two { 4 * mantissa - 1 } else { 4 * mantissa - 2 };
    left == &right_unit * (4 * mantissa + 2) || left == right_unit * below
}

/// When the float lies exactly between two candidates of this length, takes the even one.
fn even_out(found: &mut Digits, mantissa: u64, exponent: i32) {
    let places = found.digits.len() as i32 - 1 - found.exponent;
    if !(1..=26).contains(&places) || mantissa == 0 {
        return;
    }
    // The value is (an odd number) / 2^(places + 1) exactly when it ends with a five one digit
    // further on.
    let zeros = mantissa.trailing_zeros() as i32;
    if exponent + zeros != -(places + 1) {
        return;
    }
    let Ok(digits) = found.digits.parse::<u64>() else { return };
    if digits % 2 == 0 {
        return;
    }
    let doubled = u128::from(mantissa >> zeros) * 5u128.pow(places as u32);
    let even = if u128::from(digits) * 2 > doubled { digits - 1 } else { digits + 1 };
    let text = even.to_string();
    if text.len() == found.digits.len() {
        found.digits = text.trim_end_matches('0').to_owned();
    }
}
