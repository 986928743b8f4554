//! Operators, comparisons, IN, BETWEEN, LIKE, ANY and ALL.

use crate::bind::Binder;
use crate::bind::common::common_type;
use crate::bind::resolve::{self, Choice};
use crate::bind::scope::Scope;
use crate::functions::{self, Operator};
use crate::plan::expr::{Callee, Expr, ExprKind};
use sqlparser::ast::{self, BinaryOperator as B, Spanned, UnaryOperator as U};
use types::{Oid, SqlError, SqlType, oid, sqlstate};

impl Binder<'_> {
    pub(super) fn binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &B,
        right: &ast::Expr,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        match op {
            B::And | B::Or => return self.logic(whole, op, scope),
            _ => {}
        }
        let Some(symbol) = symbol(op) else {
            return Err(SqlError::not_supported(format!("operator {op} is not supported")));
        };
        if let Some(expr) = self.row_comparison(left, &symbol, right, scope)? {
            return Ok(expr);
        }
        let a = self.expr(left, scope)?;
        let b = self.expr(right, scope)?;
        let position = self.operator_position(left.span());
        self.operator(&symbol, a, b).map_err(|e| place_at(e, position))
    }

    /// AND and OR chains are left-deep in the grammar's tree: taken apart in a loop.
    fn logic(&mut self, whole: &ast::Expr, op: &B, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        let what = if *op == B::And { "AND" } else { "OR" };
        let mut parts = Vec::new();
        let mut rest = whole;
        while let ast::Expr::BinaryOp { left, op: inner, right } = rest {
            if inner != op {
                break;
            }
            parts.push(right.as_ref());
            rest = left;
        }
        parts.push(rest);
        let mut bound = Vec::with_capacity(parts.len());
        for part in parts.into_iter().rev() {
            bound.push(self.condition(part, what, scope)?);
        }
        let kind = if *op == B::And { ExprKind::And(bound) } else { ExprKind::Or(bound) };
        Ok(Expr::new(kind, SqlType::BOOL))
    }

    /// `a op b` by PostgreSQL's resolution.
    pub(crate) fn operator(&mut self, symbol: &str, a: Expr, b: Expr) -> Result<Expr, SqlError> {
        let op = find_operator(symbol, a.ty.oid, b.ty.oid)?;
        let (args, ty) = self.operator_args(op, a, b)?;
        Ok(Expr::new(ExprKind::Call(Callee::Operator(op), args), ty))
    }

    /// Brings operands to the operator's types.
    pub(crate) fn operator_args(
        &mut self,
        op: &'static Operator,
        a: Expr,
        b: Expr,
    ) -> Result<(Vec<Expr>, SqlType), SqlError> {
        let declared = [op.left, op.right];
        let actual = [a.ty.oid, b.ty.oid];
        let poly = resolve::polymorphic(&declared, &actual).unwrap_or_default();
        let args = vec![self.argument(a, op.left, &poly)?, self.argument(b, op.right, &poly)?];
        let returns = poly.actual(op.returns).unwrap_or(op.returns);
        Ok((args, SqlType::new(returns)))
    }

    /// Brings one argument to its declared type.
    pub(crate) fn argument(
        &mut self,
        arg: Expr,
        declared: Oid,
        poly: &resolve::Polymorphic,
    ) -> Result<Expr, SqlError> {
        match poly.actual(declared) {
            Some(oid::ANY) | None => self.decided(arg),
            Some(ty) if ty == arg.ty.oid => Ok(arg),
            Some(ty) => self.implicit(arg, SqlType::new(ty)),
        }
    }

    pub(super) fn unary(
        &mut self,
        op: U,
        arg: &ast::Expr,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let symbol = match op {
            U::Not => {
                let arg = self.condition(arg, "NOT", scope)?;
                return Ok(Expr::new(ExprKind::Not(Box::new(arg)), SqlType::BOOL));
            }
            U::Minus => {
                if let Some(constant) = self.negative_literal(arg)? {
                    return Ok(constant);
                }
                "-"
            }
            U::Plus => "+",
            U::BitwiseNot => "~",
            U::PGSquareRoot => "|/",
            U::PGCubeRoot => "||/",
            U::PGAbs => "@",
            other => {
                return Err(SqlError::not_supported(format!("operator {other} is not supported")));
            }
        };
        let bound = self.expr(arg, scope)?;
        self.prefix(symbol, bound).map_err(|e| {
            let place = self.position_before(arg.span(), symbol);
            place_at(e, place)
        })
    }

    /// `-9223372036854775808` fits bigint only together with its sign.
    fn negative_literal(&mut self, arg: &ast::Expr) -> Result<Option<Expr>, SqlError> {
        let ast::Expr::Value(value) = arg else { return Ok(None) };
        let ast::Value::Number(text, _) = &value.value else { return Ok(None) };
        let text = format!("-{text}");
        if let Ok(number) = text.parse::<i32>() {
            return Ok(Some(Expr::constant(types::Datum::Int4(number), SqlType::INT4)));
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Some(Expr::constant(types::Datum::Int8(number), SqlType::INT8)));
        }
        Ok(None)
    }

    fn prefix(&mut self, symbol: &str, arg: Expr) -> Result<Expr, SqlError> {
        let candidates: Vec<&'static Operator> =
            functions::operators(symbol).iter().copied().filter(|o| o.left == 0).collect();
        let signatures: Vec<_> =
            candidates.iter().filter_map(|o| resolve::spread(&[o.right], false, 1)).collect();
        match resolve::choose(&signatures, &[arg.ty.oid]) {
            Choice::One(i) => {
                let op = candidates[i];
                let arg = self.implicit(arg, SqlType::new(op.right))?;
                let ty = SqlType::new(op.returns);
                Ok(Expr::new(ExprKind::Call(Callee::Operator(op), vec![arg]), ty))
            }
            choice => Err(no_operator(symbol, None, arg.ty.oid, choice)),
        }
    }

    pub(super) fn distinct_from(
        &mut self,
        a: &ast::Expr,
        b: &ast::Expr,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let position = self.operator_position(a.span());
        let a = self.expr(a, scope)?;
        let b = self.expr(b, scope)?;
        let eq = find_operator("=", a.ty.oid, b.ty.oid).map_err(|e| place_at(e, position))?;
        let (args, _) = self.operator_args(eq, a, b)?;
        let args = two(args)?;
        Ok(Expr::new(ExprKind::Distinct { eq, args, negated }, SqlType::BOOL))
    }

    pub(super) fn between(
        &mut self,
        arg: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let position = self.operator_position(arg.span());
        let low = self.expr(low, scope)?;
        let high = self.expr(high, scope)?;
        let (a, b) = (self.expr(arg, scope)?, self.expr(arg, scope)?);
        let (first, second) = if negated { ("<", ">") } else { (">=", "<=") };
        let first = self.operator(first, a, low).map_err(|e| place_at(e, position))?;
        let second = self.operator(second, b, high).map_err(|e| place_at(e, position))?;
        let parts = vec![first, second];
        let kind = if negated { ExprKind::Or(parts) } else { ExprKind::And(parts) };
        Ok(Expr::new(kind, SqlType::BOOL))
    }

    pub(super) fn is_in(
        &mut self,
        arg: &ast::Expr,
        target: &ast::InTarget,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let list = match target {
            ast::InTarget::List(list) => list,
            ast::InTarget::Subquery(query) => {
                return self.in_subquery(arg, query, negated, scope);
            }
            _ => return Err(SqlError::not_supported("this form of IN is not supported")),
        };
        let symbol = if negated { "<>" } else { "=" };
        if let ast::Expr::Tuple(_) = arg {
            let mut parts = Vec::with_capacity(list.len());
            for item in list {
                match self.row_comparison(arg, symbol, item, scope)? {
                    Some(part) => parts.push(part),
                    None => return Err(SqlError::not_supported("IN over a row of other shape")),
                }
            }
            let kind = if negated { ExprKind::And(parts) } else { ExprKind::Or(parts) };
            return Ok(Expr::new(kind, SqlType::BOOL));
        }
        let position = self.operator_position(arg.span());
        let arg = self.expr(arg, scope)?;
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            items.push(self.expr(item, scope)?);
        }
        self.in_list(arg, items, negated).map_err(|e| place_at(e, position))
    }

    fn in_list(&mut self, arg: Expr, items: Vec<Expr>, negated: bool) -> Result<Expr, SqlError> {
        let types: Vec<Oid> =
            std::iter::once(arg.ty.oid).chain(items.iter().map(|i| i.ty.oid)).collect();
        let common = common_type(&types).ok().filter(|&c| {
            items
                .iter()
                .all(|i| crate::bind::can_coerce(i.ty.oid, c, types::cast::CastContext::Implicit))
        });
        let Some(common) = common else {
            // No common type: each comparison for itself.
            let symbol = if negated { "<>" } else { "=" };
            let mut parts = Vec::with_capacity(items.len());
            for item in items {
                parts.push(self.operator(symbol, arg.clone(), item)?);
            }
            let kind = if negated { ExprKind::And(parts) } else { ExprKind::Or(parts) };
            return Ok(Expr::new(kind, SqlType::BOOL));
        };
        let eq = find_operator("=", arg.ty.oid, common)?;
        let arg_type = if arg.ty.oid == oid::UNKNOWN { common } else { eq.left };
        let arg = if crate::bind::coerce::is_polymorphic(arg_type) {
            self.decided(arg)?
        } else {
            self.implicit(arg, SqlType::new(arg_type))?
        };
        let element = if crate::bind::coerce::is_polymorphic(eq.right) { common } else { eq.right };
        let list = items
            .into_iter()
            .map(|i| self.implicit(i, SqlType::new(element)))
            .collect::<Result<Vec<_>, _>>()?;
        let kind = ExprKind::InList { eq, arg: Box::new(arg), list, negated };
        Ok(Expr::new(kind, SqlType::BOOL))
    }

    pub(super) fn like(
        &mut self,
        symbol: &str,
        arg: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let position = self.operator_position(arg.span());
        let a = self.expr(arg, scope)?;
        let mut b = self.expr(pattern, scope)?;
        if let Some(escape) = escape {
            let escape = self.expr(escape, scope)?;
            b = self.call_named("like_escape", vec![b, escape], pattern.span())?;
        }
        self.operator(symbol, a, b).map_err(|e| place_at(e, position))
    }

    pub(super) fn similar(
        &mut self,
        negated: bool,
        arg: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::Expr>,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let a = self.expr(arg, scope)?;
        let mut args = vec![self.expr(pattern, scope)?];
        if let Some(escape) = escape {
            args.push(self.expr(escape, scope)?);
        }
        let b = self.call_named("similar_to_escape", args, pattern.span())?;
        self.operator(if negated { "!~" } else { "~" }, a, b)
    }

    pub(super) fn any_all(
        &mut self,
        left: &ast::Expr,
        op: &B,
        right: &ast::Expr,
        all: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let Some(symbol) = symbol(op) else {
            return Err(SqlError::not_supported(format!("operator {op} is not supported")));
        };
        if let ast::Expr::Subquery(query) = unnest(right) {
            return self.quantified(left, &symbol, query, all, scope);
        }
        let position = self.operator_position(left.span());
        let arg = self.expr(left, scope)?;
        let array = self.expr(right, scope)?;
        let word = if all { "ALL" } else { "ANY" };
        let element = match types::element_of(array.ty.oid) {
            Some(element) => element,
            None if array.ty.oid == oid::UNKNOWN => oid::UNKNOWN,
            None => {
                return Err(place_at(
                    SqlError::new(
                        sqlstate::WRONG_OBJECT_TYPE,
                        format!("op {word} (array) requires array on right side")
                            .replace("op ", "op "),
                    ),
                    position,
                ));
            }
        };
        let op = find_operator(&symbol, arg.ty.oid, element).map_err(|e| place_at(e, position))?;
        let decided_left = if arg.ty.oid == oid::UNKNOWN { element } else { arg.ty.oid };
        let poly = resolve::polymorphic(&[op.left, op.right], &[decided_left, element])
            .unwrap_or_default();
        let arg = self.argument(arg, op.left, &poly)?;
        let element = poly.actual(op.right).unwrap_or(op.right);
        let array_type = types::array_of(element).unwrap_or(array.ty.oid);
        let array = self.implicit(array, SqlType::new(array_type))?;
        let kind = ExprKind::AnyAll { op, arg: Box::new(arg), array: Box::new(array), all };
        Ok(Expr::new(kind, SqlType::BOOL))
    }
}

