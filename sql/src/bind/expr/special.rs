//! Constructs with a syntax of their own: CASE, COALESCE and its kin, EXTRACT, SUBSTRING, TRIM,
//! words like `current_date`, subscripts and fields.

use super::call::{CallName, plain_args};
use super::operator::find_operator;
use crate::bind::scope::{Scope, fold};
use crate::bind::{Binder, unknown_text};
use crate::plan::expr::{Expr, ExprKind};
use sqlparser::ast::{self, Spanned};
use sqlparser::tokenizer::Span;
use types::{SqlError, SqlType, oid, sqlstate};

impl Binder<'_> {
    pub(super) fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let mut whens = Vec::with_capacity(conditions.len());
        let mut results = Vec::with_capacity(conditions.len() + 1);
        for when in conditions {
            let test = match operand {
                None => self.condition(&when.condition, "CASE/WHEN", scope)?,
                Some(operand) => {
                    let a = self.expr(operand, scope)?;
                    let b = self.expr(&when.condition, scope)?;
                    self.operator("=", a, b).map_err(|e| self.place(e, operand.span()))?
                }
            };
            whens.push(test);
            results.push(self.expr(&when.result, scope)?);
        }
        // PostgreSQL looks at ELSE first when it chooses the type.
        let last = match otherwise {
            Some(expr) => self.expr(expr, scope)?,
            None => Expr::null(SqlType::UNKNOWN),
        };
        results.insert(0, last);
        let mut places = vec![otherwise.map_or(Span::empty(), Spanned::span)];
        places.extend(conditions.iter().map(|when| when.result.span()));
        let (mut results, ty) = self.unify_placed(results, &places, "CASE")?;
        let last = results.remove(0);
        let otherwise = (!last.is_null_const()).then(|| Box::new(last));
        let whens = whens.into_iter().zip(results).collect();
        Ok(Expr::new(ExprKind::Case { whens, otherwise }, ty))
    }

    /// COALESCE, NULLIF, GREATEST, LEAST and what else looks like a call but has rules of its own.
    pub(super) fn keyword_call(
        &mut self,
        call: &ast::Function,
        name: &CallName,
        scope: &Scope<'_>,
    ) -> Result<Option<Expr>, SqlError> {
        match name.name.as_str() {
            "coalesce" => {
                let places = places(call)?;
                let args = self.call_args(call, scope)?;
                let (args, ty) = self.unify_placed(args, &places, "COALESCE")?;
                Ok(Some(Expr::new(ExprKind::Coalesce(args), ty)))
            }
            "greatest" | "least" => {
                let places = places(call)?;
                let args = self.call_args(call, scope)?;
                let greatest = name.name == "greatest";
                let word = if greatest { "GREATEST" } else { "LEAST" };
                let (args, ty) = self.unify_placed(args, &places, word)?;
                Ok(Some(Expr::new(ExprKind::Extreme(greatest, args), ty)))
            }
            "nullif" => {
                let args = self.call_args(call, scope)?;
                let [a, b] = <[Expr; 2]>::try_from(args).map_err(|_| {
                    self.error_at(name.span, sqlstate::SYNTAX_ERROR, "NULLIF takes two arguments")
                })?;
                let eq =
                    find_operator("=", a.ty.oid, b.ty.oid).map_err(|e| self.place(e, name.span))?;
                let ty = a.ty;
                let (args, _) = self.operator_args(eq, a, b)?;
                let ty = if ty.oid == oid::UNKNOWN { args[0].ty } else { ty };
                let args = <[Expr; 2]>::try_from(args)
                    .map_err(|_| SqlError::internal("operator without two operands"))?;
                Ok(Some(Expr::new(ExprKind::NullIf(eq, Box::new(args)), ty)))
            }
            "row" => {
                let args = plain_args(call)?.into_iter().cloned().collect::<Vec<_>>();
                self.row(&args, scope).map(Some)
            }
            "array" => match &call.args {
                ast::FunctionArguments::Subquery(query) => {
                    self.array_subquery(query, scope).map(Some)
                }
                _ => Ok(None),
            },
            "exists" => match &call.args {
                ast::FunctionArguments::Subquery(query) => {
                    self.exists(query, false, scope).map(Some)
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Words that are calls without parentheses.
    pub(super) fn bare_word(&mut self, word: &str) -> Result<Option<Expr>, SqlError> {
        let span = sqlparser::tokenizer::Span::empty();
        let call = |binder: &mut Self, name: &str| binder.call_named(name, Vec::new(), span);
        Ok(Some(match word {
            "current_timestamp" => call(self, "now")?,
            "current_date" => {
                let now = call(self, "now")?;
                self.explicit(now, SqlType::DATE)?
            }
            "localtimestamp" => {
                let now = call(self, "now")?;
                self.explicit(now, SqlType::TIMESTAMP)?
            }
            "localtime" => {
                let now = call(self, "now")?;
                self.explicit(now, SqlType::TIME)?
            }
            "current_user" | "session_user" | "current_role" | "user" => {
                let name = if word == "session_user" { word } else { "current_user" };
                call(self, name)?
            }
            "current_catalog" => call(self, "current_database")?,
            "current_schema" => call(self, "current_schema")?,
            _ => return Ok(None),
        }))
    }

    pub(super) fn extract(
        &mut self,
        field: &ast::DateTimeField,
        arg: &ast::Expr,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let word = match field {
            ast::DateTimeField::Custom(ident) => fold(ident),
            other => other.to_string().to_ascii_lowercase(),
        };
        let source = self.expr(arg, scope)?;
        let field = self.implicit(unknown_text(&word), SqlType::TEXT)?;
        self.call_named("extract", vec![field, source], arg.span())
    }

    pub(super) fn substring(
        &mut self,
        arg: &ast::Expr,
        from: Option<&ast::Expr>,
        length: Option<&ast::Expr>,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let mut args = vec![self.expr(arg, scope)?];
        match (from, length) {
            (None, Some(_)) => {
                args.push(Expr::constant(types::Datum::Int4(1), SqlType::INT4));
            }
            (Some(from), _) => args.push(self.expr(from, scope)?),
            (None, None) => {}
        }
        if let Some(length) = length {
            args.push(self.expr(length, scope)?);
        }
        self.call_named("substring", args, arg.span())
    }

    pub(super) fn trim(
        &mut self,
        side: Option<ast::TrimWhereField>,
        what: Option<&ast::Expr>,
        arg: &ast::Expr,
        characters: Option<&[ast::Expr]>,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let name = match side {
            Some(ast::TrimWhereField::Leading) => "ltrim",
            Some(ast::TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        };
        let mut args = vec![self.expr(arg, scope)?];
        for extra in what.into_iter().chain(characters.unwrap_or_default()) {
            args.push(self.expr(extra, scope)?);
        }
        self.call_named(name, args, arg.span())
    }

    pub(super) fn field_access(
        &mut self,
        root: &ast::Expr,
        chain: &[ast::AccessExpr],
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        // `t.a[1]` arrives as the name t with the accesses .a and [1].
        let mut idents = Vec::new();
        let mut rest = chain;
        if let ast::Expr::Identifier(first) = root {
            while let [ast::AccessExpr::Dot(ast::Expr::Identifier(next)), tail @ ..] = rest {
                if idents.is_empty() {
                    idents.push(first.clone());
                }
                idents.push(next.clone());
                rest = tail;
            }
        }
        let mut value = match idents.as_slice() {
            [] => self.expr(root, scope)?,
            idents => self.qualified_column(idents, scope)?,
        };
        let mut indexes = Vec::new();
        for access in rest {
            match access {
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => {
                    let bound = self.expr(index, scope)?;
                    indexes.push((bound, index.span()));
                }
                other => {
                    return Err(SqlError::not_supported(format!(
                        "access is not supported: {other}"
                    )));
                }
            }
        }
        if !indexes.is_empty() {
            value = self.subscript(value, indexes, root.span())?;
        }
        Ok(value)
    }

    fn subscript(
        &mut self,
        value: Expr,
        indexes: Vec<(Expr, sqlparser::tokenizer::Span)>,
        span: sqlparser::tokenizer::Span,
    ) -> Result<Expr, SqlError> {
        if value.ty.oid == oid::JSONB {
            let mut value = value;
            for (index, _) in indexes {
                value = self.operator("->", value, index)?;
            }
            return Ok(value);
        }
        let Some(element) = types::element_of(value.ty.oid) else {
            return Err(self.error_at(
                span,
                sqlstate::DATATYPE_MISMATCH,
                format!(
                    "cannot subscript type {} because it does not support subscripting",
                    value.ty
                ),
            ));
        };
        let mut bound = Vec::with_capacity(indexes.len());
        for (index, at) in indexes {
            let ty = index.ty;
            let index = self
                .try_coerce(index, SqlType::INT4, types::cast::CastContext::Assignment)?
                .ok_or_else(|| {
                    self.error_at(
                        at,
                        sqlstate::DATATYPE_MISMATCH,
                        format!("array subscript must have type integer, not {ty}"),
                    )
                })?;
            bound.push(index);
        }
        let ty = SqlType::with_typmod(element, value.ty.typmod);
        Ok(Expr::new(ExprKind::Subscript(Box::new(value), bound), ty))
    }
}

/// Where the arguments of a call stand.
fn places(call: &ast::Function) -> Result<Vec<Span>, SqlError> {
    Ok(plain_args(call)?.into_iter().map(Spanned::span).collect())
}
