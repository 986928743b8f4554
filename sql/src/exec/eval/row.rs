//! Evaluation over one row.

use super::{Env, Row};
use crate::functions::Operator;
use crate::plan::expr::{Callee, Expr, ExprKind};
use std::cmp::Ordering;
use std::sync::Arc;
use types::{Array, ArrayDimension, Datum, SqlError, SqlType, cast, compare, sqlstate};

type Result<T> = std::result::Result<T, SqlError>;

/// Evaluates an expression that reads no row.
pub fn eval_scalar(expr: &Expr, env: &Env<'_>) -> Result<Datum> {
    let none: &[Datum] = &[];
    eval_row(expr, none, env)
}

/// Evaluates an expression over a row.
pub fn eval_row<R: Row + ?Sized>(expr: &Expr, row: &R, env: &Env<'_>) -> Result<Datum> {
    match &expr.kind {
        ExprKind::Const(value) => Ok(value.clone()),
        ExprKind::Slot(at) => Ok(row.slot(*at)),
        ExprKind::Param(at) => env
            .params
            .get(*at)
            .cloned()
            .ok_or_else(|| SqlError::internal(format!("no value for parameter ${}", at + 1))),
        ExprKind::Outer(at) => env
            .outer
            .get(*at)
            .cloned()
            .ok_or_else(|| SqlError::internal("no value for an outer reference")),
        ExprKind::Call(callee, args) => call(callee, args, expr.ty, row, env),
        ExprKind::Cast { arg, explicit } => {
            let value = eval_row(arg, row, env)?;
            convert(value, arg.ty, expr.ty, *explicit, env)
        }
        ExprKind::And(parts) => all(parts, row, env),
        ExprKind::Or(parts) => any(parts, row, env),
        ExprKind::Not(arg) => Ok(not(eval_row(arg, row, env)?)),
        ExprKind::IsNull(arg, negated) => {
            let value = eval_row(arg, row, env)?;
            Ok(Datum::Bool(is_null(&value, *negated)))
        }
        ExprKind::IsBool { arg, value, negated } => {
            let found = matches!(eval_row(arg, row, env)?, Datum::Bool(b) if b == *value);
            Ok(Datum::Bool(found != *negated))
        }
        ExprKind::Distinct { eq, args, negated } => {
            let (a, b) = (eval_row(&args[0], row, env)?, eval_row(&args[1], row, env)?);
            let same = match (&a, &b) {
                (Datum::Null, Datum::Null) => true,
                (Datum::Null, _) | (_, Datum::Null) => false,
                _ => is_true(&operator(eq, [a, b], args, env)?),
            };
            Ok(Datum::Bool(same == *negated))
        }
        ExprKind::Case { whens, otherwise } => {
            for (when, then) in whens {
                if is_true(&eval_row(when, row, env)?) {
                    return eval_row(then, row, env);
                }
            }
            otherwise.as_ref().map_or(Ok(Datum::Null), |e| eval_row(e, row, env))
        }
        ExprKind::Coalesce(args) => {
            for arg in args {
                let value = eval_row(arg, row, env)?;
                if !matches!(value, Datum::Null) {
                    return Ok(value);
                }
            }
            Ok(Datum::Null)
        }
        ExprKind::Extreme(greatest, args) => extreme(*greatest, args, expr.ty, row, env),
        ExprKind::NullIf(eq, args) => {
            let (a, b) = (eval_row(&args[0], row, env)?, eval_row(&args[1], row, env)?);
            let equal = is_true(&operator(eq, [a.clone(), b], args, env)?);
            Ok(if equal { Datum::Null } else { a })
        }
        ExprKind::AnyAll { op, arg, array, all } => quantified(op, arg, array, *all, row, env),
        ExprKind::InList { eq, arg, list, negated } => in_list(eq, arg, list, *negated, row, env),
        ExprKind::Array(elements, nested) => array(elements, *nested, expr.ty, row, env),
        ExprKind::Row(fields) => {
            let values =
                fields.iter().map(|f| eval_row(f, row, env)).collect::<Result<Vec<_>>>()?;
            Ok(Datum::Record(values.into()))
        }
        ExprKind::Subscript(value, indexes) => {
            let value = eval_row(value, row, env)?;
            let mut at = Vec::with_capacity(indexes.len());
            for index in indexes {
                match eval_row(index, row, env)? {
                    Datum::Int4(i) => at.push(i),
                    _ => return Ok(Datum::Null),
                }
            }
            Ok(subscript(&value, &at))
        }
        ExprKind::Field(value, at) => match eval_row(value, row, env)? {
            Datum::Record(fields) => Ok(fields.get(*at).cloned().unwrap_or(Datum::Null)),
            _ => Ok(Datum::Null),
        },
        ExprKind::Column(id, _) => {
            Err(SqlError::internal(format!("column {} was not lowered", id.0)))
        }
        ExprKind::Subquery(_) | ExprKind::Host(..) => {
            Err(SqlError::not_supported("a subquery or a call into the session cannot stand here"))
        }
    }
}

