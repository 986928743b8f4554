//! Runs fragments over rows: on the shard, or at the coordinator over rows merged with a
//! transaction's own writes.

use super::fragment::{Fragment, Output};
use super::partial::PartialState;
use super::top::TopState;
use super::wire::encode_batch;
use crate::exec::Batch;
use crate::exec::batch::BATCH_ROWS;
use crate::exec::eval::{Env, filter_batch};
use crate::exec::vector::Vector;
use base::codec::CodecError;
use base::{FragmentRun, KvError, KvResult, Pushdown, RowFlow};
use bytes::Bytes;
use std::sync::Arc;
use types::{Datum, Settings, SqlError, SqlType, tuple};

/// Compiles fragments.
#[derive(Clone, Copy, Debug, Default)]
pub struct FragmentHost;

impl Pushdown for FragmentHost {
    fn start(&self, fragment: &[u8]) -> KvResult<Box<dyn FragmentRun>> {
        let fragment = Fragment::decode(fragment).map_err(damaged)?;
        Ok(Box::new(Run::new(fragment)))
    }
}

fn damaged(error: CodecError) -> KvError {
    KvError::Fatal(error.to_string())
}

fn sql(error: SqlError) -> KvError {
    KvError::Sql { code: error.code.0.to_owned(), message: error.message.clone() }
}

struct Run {
    filter: Option<crate::plan::expr::Expr>,
    limit: u64,
    sink: Sink,
    wanted: Vec<(u32, usize)>,
    missing: Vec<Datum>,
    slots: Vec<Datum>,
    with_key: bool,
    types: Vec<SqlType>,
    pending: Vec<Vector>,
    pending_rows: usize,
    settings: Settings,
    bytes: usize,
}

enum Sink {
    Rows { emit: Vec<usize>, out: Vec<Vector>, rows: u64 },
    Groups(PartialState),
    Top(TopState),
}

impl Run {
    fn new(fragment: Fragment) -> Run {
        let Fragment { columns, with_key, filter, limit, output } = fragment;
        let mut wanted: Vec<(u32, usize)> =
            columns.iter().enumerate().map(|(slot, (id, _, _))| (*id, slot)).collect();
        wanted.sort_unstable();
        let mut types: Vec<SqlType> = columns.iter().map(|(_, ty, _)| *ty).collect();
        let mut missing: Vec<Datum> = columns.into_iter().map(|(_, _, m)| m).collect();
        if with_key {
            types.push(SqlType::BYTEA);
            missing.push(Datum::Null);
        }
        let sink = match output {
            Output::Emit(emit) => {
                let out = emit.iter().map(|&s| Vector::for_type(types[s].oid, 0)).collect();
                Sink::Rows { emit, out, rows: 0 }
            }
            Output::Partial { groups, calls } => Sink::Groups(PartialState::new(groups, calls)),
            Output::Top { emit, keys } => {
                Sink::Top(TopState::new(emit, keys, &types, limit as usize))
            }
        };
        let pending = fresh(&types);
        Run {
            filter,
            limit,
            sink,
            wanted,
            slots: missing.clone(),
            missing,
            with_key,
            types,
            pending,
            pending_rows: 0,
            settings: Settings::default(),
            bytes: 0,
        }
    }

    /// Filters what was gathered and hands it on.
    fn flush(&mut self) -> Result<(), SqlError> {
        if self.pending_rows == 0 {
            return Ok(());
        }
        let columns = std::mem::replace(&mut self.pending, fresh(&self.types));
        let rows = std::mem::take(&mut self.pending_rows);
        let mut batch = Batch::new(columns.into_iter().map(Arc::new).collect(), rows);
        let env = Env::bare(&self.settings);
        if let Some(filter) = &self.filter
            && let Some(kept) = filter_batch(filter, &batch, &env)?
        {
            batch = batch.gather(&kept);
        }
        match &mut self.sink {
            Sink::Rows { emit, out, rows } => {
                for (column, &slot) in out.iter_mut().zip(emit.iter()) {
                    self.bytes += batch.columns[slot].memory();
                    column.extend(&batch.columns[slot]);
                }
                *rows += batch.rows as u64;
            }
            Sink::Groups(state) => {
                state.push(&batch, &env)?;
                self.bytes = state.memory();
            }
            Sink::Top(state) => {
                state.push(&batch, &env)?;
                self.bytes = state.memory();
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        match &self.sink {
            Sink::Rows { rows, .. } => self.limit > 0 && *rows >= self.limit,
            Sink::Groups(_) | Sink::Top(_) => false,
        }
    }

    /// Rows gathered before the filter runs: a small limit should not read a whole batch.
    fn batch_rows(&self) -> usize {
        match (&self.sink, self.limit) {
            (Sink::Rows { .. }, limit @ 1..) => (limit as usize).clamp(16, BATCH_ROWS),
            _ => BATCH_ROWS,
        }
    }
}

fn fresh(types: &[SqlType]) -> Vec<Vector> {
    types.iter().map(|t| Vector::for_type(t.oid, 0)).collect()
}

impl FragmentRun for Run {
    fn push(&mut self, key: &[u8], value: &[u8]) -> KvResult<RowFlow> {
        self.slots.clone_from_slice(&self.missing);
        tuple::read_into(value, &self.wanted, &mut self.slots).map_err(damaged)?;
        if self.with_key
            && let Some(last) = self.slots.last_mut()
        {
            *last = Datum::Bytea(Bytes::copy_from_slice(key));
        }
        for (column, slot) in self.pending.iter_mut().zip(&mut self.slots) {
            column.push(std::mem::replace(slot, Datum::Null));
        }
        self.pending_rows += 1;
        if self.pending_rows >= self.batch_rows() {
            self.flush().map_err(sql)?;
            if self.is_full() {
                return Ok(RowFlow::Done);
            }
        }
        Ok(RowFlow::Continue)
    }

    fn output_bytes(&self) -> usize {
        self.bytes
    }

    fn finish(mut self: Box<Self>) -> KvResult<Bytes> {
        self.flush().map_err(sql)?;
        let bytes = match self.sink {
            Sink::Rows { out, rows, emit } => {
                debug_assert_eq!(out.len(), emit.len());
                encode_batch(&out, rows as usize)
            }
            Sink::Groups(state) => state.finish(),
            Sink::Top(state) => state.finish(),
        };
        Ok(bytes.into())
    }
}
