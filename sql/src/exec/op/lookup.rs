//! Lookup join: for a batch of left rows, all keys of the right side are fetched at once.

use super::join_common::{pad_right, pair_matches};
use super::scan::{RowKeys, filtered, needs_key};
use super::{Operator, mismatch};
use crate::exec::batch::{Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::BatchRow;
use crate::exec::keys::{KeySet, resolve};
use crate::exec::rows::{RowDecoder, builder, take};
use crate::exec::state::Cx;
use crate::plan::physical::{LookupJoin, Node, Op, Scan};
use crate::plan::rel::JoinKind;
use base::layout::PRIMARY_INDEX;
use base::{BoxFuture, Key, Span};
use bytes::Bytes;
use std::collections::BTreeMap;
use txn::TxnScan;

/// A running lookup join.
pub(crate) struct LookupOp {
    left: Box<dyn Operator>,
}

impl LookupOp {
    pub(crate) fn new(left: Box<dyn Operator>) -> LookupOp {
        LookupOp { left }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::LookupJoin(plan) = &node.op else { return mismatch() };
        while let Some(batch) = self.left.next(&plan.left, cx).await? {
            if batch.rows == 0 {
                continue;
            }
            let out = join_batch(plan, node, &batch, cx).await?;
            if out.rows > 0 {
                return Ok(Some(out));
            }
        }
        Ok(None)
    }
}

async fn join_batch(
    plan: &LookupJoin,
    node: &Node,
    left: &Batch,
    cx: &mut Cx<'_>,
) -> ExecResult<Batch> {
    let scan = &plan.right;
    // The keys of every left row.
    let mut sets = Vec::with_capacity(left.rows);
    for row in 0..left.rows {
        let here = BatchRow { batch: left, row };
        let env = cx.state.env();
        sets.push(resolve(&scan.keys, scan.table.storage_id, scan.index, &here, &env)?);
    }
    let found = fetch(scan, &sets, cx).await?;
    let mut decoded: BTreeMap<Place, Option<Batch>> = BTreeMap::new();
    let mut decoder = RowDecoder::new(&scan.columns, needs_key(scan));
    let mut out = BatchBuilder::new(&node.types);
    let mut both = Vec::new();
    for (row, set) in sets.iter().enumerate() {
        let mut matched = false;
        for place in places(set) {
            if !decoded.contains_key(&place) {
                let rows = found.get(&place).map(Vec::as_slice).unwrap_or_default();
                let batch = decode(scan, rows, &mut decoder, cx)?;
                decoded.insert(place.clone(), batch);
            }
            let Some(Some(right)) = decoded.get(&place) else { continue };
            let env = cx.state.env();
            for at in 0..right.rows {
                let condition = plan.residual.as_ref();
                if !pair_matches(condition, (left, row), (right, at), &mut both, &env)? {
                    continue;
                }
                matched = true;
                if matches!(plan.kind, JoinKind::Semi | JoinKind::Anti) {
                    break;
                }
                out.push(both.drain(..));
            }
        }
        match plan.kind {
            JoinKind::Semi if matched => out.push(left.row(row)),
            JoinKind::Anti if !matched => out.push(left.row(row)),
            JoinKind::Left if !matched => pad_right(&mut out, left, row, &node.types),
            _ => {}
        }
    }
    Ok(out.finish())
}

/// A key or the start of a span.
type Place = Key;

fn places(set: &KeySet) -> Vec<Place> {
    match set {
        KeySet::Points(keys) => keys.clone(),
        KeySet::Spans(spans) => spans.iter().map(|s| s.start.clone()).collect(),
    }
}

/// Fetches the rows of all key sets.
async fn fetch(
    scan: &Scan,
    sets: &[KeySet],
    cx: &mut Cx<'_>,
) -> ExecResult<BTreeMap<Place, Vec<(Key, Bytes)>>> {
    let mut keys: Vec<Key> = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    for set in sets {
        match set {
            KeySet::Points(points) => keys.extend(points.iter().cloned()),
            KeySet::Spans(more) => spans.extend(more.iter().cloned()),
        }
    }
    keys.sort();
    keys.dedup();
    spans.sort_by(|a, b| a.start.cmp(&b.start));
    spans.dedup();
    let mut out: BTreeMap<Place, Vec<(Key, Bytes)>> = BTreeMap::new();
    if !keys.is_empty() {
        let values = cx.txn.get(&keys).await?;
        for (key, value) in keys.into_iter().zip(values) {
            if let Some(value) = value {
                out.entry(key.clone()).or_default().push((key, value));
            }
        }
    }
    for span in spans {
        let place = span.start.clone();
        let mut rest = Some(span);
        while let Some(span) = rest.take() {
            let page = cx.txn.scan(TxnScan::forward(span)).await?;
            out.entry(place.clone()).or_default().extend(page.rows);
            rest = page.resume;
        }
    }
    if scan.index != PRIMARY_INDEX && !scan.covering {
        return behind_entries(scan, out, cx).await;
    }
    Ok(out)
}

/// Replaces index entries by the rows they belong to.
async fn behind_entries(
    scan: &Scan,
    entries: BTreeMap<Place, Vec<(Key, Bytes)>>,
    cx: &mut Cx<'_>,
) -> ExecResult<BTreeMap<Place, Vec<(Key, Bytes)>>> {
    let mut finder = RowKeys::new(&scan.table);
    let mut wanted: Vec<(Place, Key)> = Vec::new();
    for (place, rows) in entries {
        for (_, entry) in rows {
            wanted.push((place.clone(), finder.row_key(&scan.table, &entry)?));
        }
    }
    let keys: Vec<Key> = wanted.iter().map(|(_, key)| key.clone()).collect();
    let mut out: BTreeMap<Place, Vec<(Key, Bytes)>> = BTreeMap::new();
    if keys.is_empty() {
        return Ok(out);
    }
    let values = cx.txn.get(&keys).await?;
    for ((place, key), value) in wanted.into_iter().zip(values) {
        if let Some(value) = value {
            out.entry(place).or_default().push((key, value));
        }
    }
    Ok(out)
}

fn decode(
    scan: &Scan,
    rows: &[(Key, Bytes)],
    decoder: &mut RowDecoder,
    cx: &mut Cx<'_>,
) -> ExecResult<Option<Batch>> {
    let mut out = builder(scan, needs_key(scan));
    for (key, value) in rows {
        out.push(decoder.decode(key, value)?.iter().cloned());
    }
    let Some(mut batch) = take(&mut out) else { return Ok(None) };
    let env = cx.state.env();
    for filter in scan.filter.iter().chain(&scan.local_filter) {
        batch = filtered(filter, batch, &env)?;
    }
    Ok((batch.rows > 0).then(|| batch.project(&scan.emit)))
}

impl Operator for LookupOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
