//! Joins: by hash, by key lookup, or by nested loop.

use super::keys::{match_index, restrictions};
use super::scan::{Access, best};
use super::{Lower, Needed};
use crate::functions::Operator;
use crate::optimize::estimate;
use crate::plan::expr::{Callee, ColId, Expr, ExprKind};
use crate::plan::physical::*;
use crate::plan::rel::{Get, JoinKind, Rel};
use std::collections::BTreeSet;
use types::SqlError;

/// A lookup join pays when the inner table is this many times larger than what it is looked up for.
const LOOKUP_GAIN: f64 = 4.0;

impl Lower<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn join(
        &mut self,
        kind: JoinKind,
        left: Rel,
        right: Rel,
        on: Expr,
        lateral: bool,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        if lateral {
            return self.lateral(kind, left, right, on, needed, rows);
        }
        let (mut left, mut right) = (left, right);
        let parts = on.into_conjuncts();
        if kind == JoinKind::Inner && self.should_swap(&left, &right, &parts) {
            std::mem::swap(&mut left, &mut right);
        }
        let sides = Sides::new(&left, &right);
        if matches!(kind, JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti)
            && let Some((get, filters, access)) = lookup_access(&left, &right, &parts, needed)
        {
            let parts = (filters, parts);
            return self.lookup(kind, left, get, parts, access, needed, rows);
        }
        let (keys, residual): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|p| sides.is_equality(p));
        if keys.is_empty() {
            return self.nested(kind, left, right, Expr::and(residual), needed, rows);
        }
        self.hash(kind, left, right, keys, residual, needed, rows)
    }

    /// The right side is the one that is built or looked up: the smaller one, or the one that has a
    /// key when the other is small.
    fn should_swap(&self, left: &Rel, right: &Rel, parts: &[Expr]) -> bool {
        let (l, r) = (estimate(left), estimate(right));
        let all = Needed::new();
        let to_right = lookup_access(left, right, parts, &all).is_some();
        let to_left = lookup_access(right, left, parts, &all).is_some();
        match (to_right, to_left) {
            (true, false) => false,
            (false, true) => true,
            (true, true) => l > r,
            (false, false) => l < r,
        }
    }

    fn side_needed(&self, side: &Rel, needed: &Needed, used: &Needed) -> Needed {
        side.columns().into_iter().filter(|c| needed.contains(c) || used.contains(c)).collect()
    }

    #[allow(clippy::too_many_arguments)]
    fn hash(
        &mut self,
        kind: JoinKind,
        left: Rel,
        right: Rel,
        keys: Vec<Expr>,
        residual: Vec<Expr>,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let sides = Sides::new(&left, &right);
        let mut used = Needed::new();
        keys.iter().chain(&residual).for_each(|p| p.free_columns(&mut used));
        let left = self.rel_side(left, needed, &used)?;
        let right = self.rel_side(right, needed, &used)?;
        let mut left_keys = Vec::with_capacity(keys.len());
        let mut right_keys = Vec::with_capacity(keys.len());
        for key in keys {
            let ExprKind::Call(_, args) = key.kind else { continue };
            let Ok([a, b]) = <[Expr; 2]>::try_from(args) else { continue };
            let (a, b) = if sides.is_left(&a) { (a, b) } else { (b, a) };
            left_keys.push(self.expr(a, &left.columns)?);
            right_keys.push(self.expr(b, &right.columns)?);
        }
        let both = joined_columns(&left, &right);
        let residual = self.residual(residual, &both)?;
        let columns = output_columns(kind, &left, both);
        let join = HashJoin { kind, left, right, left_keys, right_keys, residual };
        Ok(self.node(Op::HashJoin(Box::new(join)), columns, rows))
    }

    fn rel_side(&mut self, side: Rel, needed: &Needed, used: &Needed) -> Result<Node, SqlError> {
        let wanted = self.side_needed(&side, needed, used);
        self.rel(side, &wanted)
    }

    fn residual(&mut self, parts: Vec<Expr>, layout: &[ColId]) -> Result<Option<Expr>, SqlError> {
        if parts.is_empty() {
            return Ok(None);
        }
        self.expr(Expr::and(parts), layout).map(Some)
    }

    fn nested(
        &mut self,
        kind: JoinKind,
        left: Rel,
        right: Rel,
        on: Expr,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let mut used = Needed::new();
        on.free_columns(&mut used);
        let left = self.rel_side(left, needed, &used)?;
        let right = self.rel_side(right, needed, &used)?;
        let both = joined_columns(&left, &right);
        let on = if on.is_true_const() { None } else { Some(self.expr(on, &both)?) };
        let columns = output_columns(kind, &left, both);
        let join = NestedLoop { kind, left, right, on, params: Vec::new(), lateral: false };
        Ok(self.node(Op::NestedLoop(Box::new(join)), columns, rows))
    }

    fn lateral(
        &mut self,
        kind: JoinKind,
        left: Rel,
        right: Rel,
        on: Expr,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let free = right.free_columns();
        let mut used = free.clone();
        on.free_columns(&mut used);
        let left = self.rel_side(left, needed, &used)?;
        let wanted = self.side_needed(&right, needed, &used);
        let (params, saved) = self.hand_in(&free, &left.columns);
        let right = self.rel(right, &wanted)?;
        self.outer = saved;
        let both = joined_columns(&left, &right);
        let on = if on.is_true_const() { None } else { Some(self.expr(on, &both)?) };
        let columns = output_columns(kind, &left, both);
        let join = NestedLoop { kind, left, right, on, params, lateral: true };
        Ok(self.node(Op::NestedLoop(Box::new(join)), columns, rows))
    }

    #[allow(clippy::too_many_arguments)]
    fn lookup(
        &mut self,
        kind: JoinKind,
        left: Rel,
        get: Get,
        (filters, on): (Vec<Expr>, Vec<Expr>),
        access: Access,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        let own: BTreeSet<ColId> = get.columns.iter().map(|(c, _)| *c).collect();
        // Keys were matched over filters and join conditions together: split them again.
        let count = filters.len();
        let used_on: Vec<usize> =
            access.found.used.iter().filter(|&&i| i >= count).map(|i| i - count).collect();
        let mut used = Needed::new();
        on.iter().for_each(|p| p.free_columns(&mut used));
        let left = self.rel_side(left, needed, &used)?;
        let mut scan_parts = filters;
        let mut residual = Vec::new();
        for (i, part) in on.into_iter().enumerate() {
            if used_on.contains(&i) { scan_parts.push(part) } else { residual.push(part) }
        }
        // Positions of the used conditions within `scan_parts`.
        let mut found = access.found;
        found.used.retain(|&i| i < count);
        found.used.extend(count..scan_parts.len());
        let access = Access { found, ..access };
        let mut right_needed: Needed = own.iter().copied().filter(|c| needed.contains(c)).collect();
        residual.iter().for_each(|p| {
            let mut columns = Needed::new();
            p.free_columns(&mut columns);
            right_needed.extend(columns.intersection(&own));
        });
        right_needed.extend(get.row_key.filter(|k| needed.contains(k)));
        let (right, right_columns, _) =
            self.build_scan(get, scan_parts, access, &right_needed, &left.columns)?;
        let mut both = left.columns.clone();
        both.extend(right_columns.iter().copied());
        let residual = self.residual(residual, &both)?;
        let columns = output_columns(kind, &left, both);
        let right_types = right_columns.iter().map(|c| self.ty(*c)).collect();
        self.node_count += 1;
        let right_id = self.node_count - 1;
        let join = LookupJoin { kind, left, right, right_types, residual, right_id };
        Ok(self.node(Op::LookupJoin(Box::new(join)), columns, rows))
    }
}

