//! Arrays: text `{...}` and binary forms, one and more dimensions.

use crate::int::is_space;
use crate::oid::{self, Oid};
use crate::{Datum, Settings, SqlError, SqlResult, SqlType, binary, sqlstate, text};
use std::sync::Arc;

/// Most dimensions of an array.
pub const DIMENSIONS_MAX: usize = 6;
/// Most elements of an array (`MaxArraySize`).
pub const ELEMENTS_MAX: usize = 134_217_727;

/// Length and first subscript of one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArrayDimension {
    pub length: i32,
    pub lower_bound: i32,
}

/// An array value. Elements are in row-major order; an empty array has no dimension.
#[derive(Clone, Debug)]
pub struct Array {
    pub element_oid: Oid,
    pub dimensions: Vec<ArrayDimension>,
    pub values: Vec<Datum>,
}

impl Array {
    /// A one-dimensional array with subscripts from 1 (no dimension when there are no values).
    pub fn one_dimensional(element_oid: Oid, values: Vec<Datum>) -> Array {
        let dimensions = if values.is_empty() {
            Vec::new()
        } else {
            vec![ArrayDimension { length: values.len() as i32, lower_bound: 1 }]
        };
        Array { element_oid, dimensions, values }
    }

    /// The array's own type.
    pub fn type_oid(&self) -> Oid {
        crate::array_of(self.element_oid).unwrap_or(oid::ANYARRAY)
    }
}

/// Reads the text form.
pub(crate) fn parse(element: SqlType, input: &str, settings: &Settings) -> SqlResult<Array> {
    let mut reader = Reader { input, at: 0, values: Vec::new(), shape: Vec::new() };
    reader.skip_spaces();
    let bounds = reader.bounds()?;
    if reader.peek() != Some('{') {
        let detail = if bounds.is_empty() {
            "Array value must start with \"{\" or dimension information."
        } else {
            "Array contents must start with \"{\"."
        };
        return Err(malformed(input, detail));
    }
    reader.level(0)?;
    reader.skip_spaces();
    if reader.at < input.len() {
        return Err(malformed(input, "Junk after closing right brace."));
    }
    let Reader { values, shape, .. } = reader;
    let values = values
        .into_iter()
        .map(|body| body.map_or(Ok(Datum::Null), |body| text::parse(element, &body, settings)))
        .collect::<SqlResult<Vec<_>>>()?;
    if values.is_empty() {
        if !bounds.is_empty() {
            return Err(malformed(
                input,
                "Specified array dimensions do not match array contents.",
            ));
        }
        return Ok(Array { element_oid: element.oid, dimensions: Vec::new(), values });
    }
    let lengths: Vec<i32> = shape.iter().map(|length| length.unwrap_or(0)).collect();
    let dimensions = if bounds.is_empty() {
        lengths.iter().map(|&length| ArrayDimension { length, lower_bound: 1 }).collect()
    } else {
        if !bounds.iter().map(|bound| bound.length).eq(lengths.iter().copied()) {
            return Err(malformed(
                input,
                "Specified array dimensions do not match array contents.",
            ));
        }
        bounds
    };
    Ok(Array { element_oid: element.oid, dimensions, values })
}

fn malformed(input: &str, detail: &str) -> SqlError {
    SqlError::new(
        sqlstate::INVALID_TEXT_REPRESENTATION,
        format!("malformed array literal: \"{input}\""),
    )
    .with_detail(detail)
}

