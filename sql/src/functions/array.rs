//! Functions and operators of arrays.

use super::native::{array_of, int4_of, text as text_result, text_of};
use super::{EvalContext, Function, Operator, SetRows};
use std::sync::Arc;
use types::array::check_bound;
use types::oid::*;
use types::{Array, ArrayDimension, Datum, SqlError, SqlResult, SqlType, compare, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

fn subscript_problem(message: &str) -> SqlError {
    SqlError::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, message)
}

fn result(array: Array) -> SqlResult<Datum> {
    Ok(Datum::Array(Arc::new(array)))
}

/// The dimension with a number from 1.
fn dimension(array: &Array, number: i32) -> Option<ArrayDimension> {
    usize::try_from(i64::from(number) - 1).ok().and_then(|at| array.dimensions.get(at)).copied()
}

fn array_length(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let found = dimension(array_of(&args[0])?, int4_of(&args[1])?);
    Ok(found.map_or(Datum::Null, |found| Datum::Int4(found.length)))
}

fn array_lower(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let found = dimension(array_of(&args[0])?, int4_of(&args[1])?);
    Ok(found.map_or(Datum::Null, |found| Datum::Int4(found.lower_bound)))
}

fn array_upper(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let found = dimension(array_of(&args[0])?, int4_of(&args[1])?);
    Ok(found.map_or(Datum::Null, |found| Datum::Int4(found.lower_bound + found.length - 1)))
}

fn array_ndims(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let count = array_of(&args[0])?.dimensions.len();
    Ok(if count == 0 { Datum::Null } else { Datum::Int4(count as i32) })
}

fn array_dims(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let array = array_of(&args[0])?;
    if array.dimensions.is_empty() {
        return Ok(Datum::Null);
    }
    let dims = array.dimensions.iter();
    text_result(
        dims.map(|d| format!("[{}:{}]", d.lower_bound, d.lower_bound + d.length - 1))
            .collect::<String>(),
    )
}

fn cardinality(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(array_of(&args[0])?.values.len() as i32))
}

/// The element type of a call: of the array, of its declared type, or of the element itself.
fn element_oid(array: Option<&Array>, context: Context<'_, '_>, value: &Datum) -> Oid {
    array
        .map(|array| array.element_oid)
        .or_else(|| types::element_of(context.return_type.oid))
        .unwrap_or_else(|| compare::natural_oid(value))
}

fn optional_array(datum: &Datum) -> SqlResult<Option<&Array>> {
    if matches!(datum, Datum::Null) { Ok(None) } else { array_of(datum).map(Some) }
}

/// An array with one element more at an end.
fn extend(
    array: Option<&Array>,
    value: &Datum,
    front: bool,
    context: Context<'_, '_>,
) -> SqlResult<Datum> {
    let element = element_oid(array, context, value);
    let Some(array) = array.filter(|array| !array.values.is_empty()) else {
        return result(Array::one_dimensional(element, vec![value.clone()]));
    };
    if array.dimensions.len() != 1 {
        return Err(SqlError::new(
            sqlstate::DATA_EXCEPTION,
            "argument must be empty or one-dimensional array",
        ));
    }
    let mut values = array.values.clone();
    values.insert(if front { 0 } else { values.len() }, value.clone());
    let ArrayDimension { length, lower_bound } = array.dimensions[0];
    let dimensions = vec![check_bound(ArrayDimension { length: length + 1, lower_bound })?];
    result(Array { element_oid: element, dimensions, values })
}

fn array_append(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    extend(optional_array(&args[0])?, &args[1], false, context)
}

fn array_prepend(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    extend(optional_array(&args[1])?, &args[0], true, context)
}

