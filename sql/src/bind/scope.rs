//! Names in sight at one place of a query, and their lookup.

use super::query::Clause;
use super::suggest::with_suggestion;
use super::{Binder, Stored};
use crate::plan::expr::{ColId, Expr, ExprKind};
use sqlparser::ast::Ident;
use types::{Oid, SqlError, SqlType, oid, sqlstate};

/// What the FROM clause of one query level offers, and the levels around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope<'a> {
    /// Table references in order.
    pub(crate) items: Vec<Item>,
    /// The query around this one, for correlated references.
    pub(crate) outer: Option<&'a Scope<'a>>,
}

/// One table reference.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its alias; empty for the merged columns of JOIN USING.
    pub(crate) name: String,
    /// Schema, when it is a table under its own name.
    pub(crate) schema: Option<String>,
    /// Its columns.
    pub(crate) columns: Vec<ScopeColumn>,
    /// Names in it are visible only with the alias in front (`excluded`).
    pub(crate) qualified_only: bool,
    /// The reference cannot be used from here; the error says why (a sibling in FROM without
    /// LATERAL).
    pub(crate) table: Option<Oid>,
}

/// A column of a table reference.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    pub(crate) name: String,
    pub(crate) id: ColId,
    pub(crate) ty: SqlType,
    /// Merged away by JOIN USING: `*` and plain names skip it.
    pub(crate) merged: bool,
    /// System columns: found by name, not by `*`.
    pub(crate) system: bool,
}

/// An identifier as PostgreSQL folds it.
pub(crate) fn fold(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None if ident.value.chars().any(char::is_uppercase) => ident.value.to_ascii_lowercase(),
        None => ident.value.clone(),
    }
}

impl<'a> Scope<'a> {
    /// An empty scope inside another.
    pub(crate) fn inside(outer: &'a Scope<'a>) -> Scope<'a> {
        Scope { items: Vec::new(), outer: Some(outer) }
    }
}

