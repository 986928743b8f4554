//! What the executor asks of the session around it.

use super::kv::Kv;
use crate::bind::catalog_view::{HostFunction, Relation};
use crate::functions::FunctionEnv;
use base::{BoxFuture, Key, NodeId, RangeId, Span};
use catalog::descriptor::Table;
use std::sync::Arc;
use types::{Datum, SqlError};

/// The session as the executor sees it.
pub trait Host: Send + Sync {
    /// Calls a function of the session ([`HostFunction`]): sequences, settings, cluster commands.
    fn call<'a>(
        &'a self,
        function: &'a HostFunction,
        args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Datum, SqlError>>;
    /// Calls one that returns rows.
    fn call_rows<'a>(
        &'a self,
        function: &'a HostFunction,
        args: Vec<Datum>,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>>;
    /// The rows of a virtual table or of a sequence.
    fn rows<'a>(
        &'a self,
        relation: &'a Relation,
        txn: &'a mut dyn Kv,
    ) -> BoxFuture<'a, Result<Vec<Vec<Datum>>, SqlError>>;
    /// The ranges that overlap a span with their leaders, as far as the router knows: EXPLAIN.
    fn ranges<'a>(&'a self, span: &'a Span) -> BoxFuture<'a, Vec<(RangeId, NodeId)>>;
    /// True once the statement should end (cancel request, timeout): the error to end it with.
    fn interrupted(&self) -> Option<SqlError>;
    /// The first of `count` fresh numbers for the hidden key of a table without a primary key.
    fn row_ids<'a>(&'a self, table: &'a Table, count: u64) -> BoxFuture<'a, Result<i64, SqlError>>;
    /// A unique violation found by the store (at the end of a statement or at commit) names a key:
    /// the table it belongs to, if the catalog still has it.
    fn table_of_key(&self, key: &Key) -> Option<Arc<Table>>;
}

/// The whole session: what operators and what functions ask of it.
pub trait Surroundings: Host + FunctionEnv {
    /// The same session, as functions see it.
    fn functions(&self) -> &dyn FunctionEnv;
}

impl<T: Host + FunctionEnv> Surroundings for T {
    fn functions(&self) -> &dyn FunctionEnv {
        self
    }
}