/// The right side's own conditions and the way to its rows by columns of the left side, when that
/// is worth it.
fn lookup_access(
    left: &Rel,
    right: &Rel,
    on: &[Expr],
    needed: &Needed,
) -> Option<(Get, Vec<Expr>, Access)> {
    let (get, filters) = match right {
        Rel::Get(get) => (get, Vec::new()),
        Rel::Filter { input, predicate } => match input.as_ref() {
            Rel::Get(get) => (get, predicate.clone().into_conjuncts()),
            _ => return None,
        },
        _ => return None,
    };
    if get.lock.is_some() || filters.iter().any(Expr::has_subquery) {
        return None;
    }
    let own: BTreeSet<ColId> = get.columns.iter().map(|(c, _)| *c).collect();
    let mut parts = filters.clone();
    parts.extend(on.iter().cloned());
    let at = |id: ColId| get.columns.iter().find(|(c, _)| *c == id).map(|(_, p)| *p);
    let found = restrictions(&parts, &own, &at, &get.table);
    let uses_on = |used: &[usize]| used.iter().any(|&i| i >= filters.len());
    let mut wanted = needed.clone();
    parts.iter().for_each(|p| p.free_columns(&mut wanted));
    let ids: BTreeSet<u32> = get
        .columns
        .iter()
        .filter(|(c, _)| wanted.contains(c))
        .map(|(_, p)| get.table.columns[*p].id)
        .collect();
    let access = best(get, &ids, &|columns, unique| {
        let mut m = match_index(&get.table, columns, unique, &found);
        // Ranges per left row would read too much.
        if m.spec.range.take().is_some() {
            let equal = m.spec.equal.len();
            m.used.truncate(equal);
        }
        m
    });
    if access.found.spec.equal.is_empty() || !uses_on(&access.found.used) {
        return None;
    }
    let is_array = access.found.spec.equal.iter().any(|c| c.is_array || c.values.len() > 1);
    let worth =
        estimate(left) * LOOKUP_GAIN <= crate::optimize::table_rows(get.table.rows_estimate);
    (worth && !is_array).then(|| (get.clone(), filters, access))
}

