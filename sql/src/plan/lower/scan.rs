//! Scans of stored tables: which index, which keys, what the shards evaluate, and in which order
//! rows come.

use super::keys::{Match, match_index, restrictions};
use super::{Lower, Needed, place};
use crate::functions::Volatility;
use crate::optimize::{is_stable_cast, selectivity, table_rows};
use crate::plan::expr::{Callee, ColId, Expr, ExprKind};
use crate::plan::physical::*;
use crate::plan::rel::{Get, RowLock, SortKey};
use base::codec::Direction;
use base::layout::PRIMARY_INDEX;
use catalog::descriptor::{Index, IndexColumn, Table};
use std::collections::BTreeSet;
use std::sync::Arc;
use types::{Datum, SqlError};

/// A way to reach a table's rows.
pub(super) struct Access {
    pub(super) index: u16,
    pub(super) found: Match,
    pub(super) covering: bool,
}

impl Lower<'_> {
    /// Lowers a scan with the conditions on it.
    pub(super) fn scan(
        &mut self,
        get: Get,
        parts: Vec<Expr>,
        needed: &Needed,
    ) -> Result<Node, SqlError> {
        let own: BTreeSet<ColId> = get.columns.iter().map(|(c, _)| *c).collect();
        let wanted = wanted_columns(&get, &parts, needed);
        let access = choose(&get, &parts, &own, &wanted);
        let (scan, columns, rows) = self.build_scan(get, parts, access, needed, &[])?;
        Ok(self.node(Op::Scan(Box::new(scan)), columns, rows))
    }

    /// Builds a scan through a chosen access path. Keys are over `outer_layout`.
    pub(super) fn build_scan(
        &mut self,
        get: Get,
        parts: Vec<Expr>,
        access: Access,
        needed: &Needed,
        outer_layout: &[ColId],
    ) -> Result<(Scan, Vec<ColId>, f64), SqlError> {
        let Access { index, found, covering } = access;
        let mut rows = table_rows(get.table.rows_estimate);
        let mut condition = Vec::new();
        let mut rest = Vec::new();
        for (i, part) in parts.into_iter().enumerate() {
            rows *= selectivity(&part);
            if found.used.contains(&i) { condition.push(part) } else { rest.push(part) }
        }
        if found.spec.is_point() {
            rows = 1.0;
        }
        let keep_condition = get.lock.is_some() && index != PRIMARY_INDEX;
        let mut decode: BTreeSet<ColId> = BTreeSet::new();
        rest.iter().for_each(|p| p.free_columns(&mut decode));
        if keep_condition {
            condition.iter().for_each(|p| p.free_columns(&mut decode));
        }
        let columns = self.scan_columns(&get, needed, &decode)?;
        let mut layout: Vec<ColId> = columns.iter().map(|c| c.column).collect();
        let row_key = get.row_key.filter(|k| needed.contains(k));
        layout.extend(row_key);
        let (pushed, local) = self.split_filter(rest, &layout)?;
        let keys = self.lower_keys(found.spec, outer_layout)?;
        let condition = if keep_condition {
            self.exprs(condition, &layout)?
        } else {
            // Only shown: columns that are not decoded keep their names.
            condition
        };
        let emitted: Vec<ColId> = layout.iter().copied().filter(|c| needed.contains(c)).collect();
        let emit = emitted.iter().filter_map(|c| place(&layout, *c)).collect();
        if get.lock.is_some() {
            self.is_read_only = false;
        }
        let scan = Scan {
            table: get.table,
            alias: get.alias,
            index,
            covering,
            columns,
            row_key: row_key.is_some(),
            keys,
            condition,
            filter: pushed,
            local_filter: local,
            emit,
            partial: None,
            reverse: false,
            ordered: false,
            limit: None,
            top: None,
            lock: get.lock,
        };
        Ok((scan, emitted, rows.max(1.0)))
    }

    fn scan_columns(
        &mut self,
        get: &Get,
        needed: &Needed,
        more: &BTreeSet<ColId>,
    ) -> Result<Vec<ScanColumn>, SqlError> {
        let mut out = Vec::new();
        for (id, position) in &get.columns {
            if !needed.contains(id) && !more.contains(id) {
                continue;
            }
            let column = &get.table.columns[*position];
            let missing = match &column.missing {
                None => Datum::Null,
                Some(text) => types::text::parse(column.ty, text, &types::Settings::default())?,
            };
            out.push(ScanColumn {
                position: *position,
                id: column.id,
                ty: column.ty,
                missing,
                column: *id,
            });
        }
        Ok(out)
    }

    /// Conditions that shards can evaluate, and those that need the session.
    fn split_filter(
        &mut self,
        parts: Vec<Expr>,
        layout: &[ColId],
    ) -> Result<(Option<Expr>, Option<Expr>), SqlError> {
        let lowered = self.exprs(parts, layout)?;
        let (pushed, local): (Vec<_>, Vec<_>) = lowered.into_iter().partition(is_pushable);
        let join = |parts: Vec<Expr>| (!parts.is_empty()).then(|| Expr::and(parts));
        Ok((join(pushed), join(local)))
    }

    /// SELECT … FOR UPDATE. Where nothing stands between the locks and the one table, the scan locks
    /// by itself: it can check its condition again on the newest version of a row.
    pub(super) fn lock(
        &mut self,
        input: crate::plan::rel::Rel,
        targets: Vec<(Arc<Table>, ColId)>,
        lock: RowLock,
        needed: &Needed,
        rows: f64,
    ) -> Result<Node, SqlError> {
        self.is_read_only = false;
        let mut input = input;
        if lock_in_scan(&mut input, lock) {
            return self.rel(input, needed);
        }
        let mut below = needed.clone();
        below.extend(targets.iter().map(|(_, key)| *key));
        let mut node = self.rel(input, &below)?;
        for (_, key) in targets {
            let slot = place(&node.columns, key)
                .ok_or_else(|| SqlError::internal("row key is not in the input"))?;
            let columns = node.columns.clone();
            let op = Op::Lock { input: Box::new(node), key: slot, lock, limit: None };
            node = self.node(op, columns, rows);
        }
        Ok(node)
    }
}

