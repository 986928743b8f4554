//! Rust types that stand for SQL types in the code of functions.

use bytes::Bytes;
use std::sync::Arc;
use types::{Array, Datum, Interval, Jsonb, Numeric, SqlError, SqlResult};

/// A plain value in a datum and back.
pub(super) trait Native: Sized {
    fn get(datum: &Datum) -> SqlResult<Self>;
    fn put(self) -> Datum;
}

/// The caller gave an argument of a type that the signature does not have.
pub(super) fn mismatch(wanted: &str, found: &Datum) -> SqlError {
    SqlError::internal(format!(
        "function expected {wanted}, got a value of type {}",
        types::format_type(types::compare::natural_oid(found), -1)
    ))
}

macro_rules! native {
    ($($type:ty = $variant:ident),* $(,)?) => {
        $(impl Native for $type {
            fn get(datum: &Datum) -> SqlResult<Self> {
                match datum {
                    Datum::$variant(value) => Ok(value.clone()),
                    other => Err(mismatch(stringify!($variant), other)),
                }
            }
            fn put(self) -> Datum {
                Datum::$variant(self)
            }
        })*
    };
}

native! {
    bool = Bool,
    i16 = Int2,
    i32 = Int4,
    i64 = Int8,
    f32 = Float4,
    f64 = Float8,
    Arc<Numeric> = Numeric,
    Arc<str> = Text,
    Bytes = Bytea,
    Interval = Interval,
    Arc<Jsonb> = Jsonb,
    Arc<Array> = Array,
    [u8; 16] = Uuid,
}

/// The text of a text argument.
pub(super) fn text_of(datum: &Datum) -> SqlResult<&str> {
    match datum {
        Datum::Text(text) => Ok(text),
        other => Err(mismatch("text", other)),
    }
}

/// The numeric of a numeric argument.
pub(super) fn numeric_of(datum: &Datum) -> SqlResult<&Numeric> {
    match datum {
        Datum::Numeric(value) => Ok(value),
        other => Err(mismatch("numeric", other)),
    }
}

/// The bytes of a bytea argument.
pub(super) fn bytes_of(datum: &Datum) -> SqlResult<&Bytes> {
    match datum {
        Datum::Bytea(value) => Ok(value),
        other => Err(mismatch("bytea", other)),
    }
}

/// The value of a jsonb argument.
pub(super) fn jsonb_of(datum: &Datum) -> SqlResult<&Jsonb> {
    match datum {
        Datum::Jsonb(value) => Ok(value),
        other => Err(mismatch("jsonb", other)),
    }
}

/// The array of an array argument.
pub(super) fn array_of(datum: &Datum) -> SqlResult<&Array> {
    match datum {
        Datum::Array(value) => Ok(value),
        other => Err(mismatch("array", other)),
    }
}

/// Any integer type.
pub(super) fn integer_of(datum: &Datum) -> SqlResult<i64> {
    match datum {
        Datum::Int2(value) => Ok(i64::from(*value)),
        Datum::Int4(value) => Ok(i64::from(*value)),
        Datum::Int8(value) => Ok(*value),
        other => Err(mismatch("integer", other)),
    }
}

/// An int4 argument.
pub(super) fn int4_of(datum: &Datum) -> SqlResult<i32> {
    i32::get(datum)
}

/// A text result.
pub(super) fn text(value: impl Into<Arc<str>>) -> SqlResult<Datum> {
    Ok(Datum::Text(value.into()))
}

/// A numeric result.
pub(super) fn numeric(value: Numeric) -> SqlResult<Datum> {
    Ok(Datum::Numeric(Arc::new(value)))
}

/// A jsonb result.
pub(super) fn jsonb(value: Jsonb) -> SqlResult<Datum> {
    Ok(Datum::Jsonb(Arc::new(value)))
}
