//! Rewrites of logical plans: constants, WITH queries, subqueries, predicates, join order.

pub(crate) mod cte;
mod estimate;
mod filters;
mod fold;
mod joins;
pub(crate) mod nulls;
mod unnest;

pub(crate) use cte::is_volatile;
pub(crate) use estimate::table_rows;
pub use estimate::{estimate, selectivity};
pub use fold::fold_expr;
pub(crate) use fold::is_stable_cast;

use crate::bind::ColumnMeta;
use crate::plan::expr::ColId;
use crate::plan::rel::Rel;
use types::{Settings, SqlError, SqlType};

/// What rewrites need to know, and the columns of the statement, to which they add.
pub struct Optimizer<'a> {
    /// All columns of the statement.
    pub columns: Vec<ColumnMeta>,
    /// For folding constants.
    pub settings: &'a Settings,
}

impl Optimizer<'_> {
    /// All rewrites, in their order.
    pub fn optimize(&mut self, rel: Rel) -> Result<Rel, SqlError> {
        let mut rel = cte::inline(rel, &self.columns);
        self.fold(&mut rel);
        let rel = self.unnest(rel)?;
        let rel = filters::push(rel, Vec::new());
        Ok(joins::reorder(rel))
    }

    fn fold(&self, rel: &mut Rel) {
        rel.rewrite_exprs(&mut |expr| fold::fold_node(expr, self.settings));
    }

    /// A fresh column.
    pub(crate) fn new_column(&mut self, name: &str, ty: SqlType) -> ColId {
        self.columns.push(ColumnMeta {
            relation: String::new(),
            name: name.to_owned(),
            ty,
            origin: None,
        });
        ColId(self.columns.len() as u32 - 1)
    }
}