pub(super) fn unnest(expr: &ast::Expr) -> &ast::Expr {
    match expr {
        ast::Expr::Nested(inner) => unnest(inner),
        other => other,
    }
}

fn two(args: Vec<Expr>) -> Result<Box<[Expr; 2]>, SqlError> {
    <[Expr; 2]>::try_from(args)
        .map(Box::new)
        .map_err(|_| SqlError::internal("operator without two operands"))
}

/// Adds a position to an error that has none.
pub(super) fn place_at(error: SqlError, position: Option<u32>) -> SqlError {
    match position {
        Some(position) if error.position.is_none() => error.with_position(position),
        _ => error,
    }
}

/// The operator for two operand types.
pub(crate) fn find_operator(
    symbol: &str,
    left: Oid,
    right: Oid,
) -> Result<&'static Operator, SqlError> {
    // One side undecided: first try the other side's type for both.
    let (a, b) = match (left == oid::UNKNOWN, right == oid::UNKNOWN) {
        (true, false) => (right, right),
        (false, true) => (left, left),
        _ => (left, right),
    };
    if let Some(found) = functions::operator(symbol, a, b).filter(|_| a != 0) {
        return Ok(found);
    }
    let candidates: Vec<&'static Operator> =
        functions::operators(symbol).iter().copied().filter(|o| o.left != 0).collect();
    let signatures: Vec<_> =
        candidates.iter().filter_map(|o| resolve::spread(&[o.left, o.right], false, 2)).collect();
    match resolve::choose(&signatures, &[left, right]) {
        Choice::One(i) => Ok(candidates[i]),
        choice => Err(no_operator(symbol, Some(left), right, choice)),
    }
}

