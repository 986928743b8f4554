//! Physical plans: operators over slots, ready to run. Built once, shared by all executions.

use super::expr::{ColId, Expr};
use super::rel::{FunctionSource, JoinKind, RowLock, SetOpKind, WindowFunction};
use crate::bind::catalog_view::{HostFunction, Relation};
use crate::bind::{Command, ExplainOptions, OutputColumn};
use crate::functions::{Aggregate, Function};
use base::codec::Direction;
use catalog::descriptor::{ForeignKey, Table};
use std::sync::Arc;
use types::{Datum, SqlType};

/// A plan with all that belongs to it.
#[derive(Debug)]
pub struct Plan {
    /// Columns of the result; empty for a write without RETURNING.
    pub output: Vec<OutputColumn>,
    /// Types of the parameters.
    pub params: Vec<SqlType>,
    /// What its command tag is made of.
    pub command: Command,
    /// It neither writes nor locks nor calls into the session.
    pub is_read_only: bool,
    /// The operators.
    pub root: Node,
    /// Subqueries that run once, before the rest.
    pub init: Vec<InitPlan>,
    /// Size of the table of values computed elsewhere.
    pub outer_count: usize,
    /// Number of operators, for counters.
    pub node_count: usize,
    /// Set for EXPLAIN.
    pub explain: Option<ExplainOptions>,
    /// Names of columns by [`ColId`]; kept for EXPLAIN only.
    pub names: Vec<String>,
}

/// A subquery that runs once.
#[derive(Debug)]
pub struct InitPlan {
    /// Where its value goes.
    pub outer: usize,
    /// What is made of its rows.
    pub kind: InitKind,
    /// The subquery.
    pub node: Node,
}

/// What an init plan makes of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitKind {
    /// The one value of the one row.
    Scalar,
    /// Is there a row?
    Exists,
    /// An array of the values, with this element type.
    Array(SqlType),
}

/// An operator.
#[derive(Debug)]
pub struct Node {
    /// Its number in the plan.
    pub id: usize,
    /// What it does.
    pub op: Op,
    /// Types of its output columns.
    pub types: Vec<SqlType>,
    /// Its output columns, for names in EXPLAIN.
    pub columns: Vec<ColId>,
    /// How many rows it is expected to give.
    pub rows: f64,
}

