//! Scalar expressions.

pub(crate) mod call;
mod literal;
pub(crate) mod operator;
mod rows;
mod special;
mod subquery;

pub(crate) use call::sort_key;

use super::Binder;
use super::scope::Scope;
use crate::plan::expr::{Expr, ExprKind};
use crate::plan::walk::deep;
use sqlparser::ast::{self, Spanned};
use types::{SqlError, SqlType, oid, sqlstate};

impl Binder<'_> {
    /// Binds an expression; literals and parameters may come out with the type `unknown`.
    pub(crate) fn expr(&mut self, ast: &ast::Expr, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        deep(|| self.expr_inner(ast, scope))
    }

    fn expr_inner(&mut self, ast: &ast::Expr, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        use ast::Expr as A;
        match ast {
            A::Identifier(ident) => self.identifier(ident, scope),
            A::CompoundIdentifier(idents) => self.qualified_column(idents, scope),
            A::Nested(inner) => self.expr(inner, scope),
            A::Value(value) => self.value(value),
            A::TypedString(typed) => self.typed_string(typed),
            A::Interval(interval) => self.interval(interval, scope),
            A::BinaryOp { left, op, right } => self.binary(ast, left, op, right, scope),
            A::UnaryOp { op, expr } => self.unary(*op, expr, scope),
            A::IsNull(e) => self.is_null(e, false, scope),
            A::IsNotNull(e) => self.is_null(e, true, scope),
            A::IsTrue(e) => self.is_bool(e, true, false, "IS TRUE", scope),
            A::IsNotTrue(e) => self.is_bool(e, true, true, "IS NOT TRUE", scope),
            A::IsFalse(e) => self.is_bool(e, false, false, "IS FALSE", scope),
            A::IsNotFalse(e) => self.is_bool(e, false, true, "IS NOT FALSE", scope),
            A::IsUnknown(e) => self.is_unknown(e, false, "IS UNKNOWN", scope),
            A::IsNotUnknown(e) => self.is_unknown(e, true, "IS NOT UNKNOWN", scope),
            A::IsDistinctFrom(a, b) => self.distinct_from(a, b, false, scope),
            A::IsNotDistinctFrom(a, b) => self.distinct_from(a, b, true, scope),
            A::In { expr, target, negated, .. } => self.is_in(expr, target, *negated, scope),
            A::Between { expr, negated, low, high } => {
                self.between(expr, *negated, low, high, scope)
            }
            A::Like { negated, expr, pattern, escape_char, any: false } => {
                let op = if *negated { "!~~" } else { "~~" };
                self.like(op, expr, pattern, escape_char.as_deref(), scope)
            }
            A::ILike { negated, expr, pattern, escape_char, any: false } => {
                let op = if *negated { "!~~*" } else { "~~*" };
                self.like(op, expr, pattern, escape_char.as_deref(), scope)
            }
            A::SimilarTo { negated, expr, pattern, escape_char } => {
                self.similar(*negated, expr, pattern, escape_char.as_deref(), scope)
            }
            A::AnyOp { left, compare_op, right, .. } => {
                self.any_all(left, compare_op, right, false, scope)
            }
            A::AllOp { left, compare_op, right } => {
                self.any_all(left, compare_op, right, true, scope)
            }
            A::Cast { kind, expr, data_type, .. } => self.cast(kind, expr, data_type, scope),
            A::AtTimeZone { timestamp, time_zone } => {
                self.named_call("timezone", &[time_zone, timestamp], ast.span(), scope)
            }
            A::Extract { field, expr, .. } => self.extract(field, expr, scope),
            A::Ceil { expr, .. } => self.named_call("ceil", &[expr], ast.span(), scope),
            A::Floor { expr, .. } => self.named_call("floor", &[expr], ast.span(), scope),
            A::Position { expr, r#in } => {
                self.named_call("position", &[r#in, expr], ast.span(), scope)
            }
            A::Substring { expr, substring_from, substring_for, .. } => {
                self.substring(expr, substring_from.as_deref(), substring_for.as_deref(), scope)
            }
            A::Trim { trim_where, trim_what, expr, trim_characters } => self.trim(
                *trim_where,
                trim_what.as_deref(),
                expr,
                trim_characters.as_deref(),
                scope,
            ),
            A::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args: Vec<&ast::Expr> = vec![expr, overlay_what, overlay_from];
                args.extend(overlay_for.as_deref());
                self.named_call("overlay", &args, ast.span(), scope)
            }
            A::Collate { expr, collation } => self.collate(expr, collation, scope),
            A::Function(function) => self.function(function, scope),
            A::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), scope)
            }
            A::Exists { subquery, negated } => self.exists(subquery, *negated, scope),
            A::Subquery(query) => self.scalar_subquery(query, scope),
            A::Tuple(items) => self.row(items, scope),
            A::Array(array) => self.array(&array.elem, scope),
            A::CompoundFieldAccess { root, access_chain } => {
                self.field_access(root, access_chain, scope)
            }
            other => Err(self.place(
                SqlError::not_supported(format!("expression is not supported: {other}")),
                other.span(),
            )),
        }
    }

    fn identifier(&mut self, ident: &ast::Ident, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        if let Some(found) = self.find_column(ident, scope)? {
            return Ok(found);
        }
        // Words that are functions without parentheses come here when the grammar lets them pass.
        if ident.quote_style.is_none() {
            if ident.value.eq_ignore_ascii_case("default") {
                return Err(self.error_at(
                    ident.span,
                    sqlstate::SYNTAX_ERROR,
                    "DEFAULT is not allowed in this context",
                ));
            }
            if let Some(expr) = self.bare_word(&ident.value.to_ascii_lowercase())? {
                return Ok(expr);
            }
        }
        self.column(ident, scope)
    }

    fn is_null(
        &mut self,
        arg: &ast::Expr,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let arg = self.expr(arg, scope)?;
        let arg = self.decided(arg)?;
        Ok(Expr::new(ExprKind::IsNull(Box::new(arg), negated), SqlType::BOOL))
    }

    fn is_bool(
        &mut self,
        arg: &ast::Expr,
        value: bool,
        negated: bool,
        what: &str,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let arg = self.condition(arg, what, scope)?;
        Ok(Expr::new(ExprKind::IsBool { arg: Box::new(arg), value, negated }, SqlType::BOOL))
    }

    fn is_unknown(
        &mut self,
        arg: &ast::Expr,
        negated: bool,
        what: &str,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let arg = self.condition(arg, what, scope)?;
        Ok(Expr::new(ExprKind::IsNull(Box::new(arg), negated), SqlType::BOOL))
    }

    /// An expression that must be boolean.
    pub(crate) fn condition(
        &mut self,
        ast: &ast::Expr,
        what: &str,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let expr = self.expr(ast, scope)?;
        self.boolean(expr, what).map_err(|e| self.place(e, ast.span()))
    }

    fn cast(
        &mut self,
        kind: &ast::CastKind,
        arg: &ast::Expr,
        data_type: &ast::DataType,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let is_infix = *kind == ast::CastKind::DoubleColon;
        let behind = |binder: &Self| {
            binder.positions_behind(arg.span(), if is_infix { "::" } else { " as " })
        };
        let to = self.data_type(data_type).map_err(|e| {
            let place = behind(self).map(|(_, ty)| ty);
            operator::place_at(e, place)
        })?;
        // ARRAY[…]::type[] decides the type of the elements.
        if let (ast::Expr::Array(array), Some(element)) = (arg, types::element_of(to.oid)) {
            return self.array_of(&array.elem, SqlType::with_typmod(element, to.typmod), scope);
        }
        let bound = self.expr(arg, scope)?;
        self.explicit(bound, to).map_err(|e| {
            let place = match is_infix {
                true => behind(self).map(|(operator, _)| operator),
                false => self.position_before(arg.span(), "cast"),
            };
            operator::place_at(e, place)
        })
    }

    fn collate(
        &mut self,
        expr: &ast::Expr,
        collation: &ast::ObjectName,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let name = collation.0.last().and_then(|p| p.as_ident()).map(super::scope::fold);
        match name.as_deref() {
            Some("C" | "POSIX" | "default" | "ucs_basic") => self.expr(expr, scope),
            _ => Err(SqlError::new(
                sqlstate::UNDEFINED_OBJECT,
                format!("collation \"{}\" for encoding \"UTF8\" does not exist", collation),
            )),
        }
    }

    fn row(&mut self, items: &[ast::Expr], scope: &Scope<'_>) -> Result<Expr, SqlError> {
        let mut fields = Vec::with_capacity(items.len());
        for item in items {
            let field = self.expr(item, scope)?;
            fields.push(self.decided(field)?);
        }
        Ok(Expr::new(ExprKind::Row(fields), SqlType::new(oid::RECORD)))
    }
}
