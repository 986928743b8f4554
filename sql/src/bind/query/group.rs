//! GROUP BY: what may be used beside aggregates.

use super::select::OutputExpr;
use crate::bind::scope::Scope;
use crate::bind::{Binder, OutputColumn};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::{AggregateCall, Aggregation, Rel, WindowCall};
use crate::plan::same::same_expr;
use sqlparser::ast::{self, GroupByExpr, GroupByWithModifier};
use types::{SqlError, sqlstate};

/// Bound grouping expressions.
#[derive(Default)]
pub(super) struct Groups {
    exprs: Vec<Expr>,
    sets: Option<Vec<Vec<usize>>>,
}

impl Groups {
    pub(super) fn is_empty(&self) -> bool {
        self.exprs.is_empty()
    }

    pub(super) fn is_grouped(&self) -> bool {
        !self.exprs.is_empty() || self.sets.is_some()
    }

    fn add(&mut self, expr: Expr) -> usize {
        match self.exprs.iter().position(|e| same_expr(e, &expr)) {
            Some(at) => at,
            None => {
                self.exprs.push(expr);
                self.exprs.len() - 1
            }
        }
    }
}

impl Binder<'_> {
    pub(super) fn group_by(
        &mut self,
        group_by: &GroupByExpr,
        outputs: &[OutputExpr],
        named: &[(ColId, OutputColumn)],
        scope: &Scope<'_>,
    ) -> Result<Groups, SqlError> {
        let GroupByExpr::Expressions(items, modifiers) = group_by else {
            return Err(SqlError::not_supported("GROUP BY ALL is not supported"));
        };
        if modifiers.iter().any(|m| !matches!(m, GroupByWithModifier::GroupingSets(_))) {
            return Err(SqlError::not_supported("this form of GROUP BY is not supported"));
        }
        let mut groups = Groups::default();
        let mut sets: Option<Vec<Vec<usize>>> = None;
        let mut all = items.iter().collect::<Vec<_>>();
        for modifier in modifiers {
            if let GroupByWithModifier::GroupingSets(expr) = modifier {
                all.push(expr);
            }
        }
        let mut plain = Vec::new();
        for item in all {
            let listed = match item {
                ast::Expr::GroupingSets(lists) => lists.clone(),
                ast::Expr::Rollup(lists) => rollup(lists),
                ast::Expr::Cube(lists) => cube(lists)?,
                ast::Expr::Tuple(items) => {
                    for item in items {
                        let expr = self.group_item(item, outputs, named, scope)?;
                        plain.push(groups.add(expr));
                    }
                    continue;
                }
                other => {
                    let expr = self.group_item(other, outputs, named, scope)?;
                    plain.push(groups.add(expr));
                    continue;
                }
            };
            let mut here = Vec::with_capacity(listed.len());
            for list in &listed {
                let mut set = Vec::with_capacity(list.len());
                for item in list {
                    let expr = self.group_item(item, outputs, named, scope)?;
                    set.push(groups.add(expr));
                }
                here.push(set);
            }
            sets = Some(match sets {
                None => here,
                Some(before) => product(&before, &here),
            });
        }
        groups.sets = sets.map(|sets| product(&[plain], &sets));
        Ok(groups)
    }
}

fn product(a: &[Vec<usize>], b: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let join = |x: &Vec<usize>, y: &Vec<usize>| {
        let mut out = x.clone();
        out.extend(y.iter().filter(|i| !x.contains(i)));
        out
    };
    a.iter().flat_map(|x| b.iter().map(move |y| join(x, y))).collect()
}

fn rollup(lists: &[Vec<ast::Expr>]) -> Vec<Vec<ast::Expr>> {
    (0..=lists.len()).rev().map(|n| lists[..n].concat()).collect()
}

/// CUBE of more than this many items has too many sets.
const CUBE_MAX: usize = 12;

fn cube(lists: &[Vec<ast::Expr>]) -> Result<Vec<Vec<ast::Expr>>, SqlError> {
    if lists.len() > CUBE_MAX {
        return Err(SqlError::new(
            sqlstate::TOO_MANY_COLUMNS,
            format!("CUBE is limited to {CUBE_MAX} elements"),
        ));
    }
    let full = (1usize << lists.len()) - 1;
    let chosen = |mask: usize| -> Vec<ast::Expr> {
        let picked = lists.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
        picked.flat_map(|(_, list)| list.clone()).collect()
    };
    Ok((0..=full).rev().map(chosen).collect())
}

/// Rewrites the expressions of a grouped query so that they use groups and aggregates only.
pub(super) struct Grouping<'b, 'a> {
    binder: &'b mut Binder<'a>,
    /// Columns of this level's FROM, with the table reference (index of item) they belong to.
    local: Vec<(ColId, usize)>,
    names: Vec<(String, Option<types::Oid>)>,
    groups: Vec<(ColId, Expr)>,
    sets: Option<Vec<Vec<usize>>>,
}

