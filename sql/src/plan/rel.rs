//! Logical plans: what the binder makes and the optimiser rewrites. Columns are named by
//! [`ColId`]; a subtree that uses a column which nothing below it produces is correlated.

use super::expr::{ColId, Expr};
use crate::bind::catalog_view::{HostFunction, Relation};
use crate::functions::{Aggregate, Function};
use base::api::lock::{LockStrength, LockWait};
use catalog::descriptor::Table;
use std::sync::Arc;
use types::SqlType;

/// A relational operator with its inputs.
#[derive(Clone, Debug)]
pub enum Rel {
    /// One row without columns.
    Unit,
    /// Rows of a stored table.
    Get(Get),
    /// Rows that the session makes up: virtual tables, sequences.
    Rows(HostRows),
    /// VALUES.
    Values { columns: Vec<ColId>, rows: Vec<Vec<Expr>> },
    /// A function in FROM.
    Function(FunctionScan),
    /// A reference to a WITH query that is computed once.
    CteRef { cte: usize, name: String, columns: Vec<(ColId, usize)> },
    /// Rows for which the condition is true.
    Filter { input: Box<Rel>, predicate: Expr },
    /// Exactly these columns.
    Project { input: Box<Rel>, exprs: Vec<(ColId, Expr)> },
    /// The input's columns and computed ones.
    Extend { input: Box<Rel>, exprs: Vec<(ColId, Expr)> },
    /// Groups and aggregates.
    Aggregate(Aggregation),
    /// The input's columns and window functions over them.
    Window { input: Box<Rel>, calls: Vec<WindowCall> },
    /// The input's columns and set-returning functions beside them, row by row.
    ProjectSet { input: Box<Rel>, calls: Vec<(ColId, &'static Function, Vec<Expr>)> },
    /// The input's columns and the results of calls into the session.
    HostCalls { input: Box<Rel>, calls: Vec<HostCall> },
    /// A join. `lateral`: the right side uses columns of the left.
    Join { kind: JoinKind, left: Box<Rel>, right: Box<Rel>, on: Expr, lateral: bool },
    /// The input's columns and one more, computed from a subquery for every row.
    Apply { input: Box<Rel>, sub: Box<Rel>, column: ColId, kind: ApplyKind },
    /// ORDER BY.
    Sort { input: Box<Rel>, keys: Vec<SortKey> },
    /// LIMIT and OFFSET.
    Limit { input: Box<Rel>, limit: Option<Expr>, offset: Option<Expr>, with_ties: bool },
    /// One row for each combination of these columns (the first in input order).
    Distinct { input: Box<Rel>, on: Vec<ColId> },
    /// UNION, INTERSECT, EXCEPT.
    SetOp(SetOp),
    /// WITH RECURSIVE.
    Recursive(Box<Recursive>),
    /// SELECT … FOR UPDATE.
    Lock { input: Box<Rel>, targets: Vec<(Arc<Table>, ColId)>, lock: RowLock },
    /// WITH queries that are computed once, and the query that uses them.
    With { ctes: Vec<Cte>, body: Box<Rel> },
    /// INSERT; its columns are those of the new rows.
    Insert(Box<Insert>),
    /// UPDATE; its columns are those of the new rows, then the input's.
    Update(Box<Update>),
    /// DELETE; its columns are the input's.
    Delete(Box<Delete>),
}

/// Rows of a stored table.
#[derive(Clone, Debug)]
pub struct Get {
    /// The table.
    pub table: Arc<Table>,
    /// Its name in the query.
    pub alias: String,
    /// Columns by position in the table's descriptor.
    pub columns: Vec<(ColId, usize)>,
    /// The row's full key as bytea, where something above wants to lock or change the row.
    pub row_key: Option<ColId>,
    /// Lock what is found.
    pub lock: Option<RowLock>,
}

/// How rows are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLock {
    /// Shared or exclusive.
    pub strength: LockStrength,
    /// What to do about somebody else's lock.
    pub wait: LockWait,
}

/// Rows made up by the session.
#[derive(Clone, Debug)]
pub struct HostRows {
    /// What they belong to.
    pub relation: Relation,
    /// Its name in the query.
    pub alias: String,
    /// Columns by position.
    pub columns: Vec<(ColId, usize)>,
}

/// A function in FROM.
#[derive(Clone, Debug)]
pub struct FunctionScan {
    /// What is called.
    pub source: FunctionSource,
    /// Arguments.
    pub args: Vec<Expr>,
    /// Its name in the query.
    pub alias: String,
    /// Result columns.
    pub columns: Vec<ColId>,
    /// WITH ORDINALITY.
    pub ordinality: Option<ColId>,
}

/// What a function in FROM is.
#[derive(Clone, Debug)]
pub enum FunctionSource {
    /// Returns one value: one row.
    Scalar,
    /// Returns a set of values.
    Set(&'static Function),
    /// Answered by the session.
    Host(Arc<HostFunction>),
}

/// Groups and aggregates.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// Where rows come from.
    pub input: Box<Rel>,
    /// Grouping expressions.
    pub groups: Vec<(ColId, Expr)>,
    /// Aggregates.
    pub calls: Vec<(ColId, AggregateCall)>,
    /// Grouping sets: indexes into `groups`; one set of all without GROUPING SETS.
    pub sets: Option<Vec<Vec<usize>>>,
}

/// One aggregate.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// Which.
    pub function: &'static Aggregate,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// ORDER BY within the call.
    pub order: Vec<SortKey>,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// Its result.
    pub ty: SqlType,
}