/// `array || array`: of equal depth, or one a row of the other.
fn array_cat(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (Some(a), Some(b)) = (optional_array(&args[0])?, optional_array(&args[1])?) else {
        let present = args.iter().find(|arg| !matches!(arg, Datum::Null));
        return Ok(present.cloned().unwrap_or(Datum::Null));
    };
    if a.values.is_empty() {
        return Ok(args[1].clone());
    }
    if b.values.is_empty() {
        return Ok(args[0].clone());
    }
    let incompatible = |detail: &str| {
        subscript_problem("cannot concatenate incompatible arrays").with_detail(detail)
    };
    let (a_depth, b_depth) = (a.dimensions.len(), b.dimensions.len());
    let mut dimensions;
    if a_depth == b_depth {
        if a.dimensions[1..] != b.dimensions[1..] {
            return Err(incompatible(
                "Arrays with differing element dimensions are not compatible for concatenation.",
            ));
        }
        dimensions = a.dimensions.clone();
        dimensions[0].length += b.dimensions[0].length;
        check_bound(dimensions[0])?;
    } else if a_depth == b_depth + 1 || b_depth == a_depth + 1 {
        let (outer, inner) = if a_depth > b_depth { (a, b) } else { (b, a) };
        if outer.dimensions[1..] != inner.dimensions[..] {
            return Err(incompatible(
                "Arrays with differing dimensions are not compatible for concatenation.",
            ));
        }
        dimensions = outer.dimensions.clone();
        dimensions[0].length += 1;
        check_bound(dimensions[0])?;
    } else {
        return Err(incompatible(&format!(
            "Arrays of {a_depth} and {b_depth} dimensions are not compatible for concatenation."
        )));
    }
    let values = a.values.iter().chain(&b.values).cloned().collect();
    result(Array { element_oid: a.element_oid, dimensions, values })
}

fn shown(value: &Datum, element: SqlType, context: Context<'_, '_>) -> String {
    types::text::to_string(value, element, context.settings)
}

/// `array_to_string(array, separator [, null text])`.
fn array_to_string(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) || matches!(args[1], Datum::Null) {
        return Ok(Datum::Null);
    }
    let array = array_of(&args[0])?;
    let element = SqlType::new(array.element_oid);
    let null_text = match args.get(2) {
        None | Some(Datum::Null) => None,
        Some(text) => Some(text_of(text)?),
    };
    let parts: Vec<String> = array
        .values
        .iter()
        .filter_map(|value| match value {
            Datum::Null => null_text.map(str::to_owned),
            value => Some(shown(value, element, context)),
        })
        .collect();
    text_result(parts.join(text_of(&args[1])?))
}

/// The pieces of a text; a NULL delimiter cuts characters.
fn pieces(args: Args<'_>) -> SqlResult<Vec<Datum>> {
    let text = text_of(&args[0])?;
    let null_text = match args.get(2) {
        None | Some(Datum::Null) => None,
        Some(text) => Some(text_of(text)?),
    };
    let piece = |piece: &str| match null_text {
        Some(null_text) if null_text == piece => Datum::Null,
        _ => Datum::Text(piece.into()),
    };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(match &args[1] {
        Datum::Null => text.chars().map(|c| piece(c.encode_utf8(&mut [0; 4]))).collect(),
        delimiter => match text_of(delimiter)? {
            "" => vec![piece(text)],
            delimiter => text.split(delimiter).map(piece).collect(),
        },
    })
}

fn string_to_array(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) {
        return Ok(Datum::Null);
    }
    result(Array::one_dimensional(TEXT, pieces(args)?))
}

fn string_to_table(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<SetRows> {
    if matches!(args[0], Datum::Null) {
        return Ok(Box::new(std::iter::empty()));
    }
    Ok(Box::new(pieces(args)?.into_iter().map(|piece| Ok(vec![piece]))))
}

/// Equal, or both NULL.
fn same(a: &Datum, b: &Datum) -> bool {
    compare::eq(a, b)
}

fn one_dimensional<'a>(array: &'a Array, what: &str) -> SqlResult<&'a Array> {
    if array.dimensions.len() > 1 {
        return Err(SqlError::not_supported(what.to_owned()));
    }
    Ok(array)
}

const NO_SEARCH: &str = "searching for elements in multidimensional arrays is not supported";

/// `array_position(array, element [, start])`.
fn array_position(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let Some(array) = optional_array(&args[0])? else { return Ok(Datum::Null) };
    let array = one_dimensional(array, NO_SEARCH)?;
    let lower = array.dimensions.first().map_or(1, |d| d.lower_bound);
    let start = match args.get(2) {
        None => lower,
        Some(Datum::Null) => {
            return Err(SqlError::new(
                sqlstate::NULL_VALUE_NOT_ALLOWED,
                "initial position must not be null",
            ));
        }
        Some(start) => int4_of(start)?,
    };
    let places = array.values.iter().zip(lower..);
    let found = places.filter(|(_, place)| *place >= start).find(|(v, _)| same(v, &args[1]));
    Ok(found.map_or(Datum::Null, |(_, place)| Datum::Int4(place)))
}

