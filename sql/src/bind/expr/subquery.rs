//! Subqueries inside expressions.

use super::super::query::{BoundQuery, Clause};
use crate::bind::Binder;
use crate::bind::scope::Scope;
use crate::plan::expr::{Expr, ExprKind, Subquery, SubqueryKind};
use sqlparser::ast::{self, Spanned};
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    fn inner_query(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        if let Some(Clause::Stored(stored)) = self.levels.last().map(|level| level.clause) {
            let message = format!("cannot use subquery in {}", stored.word());
            return Err(self.parenthesis_before(SqlError::not_supported(message), query.span()));
        }
        let inner = Scope::inside(scope);
        self.query(query, &inner)
    }

    /// The expression is kept with a table: it has no query.
    fn is_stored(&self) -> bool {
        matches!(self.levels.last().map(|level| level.clause), Some(Clause::Stored(_)))
    }

    fn one_column(&self, query: &ast::Query, bound: &BoundQuery) -> Result<(), SqlError> {
        if bound.output.len() == 1 {
            return Ok(());
        }
        let error = SqlError::new(sqlstate::SYNTAX_ERROR, "subquery must return only one column");
        Err(self.parenthesis_before(error, query.span()))
    }

    pub(super) fn scalar_subquery(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let bound = self.inner_query(query, scope)?;
        self.one_column(query, &bound)?;
        let ty = bound.output[0].1.ty;
        Ok(subquery(SubqueryKind::Scalar, bound, ty))
    }

    pub(super) fn array_subquery(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let bound = self.inner_query(query, scope)?;
        self.one_column(query, &bound)?;
        let element = bound.output[0].1.ty;
        let array = types::array_of(element.oid).ok_or_else(|| {
            SqlError::new(
                sqlstate::UNDEFINED_OBJECT,
                format!("could not find array type for data type {element}"),
            )
        })?;
        Ok(subquery(SubqueryKind::Array, bound, SqlType::new(array)))
    }

    pub(super) fn exists(
        &mut self,
        query: &ast::Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let bound = self.inner_query(query, scope).map_err(|error| {
            // The word that is not allowed here, rather than its query.
            match error.code == sqlstate::FEATURE_NOT_SUPPORTED && self.is_stored() {
                true => match self.position_before(query.span(), "exists") {
                    Some(position) => error.with_position(position),
                    None => error,
                },
                false => error,
            }
        })?;
        let exists = subquery(SubqueryKind::Exists, bound, SqlType::BOOL);
        if !negated {
            return Ok(exists);
        }
        Ok(Expr::new(ExprKind::Not(Box::new(exists)), SqlType::BOOL))
    }

    pub(super) fn in_subquery(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let any = self.quantified(left, "=", query, false, scope)?;
        if !negated {
            return Ok(any);
        }
        Ok(Expr::new(ExprKind::Not(Box::new(any)), SqlType::BOOL))
    }

    /// `left op ANY (query)` and `left op ALL (query)`; `left` may be a row.
    pub(super) fn quantified(
        &mut self,
        left: &ast::Expr,
        symbol: &str,
        query: &ast::Query,
        all: bool,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let position = self.operator_position(left.span());
        let lefts: Vec<&ast::Expr> = match left {
            ast::Expr::Tuple(items) => items.iter().collect(),
            other => vec![other],
        };
        let mut operands = Vec::with_capacity(lefts.len());
        for item in lefts {
            operands.push(self.expr(item, scope)?);
        }
        let bound = self.inner_query(query, scope)?;
        let (have, want) = (bound.output.len(), operands.len());
        if have != want {
            let few = if have < want { "few" } else { "many" };
            let error =
                SqlError::new(sqlstate::SYNTAX_ERROR, format!("subquery has too {few} columns"));
            return Err(match position {
                Some(position) => error.with_position(position),
                None => error,
            });
        }
        let pairs = operands
            .into_iter()
            .zip(&bound.output)
            .map(|(a, (id, column))| (a, Expr::column(*id, column.ty)))
            .collect();
        let test = self.compare_rows(symbol, pairs).map_err(|e| match position {
            Some(position) if e.position.is_none() => e.with_position(position),
            _ => e,
        })?;
        let test = Box::new(test);
        let kind = if all { SubqueryKind::All(test) } else { SubqueryKind::Any(test) };
        Ok(subquery(kind, bound, SqlType::BOOL))
    }
}

fn subquery(kind: SubqueryKind, bound: BoundQuery, ty: SqlType) -> Expr {
    let columns = bound.output.iter().map(|(id, _)| *id).collect();
    Expr::new(ExprKind::Subquery(Box::new(Subquery { kind, rel: bound.rel, columns })), ty)
}