struct Reader<'a> {
    input: &'a str,
    at: usize,
    /// The elements' texts; they are read when the shape is known to be sound. None is NULL.
    values: Vec<Option<String>>,
    /// Length of each dimension once one sub-array of it is complete.
    shape: Vec<Option<i32>>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.input[self.at..].chars().next()
    }

    fn skip_spaces(&mut self) {
        while let Some(c) = self.peek().filter(|&c| is_space(c)) {
            self.at += c.len_utf8();
        }
    }

    fn unexpected(&self, c: char) -> SqlError {
        malformed(self.input, &format!("Unexpected \"{c}\" character."))
    }

    /// `[1:2][0:3]=` in front of the braces.
    fn bounds(&mut self) -> SqlResult<Vec<ArrayDimension>> {
        let mut bounds = Vec::new();
        while self.peek() == Some('[') {
            if bounds.len() == DIMENSIONS_MAX {
                return Err(too_many_dimensions(bounds.len() + 1));
            }
            let close = self.input[self.at..]
                .find(']')
                .ok_or_else(|| malformed(self.input, "Missing \"]\" after array dimensions."))?;
            let inside = &self.input[self.at + 1..self.at + close];
            self.at += close + 1;
            bounds.push(self.dimension(inside)?);
            self.skip_spaces();
        }
        if !bounds.is_empty() {
            if self.peek() != Some('=') {
                return Err(malformed(self.input, "Missing \"=\" after array dimensions."));
            }
            self.at += 1;
            self.skip_spaces();
        }
        Ok(bounds)
    }

    fn dimension(&self, inside: &str) -> SqlResult<ArrayDimension> {
        let (lower, upper) = match inside.split_once(':') {
            Some((lower, upper)) => (lower, upper),
            None => ("1", inside),
        };
        let missing =
            || malformed(self.input, "\"[\" must introduce explicitly-specified array dimensions.");
        let lower: i64 = lower.trim().parse().map_err(|_| missing())?;
        let upper: i64 = upper.trim().parse().map_err(|_| missing())?;
        if upper < lower {
            return Err(SqlError::new(
                sqlstate::ARRAY_SUBSCRIPT_ERROR,
                "upper bound cannot be less than lower bound",
            ));
        }
        let length = i32::try_from(upper - lower + 1).map_err(|_| missing())?;
        let lower_bound = i32::try_from(lower).map_err(|_| missing())?;
        check_bound(ArrayDimension { length, lower_bound })
    }

    /// One brace pair; the current character is its `{`.
    fn level(&mut self, depth: usize) -> SqlResult<()> {
        if depth >= DIMENSIONS_MAX {
            return Err(too_many_dimensions(depth + 1));
        }
        self.at += 1;
        if self.shape.len() <= depth {
            if !self.values.is_empty() {
                return Err(self.ragged());
            }
            self.shape.push(None);
        }
        let mut count = 0;
        let mut after_comma = false;
        // Sub-arrays and elements do not mix within a level.
        let mut nested = false;
        loop {
            self.skip_spaces();
            match self.peek() {
                None => return Err(malformed(self.input, "Unexpected end of input.")),
                Some('}') if depth == 0 && !after_comma => break,
                Some(c @ ('}' | ',')) => return Err(self.unexpected(c)),
                Some('{') if count > 0 && !nested => return Err(self.unexpected('{')),
                Some('{') => {
                    nested = true;
                    self.level(depth + 1)?;
                }
                Some(_) if nested => {
                    return Err(malformed(self.input, "Unexpected array element."));
                }
                Some(_) => {
                    if self.shape.len() > depth + 1 {
                        return Err(self.ragged());
                    }
                    self.element()?;
                }
            }
            count += 1;
            self.skip_spaces();
            after_comma = match self.peek() {
                Some(',') => true,
                Some('}') => break,
                Some('{') => return Err(self.unexpected('{')),
                Some('"') => return Err(malformed(self.input, "Unexpected array element.")),
                Some(_) => return Err(malformed(self.input, "Unexpected array element.")),
                None => return Err(malformed(self.input, "Unexpected end of input.")),
            };
            self.at += 1;
        }
        self.at += 1;
        self.close(depth, count)
    }

    fn close(&mut self, depth: usize, count: i32) -> SqlResult<()> {
        match self.shape[depth] {
            Some(length) if length != count => Err(self.ragged()),
            _ => {
                self.shape[depth] = Some(count);
                Ok(())
            }
        }
    }

    fn ragged(&self) -> SqlError {
        malformed(
            self.input,
            "Multidimensional arrays must have sub-arrays with matching dimensions.",
        )
    }

    fn element(&mut self) -> SqlResult<()> {
        let (body, quoted) =
            if self.peek() == Some('"') { (self.quoted()?, true) } else { self.unquoted()? };
        let is_null = !quoted && body.eq_ignore_ascii_case("null");
        self.values.push((!is_null).then_some(body));
        Ok(())
    }

    fn quoted(&mut self) -> SqlResult<String> {
        let mut body = String::new();
        let mut chars = self.input[self.at + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 2;
                    return Ok(body);
                }
                '\\' => body.extend(chars.next().map(|(_, escaped)| escaped)),
                c => body.push(c),
            }
        }
        Err(malformed(self.input, "Unexpected end of input."))
    }

    /// A bare word up to a delimiter, without the spaces behind it; and whether it held an escape,
    /// which keeps `\null` from being NULL.
    fn unquoted(&mut self) -> SqlResult<(String, bool)> {
        let mut body = String::new();
        let mut kept = 0;
        let mut escaped = false;
        while let Some(c) = self.peek() {
            match c {
                ',' | '}' => {
                    body.truncate(kept);
                    return Ok((body, escaped));
                }
                '{' => return Err(self.unexpected('{')),
                '"' => return Err(malformed(self.input, "Unexpected array element.")),
                '\\' => {
                    self.at += 1;
                    let Some(next) = self.peek() else { break };
                    self.at += next.len_utf8();
                    body.push(next);
                    kept = body.len();
                    escaped = true;
                    continue;
                }
                c => {
                    body.push(c);
                    if !is_space(c) {
                        kept = body.len();
                    }
                }
            }
            self.at += c.len_utf8();
        }
        Err(malformed(self.input, "Unexpected end of input."))
    }
}

