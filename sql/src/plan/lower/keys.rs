//! Which keys of an index a condition allows.

use super::Lower;
use crate::plan::expr::{Callee, ColId, Expr, ExprKind};
use crate::plan::physical::{KeyColumn, KeyRange, KeySpec};
use base::codec::Direction;
use catalog::descriptor::{IndexColumn, Table};
use std::collections::BTreeSet;
use types::{Oid, SqlType, oid};

/// A conjunct that restricts one column.
pub(super) struct Restriction {
    /// Which conjunct.
    pub(super) part: usize,
    /// The column's position in the table.
    position: usize,
    test: Test,
}

enum Test {
    /// Equal to one of these.
    Equal(Vec<Expr>),
    /// Equal to an element of this array.
    EqualAny(Expr),
    /// Above (inclusive?).
    Low(Expr, bool),
    /// Below (inclusive?).
    High(Expr, bool),
}

/// Finds the conjuncts that restrict a column of the table by a value known before the scan.
/// `column_at` tells the position of a column of this table reference.
pub(super) fn restrictions(
    parts: &[Expr],
    own: &BTreeSet<ColId>,
    column_at: &dyn Fn(ColId) -> Option<usize>,
    table: &Table,
) -> Vec<Restriction> {
    let mut out = Vec::new();
    for (part, expr) in parts.iter().enumerate() {
        if let Some((column, test)) = restriction(expr, own)
            && let Some(position) = column_at(column)
            && fits(table.columns[position].ty, &test)
        {
            out.push(Restriction { part, position, test });
        }
    }
    out
}

fn restriction(expr: &Expr, own: &BTreeSet<ColId>) -> Option<(ColId, Test)> {
    let known =
        |e: &Expr| e.columns().is_disjoint(own) && !e.any(&|e| crate::optimize::is_volatile(e));
    match &expr.kind {
        ExprKind::Call(Callee::Operator(op), args) => {
            let [a, b] = args.as_slice() else { return None };
            let (column, value, symbol) = match (column_of(a), column_of(b)) {
                (Some(column), _) if known(b) && own.contains(&column) => (column, b, op.symbol),
                (_, Some(column)) if known(a) && own.contains(&column) => {
                    (column, a, flip(op.symbol)?)
                }
                _ => return None,
            };
            let value = value.clone();
            let test = match symbol {
                "=" => Test::Equal(vec![value]),
                "<" => Test::High(value, false),
                "<=" => Test::High(value, true),
                ">" => Test::Low(value, false),
                ">=" => Test::Low(value, true),
                _ => return None,
            };
            Some((column, test))
        }
        ExprKind::InList { arg, list, negated: false, .. } => {
            let column = column_of(arg).filter(|c| own.contains(c))?;
            list.iter().all(known).then(|| (column, Test::Equal(list.clone())))
        }
        ExprKind::AnyAll { op, arg, array, all: false } if op.symbol == "=" => {
            let column = column_of(arg).filter(|c| own.contains(c))?;
            known(array).then(|| (column, Test::EqualAny(array.as_ref().clone())))
        }
        // A boolean column by itself.
        ExprKind::Column(id, _) if own.contains(id) => {
            Some((*id, Test::Equal(vec![Expr::bool(true)])))
        }
        _ => None,
    }
}

/// A column, or one behind a cast that changes no bytes (varchar to text).
fn column_of(expr: &Expr) -> Option<ColId> {
    match &expr.kind {
        ExprKind::Column(id, _) => Some(*id),
        ExprKind::Cast { arg, .. } if is_relabel(arg.ty.oid, expr.ty.oid) => column_of(arg),
        _ => None,
    }
}

fn is_relabel(from: Oid, to: Oid) -> bool {
    matches!((from, to), (oid::VARCHAR, oid::TEXT) | (oid::TEXT, oid::VARCHAR))
}

fn flip(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "=" => "=",
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => return None,
    })
}

