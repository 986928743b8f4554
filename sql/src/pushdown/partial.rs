//! Aggregation of the rows of one range.

use super::fragment::PartialCall;
use super::wire::encode_batch;
use crate::exec::Batch;
use crate::exec::eval::{BatchRow, Env, eval_batch, eval_row, is_true};
use crate::exec::hash_key;
use crate::exec::vector::{Vector, datum_memory};
use crate::functions::{AggState, EvalContext};
use crate::plan::expr::Expr;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use types::{Datum, SqlError, SqlType};

/// Bytes that a group takes beside its key and values.
const GROUP_BYTES: usize = 64;

/// Groups and their states.
pub(super) struct PartialState {
    groups: Vec<Expr>,
    calls: Vec<PartialCall>,
    /// Argument types by call.
    types: Vec<Vec<SqlType>>,
    places: FxHashMap<Vec<u8>, usize>,
    found: Vec<(Vec<Datum>, Vec<Box<dyn AggState>>)>,
    bytes: usize,
}

impl PartialState {
    pub(super) fn new(groups: Vec<Expr>, calls: Vec<PartialCall>) -> PartialState {
        let types = calls.iter().map(|c| c.args.iter().map(|a| a.ty).collect()).collect();
        let places = FxHashMap::default();
        let mut state = PartialState { groups, calls, types, places, found: Vec::new(), bytes: 0 };
        if state.groups.is_empty() {
            let states = state.fresh();
            state.places.insert(Vec::new(), 0);
            state.found.push((Vec::new(), states));
        }
        state
    }

    fn fresh(&self) -> Vec<Box<dyn AggState>> {
        self.calls.iter().map(|c| (c.function.state)()).collect()
    }

    /// Takes rows.
    pub(super) fn push(&mut self, batch: &Batch, env: &Env<'_>) -> Result<(), SqlError> {
        let mut group_columns = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            group_columns.push(eval_batch(group, batch, env)?);
        }
        let mut args = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            // With FILTER arguments are evaluated only for the rows that pass.
            let columns: Result<Vec<_>, SqlError> = match call.filter {
                Some(_) => Ok(Vec::new()),
                None => call.args.iter().map(|a| eval_batch(a, batch, env)).collect(),
            };
            args.push(columns?);
        }
        if self.groups.is_empty() {
            return self.push_whole(batch, &args, env);
        }
        let mut key = Vec::new();
        let mut values = Vec::new();
        for row in 0..batch.rows {
            key.clear();
            for (column, group) in group_columns.iter().zip(&self.groups) {
                hash_key::put(&column.get(row), group.ty, &mut key);
            }
            let at = match self.places.get(&key) {
                Some(&at) => at,
                None => {
                    let group: Vec<Datum> = group_columns.iter().map(|c| c.get(row)).collect();
                    let states = self.fresh();
                    let values: usize = group.iter().map(datum_memory).sum();
                    self.bytes += GROUP_BYTES + key.len() + values;
                    self.found.push((group, states));
                    self.places.insert(key.clone(), self.found.len() - 1);
                    self.found.len() - 1
                }
            };
            for (call, args) in args.iter().enumerate() {
                self.update(at, call, args, (batch, row), &mut values, env)?;
            }
        }
        Ok(())
    }

    /// Without groups: whole columns where the state can take them.
    fn push_whole(
        &mut self,
        batch: &Batch,
        args: &[Vec<Arc<Vector>>],
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        let mut values = Vec::new();
        for (call, args) in args.iter().enumerate() {
            let takes_all = self.calls[call].filter.is_none() && self.calls[call].function.strict;
            if takes_all && self.found[0].1[call].update_all(args, batch.rows) {
                continue;
            }
            for row in 0..batch.rows {
                self.update(0, call, args, (batch, row), &mut values, env)?;
            }
        }
        Ok(())
    }

    /// One row into one call's state of a group. `values` is scratch.
    fn update(
        &mut self,
        group: usize,
        call: usize,
        args: &[Arc<Vector>],
        (batch, row): (&Batch, usize),
        values: &mut Vec<Datum>,
        env: &Env<'_>,
    ) -> Result<(), SqlError> {
        let plan = &self.calls[call];
        values.clear();
        match &plan.filter {
            None => values.extend(args.iter().map(|column| column.get(row))),
            Some(filter) => {
                let here = BatchRow { batch, row };
                if !is_true(&eval_row(filter, &here, env)?) {
                    return Ok(());
                }
                for arg in &plan.args {
                    values.push(eval_row(arg, &here, env)?);
                }
            }
        }
        if plan.function.strict && values.iter().any(|v| matches!(v, Datum::Null)) {
            return Ok(());
        }
        let context =
            EvalContext::new(env.settings, env.functions).typed(&self.types[call], plan.ty);
        self.found[group].1[call].update(values, &context)
    }

    /// The groups and encoded states.
    pub(super) fn finish(self) -> Vec<u8> {
        let rows = self.found.len();
        let mut columns: Vec<Vector> =
            self.groups.iter().map(|g| Vector::for_type(g.ty.oid, rows)).collect();
        columns.extend(self.calls.iter().map(|_| Vector::Any(Vec::with_capacity(rows))));
        for (group, states) in self.found {
            let encoded = states.iter().map(|s| {
                let mut out = Vec::new();
                s.encode(&mut out);
                Datum::Bytea(out.into())
            });
            for (column, value) in columns.iter_mut().zip(group.into_iter().chain(encoded)) {
                column.push(value);
            }
        }
        encode_batch(&columns, rows)
    }

    /// Bytes held, roughly.
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }
}
