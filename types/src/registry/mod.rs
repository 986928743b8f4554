//! The built-in types: names, sizes, categories, array and element types.

mod table;

use crate::oid::{self, Oid};
use table::TYPES;

/// Whether values of a type are stored or only appear in signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// `typtype` b.
    Base,
    /// `typtype` p.
    Pseudo,
}

/// One row of `pg_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    pub oid: Oid,
    /// `typname`.
    pub name: &'static str,
    /// What `format_type` prints, already quoted.
    pub sql_name: &'static str,
    /// `typlen`: bytes, -1 for varlena, -2 for C strings.
    pub len: i16,
    pub by_value: bool,
    pub kind: TypeKind,
    /// `typcategory`.
    pub category: char,
    /// `typispreferred`.
    pub preferred: bool,
    pub align: char,
    pub storage: char,
    /// The array type over this one, or 0.
    pub array_oid: Oid,
    /// The element type, or 0. Also set for `name`, `int2vector` and the like: see [`element_of`].
    pub element_oid: Oid,
    pub collation: Oid,
}

/// All built-in types, ascending by oid.
pub fn all_types() -> &'static [TypeInfo] {
    TYPES
}

/// Finds a type by oid.
pub fn type_by_oid(oid: Oid) -> Option<&'static TypeInfo> {
    TYPES.binary_search_by_key(&oid, |info| info.oid).ok().map(|at| &TYPES[at])
}

/// Finds a type by its `pg_type` name or by the SQL standard's name for it (`integer`, `double
/// precision`, `decimal`, ...), in lower case.
pub fn type_by_name(name: &str) -> Option<&'static TypeInfo> {
    let name = match name {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "real" => "float4",
        "float" | "double precision" => "float8",
        "decimal" | "dec" => "numeric",
        "boolean" => "bool",
        "character varying" | "char varying" => "varchar",
        "character" => "bpchar",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        other => other,
    };
    TYPES.iter().find(|info| info.name == name)
}

/// The array type over an element type.
pub fn array_of(element: Oid) -> Option<Oid> {
    type_by_oid(element).map(|info| info.array_oid).filter(|&oid| oid != 0)
}

/// The element type when the type is an array (including `int2vector` and `oidvector`).
pub fn element_of(array: Oid) -> Option<Oid> {
    let info = type_by_oid(array)?;
    (info.category == 'A' && info.element_oid != 0).then_some(info.element_oid)
}

/// The type's name as SQL writes it, with its modifier: `character varying(3)`.
pub fn format_type(oid: Oid, typmod: i32) -> String {
    let Some(info) = type_by_oid(oid) else {
        return if oid == 0 { "-".to_owned() } else { "???".to_owned() };
    };
    if oid != oid::INT2VECTOR
        && oid != oid::OIDVECTOR
        && let Some(element) = element_of(oid)
    {
        return format!("{}[]", format_type(element, typmod));
    }
    if oid == oid::BPCHAR && typmod < 0 {
        return "bpchar".to_owned();
    }
    match crate::typmod::display(oid, typmod) {
        Some((modifier, rest)) => {
            let name = info.sql_name;
            let head = name.strip_suffix(rest).unwrap_or(name);
            format!("{head}{modifier}{rest}")
        }
        None => info.sql_name.to_owned(),
    }
}

/// The type's name without a modifier, as messages and `regtype` print it.
pub fn sql_name(oid: Oid) -> String {
    match oid {
        oid::BPCHAR => "character".to_owned(),
        oid::BPCHAR_ARRAY => "character[]".to_owned(),
        other => format_type(other, -1),
    }
}
