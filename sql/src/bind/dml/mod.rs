//! INSERT, UPDATE, DELETE: the table written to and what every write to it has to do.

mod delete;
mod insert;
mod update;

use super::Binder;
use super::catalog_view::Relation;
use super::scope::{Item, Scope, ScopeColumn, fold};
use crate::plan::expr::{ColId, Expr};
use crate::plan::rel::{Get, Target};
use catalog::descriptor::{Column, Table, TableKind};
use sqlparser::ast::{self, Spanned};
use std::sync::Arc;
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    /// The table that a statement writes to.
    pub(super) fn target_table(
        &mut self,
        name: &ast::ObjectName,
        verb: &str,
    ) -> Result<Arc<Table>, SqlError> {
        let (schema, table, span) = self.relation_name(name)?;
        match self.find_relation(schema.as_deref(), &table, span)? {
            Relation::Table(table) if table.kind != TableKind::Virtual => Ok(table),
            Relation::Table(table) => Err(SqlError::new(
                sqlstate::INSUFFICIENT_PRIVILEGE,
                format!("permission denied: \"{}\" is a system catalog", table.name),
            )),
            Relation::View(view) => Err(SqlError::new(
                sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("cannot {verb} view \"{}\"", view.name),
            )),
            Relation::Sequence(sequence) => Err(SqlError::new(
                sqlstate::WRONG_OBJECT_TYPE,
                format!("cannot change sequence \"{}\"", sequence.name),
            )),
        }
    }

    /// Everything a write has to do besides storing the row; expressions are over fresh columns
    /// that stand for the new row. Returns the name scope of those columns too.
    pub(super) fn write_target(
        &mut self,
        table: &Arc<Table>,
        alias: &str,
    ) -> Result<(Target, Item), SqlError> {
        let (item, new) = self.row_columns(table, alias)?;
        let scope = Scope { items: vec![item.clone()], outer: None };
        let mut target = Target {
            table: table.clone(),
            schema: self.context.catalog.schema_name(table.schema).unwrap_or_default(),
            new,
            generated: Vec::new(),
            checks: Vec::new(),
            predicates: Vec::new(),
            parents: Vec::new(),
            children: Vec::new(),
        };
        for (position, column) in table.columns.iter().enumerate() {
            if let Some(sql) = column.generated.as_ref().filter(|_| !column.is_dropped) {
                let expr = self.table_expression(sql, &scope)?;
                target.generated.push((position, self.assign(expr, column.ty, &column.name)?));
            }
        }
        for check in &table.checks {
            let expr = self.table_expression(&check.expr, &scope)?;
            target.checks.push((check.name.clone(), self.boolean(expr, "CHECK")?));
        }
        for index in &table.indexes {
            if let Some(sql) = &index.predicate {
                let expr = self.table_expression(sql, &scope)?;
                target.predicates.push((index.id, self.boolean(expr, "WHERE")?));
            }
        }
        for key in &table.foreign_keys {
            if let Some(parent) = self.context.catalog.table_by_oid(key.references) {
                target.parents.push((key.clone(), parent));
            }
        }
        for child in self.context.catalog.referencing(table.oid) {
            for key in child.foreign_keys.iter().filter(|k| k.references == table.oid) {
                target.children.push((key.clone(), child.clone()));
            }
        }
        Ok((target, item))
    }

    /// A fresh column for every position of a table, dropped ones included.
    pub(super) fn row_columns(
        &mut self,
        table: &Arc<Table>,
        alias: &str,
    ) -> Result<(Item, Vec<ColId>), SqlError> {
        let mut ids = Vec::with_capacity(table.columns.len());
        let mut visible = Vec::with_capacity(table.columns.len());
        for column in &table.columns {
            let id = self.new_column(&column.name, column.ty);
            let meta = &mut self.columns[id.0 as usize];
            meta.relation = alias.to_owned();
            meta.origin = column.is_visible().then_some((table.oid, column.attnum));
            ids.push(id);
            if column.is_visible() {
                visible.push(ScopeColumn {
                    name: column.name.clone(),
                    id,
                    ty: column.ty,
                    merged: false,
                    system: false,
                });
            }
        }
        let item = Item {
            name: alias.to_owned(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: Some(table.oid),
        };
        Ok((item, ids))
    }

    /// An expression that the catalog keeps as text, over a table's columns.
    fn table_expression(&mut self, sql: &str, scope: &Scope<'_>) -> Result<Expr, SqlError> {
        let ast = crate::parse::parse_expression(sql)?;
        self.view_depth += 1;
        let bound = self.expr(&ast, scope);
        self.view_depth -= 1;
        bound
    }

    /// A column's default value; NULL without one.
    pub(super) fn default_value(&mut self, column: &Column) -> Result<Expr, SqlError> {
        let sql = match (&column.default, column.sequence, column.identity) {
            (Some(sql), _, _) => sql.clone(),
            (None, Some(sequence), Some(_)) => format!("nextval('{sequence}'::regclass)"),
            _ => return Ok(Expr::null(column.ty)),
        };
        let expr = self.table_expression(&sql, &Scope::default())?;
        self.assign(expr, column.ty, &column.name)
    }

    /// The scan that finds the rows to change: all columns, and the row's key.
    pub(super) fn target_scan(
        &mut self,
        table: &Arc<Table>,
        alias: &str,
    ) -> Result<(Get, Item, ColId), SqlError> {
        let (item, ids) = self.row_columns(table, alias)?;
        let key = self.new_column("?key?", SqlType::BYTEA);
        let stored = table.columns.iter().zip(&ids).enumerate();
        let columns =
            stored.filter(|(_, (c, _))| !c.is_dropped).map(|(i, (_, id))| (*id, i)).collect();
        let get = Get {
            table: table.clone(),
            alias: alias.to_owned(),
            columns,
            row_key: Some(key),
            lock: None,
        };
        Ok((get, item, key))
    }

    /// A column that is assigned to.
    pub(super) fn assigned_column(
        &self,
        table: &Table,
        ident: &ast::Ident,
    ) -> Result<usize, SqlError> {
        let name = fold(ident);
        let found = table.columns.iter().position(|c| c.is_visible() && c.name == name);
        found.ok_or_else(|| {
            self.error_at(
                ident.span,
                sqlstate::UNDEFINED_COLUMN,
                format!("column \"{name}\" of relation \"{}\" does not exist", table.name),
            )
        })
    }

    /// `SET column = value, (a, b) = (x, y)`: positions and values.
    pub(super) fn assignments(
        &mut self,
        assignments: &[ast::Assignment],
        table: &Table,
        scope: &Scope<'_>,
    ) -> Result<Vec<(usize, Expr)>, SqlError> {
        let mut out: Vec<(usize, Expr)> = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let parts = match &assignment.target {
                ast::AssignmentTarget::ColumnName(name) => {
                    vec![(last_ident(name)?, &assignment.value)]
                }
                ast::AssignmentTarget::Tuple(names) => {
                    let values = match &assignment.value {
                        ast::Expr::Tuple(values) => values.iter().collect::<Vec<_>>(),
                        ast::Expr::Function(f) => crate::bind::expr::call::plain_args(f)?,
                        ast::Expr::Nested(inner) if names.len() > 1 => {
                            return Err(self.error_at(
                                inner.span(),
                                sqlstate::FEATURE_NOT_SUPPORTED,
                                "source for a multiple-column UPDATE item must be a sub-SELECT or \
                                 ROW() expression",
                            ));
                        }
                        ast::Expr::Nested(inner) => vec![inner.as_ref()],
                        _ => {
                            return Err(SqlError::not_supported(
                                "a subquery cannot assign to several columns",
                            ));
                        }
                    };
                    if names.len() != values.len() {
                        return Err(SqlError::new(
                            sqlstate::SYNTAX_ERROR,
                            "number of columns does not match number of values",
                        ));
                    }
                    let idents = names.iter().map(last_ident).collect::<Result<Vec<_>, _>>()?;
                    idents.into_iter().zip(values).collect()
                }
            };
            for (ident, value) in parts {
                let position = self.assigned_column(table, ident)?;
                if out.iter().any(|(p, _)| *p == position) {
                    return Err(SqlError::new(
                        sqlstate::SYNTAX_ERROR,
                        format!("multiple assignments to same column \"{}\"", fold(ident)),
                    ));
                }
                let column = &table.columns[position];
                let bound = if is_default(value) {
                    self.default_value(column)?
                } else {
                    if column.generated.is_some() {
                        return Err(generated_only(column, "updated"));
                    }
                    if column.identity == Some(catalog::descriptor::Identity::Always) {
                        return Err(SqlError::new(
                            sqlstate::GENERATED_ALWAYS,
                            format!("column \"{}\" can only be updated to DEFAULT", column.name),
                        )
                        .with_detail(format!(
                            "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                            column.name
                        )));
                    }
                    let expr = self.expr(value, scope)?;
                    self.assign(expr, column.ty, &column.name)
                        .map_err(|e| self.place(e, value.span()))?
                };
                out.push((position, bound));
            }
        }
        Ok(out)
    }
}

fn last_ident(name: &ast::ObjectName) -> Result<&ast::Ident, SqlError> {
    name.0
        .last()
        .and_then(|p| p.as_ident())
        .ok_or_else(|| SqlError::new(sqlstate::SYNTAX_ERROR, "column name expected"))
}

/// The word DEFAULT in place of a value.
pub(super) fn is_default(expr: &ast::Expr) -> bool {
    matches!(expr, ast::Expr::Identifier(i)
        if i.quote_style.is_none() && i.value.eq_ignore_ascii_case("default"))
}

pub(super) fn generated_only(column: &Column, verb: &str) -> SqlError {
    let message = match verb {
        "updated" => format!("column \"{}\" can only be updated to DEFAULT", column.name),
        _ => format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name),
    };
    SqlError::new(sqlstate::GENERATED_ALWAYS, message)
        .with_detail(format!("Column \"{}\" is a generated column.", column.name))
}