/// A window function.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// Output column.
    pub column: ColId,
    /// What is computed.
    pub function: WindowFunction,
    /// Arguments.
    pub args: Vec<Expr>,
    /// FILTER, for aggregates.
    pub filter: Option<Expr>,
    /// PARTITION BY.
    pub partition: Vec<Expr>,
    /// ORDER BY.
    pub order: Vec<SortKey>,
    /// The frame.
    pub frame: Frame,
    /// Its result.
    pub ty: SqlType,
}

/// What a window call computes.
#[derive(Clone, Copy, Debug)]
pub enum WindowFunction {
    /// An aggregate over the frame.
    Aggregate(&'static Aggregate),
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

/// A window frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// ROWS, RANGE or GROUPS.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
}

/// What frame offsets count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

/// One end of a frame.
#[derive(Clone, Debug)]
pub enum Bound {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

/// A call into the session, for every row.
#[derive(Clone, Debug)]
pub struct HostCall {
    /// Output column.
    pub column: ColId,
    /// What is called.
    pub function: Arc<HostFunction>,
    /// With what.
    pub args: Vec<Expr>,
}

/// Kinds of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// Left rows that have a match.
    Semi,
    /// Left rows that have none.
    Anti,
}

/// What an apply makes of a subquery's rows.
#[derive(Clone, Debug)]
pub enum ApplyKind {
    /// The value of this column of the one row.
    Scalar(ColId),
    /// Is there a row?
    Exists,
    /// Three-valued ANY over the condition.
    Any(Expr),
    /// Three-valued ALL over the condition.
    All(Expr),
    /// An array of this column.
    Array(ColId, SqlType),
}

/// A sort key.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is sorted by.
    pub expr: Expr,
    /// Descending.
    pub desc: bool,
    /// NULLs before all others.
    pub nulls_first: bool,
}

/// UNION, INTERSECT, EXCEPT.
#[derive(Clone, Debug)]
pub struct SetOp {
    /// Which.
    pub kind: SetOpKind,
    /// ALL.
    pub all: bool,
    /// Output columns.
    pub columns: Vec<ColId>,
    /// Inputs and the columns that feed the output, already of the output's types.
    pub left: Box<Rel>,
    pub left_columns: Vec<ColId>,
    pub right: Box<Rel>,
    pub right_columns: Vec<ColId>,
}

/// Which set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOpKind {
    Union,
    Intersect,
    Except,
}

/// WITH RECURSIVE: `step` refers to `cte`, which holds the rows of the last round.
#[derive(Clone, Debug)]
pub struct Recursive {
    /// The number under which the step sees the last round's rows.
    pub cte: usize,
    /// Output columns.
    pub columns: Vec<ColId>,
    /// The start.
    pub base: Rel,
    pub base_columns: Vec<ColId>,
    /// One round.
    pub step: Rel,
    pub step_columns: Vec<ColId>,
    /// UNION instead of UNION ALL.
    pub distinct: bool,
}

/// A WITH query that is computed once.
#[derive(Clone, Debug)]
pub struct Cte {
    /// Its number.
    pub cte: usize,
    /// Its name.
    pub name: String,
    /// The query.
    pub rel: Rel,
    /// Its output columns.
    pub columns: Vec<ColId>,
}

/// What every write to a table needs to know.
#[derive(Clone, Debug)]
pub struct Target {
    /// The table.
    pub table: Arc<Table>,
    /// Name of its schema, for errors.
    pub schema: String,
    /// Columns of the new row, by position in the descriptor.
    pub new: Vec<ColId>,
    /// Stored generated columns: position and expression over `new`.
    pub generated: Vec<(usize, Expr)>,
    /// Check constraints over `new`.
    pub checks: Vec<(String, Expr)>,
    /// Predicates of partial indexes over `new`, by index number.
    pub predicates: Vec<(u16, Expr)>,
    /// Foreign keys with the tables they point to.
    pub parents: Vec<(catalog::descriptor::ForeignKey, Arc<Table>)>,
    /// Foreign keys that point here, with the tables that carry them.
    pub children: Vec<(catalog::descriptor::ForeignKey, Arc<Table>)>,
}