/// Subscripts must not leave 32 bits.
pub fn check_bound(dimension: ArrayDimension) -> SqlResult<ArrayDimension> {
    let ArrayDimension { length, lower_bound } = dimension;
    match lower_bound.checked_add(length) {
        Some(_) => Ok(dimension),
        None => Err(SqlError::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("array lower bound is too large: {lower_bound}"),
        )),
    }
}

fn too_many_dimensions(count: usize) -> SqlError {
    SqlError::new(
        sqlstate::PROGRAM_LIMIT_EXCEEDED,
        format!(
            "number of array dimensions ({count}) exceeds the maximum allowed ({DIMENSIONS_MAX})"
        ),
    )
}

/// `int2vector` and `oidvector`: numbers between spaces, subscripts from 0.
pub(crate) fn parse_vector(type_oid: Oid, input: &str) -> SqlResult<Datum> {
    let element_oid = if type_oid == oid::INT2VECTOR { oid::INT2 } else { oid::OID };
    let values = input
        .split(is_space)
        .filter(|word| !word.is_empty())
        .map(|word| text::parse(SqlType::new(element_oid), word, &binary::plain_settings()))
        .collect::<SqlResult<Vec<_>>>()?;
    let dimensions = vec![ArrayDimension { length: values.len() as i32, lower_bound: 0 }];
    Ok(Datum::Array(Arc::new(Array { element_oid, dimensions, values })))
}

/// Appends the text form; `type_oid` is the array's declared type.
pub(crate) fn format(array: &Array, type_oid: Oid, settings: &Settings, out: &mut String) {
    if matches!(type_oid, oid::INT2VECTOR | oid::OIDVECTOR) {
        for (at, value) in array.values.iter().enumerate() {
            if at > 0 {
                out.push(' ');
            }
            text::format(value, SqlType::new(array.element_oid), settings, out);
        }
        return;
    }
    if array.values.is_empty() {
        return out.push_str("{}");
    }
    if array.dimensions.iter().any(|dimension| dimension.lower_bound != 1) {
        for ArrayDimension { length, lower_bound } in &array.dimensions {
            out.push_str(&format!("[{lower_bound}:{}]", lower_bound + length - 1));
        }
        out.push('=');
    }
    let mut values = array.values.iter();
    let element = SqlType::new(crate::element_of(type_oid).unwrap_or(array.element_oid));
    format_level(&array.dimensions, &mut values, element, settings, out);
}

fn format_level(
    dimensions: &[ArrayDimension],
    values: &mut std::slice::Iter<'_, Datum>,
    element: SqlType,
    settings: &Settings,
    out: &mut String,
) {
    let Some((dimension, inner)) = dimensions.split_first() else { return };
    out.push('{');
    for at in 0..dimension.length {
        if at > 0 {
            out.push(',');
        }
        if !inner.is_empty() {
            format_level(inner, values, element, settings, out);
            continue;
        }
        match values.next() {
            None | Some(Datum::Null) => out.push_str("NULL"),
            Some(value) => quote(&text::to_string(value, element, settings), out),
        }
    }
    out.push('}');
}

