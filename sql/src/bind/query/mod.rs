//! Queries: WITH, set operations, ORDER BY, LIMIT; SELECT itself is in `select`.

mod cte;
mod from;
mod from_function;
mod group;
mod join_using;
mod locks;
mod select;
mod setop;
mod window;

pub(crate) use cte::CteEntry;

use super::scope::Scope;
use super::{Binder, Command, OutputColumn, Stored};
use crate::functions::Function;
use crate::plan::expr::{ColId, Expr};
use crate::plan::rel::{AggregateCall, Rel, WindowCall};
use sqlparser::ast::{self, SetExpr, Spanned};
use types::{SqlError, SqlType, sqlstate};

/// A bound query: the plan and which of its columns are the result.
#[derive(Clone, Debug)]
pub(crate) struct BoundQuery {
    pub(crate) rel: Rel,
    pub(crate) output: Vec<(ColId, OutputColumn)>,
}

/// A bound query as a statement.
pub(crate) struct TopQuery {
    pub(crate) rel: Rel,
    pub(crate) output: Vec<(ColId, OutputColumn)>,
    pub(crate) command: Command,
}

/// What is collected while the expressions of one query level are bound.
#[derive(Default)]
pub(crate) struct Level {
    pub(crate) aggregates: Vec<(ColId, AggregateCall)>,
    pub(crate) windows: Vec<WindowCall>,
    pub(crate) sets: Vec<(ColId, &'static Function, Vec<Expr>)>,
    pub(crate) named_windows: Vec<ast::NamedWindowDefinition>,
    pub(crate) clause: Clause,
}

/// The clause whose expressions are being bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clause {
    #[default]
    None,
    Select,
    Where,
    JoinOn,
    From,
    GroupBy,
    Having,
    OrderBy,
    Limit,
    Values,
    Returning,
    Set,
    AggregateArgument,
    WindowArgument,
    /// No query at all.
    Stored(Stored),
}

impl Clause {
    /// How PostgreSQL names it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Clause::None => "this context",
            Clause::Select => "SELECT",
            Clause::Where => "WHERE",
            Clause::JoinOn => "JOIN conditions",
            Clause::From => "functions in FROM",
            Clause::GroupBy => "GROUP BY",
            Clause::Having => "HAVING",
            Clause::OrderBy => "ORDER BY",
            Clause::Limit => "LIMIT",
            Clause::Values => "VALUES",
            Clause::Returning => "RETURNING",
            Clause::Set => "UPDATE",
            Clause::AggregateArgument => "aggregate arguments",
            Clause::WindowArgument => "window definitions",
            Clause::Stored(stored) => stored.words(),
        }
    }

    /// May set-returning functions stand here?
    pub(crate) fn allows_sets(self) -> bool {
        matches!(self, Clause::Select | Clause::OrderBy)
    }

    /// May window functions stand here?
    pub(crate) fn allows_windows(self) -> bool {
        matches!(self, Clause::Select | Clause::OrderBy)
    }

    /// The error for an aggregate here, if it is one.
    pub(crate) fn aggregate_error(self) -> Option<String> {
        match self {
            Clause::Select | Clause::Having | Clause::OrderBy | Clause::WindowArgument => None,
            Clause::AggregateArgument => {
                Some("aggregate function calls cannot be nested".to_owned())
            }
            other => Some(format!("aggregate functions are not allowed in {}", other.words())),
        }
    }
}