/// INSERT.
#[derive(Clone, Debug)]
pub struct Insert {
    /// Where to.
    pub target: Target,
    /// The rows.
    pub input: Rel,
    /// The value of each column by position, over the input.
    pub values: Vec<Expr>,
    /// ON CONFLICT.
    pub conflict: Option<Conflict>,
}

/// ON CONFLICT.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Numbers of the unique indexes that arbitrate.
    pub indexes: Vec<u16>,
    /// DO UPDATE; else DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// ON CONFLICT DO UPDATE.
#[derive(Clone, Debug)]
pub struct ConflictUpdate {
    /// Columns of the existing row, by position.
    pub old: Vec<ColId>,
    /// Columns of the row proposed for insertion, by position.
    pub excluded: Vec<ColId>,
    /// New values by position; the others stay.
    pub assignments: Vec<(usize, Expr)>,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// UPDATE.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is changed.
    pub target: Target,
    /// The rows: key, old columns and whatever the new values need.
    pub input: Rel,
    /// The row's full key.
    pub row_key: ColId,
    /// Columns of the old row, by position.
    pub old: Vec<ColId>,
    /// New values by position; the others stay.
    pub assignments: Vec<(usize, Expr)>,
}

/// DELETE.
#[derive(Clone, Debug)]
pub struct Delete {
    /// What is deleted from.
    pub target: Target,
    /// The rows: key and old columns.
    pub input: Rel,
    /// The row's full key.
    pub row_key: ColId,
    /// Columns of the old row, by position.
    pub old: Vec<ColId>,
}

impl Rel {
    /// Output columns.
    pub fn columns(&self) -> Vec<ColId> {
        let firsts = |list: &[(ColId, usize)]| list.iter().map(|(c, _)| *c).collect::<Vec<_>>();
        match self {
            Rel::Unit => Vec::new(),
            Rel::Get(get) => {
                let mut out = firsts(&get.columns);
                out.extend(get.row_key);
                out
            }
            Rel::Rows(rows) => firsts(&rows.columns),
            Rel::Values { columns, .. } => columns.clone(),
            Rel::Function(f) => f.columns.iter().copied().chain(f.ordinality).collect(),
            Rel::CteRef { columns, .. } => firsts(columns),
            Rel::Filter { input, .. }
            | Rel::Sort { input, .. }
            | Rel::Limit { input, .. }
            | Rel::Distinct { input, .. }
            | Rel::Lock { input, .. } => input.columns(),
            Rel::Project { exprs, .. } => exprs.iter().map(|(c, _)| *c).collect(),
            Rel::Extend { input, exprs } => plus(input, exprs.iter().map(|(c, _)| *c)),
            Rel::Aggregate(a) => {
                a.groups.iter().map(|(c, _)| *c).chain(a.calls.iter().map(|(c, _)| *c)).collect()
            }
            Rel::Window { input, calls } => plus(input, calls.iter().map(|c| c.column)),
            Rel::ProjectSet { input, calls } => plus(input, calls.iter().map(|c| c.0)),
            Rel::HostCalls { input, calls } => plus(input, calls.iter().map(|c| c.column)),
            Rel::Join { kind: JoinKind::Semi | JoinKind::Anti, left, .. } => left.columns(),
            Rel::Join { left, right, .. } => plus(left, right.columns().into_iter()),
            Rel::Apply { input, column, .. } => plus(input, [*column].into_iter()),
            Rel::SetOp(op) => op.columns.clone(),
            Rel::Recursive(r) => r.columns.clone(),
            Rel::With { body, .. } => body.columns(),
            Rel::Insert(insert) => insert.target.new.clone(),
            Rel::Update(update) => {
                let mut out = update.target.new.clone();
                out.extend(update.input.columns());
                out
            }
            Rel::Delete(delete) => delete.input.columns(),
        }
    }

    /// A filter, unless the condition is TRUE.
    pub fn filter(self, predicate: Expr) -> Rel {
        if predicate.is_true_const() {
            return self;
        }
        Rel::Filter { input: Box::new(self), predicate }
    }
}

fn plus(input: &Rel, more: impl Iterator<Item = ColId>) -> Vec<ColId> {
    let mut out = input.columns();
    out.extend(more);
    out
}