impl Binder<'_> {
    /// A plain name: a column of this level or of one around it.
    pub(crate) fn column(&self, ident: &Ident, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        match self.find_column(ident, scope)? {
            Some(expr) => Ok(expr),
            None => {
                // A table's name alone is its whole row.
                let name = fold(ident);
                if let Some(item) = find_item(scope, &name) {
                    return Ok(whole_row(item));
                }
                self.no_column_in_default(ident)?;
                let error = self.error_at(
                    ident.span,
                    sqlstate::UNDEFINED_COLUMN,
                    format!("column \"{name}\" does not exist"),
                );
                Err(with_suggestion(error, None, &name, scope))
            }
        }
    }

    /// A plain name, `None` when there is no such column.
    pub(crate) fn find_column(
        &self,
        ident: &Ident,
        scope: &Scope<'_>,
    ) -> Result<Option<Expr>, SqlError> {
        let name = fold(ident);
        let mut level = Some(scope);
        while let Some(current) = level {
            let mut found: Option<&ScopeColumn> = None;
            for item in current.items.iter().filter(|i| !i.qualified_only) {
                for column in item.columns.iter().filter(|c| !c.merged && c.name == name) {
                    if found.is_some_and(|f| f.id != column.id) {
                        return Err(self.error_at(
                            ident.span,
                            sqlstate::AMBIGUOUS_COLUMN,
                            format!("column reference \"{name}\" is ambiguous"),
                        ));
                    }
                    found = Some(column);
                }
            }
            if let Some(column) = found {
                return Ok(Some(self.reference(column, ident)));
            }
            level = current.outer;
        }
        Ok(None)
    }

    fn reference(&self, column: &ScopeColumn, ident: &Ident) -> Expr {
        let position = self.at(ident.span).unwrap_or(0);
        Expr::new(ExprKind::Column(column.id, position), column.ty)
    }

    /// `table.column` or `schema.table.column`.
    pub(crate) fn qualified_column(
        &self,
        idents: &[Ident],
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let (column, prefix) = match idents {
            [prefix @ .., column] if !prefix.is_empty() => (column, prefix),
            _ => return Err(SqlError::internal("qualified name without qualifier")),
        };
        self.no_column_in_default(&idents[0])?;
        let item = self.qualifier(prefix, scope)?;
        let name = fold(column);
        match item.columns.iter().find(|c| c.name == name) {
            Some(found) => Ok(self.reference(found, &idents[0])),
            None => {
                let error = self.error_at(
                    idents[0].span,
                    sqlstate::UNDEFINED_COLUMN,
                    format!("column {}.{name} does not exist", item.name),
                );
                Err(with_suggestion(error, Some(&item.name), &name, scope))
            }
        }
    }

    fn no_column_in_default(&self, ident: &Ident) -> Result<(), SqlError> {
        match self.levels.last().map(|level| level.clause) {
            Some(Clause::Stored(Stored::Default)) => Err(self.error_at(
                ident.span,
                sqlstate::FEATURE_NOT_SUPPORTED,
                "cannot use column reference in DEFAULT expression",
            )),
            _ => Ok(()),
        }
    }

    /// The table reference that a qualifier names.
    pub(crate) fn qualifier<'s>(
        &self,
        prefix: &[Ident],
        scope: &'s Scope<'s>,
    ) -> Result<&'s Item, SqlError> {
        let (table, schema) = match prefix {
            [table] => (fold(table), None),
            [schema, table] => (fold(table), Some(fold(schema))),
            [_, schema, table] => (fold(table), Some(fold(schema))),
            _ => {
                return Err(SqlError::new(
                    sqlstate::SYNTAX_ERROR,
                    "improper qualified name (too many dotted names)",
                ));
            }
        };
        let mut level = Some(scope);
        while let Some(current) = level {
            let mut matches = current.items.iter().filter(|item| {
                item.name == table
                    && match (&schema, &item.schema) {
                        (None, _) => true,
                        (Some(wanted), Some(is)) => wanted == is,
                        (Some(_), None) => false,
                    }
            });
            if let Some(item) = matches.next() {
                if matches.next().is_some() {
                    return Err(self.error_at(
                        prefix[0].span,
                        sqlstate::AMBIGUOUS_ALIAS,
                        format!("table reference \"{table}\" is ambiguous"),
                    ));
                }
                return Ok(item);
            }
            level = current.outer;
        }
        Err(self.missing_from(prefix, &table, scope))
    }

    fn missing_from(&self, prefix: &[Ident], table: &str, scope: &Scope<'_>) -> SqlError {
        // An alias hides the table's own name: say so.
        let aliased = scope.items.iter().find(|item| {
            item.table.is_some_and(|oid| {
                self.context.catalog.table_by_oid(oid).is_some_and(|t| t.name == table)
            })
        });
        match aliased {
            Some(item) => self
                .error_at(
                    prefix[0].span,
                    sqlstate::UNDEFINED_TABLE,
                    format!("invalid reference to FROM-clause entry for table \"{table}\""),
                )
                .with_hint(format!(
                    "Perhaps you meant to reference the table alias \"{}\".",
                    item.name
                )),
            None => self.error_at(
                prefix[0].span,
                sqlstate::UNDEFINED_TABLE,
                format!("missing FROM-clause entry for table \"{table}\""),
            ),
        }
    }
}

/// The table reference of this name, at this level or around it.
pub(crate) fn find_item<'s>(scope: &'s Scope<'s>, name: &str) -> Option<&'s Item> {
    let mut level = Some(scope);
    while let Some(current) = level {
        if let Some(item) = current.items.iter().find(|i| i.name == name) {
            return Some(item);
        }
        level = current.outer;
    }
    None
}

/// A row value of all columns of a table reference. A function that returns one plain value is
/// that value.
pub(crate) fn whole_row(item: &Item) -> Expr {
    let columns: Vec<&ScopeColumn> = item.columns.iter().filter(|c| !c.system).collect();
    if let ([only], None) = (columns.as_slice(), item.table)
        && only.name == item.name
    {
        return Expr::column(only.id, only.ty);
    }
    let fields = columns.iter().map(|c| Expr::column(c.id, c.ty)).collect();
    Expr::new(ExprKind::Row(fields), SqlType::new(oid::RECORD))
}
