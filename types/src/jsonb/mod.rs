//! `jsonb`: a JSON value in canonical form. Object keys are unique and sorted by length, then by
//! bytes; numbers are exact decimals that keep their scale.

mod lexer;
mod ordered;
mod parser;
pub mod raw;
mod write;

pub use ordered::{cmp, hash};
pub(crate) use ordered::{put_key, read_key};
pub use parser::{check, parse};

pub use write::{escape, format, pretty};

use crate::Numeric;
use std::sync::Arc;

/// Deepest nesting that is accepted.
pub const DEPTH_MAX: u32 = 1000;

/// A JSON value. Build objects with [`Jsonb::object`], which puts the keys in order.
#[derive(Clone, Debug)]
pub enum Jsonb {
    Null,
    Bool(bool),
    Number(Numeric),
    String(Arc<str>),
    Array(Vec<Jsonb>),
    /// Sorted by [`key_order`], no key twice.
    Object(Vec<(Arc<str>, Jsonb)>),
}

/// How keys of an object are ordered: the shorter first, then by bytes.
pub fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

impl Jsonb {
    /// An object from pairs in any order; of equal keys the last wins.
    pub fn object(pairs: Vec<(Arc<str>, Jsonb)>) -> Jsonb {
        let mut pairs = pairs;
        // Stable: of equal keys the later stays behind.
        pairs.sort_by(|a, b| key_order(&a.0, &b.0));
        let mut unique: Vec<(Arc<str>, Jsonb)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            match unique.last_mut() {
                Some(last) if last.0 == pair.0 => *last = pair,
                _ => unique.push(pair),
            }
        }
        Jsonb::Object(unique)
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Jsonb> {
        match self {
            Jsonb::Object(pairs) => {
                let at = pairs.binary_search_by(|pair| key_order(&pair.0, key)).ok()?;
                Some(&pairs[at].1)
            }
            _ => None,
        }
    }

    /// The element of an array; negative places count from the end.
    pub fn element(&self, place: i64) -> Option<&Jsonb> {
        match self {
            Jsonb::Array(values) => {
                let at = if place < 0 { place + values.len() as i64 } else { place };
                usize::try_from(at).ok().and_then(|at| values.get(at))
            }
            _ => None,
        }
    }

    /// What `jsonb_typeof` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Jsonb::Null => "null",
            Jsonb::Bool(_) => "boolean",
            Jsonb::Number(_) => "number",
            Jsonb::String(_) => "string",
            Jsonb::Array(_) => "array",
            Jsonb::Object(_) => "object",
        }
    }
}
