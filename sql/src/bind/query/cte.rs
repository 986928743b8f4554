//! WITH.

use super::BoundQuery;
use crate::bind::scope::{Item, Scope, ScopeColumn, fold};
use crate::bind::{Binder, OutputColumn};
use crate::plan::expr::ColId;
use crate::plan::rel::{Cte, Recursive, Rel};
use sqlparser::ast::{self, SetExpr};
use types::{SqlError, SqlType, sqlstate};

/// A WITH query in sight.
#[derive(Clone, Debug)]
pub(crate) struct CteEntry {
    pub(crate) name: String,
    pub(crate) cte: usize,
    /// Names and types of its columns.
    pub(crate) columns: Vec<(String, SqlType)>,
    /// Writes without RETURNING cannot be read from.
    pub(crate) readable: bool,
}

impl Binder<'_> {
    /// Binds the queries of a WITH clause and brings their names in sight.
    pub(crate) fn with(
        &mut self,
        with: &ast::With,
        scope: &Scope<'_>,
    ) -> Result<Vec<Cte>, SqlError> {
        let mark = self.ctes.len();
        let mut out = Vec::with_capacity(with.cte_tables.len());
        for cte in &with.cte_tables {
            let name = fold(&cte.alias.name);
            if self.ctes[mark..].iter().any(|e| e.name == name) {
                return Err(self.error_at(
                    cte.alias.name.span,
                    sqlstate::DUPLICATE_ALIAS,
                    format!("WITH query name \"{name}\" specified more than once"),
                ));
            }
            let number = self.next_cte;
            self.next_cte += 1;
            let bound = match recursive_parts(with, cte, &name) {
                Some((base, step, distinct)) => {
                    self.recursive(cte, &name, number, (base, step, distinct), scope)?
                }
                None => self.query(&cte.query, &inner(scope))?,
            };
            let number = if matches!(bound.rel, Rel::Recursive(_)) {
                self.next_cte += 1;
                self.next_cte - 1
            } else {
                number
            };
            let columns = self.cte_columns(cte, &name, &bound.output)?;
            let readable = !is_write(&cte.query) || !bound.output.is_empty();
            self.ctes.push(CteEntry { name: name.clone(), cte: number, columns, readable });
            let ids = bound.output.iter().map(|(id, _)| *id).collect();
            out.push(Cte { cte: number, name, rel: bound.rel, columns: ids });
        }
        Ok(out)
    }

    fn cte_columns(
        &self,
        cte: &ast::Cte,
        name: &str,
        output: &[(ColId, OutputColumn)],
    ) -> Result<Vec<(String, SqlType)>, SqlError> {
        let aliases = &cte.alias.columns;
        if aliases.len() > output.len() {
            return Err(self.error_at(
                cte.alias.name.span,
                sqlstate::INVALID_COLUMN_REFERENCE,
                format!(
                    "WITH query \"{name}\" has {} columns available but {} columns specified",
                    output.len(),
                    aliases.len()
                ),
            ));
        }
        let named = |i: usize, column: &OutputColumn| match aliases.get(i) {
            Some(alias) => (fold(&alias.name), column.ty),
            None => (column.name.clone(), column.ty),
        };
        Ok(output.iter().enumerate().map(|(i, (_, c))| named(i, c)).collect())
    }

    fn recursive(
        &mut self,
        cte: &ast::Cte,
        name: &str,
        number: usize,
        (base, step, distinct): (&SetExpr, &SetExpr, bool),
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let first = self.set_expr(base, &inner(scope))?;
        let columns = self.cte_columns(cte, name, &first.output)?;
        self.ctes.push(CteEntry { name: name.to_owned(), cte: number, columns, readable: true });
        let next = self.set_expr(step, &inner(scope));
        self.ctes.pop();
        let mut next = next?;
        if next.output.len() != first.output.len() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "each UNION query must have the same number of columns",
            ));
        }
        for (i, ((_, a), (_, b))) in first.output.iter().zip(&next.output).enumerate() {
            if a.ty.oid != b.ty.oid && b.ty.oid != types::oid::UNKNOWN {
                let (a, b) = (SqlType::new(a.ty.oid), SqlType::new(b.ty.oid));
                let common = crate::bind::common::common_type(&[a.oid, b.oid]);
                if common != Ok(a.oid) {
                    return Err(SqlError::new(
                        sqlstate::DATATYPE_MISMATCH,
                        format!(
                            "recursive query \"{name}\" column {} has type {a} in non-recursive \
                             term but type {b} overall",
                            i + 1
                        ),
                    )
                    .with_hint("Cast the output of the non-recursive term to the correct type."));
                }
            }
        }
        let types: Vec<SqlType> = first.output.iter().map(|(_, c)| c.ty).collect();
        next = self.coerce_output(next, &types)?;
        let mut output = Vec::with_capacity(types.len());
        for (_, column) in &first.output {
            output.push((self.new_column(&column.name, column.ty), column.clone()));
        }
        let ids = |list: &[(ColId, OutputColumn)]| list.iter().map(|(id, _)| *id).collect();
        let rel = Rel::Recursive(Box::new(Recursive {
            cte: number,
            columns: ids(&output),
            base_columns: ids(&first.output),
            base: first.rel,
            step_columns: ids(&next.output),
            step: next.rel,
            distinct,
        }));
        Ok(BoundQuery { rel, output })
    }

    /// A reference to a WITH query in FROM.
    pub(super) fn cte_reference(
        &mut self,
        name: &str,
        alias: &str,
        column_aliases: &[ast::TableAliasColumnDef],
        span: sqlparser::tokenizer::Span,
    ) -> Result<Option<(Rel, Item)>, SqlError> {
        let Some(entry) = self.ctes.iter().rev().find(|e| e.name == name).cloned() else {
            return Ok(None);
        };
        if !entry.readable {
            return Err(self.error_at(
                span,
                sqlstate::FEATURE_NOT_SUPPORTED,
                format!("WITH query \"{name}\" does not have a RETURNING clause"),
            ));
        }
        let mut columns = Vec::with_capacity(entry.columns.len());
        let mut visible = Vec::with_capacity(entry.columns.len());
        for (i, (column, ty)) in entry.columns.iter().enumerate() {
            let column = column_aliases.get(i).map_or_else(|| column.clone(), |a| fold(&a.name));
            let id = self.new_column(&column, *ty);
            self.columns[id.0 as usize].relation = alias.to_owned();
            columns.push((id, i));
            visible.push(ScopeColumn { name: column, id, ty: *ty, merged: false, system: false });
        }
        let item = Item {
            name: alias.to_owned(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: None,
        };
        Ok(Some((Rel::CteRef { cte: entry.cte, name: name.to_owned(), columns }, item)))
    }
}

fn inner<'s>(scope: &'s Scope<'s>) -> Scope<'s> {
    Scope { items: Vec::new(), outer: scope.outer }
}

fn is_write(query: &ast::Query) -> bool {
    matches!(
        query.body.as_ref(),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
    )
}

/// `base UNION [ALL] step`, when the query of a WITH RECURSIVE refers to itself.
fn recursive_parts<'q>(
    with: &ast::With,
    cte: &'q ast::Cte,
    name: &str,
) -> Option<(&'q SetExpr, &'q SetExpr, bool)> {
    if !with.recursive {
        return None;
    }
    match cte.query.body.as_ref() {
        SetExpr::SetOperation { left, op: ast::SetOperator::Union, set_quantifier, right }
            if mentions(right, name) =>
        {
            let all = matches!(set_quantifier, ast::SetQuantifier::All);
            Some((left, right, !all))
        }
        _ => None,
    }
}

/// Does the text of a query name this relation? Only ever asked about WITH RECURSIVE.
fn mentions(body: &SetExpr, name: &str) -> bool {
    let text = body.to_string().to_lowercase();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let name = name.to_lowercase();
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}
