//! Literals, parameters, typed strings, intervals, arrays.

use crate::bind::scope::Scope;
use crate::bind::{Binder, unknown_text};
use crate::plan::expr::{Expr, ExprKind};
use sqlparser::ast::{self, Value};
use types::{Datum, SqlError, SqlType, oid, sqlstate};

/// Highest number of a parameter, as the protocol counts them in 16 bits.
const PARAM_MAX: usize = 65_535;

impl Binder<'_> {
    pub(super) fn value(&mut self, literal: &ast::ValueWithSpan) -> Result<Expr, SqlError> {
        match &literal.value {
            Value::Number(text, _) => self.number(text),
            Value::SingleQuotedString(s)
            | Value::EscapedStringLiteral(s)
            | Value::UnicodeStringLiteral(s)
            | Value::NationalStringLiteral(s) => Ok(self.text_literal(s, literal.span)),
            Value::DollarQuotedString(s) => Ok(self.text_literal(&s.value, literal.span)),
            Value::Boolean(b) => Ok(Expr::bool(*b)),
            Value::Null => Ok(Expr::null(SqlType::UNKNOWN)),
            Value::Placeholder(text) => self.placeholder(text, literal.span),
            other => Err(self.place(
                SqlError::not_supported(format!("literal is not supported: {other}")),
                literal.span,
            )),
        }
    }

    fn text_literal(&mut self, text: &str, span: sqlparser::tokenizer::Span) -> Expr {
        let expr = unknown_text(text);
        self.note_literal(&expr, span);
        expr
    }

    fn number(&mut self, text: &str) -> Result<Expr, SqlError> {
        if let Ok(value) = text.parse::<i32>() {
            return Ok(Expr::constant(Datum::Int4(value), SqlType::INT4));
        }
        if let Ok(value) = text.parse::<i64>() {
            return Ok(Expr::constant(Datum::Int8(value), SqlType::INT8));
        }
        let value = types::text::parse(SqlType::NUMERIC, text, self.context.settings)?;
        Ok(Expr::constant(value, SqlType::NUMERIC))
    }

    fn placeholder(
        &mut self,
        text: &str,
        span: sqlparser::tokenizer::Span,
    ) -> Result<Expr, SqlError> {
        let number = text.strip_prefix('$').and_then(|n| n.parse::<usize>().ok());
        match number {
            Some(n) if (1..=PARAM_MAX).contains(&n) => {
                let ty = self.param(n - 1);
                Ok(Expr::new(ExprKind::Param(n - 1), ty))
            }
            _ => Err(self.error_at(
                span,
                sqlstate::UNDEFINED_PARAMETER,
                format!("there is no parameter {text}"),
            )),
        }
    }

    pub(super) fn typed_string(&mut self, typed: &ast::TypedString) -> Result<Expr, SqlError> {
        let to = crate::bind::data_type(&typed.data_type)?;
        let literal = self.value(&typed.value)?;
        self.explicit(literal, to).map_err(|e| self.place(e, typed.value.span))
    }

    pub(super) fn interval(
        &mut self,
        interval: &ast::Interval,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let fields = match (&interval.leading_field, &interval.last_field) {
            (None, _) => None,
            (Some(first), None) => Some(field_word(first)),
            (Some(first), Some(last)) => {
                Some(format!("{} to {}", field_word(first), field_word(last)))
            }
        };
        let to = match fields {
            None => SqlType::INTERVAL,
            Some(words) => interval_fields(&words)
                .map(|range| SqlType::with_typmod(oid::INTERVAL, (range << 16) | 0xffff))
                .ok_or_else(|| SqlError::new(sqlstate::SYNTAX_ERROR, "syntax error in interval"))?,
        };
        let value = self.expr(&interval.value, scope)?;
        self.explicit(value, to)
    }

    pub(super) fn array(
        &mut self,
        elements: &[ast::Expr],
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        if elements.is_empty() {
            return Err(SqlError::new(
                sqlstate::INDETERMINATE_DATATYPE,
                "cannot determine type of empty array",
            )
            .with_hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."));
        }
        let mut bound = Vec::with_capacity(elements.len());
        for element in elements {
            bound.push(self.array_element(element, scope)?);
        }
        let (bound, ty) = self.unify(bound, "ARRAY")?;
        self.finish_array(bound, ty)
    }

    /// Inner brackets of a nested constructor come without the word ARRAY.
    fn array_element(&mut self, element: &ast::Expr, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        match element {
            ast::Expr::Array(inner) => self.array(&inner.elem, scope),
            other => self.expr(other, scope),
        }
    }

    /// ARRAY[…]::element[].
    pub(super) fn array_of(
        &mut self,
        elements: &[ast::Expr],
        element: SqlType,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let mut bound = Vec::with_capacity(elements.len());
        let mut nested = false;
        for item in elements {
            bound.push(match item {
                ast::Expr::Array(inner) => {
                    nested = true;
                    self.array_of(&inner.elem, element, scope)?
                }
                other => {
                    let expr = self.expr(other, scope)?;
                    self.explicit(expr, element)?
                }
            });
        }
        let array = types::array_of(element.oid)
            .ok_or_else(|| SqlError::internal("type has no array type"))?;
        Ok(Expr::new(ExprKind::Array(bound, nested), SqlType::new(array)))
    }

    fn finish_array(&mut self, elements: Vec<Expr>, ty: SqlType) -> Result<Expr, SqlError> {
        if types::element_of(ty.oid).is_some() {
            return Ok(Expr::new(ExprKind::Array(elements, true), ty));
        }
        match types::array_of(ty.oid) {
            Some(array) => Ok(Expr::new(ExprKind::Array(elements, false), SqlType::new(array))),
            None => Err(SqlError::new(
                sqlstate::UNDEFINED_OBJECT,
                format!("could not find array type for data type {ty}"),
            )),
        }
    }
}

fn field_word(field: &ast::DateTimeField) -> String {
    field.to_string().to_ascii_lowercase()
}

/// PostgreSQL's mask of an interval's fields.
fn interval_fields(words: &str) -> Option<i32> {
    const NAMES: [(&str, i32); 6] = [
        ("year", 1 << 2),
        ("month", 1 << 1),
        ("day", 1 << 3),
        ("hour", 1 << 10),
        ("minute", 1 << 11),
        ("second", 1 << 12),
    ];
    let place = |word: &str| NAMES.iter().position(|(name, _)| *name == word);
    match words.split_once(" to ") {
        None => place(words).map(|i| NAMES[i].1),
        Some((first, last)) => {
            let (from, to) = (place(first)?, place(last)?);
            (from < to).then(|| NAMES[from..=to].iter().map(|(_, bit)| bit).sum())
        }
    }
}
