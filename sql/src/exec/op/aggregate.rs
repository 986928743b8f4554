//! GROUP BY and aggregates, over rows or over what shards have aggregated in part.

use super::{Operator, mismatch};
use crate::exec::batch::{BATCH_ROWS, Batch, BatchBuilder};
use crate::exec::errors::ExecResult;
use crate::exec::eval::{BatchRow, Env, eval_batch, eval_row, is_true};
use crate::exec::hash_key;
use crate::exec::state::Cx;
use crate::exec::vector::Vector;
use crate::functions::{AggState, EvalContext};
use crate::plan::physical::{AggregateNode, AggregateSlot, Node, Op};
use base::BoxFuture;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use types::{Datum, SqlError, SqlType};

/// Bytes that a group takes beside its values.
const GROUP_BYTES: usize = 96;

/// A running aggregation.
pub(crate) struct AggregateOp {
    input: Box<dyn Operator>,
    groups: Option<std::vec::IntoIter<Group>>,
}

struct Group {
    values: Vec<Datum>,
    states: Vec<CallState>,
}

/// One aggregate of one group.
struct CallState {
    state: Box<dyn AggState>,
    /// Rows seen, for DISTINCT.
    seen: Option<FxHashSet<Vec<u8>>>,
    /// Rows put aside until they can be sorted, for ORDER BY.
    aside: Vec<(Vec<u8>, Vec<Datum>)>,
}

impl AggregateOp {
    pub(crate) fn new(input: Box<dyn Operator>) -> AggregateOp {
        AggregateOp { input, groups: None }
    }

    async fn step(&mut self, node: &Node, cx: &mut Cx<'_>) -> ExecResult<Option<Batch>> {
        let Op::Aggregate(plan) = &node.op else { return mismatch() };
        if self.groups.is_none() {
            let groups = self.consume(plan, cx).await?;
            self.groups = Some(groups.into_iter());
        }
        let Some(groups) = &mut self.groups else { return mismatch() };
        let mut out = BatchBuilder::new(&node.types);
        let env = cx.state.env();
        for group in groups.by_ref().take(BATCH_ROWS) {
            let mut row = group.values;
            for (call, state) in plan.calls.iter().zip(group.states) {
                row.push(finish(call, state, &env)?);
            }
            out.push(row);
        }
        Ok((out.rows() > 0).then(|| out.finish()))
    }

    async fn consume(&mut self, plan: &AggregateNode, cx: &mut Cx<'_>) -> ExecResult<Vec<Group>> {
        let all: Vec<usize> = (0..plan.groups.len()).collect();
        let sets = plan.sets.clone().unwrap_or_else(|| vec![all]);
        let places = vec![FxHashMap::default(); sets.len()];
        let mut table = Table { places, groups: Vec::new() };
        for (number, set) in sets.iter().enumerate() {
            // Without columns there is one group even without rows.
            if set.is_empty() {
                table.group(number, &[], || vec![Datum::Null; plan.groups.len()], plan);
            }
        }
        while let Some(batch) = self.input.next(&plan.input, cx).await? {
            let before = table.groups.len();
            let grown = table.push(plan, &sets, &batch, &cx.state.env())?;
            let added = table.groups.len() - before;
            let per_group = GROUP_BYTES * (1 + plan.calls.len());
            cx.state.charge(added * per_group + grown)?;
        }
        Ok(table.groups)
    }
}

struct Table {
    /// Groups by their key, one map for each grouping set.
    places: Vec<FxHashMap<Vec<u8>, usize>>,
    groups: Vec<Group>,
}

impl Table {
    fn group(
        &mut self,
        set: usize,
        key: &[u8],
        values: impl FnOnce() -> Vec<Datum>,
        plan: &AggregateNode,
    ) -> usize {
        if let Some(at) = self.places[set].get(key) {
            return *at;
        }
        let states = plan.calls.iter().map(fresh).collect();
        self.groups.push(Group { values: values(), states });
        self.places[set].insert(key.to_vec(), self.groups.len() - 1);
        self.groups.len() - 1
    }

    /// Takes rows; answers how many bytes were put aside.
    fn push(
        &mut self,
        plan: &AggregateNode,
        sets: &[Vec<usize>],
        batch: &Batch,
        env: &Env<'_>,
    ) -> Result<usize, SqlError> {
        let mut columns = Vec::with_capacity(plan.groups.len());
        for group in &plan.groups {
            columns.push(eval_batch(group, batch, env)?);
        }
        let args = Arguments::new(plan, batch, env)?;
        if plan.groups.is_empty() && sets.len() == 1 && !plan.merges {
            let at = self.group(0, &[], Vec::new, plan);
            return args.update_whole(plan, &mut self.groups[at].states, env);
        }
        let mut aside = 0;
        let mut key = Vec::new();
        for row in 0..batch.rows {
            for (number, set) in sets.iter().enumerate() {
                key.clear();
                for &column in set {
                    let value = columns[column].get(row);
                    hash_key::put(&value, plan.groups[column].ty, &mut key);
                }
                let values = || {
                    let shown = |i: usize| {
                        if set.contains(&i) { columns[i].get(row) } else { Datum::Null }
                    };
                    (0..columns.len()).map(shown).collect()
                };
                let at = self.group(number, &key, values, plan);
                let states = &mut self.groups[at].states;
                if plan.merges {
                    merge(states, batch, plan.groups.len(), row)?;
                } else {
                    for (call, state) in states.iter_mut().enumerate() {
                        aside += args.update(plan, call, state, row, env)?;
                    }
                }
            }
        }
        Ok(aside)
    }
}