/// Values of the other side's type can be written as keys of the column's.
fn fits(column: SqlType, test: &Test) -> bool {
    let ok = |e: &Expr| key_compatible(column.oid, e.ty.oid);
    match test {
        Test::Equal(values) => values.iter().all(ok),
        Test::EqualAny(array) => {
            types::element_of(array.ty.oid).is_some_and(|e| key_compatible(column.oid, e))
        }
        Test::Low(value, _) | Test::High(value, _) => ok(value),
    }
}

/// The same type, integers of different width, or strings without padding.
fn key_compatible(column: Oid, value: Oid) -> bool {
    let integer = |t| matches!(t, oid::INT2 | oid::INT4 | oid::INT8);
    let string = |t| matches!(t, oid::TEXT | oid::VARCHAR);
    column == value
        || (integer(column) && integer(value))
        || (string(column) && string(value))
        || (matches!(column, oid::OID | oid::REGCLASS) && matches!(value, oid::OID | oid::REGCLASS))
}

/// What the restrictions mean for one index.
pub(super) struct Match {
    /// The keys, expressions not lowered yet.
    pub(super) spec: KeySpec,
    /// Conjuncts that the keys express.
    pub(super) used: Vec<usize>,
}

impl Match {
    /// How good it is: unique keys first, then more equal columns, then a range.
    pub(super) fn score(&self) -> (bool, usize, usize) {
        let bounds = self
            .spec
            .range
            .as_ref()
            .map_or(0, |r| usize::from(!r.low.is_empty()) + usize::from(!r.high.is_empty()));
        (self.spec.unique, self.spec.equal.len(), bounds)
    }
}

/// IN lists multiply: no more keys than this are listed.
const POINTS_MAX: usize = 10_000;

/// Matches restrictions with the columns of an index.
pub(super) fn match_index(
    table: &Table,
    columns: &[IndexColumn],
    unique: bool,
    restrictions: &[Restriction],
) -> Match {
    let mut spec = KeySpec::default();
    let mut used = Vec::new();
    let mut points = 1usize;
    for column in columns {
        let Some(position) = table.position(column.column) else { break };
        let ty = table.columns[position].ty;
        let here: Vec<&Restriction> =
            restrictions.iter().filter(|r| r.position == position).collect();
        let equal = here.iter().find_map(|r| match &r.test {
            Test::Equal(values) if points.saturating_mul(values.len()) <= POINTS_MAX => {
                Some((r.part, values.clone(), false))
            }
            Test::EqualAny(array) => Some((r.part, vec![array.clone()], true)),
            _ => None,
        });
        let direction = column.direction;
        if let Some((part, values, is_array)) = equal {
            points = points.saturating_mul(values.len());
            used.push(part);
            spec.equal.push(KeyColumn { ty, direction, values, is_array });
            continue;
        }
        spec.range = range(&here, ty, direction, &mut used);
        break;
    }
    spec.unique = unique && spec.equal.len() == columns.len();
    Match { spec, used }
}

fn range(
    here: &[&Restriction],
    ty: SqlType,
    direction: Direction,
    used: &mut Vec<usize>,
) -> Option<KeyRange> {
    let mut out = KeyRange { ty, direction, low: Vec::new(), high: Vec::new() };
    for restriction in here {
        match &restriction.test {
            Test::Low(value, inclusive) => out.low.push((value.clone(), *inclusive)),
            Test::High(value, inclusive) => out.high.push((value.clone(), *inclusive)),
            _ => continue,
        }
        used.push(restriction.part);
    }
    (!out.low.is_empty() || !out.high.is_empty()).then_some(out)
}

impl Lower<'_> {
    /// Lowers the expressions of keys over a layout (that of the left side of a lookup join, or
    /// nothing).
    pub(super) fn lower_keys(
        &mut self,
        mut spec: KeySpec,
        layout: &[ColId],
    ) -> Result<KeySpec, types::SqlError> {
        for column in &mut spec.equal {
            let values = std::mem::take(&mut column.values);
            column.values = self.exprs(values, layout)?;
        }
        if let Some(range) = &mut spec.range {
            for bounds in [&mut range.low, &mut range.high] {
                for (value, _) in bounds {
                    let old = std::mem::replace(value, Expr::bool(true));
                    *value = self.expr(old, layout)?;
                }
            }
        }
        Ok(spec)
    }
}
