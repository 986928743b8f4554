//! JOIN USING and NATURAL JOIN: equalities, and merged columns.

use crate::bind::Binder;
use crate::bind::scope::{Item, ScopeColumn, fold};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::rel::JoinKind;
use sqlparser::ast;
use types::{SqlError, SqlType, sqlstate};

impl Binder<'_> {
    /// JOIN USING: equalities, and one merged column in front for each name.
    #[allow(clippy::type_complexity)]
    pub(super) fn using(
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
        let item =
            Item { name: String::new(), schema: None, columns, qualified_only: false, table: None };
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
            SqlError::new(
                sqlstate::UNDEFINED_COLUMN,
                format!(
                    "column \"{name}\" specified in USING clause does not exist in {side} table"
                ),
            )
        })
    }
}

pub(super) fn common_names(left: &[Item], right: &[Item]) -> Vec<ast::Ident> {
    let names = |items: &[Item]| -> Vec<String> {
        let columns = items.iter().flat_map(|i| &i.columns).filter(|c| !c.merged && !c.system);
        columns.map(|c| c.name.clone()).collect()
    };
    let right = names(right);
    let shared = names(left).into_iter().filter(|n| right.contains(n));
    shared.map(|n| ast::Ident::with_quote('"', n)).collect()
}
