//! Names in syntax trees.

use sqlparser::ast::{Ident, ObjectName};
use types::{SqlError, sqlstate};

/// Longest name in bytes; what is beyond is cut off.
const NAME_BYTES_MAX: usize = 63;

/// An identifier as the catalog knows it: folded to lower case unless quoted, cut to 63 bytes.
pub(crate) fn fold(ident: &Ident) -> String {
    let mut name = match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    if name.len() > NAME_BYTES_MAX {
        let end = (0..=NAME_BYTES_MAX).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
        name.truncate(end);
    }
    name
}

/// The parts of a name.
pub(crate) fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().map(|part| part.as_ident().map_or_else(|| part.to_string(), fold)).collect()
}

/// The last part of a name.
pub(crate) fn simple(name: &ObjectName) -> String {
    parts(name).pop().unwrap_or_default()
}

/// Schema and name of a relation in the database of the session.
pub(crate) fn qualified(
    name: &ObjectName,
    database: &str,
) -> Result<(Option<String>, String), SqlError> {
    let mut parts = parts(name);
    let last = parts.pop().unwrap_or_default();
    match parts.as_slice() {
        [] => Ok((None, last)),
        [schema] => Ok((Some(schema.clone()), last)),
        [db, schema] if db == database => Ok((Some(schema.clone()), last)),
        [_, _] => Err(SqlError::not_supported(format!(
            "cross-database references are not implemented: {name}"
        ))),
        _ => Err(SqlError::new(
            sqlstate::SYNTAX_ERROR,
            format!("improper qualified name (too many dotted names): {name}"),
        )),
    }
}
