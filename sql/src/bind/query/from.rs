//! The FROM clause: tables, views, subqueries, functions, joins.

use super::{BoundQuery, Clause, Level};
use crate::bind::catalog_view::Relation;
use crate::bind::expr::call::{CallName, call_name, plain_arg};
use crate::bind::scope::{Item, Scope, ScopeColumn, fold};
use crate::bind::{Binder, OutputColumn, VIEW_DEPTH_MAX};
use crate::functions::Body;
use crate::plan::expr::{Callee, ColId, Expr, ExprKind};
use crate::plan::rel::{FunctionScan, FunctionSource, Get, HostRows, JoinKind, Rel};
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
                k.name == item.name && (k.schema == item.schema || k.schema.is_none() || item.schema.is_none())
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
        let mut rel =
            Rel::Join { kind, left: Box::new(left), right: Box::new(right), on, lateral };
        if let Some((item, computed)) = merged {
            if !computed.is_empty() {
                rel = with_columns(rel, computed);
            }
            items.insert(0, item);
        }
        Ok((rel, items))
    }

    /// JOIN USING: equalities, and one merged column in front for each name.
    #[allow(clippy::type_complexity)]
    fn using(
        &mut self,
        names: &[ast::Ident],
        kind: JoinKind,
        items: &mut [Item],
        split: usize,
    ) -> Result<(Expr, (Item, Vec<(ColId, Expr)>)), SqlError> {
        let mut tests = Vec::with_capacity(names.len());
        let mut columns = Vec::with_capacity(names.len());
        let mut computed = Vec::new();
        for ident in names {
            let name = fold(ident);
            let (left, right) = items.split_at_mut(split);
            let a = self.using_side(left, ident, &name, "left")?;
            let b = self.using_side(right, ident, &name, "right")?;
            let test = self
                .operator("=", Expr::column(a.0, a.1), Expr::column(b.0, b.1))
                .map_err(|e| self.place(e, ident.span))?;
            tests.push(test);
            let (id, ty) = self.merge_column(&name, kind, a, b, &mut computed)?;
            columns.push(ScopeColumn { name, id, ty, merged: false, system: false });
        }
        let item = Item {
            name: String::new(),
            schema: None,
            columns,
            qualified_only: false,
            table: None,
        };
        Ok((Expr::and(tests), (item, computed)))
    }

    fn merge_column(
        &mut self,
        name: &str,
        kind: JoinKind,
        (left, left_type): (ColId, SqlType),
        (right, right_type): (ColId, SqlType),
        computed: &mut Vec<(ColId, Expr)>,
    ) -> Result<(ColId, SqlType), SqlError> {
        let (a, b) = (Expr::column(left, left_type), Expr::column(right, right_type));
        let ty = self.common_of(&[&a, &b], "JOIN/USING")?;
        match kind {
            JoinKind::Right if right_type.oid == ty.oid => return Ok((right, right_type)),
            JoinKind::Full | JoinKind::Right => {}
            _ if left_type.oid == ty.oid => return Ok((left, left_type)),
            _ => {}
        }
        let expr = match kind {
            JoinKind::Full => {
                let args = vec![self.implicit(a, ty)?, self.implicit(b, ty)?];
                Expr::new(ExprKind::Coalesce(args), ty)
            }
            JoinKind::Right => self.implicit(b, ty)?,
            _ => self.implicit(a, ty)?,
        };
        let id = self.new_column(name, ty);
        computed.push((id, expr));
        Ok((id, ty))
    }

    fn using_side(
        &self,
        items: &mut [Item],
        ident: &ast::Ident,
        name: &str,
        side: &str,
    ) -> Result<(ColId, SqlType), SqlError> {
        let mut found = None;
        for column in items.iter_mut().flat_map(|i| &mut i.columns) {
            if column.merged || column.name != name {
                continue;
            }
            if found.is_some() {
                return Err(self.error_at(
                    ident.span,
                    sqlstate::AMBIGUOUS_COLUMN,
                    format!("common column name \"{name}\" appears more than once in {side} table"),
                ));
            }
            column.merged = true;
            found = Some((column.id, column.ty));
        }
        found.ok_or_else(|| {
            self.error_at(
                ident.span,
                sqlstate::UNDEFINED_COLUMN,
                format!(
                    "column \"{name}\" specified in USING clause does not exist in {side} table"
                ),
            )
        })
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
        if schema.is_none() {
            if let Some(found) = self.cte_reference(&table, &shown, aliases, span)? {
                return Ok(found);
            }
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
                let get =
                    Get { table: found, alias: shown, columns, row_key: None, lock: None };
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
        let shape =
            [("last_value", SqlType::INT8), ("log_cnt", SqlType::INT8), ("is_called", SqlType::BOOL)];
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

    fn function_item(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        ordinality: bool,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        let name = call_name(name)?;
        let args = args.iter().map(plain_arg).collect::<Result<Vec<_>, _>>()?;
        self.function_rows(&name, &args, ordinality, alias, scope)
    }

    fn function_rows(
        &mut self,
        name: &CallName,
        args: &[&ast::Expr],
        ordinality: bool,
        alias: Option<&ast::TableAlias>,
        scope: &Scope<'_>,
    ) -> Result<(Rel, Vec<Item>), SqlError> {
        // Arguments may use what stands to the left: LATERAL is implied.
        let inner = Scope::inside(scope);
        self.levels.push(Level { clause: Clause::Select, ..Level::default() });
        let bound = args
            .iter()
            .map(|arg| self.expr(arg, &inner))
            .collect::<Result<Vec<_>, _>>()
            .and_then(|args| self.call(name, args));
        let level = self.levels.pop().unwrap_or_default();
        let bound = bound?;
        let shown = alias.map_or_else(|| name.name.clone(), |a| fold(&a.name));
        let aliases = alias.map(|a| a.columns.as_slice()).unwrap_or_default();
        let (source, args, shape) = self.function_shape(bound, level, &shown)?;
        let mut columns = Vec::with_capacity(shape.len());
        let mut visible = Vec::with_capacity(shape.len() + 1);
        for (i, (column, ty)) in shape.into_iter().enumerate() {
            let column = aliases.get(i).map_or(column, |a| fold(&a.name));
            let id = self.new_column(&column, ty);
            self.columns[id.0 as usize].relation = shown.clone();
            columns.push(id);
            visible.push(ScopeColumn { name: column, id, ty, merged: false, system: false });
        }
        let ordinality = ordinality.then(|| {
            let column =
                aliases.get(columns.len()).map_or("ordinality".to_owned(), |a| fold(&a.name));
            let id = self.new_column(&column, SqlType::INT8);
            visible.push(ScopeColumn {
                name: column,
                id,
                ty: SqlType::INT8,
                merged: false,
                system: false,
            });
            id
        });
        let item = Item {
            name: shown.clone(),
            schema: None,
            columns: visible,
            qualified_only: false,
            table: None,
        };
        let scan = FunctionScan { source, args, alias: shown, columns, ordinality };
        Ok((Rel::Function(scan), vec![item]))
    }

    /// What a call in FROM returns: its source, arguments, and names and types of columns.
    #[allow(clippy::type_complexity)]
    fn function_shape(
        &self,
        bound: Expr,
        level: Level,
        shown: &str,
    ) -> Result<(FunctionSource, Vec<Expr>, Vec<(String, SqlType)>), SqlError> {
        if let Some((column, function, args)) = level.sets.into_iter().next_back() {
            if !matches!(bound.kind, ExprKind::Column(c, _) if c == column) {
                return Err(SqlError::not_supported(
                    "set-returning functions must appear at top level of FROM",
                ));
            }
            let shape = if function.columns.is_empty() {
                vec![(shown.to_owned(), bound.ty)]
            } else {
                let column = |(name, ty): &(&str, u32)| ((*name).to_owned(), SqlType::new(*ty));
                function.columns.iter().map(column).collect()
            };
            return Ok((FunctionSource::Set(function), args, shape));
        }
        match bound.kind {
            ExprKind::Host(function, args) => {
                let shape = if function.columns.is_empty() {
                    vec![(shown.to_owned(), function.returns)]
                } else {
                    function.columns.clone()
                };
                Ok((FunctionSource::Host(function), args, shape))
            }
            ExprKind::Call(Callee::Function(f), _) if matches!(f.body, Body::Scalar(_)) => {
                let shape = vec![(shown.to_owned(), bound.ty)];
                Ok((FunctionSource::Scalar, vec![bound], shape))
            }
            _ => {
                let ty = bound.ty;
                Ok((FunctionSource::Scalar, vec![bound], vec![(shown.to_owned(), ty)]))
            }
        }
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

fn common_names(left: &[Item], right: &[Item]) -> Vec<ast::Ident> {
    let names = |items: &[Item]| -> Vec<String> {
        let columns = items.iter().flat_map(|i| &i.columns).filter(|c| !c.merged && !c.system);
        columns.map(|c| c.name.clone()).collect()
    };
    let right = names(right);
    let shared = names(left).into_iter().filter(|n| right.contains(n));
    shared.map(|n| ast::Ident::with_quote('"', n)).collect()
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
