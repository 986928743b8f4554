//! Scalar expressions, typed and resolved. The binder makes them over [`ColId`]s; lowering turns
//! those into slots of an operator's input.

use crate::bind::catalog_view::HostFunction;
use crate::functions::{Function, Operator};
use std::sync::Arc;
use types::{Datum, SqlType};

/// A column somewhere in a statement: every column of every table reference and every computed
/// column has its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColId(pub u32);

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: SqlType,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Const(Datum),
    /// A parameter of the statement, from 0.
    Param(usize),
    /// A column, before lowering. The position is where the query names it (0: nowhere).
    Column(ColId, u32),
    /// A column of the operator's input, after lowering.
    Slot(usize),
    /// A value computed elsewhere before this expression runs: an uncorrelated subquery or a column
    /// of the outer row of a correlated one. Index into the execution's value table.
    Outer(usize),
    /// A function or operator.
    Call(Callee, Vec<Expr>),
    /// A cast from the operand's type to the expression's.
    Cast {
        /// What is cast.
        arg: Box<Expr>,
        /// Written out by the user, which truncates instead of failing.
        explicit: bool,
    },
    /// All true.
    And(Vec<Expr>),
    /// Any true.
    Or(Vec<Expr>),
    /// Negation.
    Not(Box<Expr>),
    /// IS [NOT] NULL.
    IsNull(Box<Expr>, bool),
    /// IS [NOT] TRUE, FALSE.
    IsBool {
        /// What is tested.
        arg: Box<Expr>,
        /// Against what.
        value: bool,
        /// IS NOT.
        negated: bool,
    },
    /// IS [NOT] DISTINCT FROM.
    Distinct {
        /// The equality operator of the types.
        eq: &'static Operator,
        /// Two operands.
        args: Box<[Expr; 2]>,
        /// IS NOT DISTINCT FROM.
        negated: bool,
    },
    /// CASE WHEN … THEN … ELSE … END.
    Case {
        /// Conditions and results.
        whens: Vec<(Expr, Expr)>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// The first that is not NULL.
    Coalesce(Vec<Expr>),
    /// GREATEST (true) or LEAST of all that are not NULL.
    Extreme(bool, Vec<Expr>),
    /// NULL when equal, else the first.
    NullIf(&'static Operator, Box<[Expr; 2]>),
    /// `x op ANY (array)` or `x op ALL (array)`.
    AnyAll {
        /// The operator between the operand and an element.
        op: &'static Operator,
        /// The operand.
        arg: Box<Expr>,
        /// The array.
        array: Box<Expr>,
        /// ALL.
        all: bool,
    },
    /// `x [NOT] IN (a, b, …)`.
    InList {
        /// Equality between the operand and an element.
        eq: &'static Operator,
        /// The operand.
        arg: Box<Expr>,
        /// The elements.
        list: Vec<Expr>,
        /// NOT IN.
        negated: bool,
    },
    /// ARRAY[…]; nested rows of elements when `multi`.
    Array(Vec<Expr>, bool),
    /// ROW(…).
    Row(Vec<Expr>),
    /// `array[i][j]`.
    Subscript(Box<Expr>, Vec<Expr>),
    /// A field of a row value.
    Field(Box<Expr>, usize),
    /// A subquery.
    Subquery(Box<Subquery>),
    /// A call into the session; becomes a column of [`super::rel::Rel::HostCalls`].
    Host(Arc<HostFunction>, Vec<Expr>),
}

/// A function or an operator.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// A function, called by name.
    Function(&'static Function),
    /// An operator.
    Operator(&'static Operator),
}

/// A subquery inside an expression.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is made of its rows.
    pub kind: SubqueryKind,
    /// The query.
    pub rel: crate::plan::rel::Rel,
    /// Its output columns.
    pub columns: Vec<ColId>,
}

/// What a subquery expression asks of its rows.
#[derive(Clone, Debug)]
pub enum SubqueryKind {
    /// The value of the one row, NULL without.
    Scalar,
    /// Is there a row?
    Exists,
    /// `condition` for any row: `x = ANY (…)`, IN. The condition is over the outer row and the
    /// subquery's columns.
    Any(Box<Expr>),
    /// `condition` for all rows; NOT IN is `x <> ALL (…)`.
    All(Box<Expr>),
    /// ARRAY(SELECT …).
    Array,
}

impl Expr {
    /// Any kind with a type.
    pub fn new(kind: ExprKind, ty: SqlType) -> Expr {
        Expr { kind, ty }
    }

    /// A constant.
    pub fn constant(value: Datum, ty: SqlType) -> Expr {
        Expr { kind: ExprKind::Const(value), ty }
    }

    /// A typed NULL.
    pub fn null(ty: SqlType) -> Expr {
        Expr::constant(Datum::Null, ty)
    }

    /// A boolean.
    pub fn bool(value: bool) -> Expr {
        Expr::constant(Datum::Bool(value), SqlType::BOOL)
    }

    /// A column.
    pub fn column(id: ColId, ty: SqlType) -> Expr {
        Expr { kind: ExprKind::Column(id, 0), ty }
    }

    /// An input slot.
    pub fn slot(slot: usize, ty: SqlType) -> Expr {
        Expr { kind: ExprKind::Slot(slot), ty }
    }

    /// Conjunction, flattened; TRUE when empty.
    pub fn and(parts: Vec<Expr>) -> Expr {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part.kind {
                ExprKind::And(inner) => flat.extend(inner),
                ExprKind::Const(Datum::Bool(true)) => {}
                _ => flat.push(part),
            }
        }
        match flat.len() {
            0 => Expr::bool(true),
            1 => flat.swap_remove(0),
            _ => Expr::new(ExprKind::And(flat), SqlType::BOOL),
        }
    }

    /// The conjuncts of a condition.
    pub fn into_conjuncts(self) -> Vec<Expr> {
        match self.kind {
            ExprKind::And(parts) => parts.into_iter().flat_map(Expr::into_conjuncts).collect(),
            ExprKind::Const(Datum::Bool(true)) => Vec::new(),
            _ => vec![self],
        }
    }

    /// True for the constant NULL.
    pub fn is_null_const(&self) -> bool {
        matches!(self.kind, ExprKind::Const(Datum::Null))
    }
}

impl Callee {
    /// The name to show: the function's or the operator's symbol.
    pub fn name(&self) -> &'static str {
        match self {
            Callee::Function(f) => f.name,
            Callee::Operator(o) => o.symbol,
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.name, self.args)
    }
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({}, {})", self.symbol, self.left, self.right)
    }
}

impl std::fmt::Debug for crate::functions::Aggregate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", self.name, self.args)
    }
}