fn array_positions(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let Some(array) = optional_array(&args[0])? else { return Ok(Datum::Null) };
    let array = one_dimensional(array, NO_SEARCH)?;
    let lower = array.dimensions.first().map_or(1, |d| d.lower_bound);
    let places = array.values.iter().zip(lower..);
    let found = places.filter(|(v, _)| same(v, &args[1])).map(|(_, place)| Datum::Int4(place));
    result(Array::one_dimensional(INT4, found.collect()))
}

fn array_remove(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let Some(array) = optional_array(&args[0])? else { return Ok(Datum::Null) };
    let array =
        one_dimensional(array, "removing elements from multidimensional arrays is not supported")?;
    let kept: Vec<Datum> = array.values.iter().filter(|v| !same(v, &args[1])).cloned().collect();
    let lower_bound = array.dimensions.first().map_or(1, |d| d.lower_bound);
    let mut changed = Array::one_dimensional(array.element_oid, kept);
    changed.dimensions.iter_mut().for_each(|d| d.lower_bound = lower_bound);
    result(changed)
}

fn array_replace(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let Some(array) = optional_array(&args[0])? else { return Ok(Datum::Null) };
    let replaced = array
        .values
        .iter()
        .map(|value| if same(value, &args[1]) { args[2].clone() } else { value.clone() });
    result(Array { values: replaced.collect(), ..array.clone() })
}

/// `array_fill(value, lengths [, lower bounds])`.
fn array_fill(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[1], Datum::Null) {
        return Err(SqlError::new(
            sqlstate::NULL_VALUE_NOT_ALLOWED,
            "dimension array or low bound array cannot be null",
        ));
    }
    let numbers = |datum: &Datum| {
        array_of(datum)?.values.iter().map(int4_of).collect::<SqlResult<Vec<i32>>>()
    };
    let lengths = numbers(&args[1])?;
    let bounds = match args.get(2) {
        Some(bounds) => numbers(bounds)?,
        None => vec![1; lengths.len()],
    };
    if bounds.len() != lengths.len() {
        return Err(subscript_problem("wrong number of array subscripts")
            .with_detail("Low bound array has different size than dimensions array."));
    }
    let count = lengths.iter().try_fold(1i64, |count, &n| count.checked_mul(i64::from(n.max(0))));
    let count =
        count.filter(|count| *count <= types::array::ELEMENTS_MAX as i64).ok_or_else(|| {
            SqlError::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("array size exceeds the maximum allowed ({})", types::array::ELEMENTS_MAX),
            )
        })?;
    let element = element_oid(None, context, &args[0]);
    if count == 0 || lengths.is_empty() {
        return result(Array::one_dimensional(element, Vec::new()));
    }
    let dimensions = lengths
        .into_iter()
        .zip(bounds)
        .map(|(length, lower_bound)| check_bound(ArrayDimension { length, lower_bound }))
        .collect::<SqlResult<_>>()?;
    let values = vec![args[0].clone(); count as usize];
    result(Array { element_oid: element, dimensions, values })
}

/// `trim_array(array, n)`.
fn trim_array(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (array, count) = (array_of(&args[0])?, int4_of(&args[1])?);
    let length = array.dimensions.first().map_or(0, |d| d.length);
    if !(0..=length).contains(&count) {
        return Err(SqlError::new(
            sqlstate::ARRAY_ELEMENT_ERROR,
            format!("number of elements to trim must be between 0 and {length}"),
        ));
    }
    let kept = length - count;
    if kept == 0 {
        return result(Array::one_dimensional(array.element_oid, Vec::new()));
    }
    let row = array.values.len() / length as usize;
    let mut dimensions = array.dimensions.clone();
    dimensions[0].length = kept;
    dimensions.iter_mut().for_each(|dimension| dimension.lower_bound = 1);
    let values = array.values[..row * kept as usize].to_vec();
    result(Array { element_oid: array.element_oid, dimensions, values })
}

