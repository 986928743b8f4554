//! The FROM clause: tables, views, subqueries, functions, joins.

use super::join_using::common_names;
use super::{BoundQuery, Clause, Level};
use crate::bind::catalog_view::Relation;
use crate::bind::expr::call::CallName;
use crate::bind::scope::{Item, Scope, ScopeColumn, fold};
use crate::bind::{Binder, OutputColumn, VIEW_DEPTH_MAX};
use crate::plan::expr::{ColId, Expr};
use crate::plan::rel::{Get, HostRows, JoinKind, Rel};
use catalog::descriptor::Table;
use sqlparser::ast::{self, JoinConstraint, JoinOperator, TableFactor};
use std::sync::Arc;
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    /// Binds a FROM list. Items end up in `scope`.
    pub(crate) fn from(
        &mut self,
        from: &[ast::TableWithJoins],
        scope: &mut Scope<'_>,
    ) -> Result<Rel, SqlError> {
        let mut rel = Rel::Unit;
        for item in from {
            let (right, items) = self.table_with_joins(item, scope)?;
            self.check_aliases(&scope.items, &items)?;
            rel = match rel {
                Rel::Unit => right,
                left => cross(left, right),
            };
            scope.items.extend(items);
        }
        Ok(rel)
    }

    fn check_aliases(&self, known: &[Item], new: &[Item]) -> Result<(), SqlError> {
        for item in new.iter().filter(|i| !i.name.is_empty()) {
            let clash = |k: &&Item| {
                k.name == item.name
                    && (k.schema == item.schema || k.schema.is_none() || item.schema.is_none())
            };
            if known.iter().find(clash).is_some() {
                return Err(SqlError::new(
                    sqlstate::DUPLICATE_ALIAS,
                    format!("table name \"{}\" specified more than once", item.name),
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn table_with_joins(
        &mut self,
        item: &ast::TableWithJoins,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let (mut rel, mut items) = self.table_factor(&item.relation, scope)?;
        for join in &item.joins {
            let mut visible = scope.clone();
            visible.items.extend(items.iter().cloned());
            let (right, right_items) = self.table_factor(&join.relation, &visible)?;
            self.check_aliases(&items, &right_items)?;
            (rel, items) = self.join((rel, items), (right, right_items), join, scope)?;
        }
        Ok((rel, items))
    }

    fn join(
        &mut self,
        left: (Rel, Vec<Item>),
        right: (Rel, Vec<Item>),
        join: &ast::Join,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let (kind, constraint) = match &join.join_operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (JoinKind::Inner, c),
            JoinOperator::CrossJoin(c) => (JoinKind::Inner, c),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (JoinKind::Left, c),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (JoinKind::Right, c),
            JoinOperator::FullOuter(c) => (JoinKind::Full, c),
            _ => return Err(SqlError::not_supported("this kind of join is not supported")),
        };
        let (left, left_items) = left;
        let (right, right_items) = right;
        let mut items = left_items;
        let split = items.len();
        items.extend(right_items);
        let mut merged = None;
        let on = match constraint {
            JoinConstraint::None => Expr::bool(true),
            JoinConstraint::On(condition) => {
                let mut inner = scope.clone();
                inner.items = items.clone();
                self.levels.push(Level { clause: Clause::JoinOn, ..Level::default() });
                let bound = self.condition(condition, "JOIN/ON", &inner);
                self.levels.pop();
                bound?
            }
            JoinConstraint::Using(names) | JoinConstraint::UsingAlias(names, _) => {
                let names: Vec<ast::Ident> =
                    names.iter().filter_map(|n| n.0.last()?.as_ident().cloned()).collect();
                let (on, item) = self.using(&names, kind, &mut items, split)?;
                merged = Some(item);
                on
            }
            JoinConstraint::Natural => {
                let names = common_names(&items[..split], &items[split..]);
                let (on, item) = self.using(&names, kind, &mut items, split)?;
                merged = Some(item);
                on
            }
        };
        let lateral = uses_left(&left, &right);
        if lateral && matches!(kind, JoinKind::Right | JoinKind::Full) {
            return Err(SqlError::new(
                sqlstate::INVALID_COLUMN_REFERENCE,
                "invalid reference to FROM-clause entry: the combining JOIN type must be INNER \
                 or LEFT for a LATERAL reference",
            ));
        }
        let mut rel = Rel::Join { kind, left: Box::new(left), right: Box::new(right), on, lateral };
        if let Some((item, computed)) = merged {
            if !computed.is_empty() {
                rel = with_columns(rel, computed);
            }
            items.insert(0, item);
        }
        Ok((rel, items))
    }

    fn table_factor(
        &mut self,
        factor: &TableFactor,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        match factor {
            TableFactor::Table { sample: Some(_), .. }
            | TableFactor::Derived { sample: Some(_), .. } => {
                Err(SqlError::not_supported("TABLESAMPLE is not supported"))
            }
            TableFactor::Table { name, alias, args: None, .. } => {
                let (rel, item) = self.named_relation(name, alias.as_ref(), scope)?;
                Ok((rel, vec![item]))
            }
            TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } => {
                self.function_item(name, &args.args, *with_ordinality, alias.as_ref(), scope)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                self.function_item(name, args, *with_ordinality, alias.as_ref(), scope)
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let name = CallName {
                    schema: None,
                    name: "unnest".to_owned(),
                    span: sqlparser::tokenizer::Span::empty(),
                };
                let args: Vec<&ast::Expr> = array_exprs.iter().collect();
                self.function_rows(&name, &args, *with_ordinality, alias.as_ref(), scope)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.derived(*lateral, subquery, alias.as_ref(), scope)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let (rel, items) = self.table_with_joins(table_with_joins, scope)?;
                match alias {
                    None => Ok((rel, items)),
                    Some(alias) => Ok((rel, vec![renamed_join(items, alias)])),
                }
            }
            other => Err(SqlError::not_supported(format!("FROM item is not supported: {other}"))),
        }
    }

    fn derived(
        &mut self,
        lateral: bool,
        subquery: &ast::Query,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let Some(alias) = alias else {
            return Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                "subquery in FROM must have an alias",
            )
            .with_hint("For example, FROM (SELECT ...) [AS] foo."));
        };
        let inner = if lateral {
            Scope::inside(scope)
        } else {
            Scope { items: Vec::new(), outer: scope.outer }
        };
        let bound = self.query(subquery, &inner)?;
        let item = self.output_item(&fold(&alias.name), &alias.columns, &bound.output, alias)?;
        Ok((bound.rel, vec![item]))
    }

    fn output_item(
        &self,
        name: &str,
        aliases: &[ast::TableAliasColumnDef],
        output: &[(ColId, OutputColumn)],
        alias: &ast::TableAlias,
    ) -> Result<Item, SqlError> {
        if aliases.len() > output.len() {
            return Err(self.error_at(
                alias.name.span,
                sqlstate::INVALID_COLUMN_REFERENCE,
                format!(
                    "table \"{name}\" has {} columns available but {} columns specified",
                    output.len(),
                    aliases.len()
                ),
            ));
        }
        let columns = output
            .iter()
            .enumerate()
            .map(|(i, (id, column))| ScopeColumn {
                name: aliases.get(i).map_or_else(|| column.name.clone(), |a| fold(&a.name)),
                id: *id,
                ty: column.ty,
                merged: false,
                system: false,
            })
            .collect();
        Ok(Item {
            name: name.to_owned(),
            schema: None,
            columns,
            qualified_only: false,
            table: None,
        })
    }

    /// A table, view, sequence or WITH query by name.
    pub(crate) fn named_relation(
        &mut self,
        name: &ast::ObjectName,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Item), SqlError> {
        let (schema, table, span) = self.relation_name(name)?;
        let shown = alias.map_or_else(|| table.clone(), |a| fold(&a.name));
        let aliases = alias.map(|a| a.columns.as_slice()).unwrap_or_default();
        if schema.is_none()
            && let Some(found) = self.cte_reference(&table, &shown, aliases, span)?
        {
            return Ok(found);
        }
        let relation = self.find_relation(schema.as_deref(), &table, span)?;
        match relation {
            Relation::Table(found) => {
                let (mut item, columns) = self.table_item(&found, &shown, aliases)?;
                item.schema = match alias {
                    None => self.context.catalog.schema_name(found.schema),
                    Some(_) => None,
                };
                if found.kind == catalog::descriptor::TableKind::Virtual {
                    let relation = Relation::Table(found);
                    return Ok((Rel::Rows(HostRows { relation, alias: shown, columns }), item));
                }
                let get = Get { table: found, alias: shown, columns, row_key: None, lock: None };
                Ok((Rel::Get(get), item))
            }
            Relation::View(view) => self.view(&view, &shown, aliases, scope),
            Relation::Sequence(_) => self.sequence(relation, &shown),
        }
    }

    /// Schema and name of a relation.
    pub(crate) fn relation_name(
        &self,
        name: &ast::ObjectName,
    ) -> Result<(Option<String>, String, sqlparser::tokenizer::Span), SqlError> {
        let idents: Vec<&ast::Ident> = name.0.iter().filter_map(|p| p.as_ident()).collect();
        match idents.as_slice() {
            [table] => Ok((None, fold(table), table.span)),
            [schema, table] | [_, schema, table] => {
                Ok((Some(fold(schema)), fold(table), schema.span))
            }
            _ => Err(SqlError::new(
                sqlstate::SYNTAX_ERROR,
                format!("improper qualified name (too many dotted names): {name}"),
            )),
        }
    }

    /// Finds a relation or says that it does not exist.
    pub(crate) fn find_relation(
        &self,
        schema: Option<&str>,
        name: &str,
        span: sqlparser::tokenizer::Span,
    ) -> Result<Relation, SqlError> {
        if let Some(found) = self.context.catalog.relation(schema, name) {
            return Ok(found);
        }
        let shown = match schema {
            Some(schema) => format!("{schema}.{name}"),
            None => name.to_owned(),
        };
        Err(self.error_at(
            span,
            sqlstate::UNDEFINED_TABLE,
            format!("relation \"{shown}\" does not exist"),
        ))
    }

    /// A table's columns under fresh ids: what names see, and the positions they come from.
    #[allow(clippy::type_complexity)]
    pub(crate) fn table_item(
        &mut self,
        table: &Table,
        alias: &str,
        aliases: &[ast::TableAliasColumnDef],
    ) -> Result<(Item, Vec<(ColId, usize)>), SqlError> {
        let mut columns = Vec::with_capacity(table.columns.len());
        let mut visible = Vec::with_capacity(table.columns.len());
        let mut aliases = aliases.iter();
        for (position, column) in table.columns.iter().enumerate() {
            if column.is_dropped {
                continue;
            }
            let name = match aliases.next() {
                Some(alias) if !column.is_hidden => fold(&alias.name),
                _ => column.name.clone(),
            };
            let id = self.new_column(&name, column.ty);
            let meta = &mut self.columns[id.0 as usize];
            meta.relation = alias.to_owned();
            meta.origin = (!column.is_hidden).then_some((table.oid, column.attnum));
            columns.push((id, position));
            if !column.is_hidden {
                let ty = column.ty;
                visible.push(ScopeColumn { name, id, ty, merged: false, system: false });
            }
        }
        let item = Item {
            name: alias.to_owned(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: Some(table.oid),
        };
        Ok((item, columns))
    }

    fn view(
        &mut self,
        view: &Arc<catalog::descriptor::View>,
        alias: &str,
        aliases: &[ast::TableAliasColumnDef],
        _scope: &Scope<'_>,
    ) -> Result<(Rel, Item), SqlError> {
        if self.view_depth >= VIEW_DEPTH_MAX {
            return Err(crate::parse::too_deep());
        }
        let parsed = crate::parse::parse(&view.query)?;
        let Some(ast::Statement::Query(query)) = parsed.into_iter().next().map(|p| p.ast) else {
            return Err(SqlError::internal(format!("view \"{}\" is not a query", view.name)));
        };
        let catalog = self.context.catalog.with_search_path(&view.search_path);
        let context = super::super::BindContext {
            sql: &view.query,
            catalog: catalog.as_ref(),
            settings: self.context.settings,
            param_types: &[],
        };
        let mut inner = Binder::new(&context);
        // Column ids continue where the outer statement's end.
        inner.columns = std::mem::take(&mut self.columns);
        inner.next_cte = self.next_cte;
        inner.view_depth = self.view_depth + 1;
        let bound = inner.query(&query, &Scope::default());
        self.columns = std::mem::take(&mut inner.columns);
        self.next_cte = inner.next_cte;
        let BoundQuery { rel, output } = bound?;
        let columns = output
            .iter()
            .enumerate()
            .map(|(i, (id, column))| {
                let declared = view.columns.get(i).map_or(&column.name, |c| &c.name);
                ScopeColumn {
                    name: aliases.get(i).map_or_else(|| declared.clone(), |a| fold(&a.name)),
                    id: *id,
                    ty: column.ty,
                    merged: false,
                    system: false,
                }
            })
            .collect();
        let item = Item {
            name: alias.to_owned(),
            schema: None,
            columns,
            qualified_only: false,
            table: None,
        };
        Ok((rel, item))
    }

    fn sequence(&mut self, relation: Relation, alias: &str) -> Result<(Rel, Item), SqlError> {
        let shape = [
            ("last_value", SqlType::INT8),
            ("log_cnt", SqlType::INT8),
            ("is_called", SqlType::BOOL),
        ];
        let mut columns = Vec::new();
        let mut visible = Vec::new();
        for (position, (name, ty)) in shape.into_iter().enumerate() {
            let id = self.new_column(name, ty);
            self.columns[id.0 as usize].relation = alias.to_owned();
            columns.push((id, position));
            visible.push(ScopeColumn {
                name: name.to_owned(),
                id,
                ty,
                merged: false,
                system: false,
            });
        }
        let item = Item {
            name: alias.to_owned(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: None,
        };
        Ok((Rel::Rows(HostRows { relation, alias: alias.to_owned(), columns }), item))
    }
}

fn cross(left: Rel, right: Rel) -> Rel {
    let lateral = uses_left(&left, &right);
    Rel::Join {
        kind: JoinKind::Inner,
        left: Box::new(left),
        right: Box::new(right),
        on: Expr::bool(true),
        lateral,
    }
}

fn uses_left(left: &Rel, right: &Rel) -> bool {
    let free = right.free_columns();
    !free.is_empty() && left.columns().iter().any(|c| free.contains(c))
}

/// The input's columns and computed ones.
pub(crate) fn with_columns(input: Rel, computed: Vec<(ColId, Expr)>) -> Rel {
    Rel::Extend { input: Box::new(input), exprs: computed }
}

/// `(a JOIN b …) AS alias`: one item with all columns.
fn renamed_join(items: Vec<Item>, alias: &ast::TableAlias) -> Item {
    let mut columns: Vec<ScopeColumn> =
        items.into_iter().flat_map(|i| i.columns).filter(|c| !c.merged).collect();
    for (column, new) in columns.iter_mut().zip(&alias.columns) {
        column.name = fold(&new.name);
    }
    Item { name: fold(&alias.name), schema: None, columns, qualified_only: false, table: None }
}
