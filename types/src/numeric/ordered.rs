//! The order-preserving key form of `numeric`.
//!
//! A class byte, then for finite values other than zero the decimal exponent and the significant
//! digits in pairs, each pair plus one so that the zero at the end is below all of them. Negative
//! values invert everything behind the class byte. Trailing zeros are not written: equal values
//! have equal keys, and the display scale is lost.

use super::{Decimal, Numeric};
use base::codec::{CodecError, KeyReader};

const NEG_INFINITY: u8 = 0x01;
const NEGATIVE: u8 = 0x02;
const ZERO: u8 = 0x03;
const POSITIVE: u8 = 0x04;
const INFINITY: u8 = 0x05;
const NAN: u8 = 0x06;

/// Added to the exponent, which then is positive and fits three bytes.
const EXPONENT_BIAS: i32 = 1 << 20;

/// Appends the key form.
pub(crate) fn put_key(value: &Numeric, out: &mut Vec<u8>) {
    let decimal = match value {
        Numeric::NegInfinity => return out.push(NEG_INFINITY),
        Numeric::Infinity => return out.push(INFINITY),
        Numeric::NaN => return out.push(NAN),
        Numeric::Finite(decimal) => decimal,
    };
    let Some(exponent) = decimal.exponent() else { return out.push(ZERO) };
    let negative = decimal.coefficient.signum() < 0;
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let start = out.len();
    out.extend_from_slice(&(exponent + EXPONENT_BIAS).to_be_bytes()[1..]);
    let digits = decimal.coefficient.to_digits();
    for pair in digits.trim_end_matches('0').as_bytes().chunks(2) {
        let low = pair.get(1).map_or(0, |digit| digit - b'0');
        out.push((pair[0] - b'0') * 10 + low + 1);
    }
    out.push(0);
    if negative {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Reads what [`put_key`] wrote.
pub(crate) fn read_key(reader: &mut KeyReader<'_>) -> Result<Numeric, CodecError> {
    let negative = match reader.byte()? {
        NEG_INFINITY => return Ok(Numeric::NegInfinity),
        INFINITY => return Ok(Numeric::Infinity),
        NAN => return Ok(Numeric::NaN),
        ZERO => return Ok(Numeric::ZERO),
        NEGATIVE => true,
        POSITIVE => false,
        _ => return Err(CodecError("numeric key")),
    };
    let mask = if negative { 0xff } else { 0 };
    let [a, b, c] = reader.array::<3>()?.map(|byte| byte ^ mask);
    let exponent = i32::from_be_bytes([0, a, b, c]) - EXPONENT_BIAS;
    let mut digits = String::new();
    loop {
        match reader.byte()? ^ mask {
            0 => break,
            pair @ 1..=100 => {
                digits.push(char::from(b'0' + (pair - 1) / 10));
                digits.push(char::from(b'0' + (pair - 1) % 10));
            }
            _ => return Err(CodecError("numeric key digits")),
        }
    }
    let significant = digits.trim_end_matches('0').len();
    digits.truncate(significant.max(1));
    let sign = if negative { "-" } else { "" };
    let shift = exponent + 1 - digits.len() as i32;
    let value = super::io::parse(&format!("{sign}{digits}e{shift}"))
        .map_err(|_| CodecError("numeric key range"))?;
    Ok(value)
}

/// Keys hold the exponent of any valid number in their three bytes.
const _: () = assert!(super::WHOLE_DIGITS_MAX < (EXPONENT_BIAS as i64));

impl Decimal {
    /// The mantissa in as few bytes as it takes, for row tuples.
    pub(crate) fn tuple_parts(&self) -> (u16, Vec<u8>) {
        let bytes = match &self.coefficient {
            super::Coefficient::Small(value) => trim_sign_bytes(&value.to_le_bytes()).to_vec(),
            super::Coefficient::Big(value) => value.to_signed_bytes_le(),
        };
        (self.scale, bytes)
    }

    /// Reads what [`Decimal::tuple_parts`] gave.
    pub(crate) fn from_tuple(scale: u16, bytes: &[u8]) -> Decimal {
        if bytes.len() <= 16 {
            let fill = if bytes.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 };
            let mut wide = [fill; 16];
            wide[..bytes.len()].copy_from_slice(bytes);
            let coefficient = super::Coefficient::Small(i128::from_le_bytes(wide));
            return Decimal { coefficient, scale };
        }
        let value = num_bigint::BigInt::from_signed_bytes_le(bytes);
        Decimal { coefficient: super::Coefficient::from_big(value), scale }
    }
}

/// Drops high bytes that only repeat the sign.
fn trim_sign_bytes(bytes: &[u8]) -> &[u8] {
    let mut end = bytes.len();
    while end > 1 {
        let (top, below) = (bytes[end - 1], bytes[end - 2]);
        let redundant = (top == 0 && below & 0x80 == 0) || (top == 0xff && below & 0x80 != 0);
        if !redundant {
            break;
        }
        end -= 1;
    }
    &bytes[..end]
}
