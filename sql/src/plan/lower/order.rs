//! ORDER BY and LIMIT.

use super::push::{push_limit, push_top};
use super::{Lower, Needed, place, scan};
use crate::plan::expr::{ColId, Expr, ExprKind};
use crate::plan::physical::{LimitExprs, Node, Op, SortSlot};
use crate::plan::rel::{Rel, SortKey};
use types::SqlError;

impl Lower<'_> {
    pub(super) fn sort(
        &mut self,
        input: Rel,
        keys: Vec<SortKey>,
        limit: Option<LimitExprs>,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let mut below = needed.clone();
        keys.iter().for_each(|k| k.expr.free_columns(&mut below));
        let mut node = self.rel(input, &below)?;
        if scan::use_order(&mut node, &keys, limit.is_some()) {
            return Ok(match limit {
                None => node,
                Some(bounds) => self.limited(node, bounds, None, rows),
            });
        }
        let keys = self.sort_slots(&keys, &node.columns)?;
        if let Some(limit) = &limit {
            push_top(&mut node, &keys, limit);
        }
        let columns = node.columns.clone();
        let limit = limit.map(Box::new);
        Ok(self.node(Op::Sort { input: Box::new(node), keys, limit }, columns, rows))
    }

    fn sort_slots(&self, keys: &[SortKey], layout: &[ColId]) -> Result<Vec<SortSlot>, SqlError> {
        keys.iter()
            .map(|key| match key.expr.kind {
                ExprKind::Column(id, _) => place(layout, id)
                    .map(|slot| SortSlot {
                        slot,
                        desc: key.desc,
                        nulls_first: key.nulls_first,
                        ty: key.expr.ty,
                    })
                    .ok_or_else(|| SqlError::internal("sort column is not in the input")),
                _ => Err(SqlError::internal("sort key is not a column")),
            })
            .collect()
    }

    pub(super) fn limit(
        &mut self,
        input: Rel,
        limit: Option<Expr>,
        offset: Option<Expr>,
        with_ties: bool,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let limit = limit.map(|l| self.expr(l, &[])).transpose()?;
        let offset = offset.map(|o| self.expr(o, &[])).transpose()?;
        let bounds = LimitExprs { limit, offset };
        match input {
            Rel::Sort { input, keys } if !with_ties && bounds.limit.is_some() => {
                self.sort(*input, keys, Some(bounds), needed, rows)
            }
            Rel::Sort { input, keys } if with_ties => {
                let mut below = needed.clone();
                keys.iter().for_each(|k| k.expr.free_columns(&mut below));
                let node = self.rel(Rel::Sort { input, keys: keys.clone() }, &below)?;
                let ties = self.sort_slots(&keys, &node.columns)?;
                Ok(self.limited(node, bounds, Some(ties), rows))
            }
            input => {
                let node = self.rel(input, needed)?;
                Ok(self.limited(node, bounds, None, rows))
            }
        }
    }

    fn limited(
        &mut self,
        mut node: Node,
        bounds: LimitExprs,
        ties: Option<Vec<SortSlot>>,
        rows: f64,
    ) -> Node {
        if ties.is_none() {
            push_limit(&mut node, &bounds);
        }
        let columns = node.columns.clone();
        self.node(Op::Limit { input: Box::new(node), bounds, ties }, columns, rows)
    }
}