/// Columns of both sides of a join.
struct Sides {
    left: BTreeSet<ColId>,
    right: BTreeSet<ColId>,
}

impl Sides {
    fn new(left: &Rel, right: &Rel) -> Sides {
        Sides {
            left: left.columns().into_iter().collect(),
            right: right.columns().into_iter().collect(),
        }
    }

    fn is_left(&self, expr: &Expr) -> bool {
        expr.columns().iter().any(|c| self.left.contains(c))
    }

    fn is_right(&self, expr: &Expr) -> bool {
        expr.columns().iter().any(|c| self.right.contains(c))
    }

    /// `left expression = right expression` that a hash table can decide.
    fn is_equality(&self, part: &Expr) -> bool {
        let ExprKind::Call(Callee::Operator(op), args) = &part.kind else { return false };
        let [a, b] = args.as_slice() else { return false };
        let apart = (self.is_left(a) && !self.is_right(a) && self.is_right(b) && !self.is_left(b))
            || (self.is_right(a) && !self.is_left(a) && self.is_left(b) && !self.is_right(b));
        op.symbol == "=" && apart && is_hashable(op) && !part.has_subquery()
    }
}

/// Equal values have equal hashes: operands of one type, or integers.
fn is_hashable(op: &Operator) -> bool {
    use types::oid::{INT2, INT4, INT8};
    let integer = |t| matches!(t, INT2 | INT4 | INT8);
    op.left == op.right || (integer(op.left) && integer(op.right))
}

fn joined_columns(left: &Node, right: &Node) -> Vec<ColId> {
    left.columns.iter().chain(&right.columns).copied().collect()
}

fn output_columns(kind: JoinKind, left: &Node, both: Vec<ColId>) -> Vec<ColId> {
    match kind {
        JoinKind::Semi | JoinKind::Anti => left.columns.clone(),
        _ => both,
    }
}
