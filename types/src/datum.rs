//! A value of SQL.

use crate::{Interval, Jsonb, Numeric};
use bytes::Bytes;
use std::sync::Arc;

/// One value. The SQL type travels beside it ([`crate::SqlType`]): a `Text` may be text, varchar,
/// bpchar, name, json or the input of an unknown literal; the integers also carry oid-like types.
#[derive(Clone, Debug)]
pub enum Datum {
    Null,
    Bool(bool),
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Float4(f32),
    Float8(f64),
    Numeric(Arc<Numeric>),
    Text(Arc<str>),
    Bytea(Bytes),
    /// Days since 2000-01-01; `i32::MAX`/`MIN` are ±infinity.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 2000-01-01 00:00, no zone; `i64::MAX`/`MIN` are ±infinity.
    Timestamp(i64),
    /// Microseconds since 2000-01-01 00:00 UTC.
    Timestamptz(i64),
    Interval(Interval),
    Uuid([u8; 16]),
    Jsonb(Arc<Jsonb>),
    /// oid, regclass and the other reg* types.
    Oid(u32),
    /// The one-byte type `"char"`.
    Char(u8),
    Array(Arc<crate::Array>),
    /// A row value.
    Record(Arc<[Datum]>),
}