impl<'b, 'a> Grouping<'b, 'a> {
    pub(super) fn new(binder: &'b mut Binder<'a>, scope: &Scope<'_>, groups: Groups) -> Self {
        let mut local = Vec::new();
        let mut names = Vec::new();
        for (i, item) in scope.items.iter().enumerate() {
            names.push((item.name.clone(), item.table));
            local.extend(item.columns.iter().map(|c| (c.id, i)));
        }
        let groups = groups_with_columns(binder, groups);
        Grouping { binder, local, names, sets: groups.1, groups: groups.0 }
    }

    /// Rewrites one expression.
    pub(super) fn apply(&mut self, expr: &mut Expr) -> Result<(), SqlError> {
        crate::plan::walk::deep(|| {
            if let Some((id, group)) = self.groups.iter().find(|(_, g)| same_expr(g, expr)) {
                *expr = Expr::column(*id, group.ty);
                return Ok(());
            }
            if let ExprKind::Column(id, position) = expr.kind {
                return self.check_column(expr, id, position);
            }
            let mut result = Ok(());
            expr.children_mut(&mut |child| {
                if result.is_ok() {
                    result = self.apply(child);
                }
            });
            result?;
            if let ExprKind::Subquery(sub) = &mut expr.kind {
                self.apply_rel(&mut sub.rel)?;
            }
            Ok(())
        })
    }

    fn apply_rel(&mut self, rel: &mut Rel) -> Result<(), SqlError> {
        let mut result = Ok(());
        rel.own_exprs_mut(&mut |e| {
            if result.is_ok() {
                result = self.apply(e);
            }
        });
        result?;
        let mut result = Ok(());
        rel.inputs_mut(&mut |input| {
            if result.is_ok() {
                result = self.apply_rel(input);
            }
        });
        result
    }

    pub(super) fn apply_window(&mut self, call: &mut WindowCall) -> Result<(), SqlError> {
        call.args.iter_mut().try_for_each(|a| self.apply(a))?;
        call.partition.iter_mut().try_for_each(|p| self.apply(p))?;
        call.filter.iter_mut().try_for_each(|f| self.apply(f))?;
        call.order.iter_mut().try_for_each(|k| self.apply(&mut k.expr))
    }

    fn check_column(&mut self, expr: &mut Expr, id: ColId, position: u32) -> Result<(), SqlError> {
        let Some(&(_, item)) = self.local.iter().find(|(c, _)| *c == id) else {
            return Ok(());
        };
        // A table grouped by its primary key determines its other columns.
        if self.key_is_grouped(item) {
            let group = self.binder.new_column("?group?", expr.ty);
            let old = std::mem::replace(expr, Expr::column(group, expr.ty));
            self.binder.columns[group.0 as usize].origin = self.binder.meta(id).origin;
            self.groups.push((group, old));
            return Ok(());
        }
        let meta = self.binder.meta(id);
        let name = match self.names[item].0.as_str() {
            "" => meta.name.clone(),
            table => format!("{table}.{}", meta.name),
        };
        let error = SqlError::new(
            sqlstate::GROUPING_ERROR,
            format!(
                "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate \
                 function"
            ),
        );
        Err(if position > 0 { error.with_position(position) } else { error })
    }

    fn key_is_grouped(&self, item: usize) -> bool {
        if self.sets.is_some() {
            return false;
        }
        let Some(oid) = self.names[item].1 else { return false };
        let Some(table) = self.binder.context.catalog.table_by_oid(oid) else { return false };
        let Some(key) = table.primary_key() else { return false };
        key.columns.iter().all(|k| {
            let Some(attnum) = table.column(k.column).map(|c| c.attnum) else { return false };
            self.groups.iter().any(|(_, group)| match group.kind {
                ExprKind::Column(id, _) => {
                    self.local.contains(&(id, item))
                        && self.binder.meta(id).origin == Some((oid, attnum))
                }
                _ => false,
            })
        })
    }

    /// The aggregation over `input`.
    pub(super) fn finish(self, input: Rel, calls: Vec<(ColId, AggregateCall)>) -> Rel {
        Rel::Aggregate(Aggregation {
            input: Box::new(input),
            groups: self.groups,
            calls,
            sets: self.sets,
        })
    }
}

#[allow(clippy::type_complexity)]
fn groups_with_columns(
    binder: &mut Binder<'_>,
    groups: Groups,
) -> (Vec<(ColId, Expr)>, Option<Vec<Vec<usize>>>) {
    let mut out = Vec::with_capacity(groups.exprs.len());
    for expr in groups.exprs {
        let (name, origin) = match expr.kind {
            ExprKind::Column(id, _) => (binder.meta(id).name.clone(), binder.meta(id).origin),
            _ => ("?group?".to_owned(), None),
        };
        let id = binder.new_column(&name, expr.ty);
        binder.columns[id.0 as usize].origin = origin;
        out.push((id, expr));
    }
    (out, groups.sets)
}
