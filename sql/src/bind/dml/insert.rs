//! INSERT.

use super::{generated_only, is_default, last_ident};
use crate::bind::Binder;
use crate::bind::query::{BoundQuery, Clause, Level};
use crate::bind::scope::{Scope, fold};
use crate::plan::expr::Expr;
use crate::plan::rel::{Conflict, ConflictUpdate, Insert, Rel};
use catalog::descriptor::{Identity, Table};
use sqlparser::ast::{self, SetExpr, Spanned};
use std::sync::Arc;
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    pub(crate) fn insert(
        &mut self,
        insert: &ast::Insert,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let ast::TableObject::TableName(name) = &insert.table else {
            return Err(SqlError::not_supported("INSERT into a function is not supported"));
        };
        let table = self.target_table(name, "insert into")?;
        let alias = match &insert.table_alias {
            Some(alias) => fold(&alias.alias),
            None => table.name.clone(),
        };
        let columns = self.insert_columns(insert, &table)?;
        let mark = self.ctes.len();
        let mut ctes = Vec::new();
        // WITH in front of INSERT belongs to the query inside it.
        if let Some(with) = insert.source.as_ref().and_then(|s| s.with.as_ref()) {
            ctes = self.with(with, scope)?;
        }
        let (input, values) = self.insert_source(insert, &table, &columns, scope)?;
        self.ctes.truncate(mark);
        let (target, item) = self.write_target(&table, &alias)?;
        let conflict = self.conflict(insert, &table, &alias)?;
        let rel = Rel::Insert(Box::new(Insert { target, input, values, conflict }));
        let returned = Scope { items: vec![item], outer: None };
        let mut bound = self.returning(rel, insert.returning.as_deref(), &returned)?;
        if !ctes.is_empty() {
            bound.rel = Rel::With { ctes, body: Box::new(bound.rel) };
        }
        Ok(bound)
    }

    /// Positions of the columns that values are given for.
    fn insert_columns(&self, insert: &ast::Insert, table: &Table) -> Result<Vec<usize>, SqlError> {
        if insert.columns.is_empty() {
            let visible = table.columns.iter().enumerate().filter(|(_, c)| c.is_visible());
            return Ok(visible.map(|(i, _)| i).collect());
        }
        let mut out = Vec::with_capacity(insert.columns.len());
        for name in &insert.columns {
            let ident = last_ident(name)?;
            let position = self.assigned_column(table, ident)?;
            if out.contains(&position) {
                return Err(self.error_at(
                    ident.span,
                    sqlstate::DUPLICATE_COLUMN,
                    format!("column \"{}\" specified more than once", fold(ident)),
                ));
            }
            out.push(position);
        }
        Ok(out)
    }

    /// The rows to insert and, over them, the value of every column of the table.
    fn insert_source(
        &mut self,
        insert: &ast::Insert,
        table: &Arc<Table>,
        columns: &[usize],
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Expr>), SqlError> {
        let Some(source) = &insert.source else {
            return Ok((Rel::Unit, self.row_values(insert, table, &[], Vec::new())?));
        };
        let plain =
            source.order_by.is_none() && source.limit_clause.is_none() && source.fetch.is_none();
        if let (SetExpr::Values(values), true) = (source.body.as_ref(), plain) {
            return self.insert_values(insert, values, table, columns, scope);
        }
        let query = ast::Query { with: None, ..source.as_ref().clone() };
        let inner = Scope { items: Vec::new(), outer: scope.outer };
        let bound = self.undecided(|b| b.query(&query, &inner))?;
        self.check_width(bound.output.len(), columns.len(), insert, || source.body.span())?;
        let types: Vec<SqlType> =
            columns.iter().map(|&c| SqlType::new(table.columns[c].ty.oid)).collect();
        let bound = self.decide_output(bound, &types)?;
        let mut given = Vec::with_capacity(bound.output.len());
        for ((id, output), &position) in bound.output.iter().zip(columns) {
            let column = &table.columns[position];
            let expr = Expr::column(*id, output.ty);
            given.push((position, self.assign(expr, column.ty, &column.name)?));
        }
        let positions: Vec<usize> = given.iter().map(|(p, _)| *p).collect();
        let exprs = given.into_iter().map(|(_, e)| e).collect();
        Ok((bound.rel, self.row_values(insert, table, &positions, exprs)?))
    }

    /// Literals of undecided type in a query's output take the types of the columns they go to.
    fn decide_output(
        &mut self,
        mut bound: BoundQuery,
        types: &[SqlType],
    ) -> Result<BoundQuery, SqlError> {
        for ((id, column), ty) in bound.output.iter_mut().zip(types) {
            if column.ty.oid == types::oid::UNKNOWN {
                self.decide_in_place(&mut bound.rel, *id, *ty)?;
                column.ty = self.meta(*id).ty;
            }
        }
        Ok(bound)
    }

    fn check_width(
        &self,
        have: usize,
        want: usize,
        insert: &ast::Insert,
        at: impl Fn() -> sqlparser::tokenizer::Span,
    ) -> Result<(), SqlError> {
        let message = if have > want {
            "INSERT has more expressions than target columns"
        } else if have < want && !insert.columns.is_empty() {
            "INSERT has more target columns than expressions"
        } else {
            return Ok(());
        };
        let span = match insert.columns.get(have).map(last_ident) {
            Some(Ok(ident)) if have < want => ident.span,
            _ => at(),
        };
        Err(self.error_at(span, sqlstate::SYNTAX_ERROR, message))
    }

    /// VALUES: each value gets its column's type on the spot.
    fn insert_values(
        &mut self,
        insert: &ast::Insert,
        values: &ast::Values,
        table: &Arc<Table>,
        columns: &[usize],
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Expr>), SqlError> {
        let width = values.rows.first().map_or(0, |r| r.content.len());
        let spare = |i: usize| {
            values.rows[0].content.get(i).map_or(sqlparser::tokenizer::Span::empty(), |e| e.span())
        };
        self.check_width(width, columns.len(), insert, || spare(columns.len()))?;
        let inner = Scope { items: Vec::new(), outer: scope.outer };
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            if row.content.len() != width {
                return Err(SqlError::new(
                    sqlstate::SYNTAX_ERROR,
                    "VALUES lists must all be the same length",
                ));
            }
            self.levels.push(Level { clause: Clause::Values, ..Level::default() });
            let bound = row
                .content
                .iter()
                .zip(columns)
                .map(|(value, &position)| self.insert_value(insert, value, table, position, &inner))
                .collect::<Result<Vec<_>, _>>();
            self.levels.pop();
            rows.push(bound?);
        }
        let given = &columns[..width];
        if rows.len() == 1 {
            // One row: its expressions are the values, nothing has to flow.
            let row = rows.swap_remove(0);
            return Ok((Rel::Unit, self.row_values(insert, table, given, row)?));
        }
        let mut ids = Vec::with_capacity(width);
        let mut exprs = Vec::with_capacity(width);
        for &position in given {
            let column = &table.columns[position];
            let id = self.new_column(&column.name, column.ty);
            ids.push(id);
            exprs.push(Expr::column(id, column.ty));
        }
        let input = Rel::Values { columns: ids, rows };
        Ok((input, self.row_values(insert, table, given, exprs)?))
    }

    fn insert_value(
        &mut self,
        insert: &ast::Insert,
        value: &ast::Expr,
        table: &Arc<Table>,
        position: usize,
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        let column = &table.columns[position];
        if is_default(value) {
            return self.default_value(column);
        }
        self.check_generated(insert, table, position)?;
        let bound = self.expr(value, scope)?;
        self.assign(bound, column.ty, &column.name).map_err(|e| self.place(e, value.span()))
    }

    fn check_generated(
        &self,
        insert: &ast::Insert,
        table: &Table,
        position: usize,
    ) -> Result<(), SqlError> {
        let column = &table.columns[position];
        if column.generated.is_some() {
            return Err(generated_only(column, "inserted"));
        }
        if column.identity == Some(Identity::Always) && insert.overriding.is_none() {
            return Err(SqlError::new(
                sqlstate::GENERATED_ALWAYS,
                format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name),
            )
            .with_detail(format!(
                "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                column.name
            ))
            .with_hint("Use OVERRIDING SYSTEM VALUE to override."));
        }
        Ok(())
    }

    /// The value of every column of the table: what is given, else its default.
    fn row_values(
        &mut self,
        insert: &ast::Insert,
        table: &Arc<Table>,
        positions: &[usize],
        given: Vec<Expr>,
    ) -> Result<Vec<Expr>, SqlError> {
        let user = matches!(insert.overriding, Some(ast::InsertOverriding::User));
        let mut given: Vec<Option<Expr>> = given.into_iter().map(Some).collect();
        let mut out = Vec::with_capacity(table.columns.len());
        for (position, column) in table.columns.iter().enumerate() {
            let at = positions.iter().position(|&p| p == position);
            let value = at.and_then(|i| given[i].take());
            out.push(match value {
                Some(value) if !(user && column.identity.is_some()) => value,
                _ if column.is_dropped || column.is_hidden || column.generated.is_some() => {
                    Expr::null(column.ty)
                }
                _ => self.default_value(column)?,
            });
        }
        Ok(out)
    }

    fn conflict(
        &mut self,
        insert: &ast::Insert,
        table: &Arc<Table>,
        alias: &str,
    ) -> Result<Option<Conflict>, SqlError> {
        let on = match &insert.on {
            None => return Ok(None),
            Some(ast::OnInsert::OnConflict(on)) => on,
            Some(_) => return Err(SqlError::not_supported("ON DUPLICATE KEY is not supported")),
        };
        let indexes = self.arbiters(on, table)?;
        let ast::OnConflictAction::DoUpdate(update) = &on.action else {
            return Ok(Some(Conflict { indexes, update: None }));
        };
        if on.conflict_target.is_none() {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
            )
            .with_hint("For example, ON CONFLICT (column_name)."));
        }
        let (old_item, old) = self.row_columns(table, alias)?;
        let (excluded_item, excluded) = self.row_columns(table, "excluded")?;
        let excluded_item = crate::bind::scope::Item { qualified_only: true, ..excluded_item };
        let scope = Scope { items: vec![old_item, excluded_item], outer: None };
        self.levels.push(Level { clause: Clause::Set, ..Level::default() });
        let assignments = self.assignments(&update.assignments, table, &scope);
        let filter = match (&update.selection, &assignments) {
            (Some(selection), Ok(_)) => {
                self.enter(Clause::Where);
                Some(self.condition(selection, "WHERE", &scope))
            }
            _ => None,
        };
        self.levels.pop();
        let update = ConflictUpdate {
            old,
            excluded,
            assignments: assignments?,
            filter: filter.transpose()?,
        };
        Ok(Some(Conflict { indexes, update: Some(update) }))
    }

    /// The unique indexes that decide whether a row conflicts.
    fn arbiters(&self, on: &ast::OnConflict, table: &Table) -> Result<Vec<u16>, SqlError> {
        let unique = || table.indexes.iter().filter(|i| i.is_unique);
        match &on.conflict_target {
            None => Ok(unique().map(|i| i.id).collect()),
            Some(ast::ConflictTarget::OnConstraint(name)) => {
                let name = fold(last_ident(name)?);
                let found = unique().find(|i| i.is_constraint && i.name == name);
                found.map(|i| vec![i.id]).ok_or_else(|| {
                    SqlError::new(
                        sqlstate::UNDEFINED_OBJECT,
                        format!(
                            "constraint \"{name}\" for table \"{}\" does not exist",
                            table.name
                        ),
                    )
                })
            }
            Some(ast::ConflictTarget::Columns { columns, predicate }) => {
                let mut wanted = Vec::with_capacity(columns.len());
                for ident in columns {
                    let position = self.assigned_column(table, ident).map_err(|_| {
                        let message = format!("column \"{}\" does not exist", fold(ident));
                        let error = SqlError::new(sqlstate::UNDEFINED_COLUMN, message);
                        self.parenthesis_before(error, ident.span)
                    })?;
                    wanted.push(table.columns[position].id);
                }
                wanted.sort_unstable();
                wanted.dedup();
                let matches = |i: &&catalog::descriptor::Index| {
                    let mut have: Vec<_> = i.columns.iter().map(|c| c.column).collect();
                    have.sort_unstable();
                    have == wanted && (i.predicate.is_none() || predicate.is_some())
                };
                let found: Vec<u16> = unique().filter(matches).map(|i| i.id).collect();
                if found.is_empty() {
                    return Err(SqlError::new(
                        sqlstate::INVALID_COLUMN_REFERENCE,
                        "there is no unique or exclusion constraint matching the ON CONFLICT \
                         specification",
                    ));
                }
                Ok(found)
            }
        }
    }
}
