//! The short way of a SELECT that reads one row by its primary key: no operators and no batches,
//! and the same answer as by the long way.

use super::errors::ExecResult;
use super::eval::{Env, eval_row, is_true};
use super::keys::KeySet;
use super::op::{bounds, key_set};
use super::rows::RowDecoder;
use crate::plan::Plan;
use crate::plan::expr::Expr;
use crate::plan::physical::{LimitExprs, Node, Op, Scan};
use base::Key;
use base::layout::PRIMARY_INDEX;
use types::{Datum, SqlError};

/// A plan that reads one key and nothing else.
pub(crate) struct PointRead<'p> {
    scan: &'p Scan,
    /// Computed columns over what the scan emits.
    project: Option<&'p [Expr]>,
    /// Whether the one row is wanted.
    limit: Option<&'p LimitExprs>,
}

impl<'p> PointRead<'p> {
    /// `None` for plans of any other shape.
    pub(crate) fn of(plan: &'p Plan) -> Option<PointRead<'p>> {
        if plan.explain.is_some() || !plan.init.is_empty() {
            return None;
        }
        let (node, limit) = match &plan.root.op {
            Op::Limit { input, bounds, ties: None } => (&**input, Some(bounds)),
            _ => (&plan.root, None),
        };
        let (node, project) = match &node.op {
            Op::Project { input, exprs } => (&**input, Some(&exprs[..])),
            _ => (node, None),
        };
        point_scan(node).map(|scan| PointRead { scan, project, limit })
    }

    /// The key to read; `None` when no key can match, or no row is wanted.
    pub(crate) fn key(&self, env: &Env<'_>) -> Result<Option<Key>, SqlError> {
        if let Some(limit) = self.limit {
            let bounds = bounds(limit, env)?;
            if bounds.take == Some(0) || bounds.skip > 0 {
                return Ok(None);
            }
        }
        match key_set(self.scan, env)? {
            KeySet::Points(mut keys) => Ok(keys.pop()),
            KeySet::Spans(_) => Err(SqlError::internal("a point read without a point")),
        }
    }

    /// The result row made of a stored one; `None` when it does not satisfy the conditions.
    pub(crate) fn row(
        &self,
        key: &Key,
        value: &[u8],
        env: &Env<'_>,
    ) -> ExecResult<Option<Vec<Datum>>> {
        let scan = self.scan;
        let mut decoder = RowDecoder::new(&scan.columns, scan.row_key);
        let slots = decoder.decode(key, value)?;
        for filter in scan.filter.iter().chain(&scan.local_filter) {
            if !is_true(&eval_row(filter, slots, env)?) {
                return Ok(None);
            }
        }
        let emitted: Vec<Datum> = scan.emit.iter().map(|slot| slots[*slot].clone()).collect();
        let Some(exprs) = self.project else { return Ok(Some(emitted)) };
        let computed = exprs.iter().map(|expr| eval_row(expr, &emitted[..], env));
        Ok(Some(computed.collect::<Result<_, _>>()?))
    }
}

fn point_scan(node: &Node) -> Option<&Scan> {
    let Op::Scan(scan) = &node.op else { return None };
    let is_point = scan.index == PRIMARY_INDEX
        && scan.keys.is_point()
        && scan.lock.is_none()
        && scan.partial.is_none();
    is_point.then_some(scan)
}
