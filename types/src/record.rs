//! Row values: text `(a,b)` out, binary in and out.

use crate::oid::{self, Oid};
use crate::{Datum, Settings, SqlError, SqlResult, SqlType, array, binary, compare, text};

pub(crate) fn input_error() -> SqlError {
    SqlError::not_supported("input of anonymous composite types is not implemented")
}

/// Appends the text form.
pub(crate) fn format(values: &[Datum], settings: &Settings, out: &mut String) {
    out.push('(');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if !matches!(value, Datum::Null) {
            quote(&text::to_string(value, text::natural_type(value), settings), out);
        }
    }
    out.push(')');
}

fn quote(body: &str, out: &mut String) {
    let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || crate::int::is_space(c);
    if !body.is_empty() && !body.contains(special) {
        return out.push_str(body);
    }
    out.push('"');
    for c in body.chars() {
        if matches!(c, '"' | '\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('"');
}

/// Appends the binary form: the number of fields, then each field's type, length and value.
pub(crate) fn encode(values: &[Datum], out: &mut Vec<u8>) {
    out.extend_from_slice(&(values.len() as i32).to_be_bytes());
    for value in values {
        let type_oid = match value {
            Datum::Null => oid::TEXT,
            value => compare::natural_oid(value),
        };
        out.extend_from_slice(&type_oid.to_be_bytes());
        array::put_sized(value, type_oid, out);
    }
}

/// Reads the binary form; the fields' types are those that the sender wrote.
pub(crate) fn decode(input: &[u8]) -> SqlResult<Datum> {
    let mut rest = input;
    let count = array::take_i32(&mut rest)?;
    if count < 0 || i64::from(count) * 8 > rest.len() as i64 {
        return Err(binary::short());
    }
    let mut values = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let type_oid = array::take_i32(&mut rest)? as Oid;
        values.push(array::take_sized(SqlType::new(type_oid), &mut rest)?);
    }
    if !rest.is_empty() {
        return Err(SqlError::bad_binary("incorrect binary data format"));
    }
    Ok(Datum::Record(values.into()))
}
