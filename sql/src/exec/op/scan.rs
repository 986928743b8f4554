//! Scans of stored tables.
//!
//! Three ways to rows: keys that are known one by one are fetched (or locked) directly; spans of
//! the primary key or of a covering index run a fragment on the shards; a secondary index that does
//! not cover the columns gives row keys, and the rows are fetched by them.

use super::limit::bounds;
use super::{Operator, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{Env, eval_scalar, filter_batch};
use crate::exec::keys::{KeySet, resolve};
use crate::exec::rows::{RowDecoder, builder, take};
use crate::exec::state::Cx;
use crate::plan::expr::{Expr, ExprKind};
use crate::plan::physical::{Node, Op, Scan};
use crate::plan::rel::RowLock;
use crate::pushdown::{Fragment, Output, PartialCall, decode_batch};
use base::layout::PRIMARY_INDEX;
use base::{BoxFuture, Key, Span};
use bytes::Bytes;
use catalog::descriptor::Table;
use std::collections::VecDeque;
use txn::{TxnLocked, TxnScan};
use types::{Datum, SqlError};

/// Bytes of a page of a scan whose rows shards do not reduce.
const PAGE_BYTES: u64 = 1 << 20;
/// Stretches that are read at once where the order of rows does not matter.
const SCATTER_SPANS: usize = 16;

/// A running scan.
pub(crate) struct ScanOp {
    decoder: RowDecoder,
    plan: Option<Work>,
    /// Rows still wanted; `None` is all.
    left: Option<u64>,
    ready: VecDeque<Batch>,
}

/// What is left to do.
struct Work {
    keys: VecDeque<Key>,
    spans: VecDeque<Span>,
    fragment: Option<Bytes>,
}

/// The keys of a scan without a left row.
pub(crate) fn key_set(scan: &Scan, env: &Env<'_>) -> Result<KeySet, SqlError> {
    let none: &[Datum] = &[];
    resolve(&scan.keys, scan.table.storage_id, scan.index, none, env)
}

impl ScanOp {
    pub(crate) fn new(scan: &Scan) -> ScanOp {
        ScanOp {
            decoder: RowDecoder::new(&scan.columns, needs_key(scan)),
            plan: None,
            left: None,
            ready: VecDeque::new(),
        }
    }

    fn start(&mut self, scan: &Scan, cx: &mut Cx<'_>) -> ExecResult<()> {
        let env = cx.state.env();
        self.left = match &scan.limit {
            None => None,
            Some(limit) => bounds(limit, &env)?.wanted(),
        };
        let mut work = Work { keys: VecDeque::new(), spans: VecDeque::new(), fragment: None };
        match key_set(scan, &env)? {
            KeySet::Points(keys) => work.keys.extend(keys),
            KeySet::Spans(spans) => work.spans.extend(spans),
        }
        if scan.reverse {
            work.keys.make_contiguous().reverse();
            work.spans.make_contiguous().reverse();
        }
        let direct = scan.index == PRIMARY_INDEX || scan.covering;
        if direct && !work.spans.is_empty() {
            work.fragment = Some(fragment(scan, &env, self.left)?.encode().into());
        }
        self.plan = Some(work);
        Ok(())
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Scan(scan) = &node.op else { return mismatch() };
        if self.plan.is_none() {
            self.start(scan, cx)?;
        }
        loop {
            if self.left == Some(0) {
                return Ok(None);
            }
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(self.limited(batch)));
            }
            let Some(work) = &mut self.plan else { return mismatch() };
            if !work.keys.is_empty() {
                let chunk = work.keys.len().min(BATCH_ROWS);
                let keys: Vec<Key> = work.keys.drain(..chunk).collect();
                self.points(scan, keys, cx).await?;
            } else if let Some(span) = work.spans.pop_front() {
                let scatter = work.fragment.is_some() && self.left.is_none() && may_scatter(scan);
                let more = if scatter { work.spans.len().min(SCATTER_SPANS - 1) } else { 0 };
                let also = work.spans.drain(..more).collect();
                self.page(node, scan, TxnScan { span, scatter, also, ..TxnScan::default() }, cx)
                    .await?;
            } else {
                return Ok(None);
            }
        }
    }

    fn limited(&mut self, batch: Batch) -> Batch {
        let Some(left) = &mut self.left else { return batch };
        if batch.rows as u64 > *left {
            let batch = batch.slice(0, *left as usize);
            *left = 0;
            return batch;
        }
        *left -= batch.rows as u64;
        batch
    }

    /// Rows under known keys.
    async fn points(&mut self, scan: &Scan, keys: Vec<Key>, cx: &mut Cx<'_>) -> ExecResult<()> {
        if scan.index != PRIMARY_INDEX {
            let values = cx.txn.get(&keys).await?;
            let entries: Vec<Bytes> = values.into_iter().flatten().collect();
            return self.through_entries(scan, entries, cx).await;
        }
        match scan.lock {
            None => {
                let values = cx.txn.get(&keys).await?;
                let rows: Vec<(Key, Bytes)> =
                    keys.into_iter().zip(values).filter_map(|(k, v)| Some((k, v?))).collect();
                self.gather(scan, rows, false, cx)
            }
            Some(lock) => {
                let rows = lock_rows(keys, lock, cx).await?;
                self.gather(scan, rows, false, cx)
            }
        }
    }

    /// One page of a span, or of several.
    async fn page(
        &mut self,
        node: &Node,
        scan: &Scan,
        place: TxnScan,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        let Some(work) = &self.plan else { return mismatch() };
        let is_reduced = scan.partial.is_some() || scan.top.is_some();
        let request = TxnScan {
            reverse: scan.reverse,
            limit_rows: self.row_limit(scan),
            limit_bytes: if is_reduced { 0 } else { PAGE_BYTES },
            fragment: work.fragment.clone(),
            ..place
        };
        let page = cx.txn.scan(request).await?;
        cx.state.count_read(node.id, page.rows_read);
        if let Some(work) = &mut self.plan {
            page.resume.into_iter().for_each(|rest| work.spans.push_front(rest));
            work.spans.extend(page.more);
        }
        if self.plan.as_ref().is_some_and(|w| w.fragment.is_some()) {
            for output in page.outputs {
                let batch = decode_batch(&output)?;
                if batch.rows > 0 {
                    self.take_fragment(scan, batch, cx).await?;
                }
            }
            return Ok(());
        }
        let entries = page.rows.into_iter().map(|(_, value)| value).collect();
        self.through_entries(scan, entries, cx).await
    }

    /// Raw entries of an index need no more than the rows wanted, when nothing filters them.
    fn row_limit(&self, scan: &Scan) -> u64 {
        let filtered = scan.filter.is_some() || scan.local_filter.is_some();
        match self.left {
            Some(left) if !filtered && scan.partial.is_none() && scan.lock.is_none() => left,
            _ if scan.covering || scan.index == PRIMARY_INDEX => 0,
            _ => BATCH_ROWS as u64,
        }
    }

    async fn take_fragment(
        &mut self,
        scan: &Scan,
        batch: Batch,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        if scan.partial.is_some() {
            self.ready.push_back(batch);
            return Ok(());
        }
        let Some(lock) = scan.lock else {
            return self.finish(scan, batch, scan.local_filter.is_some(), cx);
        };
        // The fragment has filtered at the snapshot; the newest versions decide.
        let last = batch.columns.len().saturating_sub(1);
        let mut keys = Vec::with_capacity(batch.rows);
        for row in 0..batch.rows {
            if let Datum::Bytea(key) = batch.get(last, row) {
                keys.push(Key(key));
            }
        }
        for chunk in keys.chunks(self.lock_chunk()) {
            let rows = lock_rows(chunk.to_vec(), lock, cx).await?;
            self.gather(scan, rows, true, cx)?;
            if self.enough() {
                break;
            }
        }
        Ok(())
    }

    /// Rows locked at a time: no more than are wanted, so that SKIP LOCKED leaves the rest alone.
    fn lock_chunk(&self) -> usize {
        self.left.map_or(BATCH_ROWS, |left| (left as usize).clamp(1, BATCH_ROWS))
    }

    fn enough(&self) -> bool {
        let ready: usize = self.ready.iter().map(|b| b.rows).sum();
        self.left.is_some_and(|left| ready as u64 >= left)
    }

    /// Rows behind index entries.
    async fn through_entries(
        &mut self,
        scan: &Scan,
        entries: Vec<Bytes>,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        if scan.covering {
            let rows = entries.into_iter().map(|value| (Key::MIN, value)).collect();
            return self.gather(scan, rows, false, cx);
        }
        let mut keys = Vec::with_capacity(entries.len());
        let mut finder = RowKeys::new(&scan.table);
        for entry in &entries {
            keys.push(finder.row_key(&scan.table, entry)?);
        }
        for chunk in keys.chunks(BATCH_ROWS) {
            match scan.lock {
                None => {
                    let values = cx.txn.get(chunk).await?;
                    let rows: Vec<(Key, Bytes)> = chunk
                        .iter()
                        .cloned()
                        .zip(values)
                        .filter_map(|(k, v)| Some((k, v?)))
                        .collect();
                    self.gather(scan, rows, false, cx)?;
                }
                Some(lock) => {
                    let mut sorted = chunk.to_vec();
                    sorted.sort();
                    for part in sorted.chunks(self.lock_chunk()) {
                        let rows = lock_rows(part.to_vec(), lock, cx).await?;
                        self.gather(scan, rows, true, cx)?;
                        if self.enough() {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Decodes rows, checks all conditions on them, and keeps what passes. `recheck` also checks the
    /// condition that led to the key: the row may have moved on since.
    fn gather(
        &mut self,
        scan: &Scan,
        rows: Vec<(Key, Bytes)>,
        recheck: bool,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        let mut out = builder(scan, needs_key(scan));
        for (key, value) in &rows {
            out.push(self.decoder.decode(key, value)?.iter().cloned());
        }
        let Some(mut batch) = take(&mut out) else { return Ok(()) };
        if recheck && scan.index != PRIMARY_INDEX {
            for condition in &scan.condition {
                batch = filtered(condition, batch, &cx.state.env())?;
            }
        }
        if let Some(filter) = &scan.filter {
            batch = filtered(filter, batch, &cx.state.env())?;
        }
        self.finish(scan, batch, true, cx)
    }

    fn finish(
        &mut self,
        scan: &Scan,
        mut batch: Batch,
        all_slots: bool,
        cx: &mut Cx<'_>,
    ) -> ExecResult<()> {
        if let Some(filter) = &scan.local_filter {
            batch = filtered(filter, batch, &cx.state.env())?;
        }
        if batch.rows > 0 {
            let batch = if all_slots { batch.project(&scan.emit) } else { batch };
            self.ready.push_back(batch);
        }
        Ok(())
    }
}

impl Operator for ScanOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}

/// Nobody minds in which order rows come, and all of them are wanted.
fn may_scatter(scan: &Scan) -> bool {
    !scan.ordered && !scan.reverse && scan.lock.is_none()
}

/// True when the row's key is a slot: somebody wants it, or the scan has to lock by it.
pub(super) fn needs_key(scan: &Scan) -> bool {
    scan.row_key || scan.lock.is_some()
}

pub(super) fn filtered(filter: &Expr, batch: Batch, env: &Env<'_>) -> Result<Batch, SqlError> {
    Ok(match filter_batch(filter, &batch, env)? {
        None => batch,
        Some(rows) => batch.gather(&rows),
    })
}

/// Locks rows and reads their newest versions; rows that are gone or skipped are left out.
async fn lock_rows(
    keys: Vec<Key>,
    lock: RowLock,
    cx: &mut Cx<'_>,
) -> ExecResult<Vec<(Key, Bytes)>> {
    let locked = cx.txn.lock(keys.clone(), lock.strength, lock.wait).await?;
    let mut out = Vec::with_capacity(keys.len());
    for (key, found) in keys.into_iter().zip(locked) {
        if let TxnLocked::Held { value: Some(value), .. } = found {
            out.push((key, value));
        }
    }
    Ok(out)
}

/// The fragment that the shards run for a scan.
fn fragment(scan: &Scan, env: &Env<'_>, left: Option<u64>) -> Result<Fragment, SqlError> {
    let mut left = left;
    let with_key = needs_key(scan);
    let known = |expr: &Expr| with_values(expr, env);
    let output = match &scan.partial {
        Some(partial) => Output::Partial {
            groups: partial.groups.iter().map(known).collect::<Result<_, _>>()?,
            calls: partial
                .calls
                .iter()
                .map(|c| {
                    Ok(PartialCall {
                        function: c.function,
                        args: c.args.iter().map(known).collect::<Result<_, SqlError>>()?,
                        filter: c.filter.as_ref().map(known).transpose()?,
                        ty: c.ty,
                    })
                })
                .collect::<Result<_, SqlError>>()?,
        },
        None if scan.lock.is_some() || scan.local_filter.is_some() => {
            Output::Emit((0..scan.columns.len() + usize::from(with_key)).collect())
        }
        None => match first_rows(scan, env)? {
            Some((keys, limit)) => {
                left = Some(limit);
                Output::Top { emit: scan.emit.clone(), keys }
            }
            None => Output::Emit(scan.emit.clone()),
        },
    };
    let limited = scan.lock.is_none() && scan.local_filter.is_none();
    Ok(Fragment {
        columns: scan.columns.iter().map(|c| (c.id, c.ty, c.missing.clone())).collect(),
        with_key,
        filter: scan.filter.as_ref().map(known).transpose()?,
        limit: left.filter(|_| limited).unwrap_or(0),
        output,
    })
}

/// Sort keys and the number of rows, when only the first rows are needed.
type FirstRows = (Vec<(Expr, bool, bool)>, u64);

fn first_rows(scan: &Scan, env: &Env<'_>) -> Result<Option<FirstRows>, SqlError> {
    let Some(top) = &scan.top else { return Ok(None) };
    let Some(limit) = bounds(&top.limit, env)?.wanted() else { return Ok(None) };
    let known = |(key, desc, nulls_first): &(Expr, bool, bool)| {
        Ok((with_values(key, env)?, *desc, *nulls_first))
    };
    let keys: Result<_, SqlError> = top.keys.iter().map(known).collect();
    // A sort that wants no row does not ask.
    Ok(Some((keys?, limit.max(1))))
}

/// The expression with parameters and outer values put in.
fn with_values(expr: &Expr, env: &Env<'_>) -> Result<Expr, SqlError> {
    let mut expr = expr.clone();
    let mut failed = None;
    expr.rewrite(&mut |e| {
        if matches!(e.kind, ExprKind::Param(_) | ExprKind::Outer(_)) {
            match eval_scalar(e, env) {
                Ok(value) => e.kind = ExprKind::Const(value),
                Err(error) => failed = Some(error),
            }
        }
    });
    failed.map_or(Ok(expr), Err)
}

/// Finds the rows that index entries belong to: entries repeat the columns of the row's key.
pub(super) struct RowKeys {
    decoder: RowDecoder,
}

impl RowKeys {
    pub(super) fn new(table: &Table) -> RowKeys {
        let ids = table.key.iter().map(|k| (k.column, Datum::Null));
        RowKeys { decoder: RowDecoder::for_ids(ids, false) }
    }

    pub(super) fn row_key(&mut self, table: &Table, entry: &[u8]) -> ExecResult<Key> {
        let values = self.decoder.decode(&[], entry)?;
        let mut out = base::layout::index_prefix(table.storage_id, PRIMARY_INDEX);
        catalog::layout::put_key_prefix(table, &table.key, values, &mut out)?;
        Ok(out.into())
    }
}
