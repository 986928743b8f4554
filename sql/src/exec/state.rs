//! What a run carries along.

use super::Context;
use super::batch::Batch;
use super::errors::ExecResult;
use super::eval::Env;
use super::host::Surroundings;
use super::kv::Kv;
use std::collections::BTreeMap;
use std::sync::Arc;
use types::{Datum, Settings, SqlError, sqlstate};

/// Most bytes that the operators of one statement may hold at a time; beyond it the statement
/// fails with 53200 and nobody else is harmed.
pub(crate) const MEMORY_MAX: usize = 512 << 20;

/// The state of a run.
pub(crate) struct State {
    pub(crate) params: Arc<[Datum]>,
    /// Values computed elsewhere, by number.
    pub(crate) outer: Vec<Datum>,
    pub(crate) host: Arc<dyn Surroundings>,
    pub(crate) settings: Settings,
    /// Rows written.
    pub(crate) affected: u64,
    /// Rows of WITH queries, by number.
    pub(crate) ctes: BTreeMap<usize, Arc<Vec<Batch>>>,
    /// Counters of the operators, for EXPLAIN ANALYZE.
    pub(crate) stats: Option<Vec<NodeStats>>,
    memory: usize,
}

/// What an operator did.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeStats {
    /// Rows it gave.
    pub rows: u64,
    /// Times it was started.
    pub loops: u64,
    /// Rows that shards looked at.
    pub rows_read: u64,
    /// Microseconds spent, inputs included.
    pub micros: i64,
}

impl State {
    pub(super) fn new(
        params: Arc<[Datum]>,
        outer_count: usize,
        context: Context,
        stats: Option<usize>,
    ) -> State {
        State {
            params,
            outer: vec![Datum::Null; outer_count],
            host: context.host,
            settings: context.settings,
            affected: 0,
            ctes: BTreeMap::new(),
            stats: stats.map(|n| vec![NodeStats::default(); n]),
            memory: 0,
        }
    }

    /// The surroundings of expressions.
    pub(crate) fn env(&self) -> Env<'_> {
        Env {
            params: &self.params,
            outer: &self.outer,
            settings: &self.settings,
            functions: self.host.functions(),
        }
    }

    /// Accounts for memory that an operator is about to hold.
    pub(crate) fn charge(&mut self, bytes: usize) -> ExecResult<()> {
        self.memory += bytes;
        if self.memory > MEMORY_MAX {
            let error = SqlError::new(sqlstate::OUT_OF_MEMORY, "out of memory")
                .with_detail("The statement needs more memory than a single query may use.");
            return Err(error.into());
        }
        Ok(())
    }

    /// Gives memory back.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.memory = self.memory.saturating_sub(bytes);
    }

    /// What is held now, to go back to once a plan that runs again and again has ended.
    pub(crate) fn memory_mark(&self) -> usize {
        self.memory
    }

    /// Forgets what was charged since the mark.
    pub(crate) fn memory_reset(&mut self, mark: usize) {
        self.memory = self.memory.min(mark);
    }

    /// Counts rows that shards looked at.
    pub(crate) fn count_read(&mut self, node: usize, rows: u64) {
        if let Some(stats) = self.stats.as_mut().and_then(|s| s.get_mut(node)) {
            stats.rows_read += rows;
        }
    }
}

/// What operators are handed on every call.
pub(crate) struct Cx<'a> {
    pub(crate) txn: &'a mut dyn Kv,
    pub(crate) state: &'a mut State,
}