fn unnest(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<SetRows> {
    let Datum::Array(array) = &args[0] else {
        return Err(SqlError::internal("unnest of no array"));
    };
    let array = array.clone();
    Ok(Box::new((0..array.values.len()).map(move |at| Ok(vec![array.values[at].clone()]))))
}

/// `generate_subscripts(array, dimension [, reverse])`.
fn generate_subscripts(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<SetRows> {
    let Some(found) = dimension(array_of(&args[0])?, int4_of(&args[1])?) else {
        return Ok(Box::new(std::iter::empty()));
    };
    let backward = matches!(args.get(2), Some(Datum::Bool(true)));
    let last = found.lower_bound + found.length - 1;
    let row = |at: i32| Ok(vec![Datum::Int4(at)]);
    if backward {
        return Ok(Box::new((found.lower_bound..=last).rev().map(row)));
    }
    Ok(Box::new((found.lower_bound..=last).map(row)))
}

/// Whether every element of the second is among the first's; NULLs never are.
fn includes(outer: &Array, inner: &Array) -> bool {
    inner.values.iter().all(|wanted| {
        !matches!(wanted, Datum::Null) && outer.values.iter().any(|value| same(value, wanted))
    })
}

fn contains(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(includes(array_of(&args[0])?, array_of(&args[1])?)))
}

fn contained(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(includes(array_of(&args[1])?, array_of(&args[0])?)))
}

fn overlap(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let (a, b) = (array_of(&args[0])?, array_of(&args[1])?);
    Ok(Datum::Bool(a.values.iter().any(|value| {
        !matches!(value, Datum::Null) && b.values.iter().any(|other| same(value, other))
    })))
}

const EA: &[Oid] = &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("array_length", &[ANYARRAY, INT4], INT4, array_length),
    Function::new("array_lower", &[ANYARRAY, INT4], INT4, array_lower),
    Function::new("array_upper", &[ANYARRAY, INT4], INT4, array_upper),
    Function::new("array_ndims", &[ANYARRAY], INT4, array_ndims),
    Function::new("array_dims", &[ANYARRAY], TEXT, array_dims),
    Function::new("cardinality", &[ANYARRAY], INT4, cardinality),
    Function::new("array_append", EA, ANYCOMPATIBLEARRAY, array_append).null_aware(),
    Function::new(
        "array_prepend",
        &[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY],
        ANYCOMPATIBLEARRAY,
        array_prepend,
    )
    .null_aware(),
    Function::new(
        "array_cat",
        &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY],
        ANYCOMPATIBLEARRAY,
        array_cat,
    )
    .null_aware(),
    Function::new("array_to_string", &[ANYARRAY, TEXT], TEXT, array_to_string).stable(),
    Function::new("array_to_string", &[ANYARRAY, TEXT, TEXT], TEXT, array_to_string)
        .null_aware()
        .stable(),
    Function::new("string_to_array", &[TEXT, TEXT], TEXT_ARRAY, string_to_array).null_aware(),
    Function::new("string_to_array", &[TEXT, TEXT, TEXT], TEXT_ARRAY, string_to_array).null_aware(),
    Function::set("string_to_table", &[TEXT, TEXT], TEXT, string_to_table).null_aware(),
    Function::set("string_to_table", &[TEXT, TEXT, TEXT], TEXT, string_to_table).null_aware(),
    Function::new("array_position", EA, INT4, array_position).null_aware(),
    Function::new(
        "array_position",
        &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, INT4],
        INT4,
        array_position,
    )
    .null_aware(),
    Function::new("array_positions", EA, INT4_ARRAY, array_positions).null_aware(),
    Function::new("array_remove", EA, ANYCOMPATIBLEARRAY, array_remove).null_aware(),
    Function::new(
        "array_replace",
        &[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLE],
        ANYCOMPATIBLEARRAY,
        array_replace,
    )
    .null_aware(),
    Function::new("array_fill", &[ANYELEMENT, INT4_ARRAY], ANYARRAY, array_fill).null_aware(),
    Function::new("array_fill", &[ANYELEMENT, INT4_ARRAY, INT4_ARRAY], ANYARRAY, array_fill)
        .null_aware(),
    Function::new("trim_array", &[ANYARRAY, INT4], ANYARRAY, trim_array),
    Function::set("unnest", &[ANYARRAY], ANYELEMENT, unnest),
    Function::set("generate_subscripts", &[ANYARRAY, INT4], INT4, generate_subscripts),
    Function::set("generate_subscripts", &[ANYARRAY, INT4, BOOL], INT4, generate_subscripts),
];

pub(super) const OPERATORS: &[Operator] = &[
    Operator::new("||", ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, array_append)
        .null_aware(),
    Operator::new("||", ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, array_prepend)
        .null_aware(),
    Operator::new("||", ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY, array_cat)
        .null_aware(),
    Operator::test("@>", ANYARRAY, ANYARRAY, contains),
    Operator::test("<@", ANYARRAY, ANYARRAY, contained),
    Operator::test("&&", ANYARRAY, ANYARRAY, overlap),
];
