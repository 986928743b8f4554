//! Comparison, equality and hashing of values, as PostgreSQL's default operator classes have them.
//!
//! Two values of the same type; NULL sorts last. `char(n)` ignores trailing spaces, which only its
//! type tells: use [`cmp_as`] and its kin where a column may have it.

use crate::oid::{self, Oid};
use crate::{Array, Datum};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Orders two values of one type.
pub fn cmp(a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Null, Datum::Null) => Ordering::Equal,
        (Datum::Null, _) => Ordering::Greater,
        (_, Datum::Null) => Ordering::Less,
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Int2(a), Datum::Int2(b)) => a.cmp(b),
        (Datum::Int4(a), Datum::Int4(b)) | (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
        (Datum::Int8(a), Datum::Int8(b))
        | (Datum::Time(a), Datum::Time(b))
        | (Datum::Timestamp(a), Datum::Timestamp(b))
        | (Datum::Timestamptz(a), Datum::Timestamptz(b)) => a.cmp(b),
        (Datum::Float4(a), Datum::Float4(b)) => cmp_float(f64::from(*a), f64::from(*b)),
        (Datum::Float8(a), Datum::Float8(b)) => cmp_float(*a, *b),
        (Datum::Numeric(a), Datum::Numeric(b)) => a.cmp(b),
        (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Datum::Bytea(a), Datum::Bytea(b)) => a.cmp(b),
        (Datum::Interval(a), Datum::Interval(b)) => a.span_micros().cmp(&b.span_micros()),
        (Datum::Uuid(a), Datum::Uuid(b)) => a.cmp(b),
        (Datum::Jsonb(a), Datum::Jsonb(b)) => crate::jsonb::cmp(a, b),
        (Datum::Oid(a), Datum::Oid(b)) => a.cmp(b),
        (Datum::Char(a), Datum::Char(b)) => a.cmp(b),
        (Datum::Array(a), Datum::Array(b)) => cmp_arrays(a, b),
        (Datum::Record(a), Datum::Record(b)) => cmp_lists(a, b).then(a.len().cmp(&b.len())),
        // Different types never meet after binding; a total order keeps sorts well-behaved anyway.
        (a, b) => natural_oid(a).cmp(&natural_oid(b)),
    }
}

/// Orders two values of a given type.
pub fn cmp_as(type_oid: Oid, a: &Datum, b: &Datum) -> Ordering {
    match (type_oid, a, b) {
        (oid::BPCHAR, Datum::Text(a), Datum::Text(b)) => trim_pad(a).cmp(trim_pad(b)),
        _ => cmp(a, b),
    }
}

/// Equality under [`cmp`]: NULL equals NULL.
pub fn eq(a: &Datum, b: &Datum) -> bool {
    cmp(a, b) == Ordering::Equal
}

/// Equality under [`cmp_as`].
pub fn eq_as(type_oid: Oid, a: &Datum, b: &Datum) -> bool {
    cmp_as(type_oid, a, b) == Ordering::Equal
}

/// A `char(n)` without its padding.
pub fn trim_pad(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// Numbers with NaN above infinity and equal to itself; -0 equals 0.
pub fn cmp_float(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn cmp_lists(a: &[Datum], b: &[Datum]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| cmp(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn cmp_arrays(a: &Array, b: &Array) -> Ordering {
    cmp_lists(&a.values, &b.values)
        .then_with(|| a.values.len().cmp(&b.values.len()))
        .then_with(|| a.dimensions.len().cmp(&b.dimensions.len()))
        .then_with(|| {
            let lengths =
                |array: &Array| array.dimensions.iter().map(|d| d.length).collect::<Vec<_>>();
            let bounds =
                |array: &Array| array.dimensions.iter().map(|d| d.lower_bound).collect::<Vec<_>>();
            lengths(a).cmp(&lengths(b)).then_with(|| bounds(a).cmp(&bounds(b)))
        })
}

/// Feeds a value to a hasher so that equal values of one type hash alike.
pub fn hash<H: Hasher>(value: &Datum, state: &mut H) {
    match value {
        Datum::Null => state.write_u8(0xff),
        Datum::Bool(value) => state.write_u8(u8::from(*value)),
        Datum::Int2(value) => state.write_i64(i64::from(*value)),
        Datum::Int4(value) | Datum::Date(value) => state.write_i64(i64::from(*value)),
        Datum::Int8(value)
        | Datum::Time(value)
        | Datum::Timestamp(value)
        | Datum::Timestamptz(value) => state.write_i64(*value),
        Datum::Float4(value) => hash_float(f64::from(*value), state),
        Datum::Float8(value) => hash_float(*value, state),
        Datum::Numeric(value) => value.hash(state),
        Datum::Text(value) => value.hash(state),
        Datum::Bytea(value) => value.hash(state),
        Datum::Interval(value) => value.span_micros().hash(state),
        Datum::Uuid(value) => value.hash(state),
        Datum::Jsonb(value) => crate::jsonb::hash(value, state),
        Datum::Oid(value) => state.write_u32(*value),
        Datum::Char(value) => state.write_u8(*value),
        Datum::Array(value) => {
            value.dimensions.hash(state);
            value.values.iter().for_each(|value| hash(value, state));
        }
        Datum::Record(values) => values.iter().for_each(|value| hash(value, state)),
    }
}

/// [`hash`] for a value of a given type, consistent with [`eq_as`].
pub fn hash_as<H: Hasher>(type_oid: Oid, value: &Datum, state: &mut H) {
    match (type_oid, value) {
        (oid::BPCHAR, Datum::Text(text)) => trim_pad(text).hash(state),
        _ => hash(value, state),
    }
}

fn hash_float<H: Hasher>(value: f64, state: &mut H) {
    let canonical = if value.is_nan() { f64::NAN } else { value + 0.0 };
    state.write_u64(canonical.to_bits());
}

/// The type that a value's variant stands for most often.
pub fn natural_oid(value: &Datum) -> Oid {
    match value {
        Datum::Null => oid::UNKNOWN,
        Datum::Bool(_) => oid::BOOL,
        Datum::Int2(_) => oid::INT2,
        Datum::Int4(_) => oid::INT4,
        Datum::Int8(_) => oid::INT8,
        Datum::Float4(_) => oid::FLOAT4,
        Datum::Float8(_) => oid::FLOAT8,
        Datum::Numeric(_) => oid::NUMERIC,
        Datum::Text(_) => oid::TEXT,
        Datum::Bytea(_) => oid::BYTEA,
        Datum::Date(_) => oid::DATE,
        Datum::Time(_) => oid::TIME,
        Datum::Timestamp(_) => oid::TIMESTAMP,
        Datum::Timestamptz(_) => oid::TIMESTAMPTZ,
        Datum::Interval(_) => oid::INTERVAL,
        Datum::Uuid(_) => oid::UUID,
        Datum::Jsonb(_) => oid::JSONB,
        Datum::Oid(_) => oid::OID,
        Datum::Char(_) => oid::CHAR,
        Datum::Array(array) => array.type_oid(),
        Datum::Record(_) => oid::RECORD,
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Self) -> bool {
        cmp(self, other) == Ordering::Equal
    }
}