/// Takes the states that a shard sent.
fn merge(
    states: &mut [CallState],
    batch: &Batch,
    first: usize,
    row: usize,
) -> Result<(), SqlError> {
    for (i, state) in states.iter_mut().enumerate() {
        if let Datum::Bytea(encoded) = batch.get(first + i, row) {
            state.state.merge(&encoded)?;
        }
    }
    Ok(())
}

fn fresh(call: &AggregateSlot) -> CallState {
    CallState {
        state: (call.function.state)(),
        seen: call.distinct.then(FxHashSet::default),
        aside: Vec::new(),
    }
}

/// The evaluated arguments of all calls over a batch.
struct Arguments<'a> {
    batch: &'a Batch,
    columns: Vec<Vec<Arc<Vector>>>,
    /// Argument types by call.
    types: Vec<Vec<SqlType>>,
}

impl<'a> Arguments<'a> {
    fn new(
        plan: &AggregateNode,
        batch: &'a Batch,
        env: &Env<'_>,
    ) -> Result<Arguments<'a>, SqlError> {
        let mut columns = Vec::with_capacity(plan.calls.len());
        for call in &plan.calls {
            // With FILTER arguments are evaluated only for the rows that pass.
            let evaluated: Result<Vec<_>, SqlError> = match call.filter {
                Some(_) => Ok(Vec::new()),
                None if plan.merges => Ok(Vec::new()),
                None => call.args.iter().map(|a| eval_batch(a, batch, env)).collect(),
            };
            columns.push(evaluated?);
        }
        Ok(Arguments { batch, columns, types: plan.calls.iter().map(arg_types).collect() })
    }

    /// All rows of the batch into the one group: whole columns where the state can take them.
    fn update_whole(
        &self,
        plan: &AggregateNode,
        states: &mut [CallState],
        env: &Env<'_>,
    ) -> Result<usize, SqlError> {
        let mut aside = 0;
        for (at, (call, state)) in plan.calls.iter().zip(states).enumerate() {
            let is_plain = call.filter.is_none() && !call.distinct && call.order.is_empty();
            if is_plain
                && call.function.strict
                && state.state.update_all(&self.columns[at], self.batch.rows)
            {
                continue;
            }
            for row in 0..self.batch.rows {
                aside += self.update(plan, at, state, row, env)?;
            }
        }
        Ok(aside)
    }

    /// One row into one call's state; answers how many bytes were put aside.
    fn update(
        &self,
        plan: &AggregateNode,
        at: usize,
        state: &mut CallState,
        row: usize,
        env: &Env<'_>,
    ) -> Result<usize, SqlError> {
        let call = &plan.calls[at];
        let here = BatchRow { batch: self.batch, row };
        let values: Vec<Datum> = match &call.filter {
            Some(filter) => {
                if !is_true(&eval_row(filter, &here, env)?) {
                    return Ok(0);
                }
                call.args.iter().map(|a| eval_row(a, &here, env)).collect::<Result<_, _>>()?
            }
            None => self.columns[at].iter().map(|c| c.get(row)).collect(),
        };
        if call.function.strict && values.iter().any(|v| matches!(v, Datum::Null)) {
            return Ok(0);
        }
        let mut aside = 0;
        if let Some(seen) = &mut state.seen {
            let mut key = Vec::new();
            for (value, arg) in values.iter().zip(&call.args) {
                hash_key::put(value, arg.ty, &mut key);
            }
            aside += key.len() + 32;
            if !seen.insert(key) {
                return Ok(aside);
            }
        }
        if call.order.is_empty() && !call.distinct {
            apply(call, state, &values, &self.types[at], env)?;
            return Ok(aside);
        }
        // Ordered and distinct calls see their rows sorted, at the end.
        let mut key = Vec::new();
        for (expr, desc, nulls_first) in &call.order {
            let value = eval_row(expr, &here, env)?;
            hash_key::put_sorted(&value, expr.ty, *desc, *nulls_first, &mut key);
        }
        if call.order.is_empty() {
            for (value, arg) in values.iter().zip(&call.args) {
                hash_key::put_sorted(value, arg.ty, false, false, &mut key);
            }
        }
        aside += key.len() + 48 * values.len();
        state.aside.push((key, values));
        Ok(aside)
    }
}

/// Types of a call's arguments.
fn arg_types(call: &AggregateSlot) -> Vec<SqlType> {
    call.args.iter().map(|arg| arg.ty).collect()
}

fn apply(
    call: &AggregateSlot,
    state: &mut CallState,
    values: &[Datum],
    types: &[SqlType],
    env: &Env<'_>,
) -> Result<(), SqlError> {
    let context = EvalContext::new(env.settings, env.functions).typed(types, call.ty);
    state.state.update(values, &context)
}

fn finish(call: &AggregateSlot, mut state: CallState, env: &Env<'_>) -> Result<Datum, SqlError> {
    let mut aside = std::mem::take(&mut state.aside);
    aside.sort_by(|a, b| a.0.cmp(&b.0));
    let types = arg_types(call);
    for (_, values) in aside {
        apply(call, &mut state, &values, &types, env)?;
    }
    state.state.finish(&EvalContext::new(env.settings, env.functions).typed(&types, call.ty))
}

impl Operator for AggregateOp {
    fn next<'a>(
        &'a mut self,
        node: &'a Node,
        cx: &'a mut Cx<'_>,
    ) -> BoxFuture<'a, ExecResult<Option<Batch>>> {
        Box::pin(self.step(node, cx))
    }
}
