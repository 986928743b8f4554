//! SQL values as PostgreSQL knows them: one file a type, text and binary input and output, casts,
//! comparison, order-preserving keys, row tuples, OIDs and SQLSTATEs.
//!
//! A value is a [`Datum`]; its type travels beside it as a [`SqlType`] (oid and typmod). What a
//! session may change about the meaning or the look of values (time zone, date style, ...) is one
//! struct, [`Settings`].
//!
//! **Nothing in here reads a clock, draws a random number or knows a table.**

pub mod array;
pub mod binary;
mod boolean;
pub mod bytea;
pub mod cast;
pub mod compare;
pub mod datetime;
mod datum;
mod error;
mod float;
mod float_digits;
mod int;
mod json;
pub mod jsonb;
pub mod key;
pub mod numeric;
pub mod oid;
mod record;
mod reg;
mod registry;
mod settings;
mod sql_type;
pub mod sqlstate;
pub mod string;
pub mod text;
pub mod tuple;
pub mod typmod;
mod uuid;

pub use array::{Array, ArrayDimension};
pub use base::codec::Direction;
pub use datetime::Interval;
pub use datum::Datum;
pub use error::{ErrorFields, Severity, SqlError, SqlResult, SqlState};
pub use jsonb::Jsonb;
pub use numeric::Numeric;
pub use oid::Oid;
pub use reg::is_reg;
pub use registry::{
    TypeInfo, TypeKind, all_types, array_of, element_of, format_type, sql_name, type_by_name,
    type_by_oid,
};
pub use settings::{
    ByteaOutput, DateOrder, DateStyle, IntervalStyle, Names, ObjectNames, Settings, TimeZone,
};
pub use sql_type::SqlType;
