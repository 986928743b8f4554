//! Expressions: columns become slots, subqueries that run once become values computed ahead.

use super::{InitKind, InitPlan, Lower, place};
use crate::plan::expr::{ColId, Expr, ExprKind, SubqueryKind};
use types::SqlError;

impl Lower<'_> {
    /// Lowers an expression over a layout.
    pub(in crate::plan) fn expr(
        &mut self,
        mut expr: Expr,
        layout: &[ColId],
    ) -> Result<Expr, SqlError> {
        self.lower_in_place(&mut expr, layout)?;
        crate::optimize::fold_expr(&mut expr, self.planner.settings);
        Ok(expr)
    }

    /// Lowers several.
    pub(in crate::plan) fn exprs(
        &mut self,
        exprs: Vec<Expr>,
        layout: &[ColId],
    ) -> Result<Vec<Expr>, SqlError> {
        exprs.into_iter().map(|e| self.expr(e, layout)).collect()
    }

    fn lower_in_place(&mut self, expr: &mut Expr, layout: &[ColId]) -> Result<(), SqlError> {
        crate::plan::walk::deep(|| {
            match &mut expr.kind {
                ExprKind::Column(id, _) => {
                    let id = *id;
                    if let Some(slot) = place(layout, id) {
                        expr.kind = ExprKind::Slot(slot);
                    } else if let Some(&outer) = self.outer.get(&id) {
                        expr.kind = ExprKind::Outer(outer);
                    } else {
                        let name = &self.columns[id.0 as usize].name;
                        return Err(SqlError::internal(format!(
                            "column \"{name}\" ({}) is out of reach",
                            id.0
                        )));
                    }
                    return Ok(());
                }
                ExprKind::Subquery(_) => return self.once(expr),
                ExprKind::Host(..) => {
                    return Err(SqlError::not_supported("a session call cannot stand here"));
                }
                _ => {}
            }
            let mut result = Ok(());
            expr.children_mut(&mut |child| {
                if result.is_ok() {
                    result = self.lower_in_place(child, layout);
                }
            });
            result
        })
    }

    /// A subquery that depends on nothing.
    fn once(&mut self, expr: &mut Expr) -> Result<(), SqlError> {
        let outer = self.new_outer();
        let old = std::mem::replace(&mut expr.kind, ExprKind::Outer(outer));
        let ExprKind::Subquery(sub) = old else {
            return Err(SqlError::internal("not a subquery"));
        };
        let kind = match sub.kind {
            SubqueryKind::Scalar => InitKind::Scalar,
            SubqueryKind::Exists => InitKind::Exists,
            SubqueryKind::Array => {
                let element = types::element_of(expr.ty.oid).unwrap_or(expr.ty.oid);
                InitKind::Array(types::SqlType::new(element))
            }
            SubqueryKind::Any(_) | SubqueryKind::All(_) => {
                return Err(SqlError::internal("a quantified subquery was not unnested"));
            }
        };
        let wanted: Vec<ColId> = match kind {
            InitKind::Exists => Vec::new(),
            _ => sub.columns.iter().copied().take(1).collect(),
        };
        let node = self.rel(sub.rel, &wanted.iter().copied().collect())?;
        let node = self.arrange(node, &wanted);
        self.init.push(InitPlan { outer, kind, node });
        Ok(())
    }
}
