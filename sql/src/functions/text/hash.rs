//! `md5` and the `sha` family.

use crate::functions::native::{Native, bytes_of, text as text_result, text_of};
use crate::functions::{EvalContext, Function};
use bytes::Bytes;
use types::oid::*;
use types::{Datum, SqlResult, bytea};

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    bytea::encode_hex(bytes, &mut out);
    out
}

fn md5_text(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    text_result(hex(&md5(text_of(&args[0])?.as_bytes())))
}

fn md5_bytea(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    text_result(hex(&md5(bytes_of(&args[0])?)))
}

fn sha224_bytea(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    let digest = sha256(bytes_of(&args[0])?, SHA224_START);
    Ok(Bytes::copy_from_slice(&digest[..28]).put())
}

fn sha256_bytea(args: &[Datum], _: &EvalContext<'_>) -> SqlResult<Datum> {
    Ok(Bytes::copy_from_slice(&sha256(bytes_of(&args[0])?, SHA256_START)).put())
}

/// The message, a one bit, zeros and the length in bits, in blocks of 64 bytes.
fn padded(message: &[u8], length: [u8; 8]) -> Vec<u8> {
    let mut out = message.to_vec();
    out.push(0x80);
    while out.len() % 64 != 56 {
        out.push(0);
    }
    out.extend_from_slice(&length);
    out
}

/// RFC 1321.
fn md5(message: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let bits = (message.len() as u64).wrapping_mul(8);
    for block in padded(message, bits.to_le_bytes()).chunks_exact(64) {
        let word = |at: usize| {
            u32::from_le_bytes([
                block[4 * at],
                block[4 * at + 1],
                block[4 * at + 2],
                block[4 * at + 3],
            ])
        };
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64usize {
            let (mix, at) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            // floor(2^32 * |sin(step + 1)|)
            let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(mix).wrapping_add(constant).wrapping_add(word(at));
            let next = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
            (a, d, c, b) = (d, c, b, next);
        }
        for (part, add) in state.iter_mut().zip([a, b, c, d]) {
            *part = part.wrapping_add(add);
        }
    }
    let mut out = [0; 16];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    out
}

const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const SHA224_START: [u32; 8] = [
    0xc105_9ed8,
    0x367c_d507,
    0x3070_dd17,
    0xf70e_5939,
    0xffc0_0b31,
    0x6858_1511,
    0x64f9_8fa7,
    0xbefa_4fa4,
];

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
const fn sha256_constants() -> [u32; 64] {
    let mut out = [0; 64];
    let mut prime = 2u128;
    let mut count = 0;
    while count < 64 {
        let mut divisor = 2;
        let mut is_prime = true;
        while divisor * divisor <= prime {
            if prime.is_multiple_of(divisor) {
                is_prime = false;
            }
            divisor += 1;
        }
        if is_prime {
            // The integer cube root of prime * 2^96 has 32 bits of fraction.
            let target = prime << 96;
            let mut root = 0u128;
            let mut bit = 1u128 << 36;
            while bit > 0 {
                let candidate = root | bit;
                if candidate * candidate * candidate <= target {
                    root = candidate;
                }
                bit >>= 1;
            }
            out[count] = root as u32;
            count += 1;
        }
        prime += 1;
    }
    out
}

static SHA256_CONSTANTS: [u32; 64] = sha256_constants();

/// FIPS 180-4.
fn sha256(message: &[u8], start: [u32; 8]) -> [u8; 32] {
    let mut state = start;
    let bits = (message.len() as u64).wrapping_mul(8);
    for block in padded(message, bits.to_be_bytes()).chunks_exact(64) {
        let mut words = [0u32; 64];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for at in 16..64 {
            let (x, y) = (words[at - 15], words[at - 2]);
            let low = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
            let high = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
            words[at] =
                words[at - 16].wrapping_add(low).wrapping_add(words[at - 7]).wrapping_add(high);
        }
        let mut s = state;
        for at in 0..64 {
            let [a, b, c, d, e, f, g, h] = s;
            let high = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let first = h
                .wrapping_add(high)
                .wrapping_add(choice)
                .wrapping_add(SHA256_CONSTANTS[at])
                .wrapping_add(words[at]);
            let low = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let second = low.wrapping_add(majority);
            s = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
        }
        for (part, add) in state.iter_mut().zip(s) {
            *part = part.wrapping_add(add);
        }
    }
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("md5", &[TEXT], TEXT, md5_text),
    Function::new("md5", &[BYTEA], TEXT, md5_bytea),
    Function::new("sha224", &[BYTEA], BYTEA, sha224_bytea),
    Function::new("sha256", &[BYTEA], BYTEA, sha256_bytea),
];