/// Marks the scan under projections and filters as locking; false when it is not that simple.
fn lock_in_scan(rel: &mut crate::plan::rel::Rel, lock: RowLock) -> bool {
    use crate::plan::rel::Rel;
    match rel {
        Rel::Get(get) => {
            get.lock = Some(lock);
            true
        }
        Rel::Filter { input, predicate } => {
            matches!(**input, Rel::Get(_)) && !predicate.has_subquery() && lock_in_scan(input, lock)
        }
        Rel::Project { input, exprs } if !exprs.iter().any(|(_, e)| e.has_subquery()) => {
            lock_in_scan(input, lock)
        }
        _ => false,
    }
}

/// Columns that the scan has to give or to look at.
fn wanted_columns(get: &Get, parts: &[Expr], needed: &Needed) -> BTreeSet<u32> {
    let mut used = needed.clone();
    parts.iter().for_each(|p| p.free_columns(&mut used));
    let own = get.columns.iter().filter(|(c, _)| used.contains(c));
    own.map(|(_, p)| get.table.columns[*p].id).collect()
}

/// Chooses between the row's key and the secondary indexes.
fn choose(get: &Get, parts: &[Expr], own: &BTreeSet<ColId>, wanted: &BTreeSet<u32>) -> Access {
    let at = |id: ColId| get.columns.iter().find(|(c, _)| *c == id).map(|(_, p)| *p);
    let restrictions = restrictions(parts, own, &at, &get.table);
    best(get, wanted, &|columns, unique| match_index(&get.table, columns, unique, &restrictions))
}

/// The best access path by what each index makes of the restrictions.
pub(super) fn best(
    get: &Get,
    wanted: &BTreeSet<u32>,
    matches: &dyn Fn(&[IndexColumn], bool) -> Match,
) -> Access {
    let table = &get.table;
    let found = matches(&table.key, true);
    let mut chosen = Access { index: PRIMARY_INDEX, found, covering: true };
    if chosen.found.spec.unique {
        return chosen;
    }
    for index in usable(table) {
        let found = matches(&index.columns, index.is_unique);
        if found.score() > chosen.found.score() {
            let covering =
                get.lock.is_none() && get.row_key.is_none() && covers(table, index, wanted);
            chosen = Access { index: index.id, found, covering };
        }
    }
    chosen
}

/// Secondary indexes that hold every row and may be read.
fn usable(table: &Table) -> impl Iterator<Item = &Index> {
    table.secondary_indexes().filter(|i| i.is_readable() && i.predicate.is_none())
}

fn covers(table: &Table, index: &Index, wanted: &BTreeSet<u32>) -> bool {
    let stored = catalog::layout::entry_columns(table, index);
    wanted.iter().all(|id| stored.binary_search(id).is_ok())
}