impl Binder<'_> {
    /// Changes the clause being bound; returns the former one for [`Binder::leave`].
    pub(crate) fn enter(&mut self, clause: Clause) -> Clause {
        match self.levels.last_mut() {
            Some(level) => std::mem::replace(&mut level.clause, clause),
            None => {
                self.levels.push(Level { clause, ..Level::default() });
                Clause::None
            }
        }
    }

    /// Goes back to the former clause.
    pub(crate) fn leave(&mut self, clause: Clause) {
        if let Some(level) = self.levels.last_mut() {
            level.clause = clause;
        }
    }

    /// A query that is a statement of its own. Data-modifying statements after WITH come here too.
    pub(crate) fn top_query(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<TopQuery, SqlError> {
        let command = match query.body.as_ref() {
            SetExpr::Insert(_) => Command::Insert,
            SetExpr::Update(_) => Command::Update,
            SetExpr::Delete(_) => Command::Delete,
            _ => Command::Select,
        };
        let bound = self.query(query, scope)?;
        Ok(TopQuery { rel: bound.rel, output: bound.output, command })
    }

    /// A query inside `scope.outer`; `scope` itself is empty.
    pub(crate) fn query(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        crate::plan::walk::deep(|| {
            let mark = self.ctes.len();
            let ctes = match &query.with {
                Some(with) => self.with(with, scope)?,
                None => Vec::new(),
            };
            let mut bound = self.query_body(query, scope)?;
            self.ctes.truncate(mark);
            if !ctes.is_empty() {
                bound.rel = Rel::With { ctes, body: Box::new(bound.rel) };
            }
            Ok(bound)
        })
    }

    fn query_body(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let order = order_items(query)?;
        if let SetExpr::Select(select) = query.body.as_ref() {
            return self.select(select, order, Some(query), scope);
        }
        let mut bound = self.set_expr(&query.body, scope)?;
        if !query.locks.is_empty() {
            return Err(SqlError::not_supported(
                "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT",
            ));
        }
        if !order.is_empty() {
            bound.rel = self.order_output(bound.rel, &bound.output, order)?;
        }
        bound.rel = self.limit(bound.rel, query, scope)?;
        Ok(bound)
    }

    /// The body of a query without its ORDER BY and LIMIT.
    pub(super) fn set_expr(
        &mut self,
        body: &SetExpr,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        crate::plan::walk::deep(|| match body {
            SetExpr::Select(select) => self.select(select, &[], None, scope),
            SetExpr::Query(query) => self.query(query, scope),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.set_operation(left, *op, *set_quantifier, right, scope)
            }
            SetExpr::Values(values) => self.values(values, scope),
            SetExpr::Insert(ast::Statement::Insert(insert)) => self.insert(insert, scope),
            SetExpr::Update(ast::Statement::Update(update)) => self.update(update, scope),
            SetExpr::Delete(ast::Statement::Delete(delete)) => self.delete(delete, scope),
            SetExpr::Table(table) => self.table_command(table, scope),
            other => Err(SqlError::not_supported(format!("query is not supported: {other}"))),
        })
    }

    fn table_command(
        &mut self,
        table: &ast::Table,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let name = match (&table.schema_name, &table.table_name) {
            (Some(schema), Some(name)) => format!("\"{schema}\".\"{name}\""),
            (None, Some(name)) => format!("\"{name}\""),
            _ => return Err(SqlError::new(sqlstate::SYNTAX_ERROR, "syntax error")),
        };
        let parsed = crate::parse::parse(&format!("SELECT * FROM {name}"))?;
        match parsed.into_iter().next().map(|p| p.ast) {
            Some(ast::Statement::Query(query)) => self.query(&query, scope),
            _ => Err(SqlError::internal("TABLE did not become a query")),
        }
    }

    /// VALUES as a query.
    fn values(&mut self, values: &ast::Values, scope: &Scope<'_>) -> Result<BoundQuery, SqlError> {
        self.levels.push(Level { clause: Clause::Values, ..Level::default() });
        let bound = self.value_rows(values, scope);
        self.levels.pop();
        let mut rows = bound?;
        let width = rows.first().map_or(0, Vec::len);
        let mut output = Vec::with_capacity(width);
        for i in 0..width {
            let mut column = Vec::with_capacity(rows.len());
            for row in &mut rows {
                column.push(std::mem::replace(&mut row[i], Expr::null(SqlType::UNKNOWN)));
            }
            let (column, ty) = self.unify(column, "VALUES")?;
            for (row, value) in rows.iter_mut().zip(column) {
                row[i] = value;
            }
            let name = format!("column{}", i + 1);
            let id = self.new_column(&name, ty);
            output.push((id, OutputColumn { name, ty, table_oid: 0, attnum: 0 }));
        }
        let columns = output.iter().map(|(id, _)| *id).collect();
        Ok(BoundQuery { rel: Rel::Values { columns, rows }, output })
    }

    fn value_rows(
        &mut self,
        values: &ast::Values,
        scope: &Scope<'_>,
    ) -> Result<Vec<Vec<Expr>>, SqlError> {
        let width = values.rows.first().map_or(0, |r| r.content.len());
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                let span =
                    row.content.first().map_or(sqlparser::tokenizer::Span::empty(), |e| e.span());
                return Err(self.error_at(
                    span,
                    sqlstate::SYNTAX_ERROR,
                    "VALUES lists must all be the same length",
                ));
            }
            let bound: Result<Vec<Expr>, SqlError> =
                row.content.iter().map(|e| self.expr(e, scope)).collect();
            rows.push(bound?);
        }
        Ok(rows)
    }

    /// LIMIT, OFFSET and FETCH.
    pub(super) fn limit(
        &mut self,
        rel: Rel,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Rel, SqlError> {
        let (mut limit, mut offset) = match &query.limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|o| &o.value))
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => {
                (Some(limit), Some(offset))
            }
        };
        let mut with_ties = false;
        let one = ast::Expr::Value(ast::Value::Number("1".to_owned(), false).into());
        if let Some(fetch) = &query.fetch {
            with_ties = fetch.with_ties;
            limit = Some(fetch.quantity.as_ref().unwrap_or(&one));
        }
        let _ = &mut offset;
        if limit.is_none() && offset.is_none() {
            return Ok(rel);
        }
        let limit = limit.map(|l| self.count(l, "LIMIT", scope)).transpose()?;
        let offset = offset.map(|o| self.count(o, "OFFSET", scope)).transpose()?;
        Ok(Rel::Limit { input: Box::new(rel), limit, offset, with_ties })
    }

    /// LIMIT or OFFSET. It sees the columns of its query, and must not use them.
    fn count(&mut self, ast: &ast::Expr, what: &str, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        self.levels.push(Level { clause: Clause::Limit, ..Level::default() });
        let expr = self.expr(ast, scope);
        self.levels.pop();
        let expr = expr?;
        let mut used = std::collections::BTreeSet::new();
        expr.free_columns(&mut used);
        let own = scope.items.iter().flat_map(|item| &item.columns);
        if own.into_iter().any(|column| used.contains(&column.id)) {
            return Err(self.error_at(
                ast.span(),
                sqlstate::INVALID_COLUMN_REFERENCE,
                format!("argument of {what} must not contain variables"),
            ));
        }
        let from = expr.ty;
        let context = types::cast::CastContext::Assignment;
        match self.try_coerce(expr, SqlType::INT8, context)? {
            Some(expr) => Ok(expr),
            None => Err(self.error_at(
                ast.span(),
                sqlstate::DATATYPE_MISMATCH,
                format!("argument of {what} must be type bigint, not type {from}"),
            )),
        }
    }
}

/// The items of a query's ORDER BY.
fn order_items(query: &ast::Query) -> Result<&[ast::OrderByExpr], SqlError> {
    match &query.order_by {
        None => Ok(&[]),
        Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(items), .. }) => Ok(items),
        Some(_) => Err(SqlError::not_supported("ORDER BY ALL is not supported")),
    }
}
