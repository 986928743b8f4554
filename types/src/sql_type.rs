//! A type as a column or an expression has it: oid and type modifier.

use crate::oid::{self, Oid};

/// A type with its modifier (`varchar(3)`, `numeric(10,2)`); `typmod` is -1 when there is none and
/// otherwise PostgreSQL's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlType {
    pub oid: Oid,
    pub typmod: i32,
}

impl SqlType {
    pub const BOOL: SqlType = SqlType::new(oid::BOOL);
    pub const INT2: SqlType = SqlType::new(oid::INT2);
    pub const INT4: SqlType = SqlType::new(oid::INT4);
    pub const INT8: SqlType = SqlType::new(oid::INT8);
    pub const OID: SqlType = SqlType::new(oid::OID);
    pub const FLOAT4: SqlType = SqlType::new(oid::FLOAT4);
    pub const FLOAT8: SqlType = SqlType::new(oid::FLOAT8);
    pub const NUMERIC: SqlType = SqlType::new(oid::NUMERIC);
    pub const TEXT: SqlType = SqlType::new(oid::TEXT);
    pub const VARCHAR: SqlType = SqlType::new(oid::VARCHAR);
    pub const BPCHAR: SqlType = SqlType::new(oid::BPCHAR);
    pub const NAME: SqlType = SqlType::new(oid::NAME);
    pub const CHAR: SqlType = SqlType::new(oid::CHAR);
    pub const BYTEA: SqlType = SqlType::new(oid::BYTEA);
    pub const DATE: SqlType = SqlType::new(oid::DATE);
    pub const TIME: SqlType = SqlType::new(oid::TIME);
    pub const TIMESTAMP: SqlType = SqlType::new(oid::TIMESTAMP);
    pub const TIMESTAMPTZ: SqlType = SqlType::new(oid::TIMESTAMPTZ);
    pub const INTERVAL: SqlType = SqlType::new(oid::INTERVAL);
    pub const UUID: SqlType = SqlType::new(oid::UUID);
    pub const JSON: SqlType = SqlType::new(oid::JSON);
    pub const JSONB: SqlType = SqlType::new(oid::JSONB);
    pub const UNKNOWN: SqlType = SqlType::new(oid::UNKNOWN);
    pub const RECORD: SqlType = SqlType::new(oid::RECORD);

    /// The type without a modifier.
    pub const fn new(oid: Oid) -> Self {
        SqlType { oid, typmod: -1 }
    }

    /// The type with PostgreSQL's modifier number.
    pub const fn with_typmod(oid: Oid, typmod: i32) -> Self {
        SqlType { oid, typmod }
    }

    /// `varchar(length)`.
    pub const fn varchar(length: i32) -> Self {
        SqlType { oid: oid::VARCHAR, typmod: length + 4 }
    }

    /// `char(length)`.
    pub const fn bpchar(length: i32) -> Self {
        SqlType { oid: oid::BPCHAR, typmod: length + 4 }
    }

    /// `numeric(precision, scale)`.
    pub const fn numeric(precision: i32, scale: i32) -> Self {
        SqlType { oid: oid::NUMERIC, typmod: ((precision << 16) | (scale & 0x7ff)) + 4 }
    }
}

impl std::fmt::Display for SqlType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::format_type(self.oid, self.typmod))
    }
}