/// True when an expression gives the same result on every node: immutable functions, casts that
/// depend on no setting, values known before the scan.
pub(super) fn is_pushable(expr: &Expr) -> bool {
    let here = match &expr.kind {
        ExprKind::Call(Callee::Function(f), _) => {
            f.volatility == Volatility::Immutable && !f.variadic
        }
        ExprKind::Call(Callee::Operator(o), _) => o.volatility == Volatility::Immutable,
        ExprKind::Cast { arg, .. } => is_stable_cast(arg.ty, expr.ty),
        ExprKind::Subquery(_) | ExprKind::Host(..) | ExprKind::Column(..) => false,
        _ => true,
    };
    if !here {
        return false;
    }
    let mut all = true;
    expr.children(&mut |child| all &= is_pushable(child));
    all
}

/// Makes a scan (under projections and filters) give its rows in this order, if an index can.
pub(super) fn use_order(node: &mut Node, keys: &[SortKey], limited: bool) -> bool {
    let mut wanted = Vec::with_capacity(keys.len());
    for key in keys {
        let ExprKind::Column(id, _) = key.expr.kind else { return false };
        let Some(slot) = place(&node.columns, id) else { return false };
        wanted.push((slot, key.desc, key.nulls_first));
    }
    order_node(node, wanted, limited)
}

fn order_node(node: &mut Node, wanted: Vec<(usize, bool, bool)>, limited: bool) -> bool {
    match &mut node.op {
        Op::Project { input, exprs } => {
            let mut below = Vec::with_capacity(wanted.len());
            for (slot, desc, nulls_first) in wanted {
                let ExprKind::Slot(at) = exprs[slot].kind else { return false };
                below.push((at, desc, nulls_first));
            }
            order_node(input, below, limited)
        }
        Op::Filter { input, .. } => order_node(input, wanted, limited),
        Op::Scan(scan) => order_scan(scan, &wanted, limited),
        _ => false,
    }
}

fn order_scan(scan: &mut Scan, wanted: &[(usize, bool, bool)], limited: bool) -> bool {
    if scan.partial.is_some() {
        return false;
    }
    let mut columns = Vec::with_capacity(wanted.len());
    for (slot, desc, nulls_first) in wanted {
        let Some(column) = scan.columns.get(scan.emit[*slot]) else { return false };
        columns.push((column.id, *desc, *nulls_first));
    }
    let table = scan.table.clone();
    let current = match scan.index {
        PRIMARY_INDEX => Some(table.key.as_slice()),
        id => table.index(id).map(|i| i.columns.as_slice()),
    };
    if let Some(reverse) = current.and_then(|c| ordering(&table, c, &scan.keys, &columns)) {
        scan.reverse = reverse;
        scan.ordered = true;
        return true;
    }
    // Reading a few rows through another index beats sorting all of them.
    if !limited || !scan.keys.is_full() || scan.index != PRIMARY_INDEX || scan.lock.is_some() {
        return false;
    }
    for index in usable(&table) {
        if let Some(reverse) = ordering(&table, &index.columns, &scan.keys, &columns) {
            let wanted: BTreeSet<u32> = scan.columns.iter().map(|c| c.id).collect();
            scan.index = index.id;
            scan.covering = !scan.row_key && covers(&table, index, &wanted);
            scan.reverse = reverse;
            scan.ordered = true;
            return true;
        }
    }
    false
}

/// Does an index give this order under these keys, and in which direction?
fn ordering(
    table: &Table,
    columns: &[IndexColumn],
    keys: &KeySpec,
    wanted: &[(u32, bool, bool)],
) -> Option<bool> {
    let mut wanted = wanted.iter().peekable();
    let mut reverse: Option<bool> = None;
    for (i, column) in columns.iter().enumerate() {
        let Some((id, desc, nulls_first)) = wanted.peek() else { break };
        let single = keys.equal.get(i).is_some_and(|k| k.values.len() == 1 && !k.is_array);
        if *id != column.column {
            if single {
                continue;
            }
            return None;
        }
        wanted.next();
        if single {
            continue;
        }
        let not_null = table.column(*id).is_some_and(|c| c.is_not_null);
        let descending = column.direction == Direction::Desc;
        let backward = *desc != descending;
        // Ascending keys have NULLs last, descending ones first.
        let nulls_first_here = descending != backward;
        if !not_null && nulls_first_here != *nulls_first {
            return None;
        }
        if reverse.is_some_and(|r| r != backward) {
            return None;
        }
        reverse = Some(backward);
    }
    wanted.peek().is_none().then(|| reverse.unwrap_or(false))
}