fn call<R: Row + ?Sized>(
    callee: &Callee,
    args: &[Expr],
    ty: SqlType,
    row: &R,
    env: &Env<'_>,
) -> Result<Datum> {
    // Most calls have one or two arguments: no allocation for those.
    match args {
        [a] => invoke(callee, &[eval_row(a, row, env)?], &[a.ty], ty, env),
        [a, b] => {
            let values = [eval_row(a, row, env)?, eval_row(b, row, env)?];
            invoke(callee, &values, &[a.ty, b.ty], ty, env)
        }
        _ => {
            let values = args.iter().map(|a| eval_row(a, row, env)).collect::<Result<Vec<_>>>()?;
            let types: Vec<SqlType> = args.iter().map(|a| a.ty).collect();
            invoke(callee, &values, &types, ty, env)
        }
    }
}

/// Calls a function or operator with its arguments.
pub(super) fn invoke(
    callee: &Callee,
    values: &[Datum],
    types: &[SqlType],
    ty: SqlType,
    env: &Env<'_>,
) -> Result<Datum> {
    let context = env.context().typed(types, ty);
    match callee {
        Callee::Function(function) => function.eval(values, &context),
        Callee::Operator(operator) => operator.eval(values, &context),
    }
}

fn operator(
    op: &'static Operator,
    values: [Datum; 2],
    args: &[Expr; 2],
    env: &Env<'_>,
) -> Result<Datum> {
    let types = [args[0].ty, args[1].ty];
    op.eval(&values, &env.context().typed(&types, SqlType::BOOL))
}

/// Converts a value; types whose text names objects ask the session.
pub(super) fn convert(
    value: Datum,
    from: SqlType,
    to: SqlType,
    explicit: bool,
    env: &Env<'_>,
) -> Result<Datum> {
    if let (Datum::Text(text), true) = (&value, crate::bind::is_reg(to.oid)) {
        if let Ok(number) = text.trim().parse::<u32>() {
            return Ok(Datum::Oid(number));
        }
        return match env.functions.reg_lookup(to.oid, text)? {
            Some(found) => Ok(Datum::Oid(found)),
            None => Err(SqlError::new(
                sqlstate::UNDEFINED_TABLE,
                format!("relation \"{text}\" does not exist"),
            )),
        };
    }
    if let (Datum::Oid(object), true) = (&value, crate::bind::is_reg(from.oid)) {
        let is_string = types::type_by_oid(to.oid).is_some_and(|t| t.category == 'S');
        if is_string {
            let name = env.functions.reg_name(from.oid, *object);
            return Ok(Datum::Text(name.unwrap_or_else(|| object.to_string()).into()));
        }
    }
    cast::cast(value, from, to, explicit, env.settings)
}

/// TRUE, not FALSE or NULL.
pub fn is_true(value: &Datum) -> bool {
    matches!(value, Datum::Bool(true))
}

fn is_null(value: &Datum, negated: bool) -> bool {
    match value {
        // A row is null when all its fields are, and not null when none is.
        Datum::Record(fields) if negated => fields.iter().all(|f| !matches!(f, Datum::Null)),
        Datum::Record(fields) => fields.iter().all(|f| matches!(f, Datum::Null)),
        value => matches!(value, Datum::Null) != negated,
    }
}

fn not(value: Datum) -> Datum {
    match value {
        Datum::Bool(b) => Datum::Bool(!b),
        _ => Datum::Null,
    }
}

fn all<R: Row + ?Sized>(parts: &[Expr], row: &R, env: &Env<'_>) -> Result<Datum> {
    let mut unknown = false;
    for part in parts {
        match eval_row(part, row, env)? {
            Datum::Bool(true) => {}
            Datum::Bool(false) => return Ok(Datum::Bool(false)),
            _ => unknown = true,
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(true) })
}

fn any<R: Row + ?Sized>(parts: &[Expr], row: &R, env: &Env<'_>) -> Result<Datum> {
    let mut unknown = false;
    for part in parts {
        match eval_row(part, row, env)? {
            Datum::Bool(false) => {}
            Datum::Bool(true) => return Ok(Datum::Bool(true)),
            _ => unknown = true,
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(false) })
}