fn no_operator(symbol: &str, left: Option<Oid>, right: Oid, choice: Choice) -> SqlError {
    let right = SqlType::new(right);
    let shown = match left {
        Some(left) => format!("{} {symbol} {right}", SqlType::new(left)),
        None => format!("{symbol} {right}"),
    };
    if choice == Choice::Ambiguous {
        return SqlError::new(
            sqlstate::AMBIGUOUS_FUNCTION,
            format!("operator is not unique: {shown}"),
        )
        .with_hint(
            "Could not choose a best candidate operator. You might need to add explicit type casts.",
        );
    }
    let hint = match left {
        None => {
            "No operator matches the given name and argument type. You might need to add an \
             explicit type cast."
        }
        Some(_) => {
            "No operator matches the given name and argument types. You might need to add \
             explicit type casts."
        }
    };
    SqlError::new(sqlstate::UNDEFINED_FUNCTION, format!("operator does not exist: {shown}"))
        .with_hint(hint)
}

/// PostgreSQL's symbol of a binary operator.
fn symbol(op: &B) -> Option<String> {
    Some(match op {
        B::Plus
        | B::Minus
        | B::Multiply
        | B::Divide
        | B::Modulo
        | B::StringConcat
        | B::Gt
        | B::Lt
        | B::GtEq
        | B::LtEq
        | B::Eq => op.to_string(),
        B::NotEq => "<>".to_owned(),
        B::BitwiseOr => "|".to_owned(),
        B::BitwiseAnd => "&".to_owned(),
        B::PGBitwiseXor => "#".to_owned(),
        B::BitwiseXor | B::PGExp => "^".to_owned(),
        B::PGCustomBinaryOperator(parts) => match parts.as_slice() {
            [schema, name] if schema.eq_ignore_ascii_case("pg_catalog") => name.clone(),
            [name] => name.clone(),
            _ => return None,
        },
        B::Custom(name) => name.clone(),
        B::And
        | B::Or
        | B::Xor
        | B::Spaceship
        | B::Regexp
        | B::Glob
        | B::Match
        | B::Is
        | B::IsNot
        | B::Assignment
        | B::DuckIntegerDivide
        | B::MyIntegerDivide => return None,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_have_one_operator_each() {
        for array in [oid::INT4_ARRAY, oid::OID_ARRAY] {
            for other in [array, oid::UNKNOWN] {
                for symbol in ["=", "<>", "<"] {
                    let found = find_operator(symbol, array, other).expect("it is unique");
                    assert_eq!((found.left, found.right), (oid::ANYARRAY, oid::ANYARRAY));
                }
            }
        }
        let vectors = find_operator("=", oid::OIDVECTOR, oid::OIDVECTOR).expect("it is exact");
        assert_eq!(vectors.left, oid::OIDVECTOR);
    }
}