/// Kinds of operators. Expressions are over the slots of the (first) input.
#[derive(Debug)]
pub enum Op {
    /// One row without columns.
    Unit,
    /// Nothing.
    Empty,
    /// Rows of a table.
    Scan(Box<Scan>),
    /// Rows made up by the session.
    HostRows { relation: Relation, alias: String, columns: Vec<usize> },
    /// VALUES.
    Values { rows: Vec<Vec<Expr>> },
    /// A function in FROM.
    Function { source: FunctionSource, args: Vec<Expr>, alias: String, ordinality: bool },
    /// Rows of a WITH query.
    CteScan { cte: usize, name: String, columns: Vec<usize> },
    /// Rows that satisfy a condition.
    Filter { input: Box<Node>, predicate: Expr },
    /// Computed columns.
    Project { input: Box<Node>, exprs: Vec<Expr> },
    /// Groups and aggregates.
    Aggregate(Box<AggregateNode>),
    /// The input and window functions.
    Window { input: Box<Node>, calls: Vec<WindowNode> },
    /// The input and set-returning functions.
    ProjectSet { input: Box<Node>, calls: Vec<(&'static Function, Vec<Expr>)> },
    /// The input and calls into the session.
    HostCalls { input: Box<Node>, calls: Vec<(Arc<HostFunction>, Vec<Expr>)> },
    /// Builds a table of the right side, probes it with the left.
    HashJoin(Box<HashJoin>),
    /// Finds the right side's rows by key, a batch of left rows at a time.
    LookupJoin(Box<LookupJoin>),
    /// Every left row with every right row.
    NestedLoop(Box<NestedLoop>),
    /// A subquery for every row.
    Apply(Box<ApplyNode>),
    /// Sorts; with a limit keeps only the first.
    Sort { input: Box<Node>, keys: Vec<SortSlot>, limit: Option<Box<LimitExprs>> },
    /// LIMIT and OFFSET; `ties` are the sort keys for WITH TIES.
    Limit { input: Box<Node>, bounds: LimitExprs, ties: Option<Vec<SortSlot>> },
    /// First row of every combination of these columns.
    Distinct { input: Box<Node>, on: Vec<usize> },
    /// One input after the other.
    Append { inputs: Vec<Node> },
    /// UNION, INTERSECT, EXCEPT.
    SetOp { kind: SetOpKind, all: bool, left: Box<Node>, right: Box<Node> },
    /// WITH RECURSIVE.
    Recursive { cte: usize, base: Box<Node>, step: Box<Node>, distinct: bool },
    /// Locks rows by the keys in a column, no more than `limit` asks for.
    Lock { input: Box<Node>, key: usize, lock: RowLock, limit: Option<LimitExprs> },
    /// WITH queries, then the query that uses them.
    With { ctes: Vec<(usize, String, Node)>, body: Box<Node> },
    /// INSERT.
    Insert(Box<InsertNode>),
    /// UPDATE.
    Update(Box<UpdateNode>),
    /// DELETE.
    Delete(Box<DeleteNode>),
}

/// LIMIT and OFFSET. Who looks at rows for them looks at as many as both together.
#[derive(Clone, Debug)]
pub struct LimitExprs {
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
}

/// A sort key over an input column.
#[derive(Clone, Copy, Debug)]
pub struct SortSlot {
    pub slot: usize,
    pub desc: bool,
    pub nulls_first: bool,
    pub ty: SqlType,
}

/// Rows of a table, found through an index and reduced as near to the data as possible.
#[derive(Debug)]
pub struct Scan {
    /// The table.
    pub table: Arc<Table>,
    /// Its name in the query.
    pub alias: String,
    /// The index in use: 1 is the primary.
    pub index: u16,
    /// The index holds all columns that are needed.
    pub covering: bool,
    /// Columns that are decoded: the slots that the scan's own expressions see. With `row_key` one
    /// more slot follows: the row's key.
    pub columns: Vec<ScanColumn>,
    /// The row's key is wanted.
    pub row_key: bool,
    /// Which keys.
    pub keys: KeySpec,
    /// The conditions that `keys` was made of, for EXPLAIN and for rechecks.
    pub condition: Vec<Expr>,
    /// Further conditions that shards can evaluate.
    pub filter: Option<Expr>,
    /// Further conditions that they cannot.
    pub local_filter: Option<Expr>,
    /// Slots that make up the output (unless aggregated).
    pub emit: Vec<usize>,
    /// Aggregation on the shards.
    pub partial: Option<PartialAggregate>,
    /// From the end backward.
    pub reverse: bool,
    /// Somebody relies on the order of keys.
    pub ordered: bool,
    /// No more rows than this are needed.
    pub limit: Option<LimitExprs>,
    /// Of each stretch of rows only the first in an order are needed; somebody above sorts.
    pub top: Option<TopRows>,
    /// Lock what is found.
    pub lock: Option<RowLock>,
}

/// A column that a scan decodes.
#[derive(Clone, Debug)]
pub struct ScanColumn {
    /// Position in the table.
    pub position: usize,
    /// Id in row values.
    pub id: u32,
    /// Its type.
    pub ty: SqlType,
    /// What rows without the column have.
    pub missing: Datum,
    /// Its name in the plan.
    pub column: ColId,
}

/// Keys of an index by conditions on its columns.
#[derive(Clone, Debug, Default)]
pub struct KeySpec {
    /// For leading columns, the values they may have (several for IN). Not over slots: constants,
    /// parameters, outer values.
    pub equal: Vec<KeyColumn>,
    /// Bounds on the next column.
    pub range: Option<KeyRange>,
    /// `equal` covers all columns of a unique key: at most one row for each combination.
    pub unique: bool,
}

/// Values of one key column.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// The column's type and direction.
    pub ty: SqlType,
    pub direction: Direction,
    /// What it may equal.
    pub values: Vec<Expr>,
    /// The only value is an array whose elements it may equal.
    pub is_array: bool,
}

/// Bounds on a key column.
#[derive(Clone, Debug)]
pub struct KeyRange {
    pub ty: SqlType,
    pub direction: Direction,
    /// Lower bounds and whether they are inclusive: the highest counts.
    pub low: Vec<(Expr, bool)>,
    /// Upper bounds.
    pub high: Vec<(Expr, bool)>,
}

/// The first rows in an order.
#[derive(Debug)]
pub struct TopRows {
    /// Over the scan's slots: expression, descending, NULLs first.
    pub keys: Vec<(Expr, bool, bool)>,
    /// How many.
    pub limit: LimitExprs,
}

/// Aggregation on the shards: groups and states are merged by the operator above.
#[derive(Debug)]
pub struct PartialAggregate {
    /// Over the scan's slots.
    pub groups: Vec<Expr>,
    /// Over the scan's slots; without any the groups alone are wanted.
    pub calls: Vec<AggregateSlot>,
}

/// An aggregate over slots.
#[derive(Clone, Debug)]
pub struct AggregateSlot {
    pub function: &'static Aggregate,
    pub args: Vec<Expr>,
    pub distinct: bool,
    pub order: Vec<(Expr, bool, bool)>,
    pub filter: Option<Expr>,
    pub ty: SqlType,
}

/// Groups and aggregates.
#[derive(Debug)]
pub struct AggregateNode {
    pub input: Node,
    pub groups: Vec<Expr>,
    pub calls: Vec<AggregateSlot>,
    /// Grouping sets as indexes into `groups`.
    pub sets: Option<Vec<Vec<usize>>>,
    /// The input carries groups and encoded states from the shards.
    pub merges: bool,
}

/// A window function over slots.
#[derive(Debug)]
pub struct WindowNode {
    pub function: WindowFunction,
    pub args: Vec<Expr>,
    pub filter: Option<Expr>,
    pub partition: Vec<Expr>,
    pub order: Vec<(Expr, bool, bool)>,
    pub frame: super::rel::Frame,
    pub ty: SqlType,
}

/// A hash join. Output: left columns, then right ones (not for semi and anti joins).
#[derive(Debug)]
pub struct HashJoin {
    pub kind: JoinKind,
    pub left: Node,
    pub right: Node,
    /// Over the left side's slots.
    pub left_keys: Vec<Expr>,
    /// Over the right side's slots.
    pub right_keys: Vec<Expr>,
    /// Over left slots, then right slots.
    pub residual: Option<Expr>,
}

/// A join by keys of the right side. Output as for a hash join.
#[derive(Debug)]
pub struct LookupJoin {
    pub kind: JoinKind,
    pub left: Node,
    /// The right side; its keys are over the left side's slots.
    pub right: Scan,
    /// Types and columns of the right side's output.
    pub right_types: Vec<SqlType>,
    /// Over left slots, then right slots.
    pub residual: Option<Expr>,
    /// Number of the right side, for EXPLAIN.
    pub right_id: usize,
}

/// A nested loop. Output as for a hash join.
#[derive(Debug)]
pub struct NestedLoop {
    pub kind: JoinKind,
    pub left: Node,
    pub right: Node,
    /// Over left slots, then right slots.
    pub on: Option<Expr>,
    /// The right side runs anew for every left row, with these values: outer index, left slot.
    pub params: Vec<(usize, usize)>,
    /// True when it does.
    pub lateral: bool,
}

/// A subquery for every row. Output: the input's columns and one more.
#[derive(Debug)]
pub struct ApplyNode {
    pub input: Node,
    pub sub: Node,
    pub kind: ApplySlot,
    /// Values handed in: outer index, input slot.
    pub params: Vec<(usize, usize)>,
    /// The subquery depends on nothing: its rows are kept.
    pub cached: bool,
}

/// What an apply makes of the subquery's rows; conditions are over the input's slots, then the
/// subquery's.
#[derive(Debug)]
pub enum ApplySlot {
    Scalar(usize),
    Exists,
    Any(Expr),
    All(Expr),
    Array(usize, SqlType),
}

/// What every write does besides storing rows. Expressions are over the new row by position.
#[derive(Debug)]
pub struct WriteTarget {
    pub table: Arc<Table>,
    pub schema: String,
    pub generated: Vec<(usize, Expr)>,
    pub checks: Vec<(String, Expr)>,
    pub predicates: Vec<(u16, Expr)>,
    pub parents: Vec<(ForeignKey, Arc<Table>)>,
    pub children: Vec<(ForeignKey, Arc<Table>)>,
}

/// INSERT. Output: the new row by position.
#[derive(Debug)]
pub struct InsertNode {
    pub target: WriteTarget,
    pub input: Node,
    /// By position, over the input's slots.
    pub values: Vec<Expr>,
    pub conflict: Option<ConflictNode>,
}

/// ON CONFLICT.
#[derive(Debug)]
pub struct ConflictNode {
    pub indexes: Vec<u16>,
    /// Over the old row by position, then the excluded row.
    pub update: Option<(Vec<(usize, Expr)>, Option<Expr>)>,
}

/// UPDATE. Output: the new row by position, then the input's columns.
#[derive(Debug)]
pub struct UpdateNode {
    pub target: WriteTarget,
    pub input: Node,
    /// Slot of the row's key.
    pub row_key: usize,
    /// Slots of the old row by position (`None` for dropped columns).
    pub old: Vec<Option<usize>>,
    /// Over the input's slots.
    pub assignments: Vec<(usize, Expr)>,
    /// The input has locked its rows.
    pub locked: bool,
}

/// DELETE. Output: the input's columns.
#[derive(Debug)]
pub struct DeleteNode {
    pub target: WriteTarget,
    pub input: Node,
    pub row_key: usize,
    pub old: Vec<Option<usize>>,
    pub locked: bool,
}