fn extreme<R: Row + ?Sized>(
    greatest: bool,
    args: &[Expr],
    ty: SqlType,
    row: &R,
    env: &Env<'_>,
) -> Result<Datum> {
    let wanted = if greatest { Ordering::Greater } else { Ordering::Less };
    let mut best = Datum::Null;
    for arg in args {
        let value = eval_row(arg, row, env)?;
        if matches!(value, Datum::Null) {
            continue;
        }
        if matches!(best, Datum::Null) || compare::cmp_as(ty.oid, &value, &best) == wanted {
            best = value;
        }
    }
    Ok(best)
}

fn quantified<R: Row + ?Sized>(
    op: &'static Operator,
    arg: &Expr,
    array: &Expr,
    all: bool,
    row: &R,
    env: &Env<'_>,
) -> Result<Datum> {
    let value = eval_row(arg, row, env)?;
    let Datum::Array(list) = eval_row(array, row, env)? else { return Ok(Datum::Null) };
    let types = [arg.ty, SqlType::new(list.element_oid)];
    let context = env.context().typed(&types, SqlType::BOOL);
    let mut unknown = false;
    for element in &list.values {
        match op.eval(&[value.clone(), element.clone()], &context)? {
            Datum::Bool(b) if b != all => return Ok(Datum::Bool(b)),
            Datum::Bool(_) => {}
            _ => unknown = true,
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(all) })
}

fn in_list<R: Row + ?Sized>(
    eq: &'static Operator,
    arg: &Expr,
    list: &[Expr],
    negated: bool,
    row: &R,
    env: &Env<'_>,
) -> Result<Datum> {
    let value = eval_row(arg, row, env)?;
    if matches!(value, Datum::Null) {
        return Ok(if list.is_empty() { Datum::Bool(negated) } else { Datum::Null });
    }
    let mut unknown = false;
    for item in list {
        let element = eval_row(item, row, env)?;
        let types = [arg.ty, item.ty];
        let context = env.context().typed(&types, SqlType::BOOL);
        match eq.eval(&[value.clone(), element], &context)? {
            Datum::Bool(true) => return Ok(Datum::Bool(!negated)),
            Datum::Bool(false) => {}
            _ => unknown = true,
        }
    }
    Ok(if unknown { Datum::Null } else { Datum::Bool(negated) })
}

fn array<R: Row + ?Sized>(
    elements: &[Expr],
    nested: bool,
    ty: SqlType,
    row: &R,
    env: &Env<'_>,
) -> Result<Datum> {
    let element_oid = types::element_of(ty.oid).unwrap_or(ty.oid);
    let values = elements.iter().map(|e| eval_row(e, row, env)).collect::<Result<Vec<_>>>()?;
    if !nested {
        return Ok(Datum::Array(Arc::new(Array::one_dimensional(element_oid, values))));
    }
    let mut inner: Option<Vec<ArrayDimension>> = None;
    let mut flat = Vec::new();
    let outer = values.len() as i32;
    for value in values {
        let Datum::Array(part) = value else { return Err(ragged()) };
        match &inner {
            Some(shape) if *shape != part.dimensions => return Err(ragged()),
            Some(_) => {}
            None => inner = Some(part.dimensions.clone()),
        }
        flat.extend(part.values.iter().cloned());
    }
    if flat.is_empty() {
        return Ok(Datum::Array(Arc::new(Array::one_dimensional(element_oid, flat))));
    }
    let mut dimensions = vec![ArrayDimension { length: outer, lower_bound: 1 }];
    dimensions.extend(inner.unwrap_or_default());
    Ok(Datum::Array(Arc::new(Array { element_oid, dimensions, values: flat })))
}

fn ragged() -> SqlError {
    SqlError::new(
        sqlstate::ARRAY_SUBSCRIPT_ERROR,
        "multidimensional arrays must have array expressions with matching dimensions",
    )
}

/// An element by subscripts; NULL when there are too few or they are out of bounds.
fn subscript(value: &Datum, indexes: &[i32]) -> Datum {
    let Datum::Array(array) = value else { return Datum::Null };
    if array.dimensions.len() != indexes.len() {
        return Datum::Null;
    }
    let mut at = 0usize;
    for (dimension, &index) in array.dimensions.iter().zip(indexes) {
        let offset = i64::from(index) - i64::from(dimension.lower_bound);
        if offset < 0 || offset >= i64::from(dimension.length) {
            return Datum::Null;
        }
        at = at * dimension.length as usize + offset as usize;
    }
    array.values.get(at).cloned().unwrap_or(Datum::Null)
}
