//! From the key conditions of a plan to keys and spans, once parameters are known.

use super::eval::{Env, Row, eval_row};
use crate::plan::physical::{KeyColumn, KeyRange, KeySpec};
use base::codec::Direction;
use base::{Key, Span, layout};
use std::ops::Bound;
use types::{Datum, SqlError, SqlType, oid};

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySet {
    /// These keys, sorted.
    Points(Vec<Key>),
    /// These spans, sorted, apart from each other.
    Spans(Vec<Span>),
}

/// Most keys that lists in conditions may multiply to.
const KEYS_MAX: usize = 1 << 20;

/// Evaluates key conditions for an index of a table's storage. Expressions are over `row` (the
/// left row of a lookup join) or over nothing.
pub(crate) fn resolve<R: Row + ?Sized>(
    spec: &KeySpec,
    storage: u32,
    index: u16,
    row: &R,
    env: &Env<'_>,
) -> Result<KeySet, SqlError> {
    let mut prefixes = vec![layout::index_prefix(storage, index)];
    for column in &spec.equal {
        let values = equal_values(column, row, env)?;
        if prefixes.len().saturating_mul(values.len()) > KEYS_MAX {
            return Err(SqlError::not_supported("too many keys in the conditions of one scan"));
        }
        prefixes = multiply(&prefixes, &values, column);
    }
    if spec.unique {
        let mut keys: Vec<Key> = prefixes.into_iter().map(Key::from).collect();
        sort(&mut keys);
        return Ok(KeySet::Points(keys));
    }
    let mut spans = Vec::with_capacity(prefixes.len());
    match &spec.range {
        None => spans.extend(prefixes.into_iter().map(|p| Span::prefix(p.into()))),
        Some(range) => {
            if let Some((low, high)) = bounds(range, row, env)? {
                spans.extend(prefixes.iter().map(|p| span(p, range, &low, &high)));
            }
        }
    }
    spans.retain(|s| !s.is_empty());
    spans.sort_by(|a, b| a.start.cmp(&b.start));
    spans.dedup();
    Ok(KeySet::Spans(spans))
}

fn sort(keys: &mut Vec<Key>) {
    if keys.len() > 1 {
        keys.sort();
        keys.dedup();
    }
}

fn multiply(prefixes: &[Vec<u8>], values: &[Datum], column: &KeyColumn) -> Vec<Vec<u8>> {
    let mut out = Vec::with_capacity(prefixes.len() * values.len());
    for prefix in prefixes {
        for value in values {
            let mut key = prefix.clone();
            types::key::put(value, column.ty, column.direction, &mut key);
            out.push(key);
        }
    }
    out
}

fn equal_values<R: Row + ?Sized>(
    column: &KeyColumn,
    row: &R,
    env: &Env<'_>,
) -> Result<Vec<Datum>, SqlError> {
    let mut out = Vec::with_capacity(column.values.len());
    for expr in &column.values {
        match eval_row(expr, row, env)? {
            Datum::Array(array) if column.is_array => {
                out.extend(array.values.iter().filter_map(|v| fit(v, column.ty)));
            }
            Datum::Null => {}
            value => out.extend(fit(&value, column.ty)),
        }
    }
    Ok(out)
}

/// A value as the column's type; `None` when the column cannot hold it (then nothing equals it).
fn fit(value: &Datum, ty: SqlType) -> Option<Datum> {
    let wide = match value {
        Datum::Null => return None,
        Datum::Int2(v) => i64::from(*v),
        Datum::Int4(v) => i64::from(*v),
        Datum::Int8(v) => *v,
        other => return Some(other.clone()),
    };
    match ty.oid {
        oid::INT2 => i16::try_from(wide).ok().map(Datum::Int2),
        oid::INT4 => i32::try_from(wide).ok().map(Datum::Int4),
        oid::INT8 => Some(Datum::Int8(wide)),
        _ => Some(value.clone()),
    }
}

/// The tightest bounds; `None` when nothing lies between them.
#[allow(clippy::type_complexity)]
fn bounds<R: Row + ?Sized>(
    range: &KeyRange,
    row: &R,
    env: &Env<'_>,
) -> Result<Option<(Bound<Datum>, Bound<Datum>)>, SqlError> {
    let Some(low) = tightest(&range.low, range.ty, true, row, env)? else { return Ok(None) };
    let Some(high) = tightest(&range.high, range.ty, false, row, env)? else { return Ok(None) };
    Ok(Some((low, high)))
}

fn tightest<R: Row + ?Sized>(
    exprs: &[(crate::plan::expr::Expr, bool)],
    ty: SqlType,
    is_low: bool,
    row: &R,
    env: &Env<'_>,
) -> Result<Option<Bound<Datum>>, SqlError> {
    let mut best: Bound<Datum> = Bound::Unbounded;
    for (expr, inclusive) in exprs {
        let value = eval_row(expr, row, env)?;
        if matches!(value, Datum::Null) {
            return Ok(None);
        }
        let bound = match fit(&value, ty) {
            Some(value) if *inclusive => Bound::Included(value),
            Some(value) => Bound::Excluded(value),
            // An integer beyond the column's range: no bound at all, or nothing fits.
            None if is_positive(&value) == is_low => return Ok(None),
            None => continue,
        };
        best = tighter(best, bound, ty, is_low);
    }
    Ok(Some(best))
}

fn is_positive(value: &Datum) -> bool {
    matches!(value, Datum::Int8(v) if *v > 0) || matches!(value, Datum::Int4(v) if *v > 0)
}

fn tighter(a: Bound<Datum>, b: Bound<Datum>, ty: SqlType, is_low: bool) -> Bound<Datum> {
    let order = match (value_of(&a), value_of(&b)) {
        (None, _) => return b,
        (_, None) => return a,
        (Some(x), Some(y)) => types::compare::cmp_as(ty.oid, x, y),
    };
    match order {
        std::cmp::Ordering::Equal => {
            if matches!(a, Bound::Excluded(_)) {
                a
            } else {
                b
            }
        }
        std::cmp::Ordering::Less => {
            if is_low {
                b
            } else {
                a
            }
        }
        std::cmp::Ordering::Greater => {
            if is_low {
                a
            } else {
                b
            }
        }
    }
}

fn value_of(bound: &Bound<Datum>) -> Option<&Datum> {
    match bound {
        Bound::Included(v) | Bound::Excluded(v) => Some(v),
        Bound::Unbounded => None,
    }
}

fn span(prefix: &[u8], range: &KeyRange, low: &Bound<Datum>, high: &Bound<Datum>) -> Span {
    let key = |value: &Datum| -> Key {
        let mut key = prefix.to_vec();
        types::key::put(value, range.ty, range.direction, &mut key);
        key.into()
    };
    // NULLs are never inside a range; their marker is the bound on the open side.
    let null = || key(&Datum::Null);
    let (first, last) = match range.direction {
        Direction::Asc => (low, high),
        Direction::Desc => (high, low),
    };
    let start = match first {
        Bound::Included(v) => key(v),
        Bound::Excluded(v) => key(v).after(),
        Bound::Unbounded if range.direction == Direction::Desc => null().after(),
        Bound::Unbounded => Key::copy_from(prefix),
    };
    let end = match last {
        Bound::Included(v) => key(v).after(),
        Bound::Excluded(v) => key(v),
        Bound::Unbounded if range.direction == Direction::Asc => null(),
        Bound::Unbounded => Key::copy_from(prefix).after(),
    };
    Span::new(start, end)
}
