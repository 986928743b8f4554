//! SELECT.

use super::group::Grouping;
use super::locks::LockOf;
use super::{BoundQuery, Clause, Level};
use crate::bind::expr::sort_key;
use crate::bind::names::output_name;
use crate::bind::scope::{Item, Scope, fold};
use crate::bind::{Binder, OutputColumn};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::{Rel, SortKey};
use crate::plan::same::same_expr;
use sqlparser::ast::{self, SelectItem, Spanned};
use types::{SqlError, sqlstate};

/// One output expression of a SELECT.
pub(super) struct OutputExpr {
    pub(super) name: String,
    pub(super) expr: Expr,
}

impl Binder<'_> {
    /// Binds a SELECT with its ORDER BY and (from `query`) its LIMIT and locks.
    pub(super) fn select(
        &mut self,
        select: &ast::Select,
        order: &[ast::OrderByExpr],
        query: Option<&ast::Query>,
        outer: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let keep_unknown = std::mem::take(&mut self.keep_unknown);
        self.levels.push(Level { named_windows: select.named_window.clone(), ..Level::default() });
        let bound = self.select_level(select, order, query, outer, keep_unknown);
        self.levels.pop();
        self.keep_unknown = keep_unknown;
        bound
    }

    fn select_level(
        &mut self,
        select: &ast::Select,
        order: &[ast::OrderByExpr],
        query: Option<&ast::Query>,
        outer: &Scope<'_>,
        keep_unknown: bool,
    ) -> Result<BoundQuery, SqlError> {
        if select.into.is_some() {
            return Err(SqlError::not_supported("SELECT INTO is not supported here"));
        }
        let mut scope = Scope { items: Vec::new(), outer: outer.outer };
        self.enter(Clause::From);
        let mut rel = self.from(&select.from, &mut scope)?;
        let locks = self.row_locks(&mut rel, query, &scope)?;
        if let Some(selection) = &select.selection {
            self.enter(Clause::Where);
            let predicate = self.condition(selection, "WHERE", &scope)?;
            rel = rel.filter(predicate);
        }
        self.enter(Clause::Select);
        let mut outputs = self.select_list(&select.projection, &scope, keep_unknown)?;
        let named = self.output_columns(&outputs);
        self.enter(Clause::GroupBy);
        let groups = self.group_by(&select.group_by, &outputs, &named, &scope)?;
        self.enter(Clause::Having);
        let mut having = match &select.having {
            Some(having) => Some(self.condition(having, "HAVING", &scope)?),
            None => None,
        };
        self.enter(Clause::OrderBy);
        let mut keys = self.order_keys(order, &outputs, &named, &scope)?;
        let distinct_on = self.distinct_on(select, &outputs, &named, &scope)?;

        let level = self.levels.last_mut().map(std::mem::take).unwrap_or_default();
        let Level { aggregates, mut windows, mut sets, .. } = level;
        if !locks.is_empty() {
            self.check_locks(select, !groups.is_empty(), !aggregates.is_empty(), &windows)?;
        }
        let grouped = groups.is_grouped() || !aggregates.is_empty() || having.is_some();
        if grouped {
            let mut grouping = Grouping::new(self, &scope, groups);
            for output in &mut outputs {
                grouping.apply(&mut output.expr)?;
            }
            for key in &mut keys {
                if let Place::Hidden(expr) = &mut key.0 {
                    grouping.apply(expr)?;
                }
            }
            having.iter_mut().try_for_each(|h| grouping.apply(h))?;
            for call in &mut windows {
                grouping.apply_window(call)?;
            }
            for (_, _, args) in &mut sets {
                args.iter_mut().try_for_each(|a| grouping.apply(a))?;
            }
            rel = grouping.finish(rel, aggregates);
        }
        if let Some(having) = having {
            rel = rel.filter(having);
        }
        if !windows.is_empty() {
            rel = Rel::Window { input: Box::new(rel), calls: windows };
        }
        if !sets.is_empty() {
            rel = Rel::ProjectSet { input: Box::new(rel), calls: sets };
        }
        self.finish_select(select, rel, outputs, named, keys, distinct_on, locks, query, &scope)
    }

    /// Projection, DISTINCT, ORDER BY, locks, LIMIT.
    #[allow(clippy::too_many_arguments)]
    fn finish_select(
        &mut self,
        select: &ast::Select,
        rel: Rel,
        outputs: Vec<OutputExpr>,
        named: Vec<(ColId, OutputColumn)>,
        keys: Vec<(Place, ast::OrderByOptions)>,
        distinct_on: Option<Vec<Place>>,
        locks: Vec<LockOf>,
        query: Option<&ast::Query>,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let mut exprs: Vec<(ColId, Expr)> = Vec::with_capacity(outputs.len());
        for ((id, _), output) in named.iter().zip(outputs) {
            self.columns[id.0 as usize].ty = output.expr.ty;
            exprs.push((*id, output.expr));
        }
        let mut output = named;
        for ((_, column), (_, expr)) in output.iter_mut().zip(&exprs) {
            column.ty = expr.ty;
        }
        let visible: Vec<ColId> = output.iter().map(|(id, _)| *id).collect();
        let mut sort = Vec::with_capacity(keys.len());
        for (place, options) in keys {
            let id = self.placed(place, &mut exprs)?;
            sort.push(sort_key(self.column_expr(id), &options));
        }
        let mut on = Vec::new();
        for place in distinct_on.unwrap_or_default() {
            on.push(self.placed(place, &mut exprs)?);
        }
        exprs.extend(locks.iter().map(|l| (l.key_out, Expr::column(l.key, types::SqlType::BYTEA))));
        let mut rel = Rel::Project { input: Box::new(rel), exprs };
        match &select.distinct {
            Some(ast::Distinct::Distinct) => {
                if let Some(at) = sort.iter().position(|k| !is_one_of(k, &visible)) {
                    let items = query.and_then(|q| super::order_items(q).ok());
                    let item = items.and_then(|items| items.get(at));
                    let span = item.map_or_else(|| select.span(), |item| item.expr.span());
                    return Err(self.error_at(
                        span,
                        sqlstate::INVALID_COLUMN_REFERENCE,
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    ));
                }
                rel = Rel::Distinct { input: Box::new(rel), on: visible };
                rel = sorted(rel, sort);
            }
            Some(ast::Distinct::On(_)) => {
                let leading = sort.iter().take(on.len());
                if !leading.clone().all(|k| is_one_of(k, &on)) {
                    return Err(SqlError::new(
                        sqlstate::INVALID_COLUMN_REFERENCE,
                        "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                    ));
                }
                rel = Rel::Distinct { input: Box::new(sorted(rel, sort)), on };
            }
            _ => rel = sorted(rel, sort),
        }
        for lock in locks {
            let targets = vec![(lock.table, lock.key_out)];
            rel = Rel::Lock { input: Box::new(rel), targets, lock: lock.lock };
        }
        if let Some(query) = query {
            rel = self.limit(rel, query, scope)?;
        }
        Ok(BoundQuery { rel, output })
    }

    fn placed(&mut self, place: Place, exprs: &mut Vec<(ColId, Expr)>) -> Result<ColId, SqlError> {
        match place {
            Place::Output(id) => Ok(id),
            Place::Hidden(expr) => {
                if let Some((id, _)) = exprs.iter().find(|(_, e)| same_expr(e, &expr)) {
                    return Ok(*id);
                }
                let expr = self.decided(expr)?;
                let id = self.new_column("?sort?", expr.ty);
                exprs.push((id, expr));
                Ok(id)
            }
        }
    }

    fn select_list(
        &mut self,
        items: &[SelectItem],
        scope: &Scope<'_>,
        keep_unknown: bool,
    ) -> Result<Vec<OutputExpr>, SqlError> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = output_name(expr);
                    let expr = self.output_expr(expr, scope, keep_unknown)?;
                    out.push(OutputExpr { name, expr });
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let expr = self.output_expr(expr, scope, keep_unknown)?;
                    out.push(OutputExpr { name: fold(alias), expr });
                }
                SelectItem::Wildcard(options) => {
                    if scope.items.is_empty() {
                        return Err(self.error_at(
                            options.wildcard_token.0.span,
                            sqlstate::SYNTAX_ERROR,
                            "SELECT * with no tables specified is not valid",
                        ));
                    }
                    scope
                        .items
                        .iter()
                        .filter(|i| !i.qualified_only)
                        .for_each(|i| star(i, &mut out, false));
                }
                SelectItem::QualifiedWildcard(kind, _) => {
                    let ast::SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                        return Err(SqlError::not_supported("(expression).* is not supported"));
                    };
                    let idents: Vec<ast::Ident> =
                        name.0.iter().filter_map(|p| p.as_ident().cloned()).collect();
                    star(self.qualifier(&idents, scope)?, &mut out, true);
                }
                other => {
                    return Err(SqlError::not_supported(format!(
                        "select item is not supported: {other}"
                    )));
                }
            }
        }
        Ok(out)
    }

    fn output_expr(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope<'_>,
        keep_unknown: bool,
    ) -> Result<Expr, SqlError> {
        let bound = self.expr(expr, scope)?;
        if keep_unknown { Ok(bound) } else { self.decided(bound) }
    }

    /// RETURNING: like a select list over the given names.
    pub(crate) fn returning(
        &mut self,
        rel: Rel,
        items: Option<&[SelectItem]>,
        scope: &Scope<'_>,
    ) -> Result<BoundQuery, SqlError> {
        let Some(items) = items else { return Ok(BoundQuery { rel, output: Vec::new() }) };
        self.levels.push(Level { clause: Clause::Returning, ..Level::default() });
        let outputs = self.select_list(items, scope, false);
        self.levels.pop();
        let outputs = outputs?;
        let output = self.output_columns(&outputs);
        let exprs =
            output.iter().zip(outputs).map(|((id, _), output)| (*id, output.expr)).collect();
        Ok(BoundQuery { rel: Rel::Project { input: Box::new(rel), exprs }, output })
    }

    fn output_columns(&mut self, outputs: &[OutputExpr]) -> Vec<(ColId, OutputColumn)> {
        let mut out = Vec::with_capacity(outputs.len());
        for output in outputs {
            let origin = match output.expr.kind {
                ExprKind::Column(id, _) => self.meta(id).origin,
                _ => None,
            };
            let id = self.new_column(&output.name, output.expr.ty);
            self.columns[id.0 as usize].origin = origin;
            let (table_oid, attnum) = origin.unwrap_or((0, 0));
            let column =
                OutputColumn { name: output.name.clone(), ty: output.expr.ty, table_oid, attnum };
            out.push((id, column));
        }
        out
    }

    fn order_keys(
        &mut self,
        order: &[ast::OrderByExpr],
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
        scope: &Scope<'_>,
    ) -> Result<Vec<(Place, ast::OrderByOptions)>, SqlError> {
        let mut keys = Vec::with_capacity(order.len());
        for item in order {
            if matches!(item.options.sort, Some(ast::OrderBySort::Using(_))) {
                return Err(SqlError::not_supported("ORDER BY USING is not supported"));
            }
            let place = self.place_of(&item.expr, outputs, named, "ORDER BY", scope)?;
            keys.push((place, item.options.clone()));
        }
        Ok(keys)
    }

    fn place_of(
        &mut self,
        expr: &ast::Expr,
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
        clause: &str,
        scope: &Scope<'_>,
    ) -> Result<Place, SqlError> {
        // Two outputs of one name are no conflict when they are the same expression.
        if let Some(id) = self.same_output(expr, outputs, named) {
            return Ok(Place::Output(id));
        }
        if let Some(id) = self.output_reference(expr, named, clause)? {
            return Ok(Place::Output(id));
        }
        let bound = self.expr(expr, scope)?;
        if let Some(i) = outputs.iter().position(|o| same_expr(&o.expr, &bound)) {
            return Ok(Place::Output(named[i].0));
        }
        Ok(Place::Hidden(bound))
    }

    fn same_output(
        &self,
        expr: &ast::Expr,
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
    ) -> Option<ColId> {
        let ast::Expr::Identifier(ident) = expr else { return None };
        let name = fold(ident);
        let mut matching = outputs.iter().zip(named).filter(|(o, _)| o.name == name);
        let (first, (id, _)) = matching.next()?;
        matching.all(|(o, _)| same_expr(&o.expr, &first.expr)).then_some(*id)
    }

    fn distinct_on(
        &mut self,
        select: &ast::Select,
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<Place>>, SqlError> {
        let Some(ast::Distinct::On(exprs)) = &select.distinct else { return Ok(None) };
        let places = exprs
            .iter()
            .map(|e| self.place_of(e, outputs, named, "SELECT DISTINCT ON", scope))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some(places))
    }

    /// An item of GROUP BY: an input column first, then an output by name or number.
    pub(super) fn group_item(
        &mut self,
        item: &ast::Expr,
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
        scope: &Scope<'_>,
    ) -> Result<Expr, SqlError> {
        if let ast::Expr::Identifier(ident) = item {
            let local = Scope { items: scope.items.clone(), outer: None };
            if let Some(found) = self.find_column(ident, &local)? {
                return Ok(found);
            }
        }
        if let Some(id) = self.output_reference(item, named, "GROUP BY")? {
            let at = named.iter().position(|(n, _)| *n == id).unwrap_or(0);
            let expr = outputs[at].expr.clone();
            let made: Vec<ColId> = self
                .levels
                .last()
                .map(|l| l.aggregates.iter().map(|(c, _)| *c).collect())
                .unwrap_or_default();
            if expr.columns().iter().any(|c| made.contains(c)) {
                return Err(self.error_at(
                    item.span(),
                    sqlstate::GROUPING_ERROR,
                    "aggregate functions are not allowed in GROUP BY",
                ));
            }
            return Ok(expr);
        }
        let bound = self.expr(item, scope)?;
        self.decided(bound)
    }
}

/// Where a sort key comes from.
pub(super) enum Place {
    /// An output column.
    Output(ColId),
    /// An expression that is not shown.
    Hidden(Expr),
}

fn star(item: &Item, out: &mut Vec<OutputExpr>, qualified: bool) {
    for column in item.columns.iter().filter(|c| !c.system && (qualified || !c.merged)) {
        let expr = Expr::column(column.id, column.ty);
        out.push(OutputExpr { name: column.name.clone(), expr });
    }
}

fn sorted(rel: Rel, keys: Vec<SortKey>) -> Rel {
    if keys.is_empty() { rel } else { Rel::Sort { input: Box::new(rel), keys } }
}

fn is_one_of(key: &SortKey, on: &[ColId]) -> bool {
    matches!(key.expr.kind, ExprKind::Column(id, _) if on.contains(&id))
}