/// Appends an element, quoted where it could be misread.
fn quote(body: &str, out: &mut String) {
    let plain = !body.is_empty()
        && !body.eq_ignore_ascii_case("null")
        && !body.contains(|c| matches!(c, '"' | '\\' | '{' | '}' | ',') || is_space(c));
    if plain {
        return out.push_str(body);
    }
    out.push('"');
    for c in body.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Appends the binary form.
pub(crate) fn encode(array: &Array, type_oid: Oid, out: &mut Vec<u8>) {
    let element_oid = crate::element_of(type_oid).unwrap_or(array.element_oid);
    let has_null = array.values.iter().any(|value| matches!(value, Datum::Null));
    out.extend_from_slice(&(array.dimensions.len() as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(has_null).to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    for dimension in &array.dimensions {
        out.extend_from_slice(&dimension.length.to_be_bytes());
        out.extend_from_slice(&dimension.lower_bound.to_be_bytes());
    }
    array.values.iter().for_each(|value| put_sized(value, element_oid, out));
}

/// Length, then the value's binary form; -1 alone is NULL.
pub(crate) fn put_sized(value: &Datum, type_oid: Oid, out: &mut Vec<u8>) {
    if matches!(value, Datum::Null) {
        return out.extend_from_slice(&(-1i32).to_be_bytes());
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    binary::encode(value, SqlType::new(type_oid), out);
    let length = (out.len() - start - 4) as i32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Reads the binary form.
pub(crate) fn decode(element: SqlType, input: &[u8]) -> SqlResult<Array> {
    let mut rest = input;
    let dimension_count = take_i32(&mut rest)?;
    let flags = take_i32(&mut rest)?;
    let sent_oid = take_i32(&mut rest)? as u32;
    if !(0..=DIMENSIONS_MAX as i32).contains(&dimension_count) {
        return Err(SqlError::bad_binary(format!(
            "invalid number of dimensions: {dimension_count}"
        )));
    }
    if flags & !1 != 0 {
        return Err(SqlError::bad_binary("invalid array flags"));
    }
    if sent_oid != element.oid {
        return Err(SqlError::new(
            sqlstate::DATATYPE_MISMATCH,
            format!(
                "binary data has array element type {sent_oid} ({}) instead of expected {} ({})",
                crate::format_type(sent_oid, -1),
                element.oid,
                crate::format_type(element.oid, -1)
            ),
        ));
    }
    let mut dimensions = Vec::new();
    let mut count = i64::from(dimension_count > 0);
    for _ in 0..dimension_count {
        let dimension =
            ArrayDimension { length: take_i32(&mut rest)?, lower_bound: take_i32(&mut rest)? };
        count = count.saturating_mul(i64::from(dimension.length.max(0)));
        dimensions.push(check_bound(dimension)?);
    }
    // Every element takes four bytes at least: a false count cannot make us allocate.
    if count * 4 > rest.len() as i64 {
        return Err(binary::short());
    }
    let values =
        (0..count).map(|_| take_sized(element, &mut rest)).collect::<SqlResult<Vec<_>>>()?;
    if !rest.is_empty() {
        return Err(SqlError::bad_binary("incorrect binary data format"));
    }
    if values.is_empty() {
        dimensions.clear();
    }
    Ok(Array { element_oid: element.oid, dimensions, values })
}

pub(crate) fn take_i32(rest: &mut &[u8]) -> SqlResult<i32> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or_else(binary::short)?;
    *rest = tail;
    Ok(i32::from_be_bytes(*head))
}

/// Reads what [`put_sized`] wrote.
pub(crate) fn take_sized(ty: SqlType, rest: &mut &[u8]) -> SqlResult<Datum> {
    let length = take_i32(rest)?;
    if length == -1 {
        return Ok(Datum::Null);
    }
    let length = usize::try_from(length).map_err(|_| binary::short())?;
    let (head, tail) = rest.split_at_checked(length).ok_or_else(binary::short)?;
    *rest = tail;
    binary::decode(ty, head)
}
