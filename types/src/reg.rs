//! `regclass` and its kin: numbers that print as names. Names need a catalog: the settings may bring
//! one for output; without, and on input, these are numbers (and built-in types by name), and the SQL
//! layer resolves the rest before it comes here.

use crate::oid::{self, Oid};
use crate::{Settings, SqlError, SqlResult, int, sqlstate};

/// Whether the type is one of the reg* types.
pub fn is_reg(type_oid: Oid) -> bool {
    matches!(
        type_oid,
        oid::REGPROC
            | oid::REGPROCEDURE
            | oid::REGOPER
            | oid::REGOPERATOR
            | oid::REGCLASS
            | oid::REGTYPE
            | oid::REGNAMESPACE
            | oid::REGROLE
            | oid::REGCOLLATION
    )
}

pub(crate) fn parse(input: &str, type_oid: Oid) -> SqlResult<u32> {
    if input == "-" {
        return Ok(0);
    }
    if !input.is_empty() && input.bytes().all(|b| b.is_ascii_digit()) {
        return int::parse_oid(input, "oid");
    }
    if type_oid == oid::REGTYPE {
        if let Some(info) = crate::type_by_name(&input.to_ascii_lowercase()) {
            return Ok(info.oid);
        }
        return Err(SqlError::new(
            sqlstate::UNDEFINED_OBJECT,
            format!("type \"{input}\" does not exist"),
        ));
    }
    Err(SqlError::new(sqlstate::UNDEFINED_TABLE, format!("relation \"{input}\" does not exist")))
}

pub(crate) fn format(value: u32, type_oid: Oid, settings: &Settings, out: &mut String) {
    if let Some(names) = settings.names.as_ref().filter(|_| is_reg(type_oid))
        && let Some(name) = names.0.object_name(type_oid, value)
    {
        return out.push_str(&name);
    }
    match type_oid {
        oid::REGTYPE if crate::type_by_oid(value).is_some() => {
            out.push_str(&crate::registry::sql_name(value));
        }
        other if value == 0 && is_reg(other) => out.push('-'),
        _ => int::format(i64::from(value), out),
    }
}
