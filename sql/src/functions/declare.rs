//! How functions, operators and aggregates are declared.

use super::EvalContext;
use crate::exec::vector::Vector;
use std::sync::Arc;
use types::{Datum, Oid, SqlResult, oid};

/// Computes a scalar result.
pub type Eval = fn(&[Datum], &EvalContext<'_>) -> SqlResult<Datum>;

/// Rows of a set-returning function.
pub type SetRows = Box<dyn Iterator<Item = SqlResult<Vec<Datum>>> + Send>;

/// Starts a set-returning function.
pub type SetEval = fn(&[Datum], &EvalContext<'_>) -> SqlResult<SetRows>;

/// How far a result may be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// Same arguments, same result, for ever: folded at plan time, pushed to shards.
    Immutable,
    /// Same within a statement.
    Stable,
    /// Different every time, or with effects.
    Volatile,
}

/// Where the code of a function is.
#[derive(Clone, Copy)]
pub enum Body {
    /// Here; one value.
    Scalar(Eval),
    /// Here; rows.
    Set(SetEval),
    /// In the session or the executor, which must wait for something (sequences, sleeping) or
    /// change it: they know the function by name.
    Session,
}

/// A function's declaration and code.
pub struct Function {
    pub name: &'static str,
    /// Declared argument types; may be polymorphic (`anyelement`, ...).
    pub args: &'static [Oid],
    /// The last argument type repeats any number of times from one on. It is the element type
    /// (`any` or a plain type), not the array: values arrive one by one.
    pub variadic: bool,
    pub returns: Oid,
    /// Columns of a function that returns records: names and types.
    pub columns: &'static [(&'static str, Oid)],
    /// Answers NULL when an argument is NULL, without being called.
    pub strict: bool,
    pub volatility: Volatility,
    pub body: Body,
}

impl Function {
    /// A strict, immutable scalar function.
    pub(super) const fn new(
        name: &'static str,
        args: &'static [Oid],
        returns: Oid,
        eval: Eval,
    ) -> Function {
        Function {
            name,
            args,
            variadic: false,
            returns,
            columns: &[],
            strict: true,
            volatility: Volatility::Immutable,
            body: Body::Scalar(eval),
        }
    }

    /// A strict, immutable set-returning function.
    pub(super) const fn set(
        name: &'static str,
        args: &'static [Oid],
        returns: Oid,
        eval: SetEval,
    ) -> Function {
        let function = Function::session(name, args, returns);
        Function { body: Body::Set(eval), volatility: Volatility::Immutable, ..function }
    }

    /// A strict, volatile function that the session carries out.
    pub(super) const fn session(
        name: &'static str,
        args: &'static [Oid],
        returns: Oid,
    ) -> Function {
        Function {
            name,
            args,
            variadic: false,
            returns,
            columns: &[],
            strict: true,
            volatility: Volatility::Volatile,
            body: Body::Session,
        }
    }

    /// Names the columns of the records that it returns.
    pub(super) const fn columns(self, columns: &'static [(&'static str, Oid)]) -> Function {
        Function { columns, ..self }
    }

    /// Lets the last argument repeat.
    pub(super) const fn variadic(self) -> Function {
        Function { variadic: true, ..self }
    }

    /// Calls it for NULL arguments too.
    pub(super) const fn null_aware(self) -> Function {
        Function { strict: false, ..self }
    }

    pub(super) const fn stable(self) -> Function {
        Function { volatility: Volatility::Stable, ..self }
    }

    pub(super) const fn volatile(self) -> Function {
        Function { volatility: Volatility::Volatile, ..self }
    }

    /// True when it returns rows.
    pub fn returns_set(&self) -> bool {
        matches!(self.body, Body::Set(_))
    }

    /// Evaluates a scalar function, strictness included.
    pub fn eval(&self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.strict && args.iter().any(|arg| matches!(arg, Datum::Null)) {
            return Ok(Datum::Null);
        }
        match self.body {
            Body::Scalar(eval) => eval(args, context),
            Body::Set(_) | Body::Session => Err(types::SqlError::internal(format!(
                "function {} is not evaluated as a scalar",
                self.name
            ))),
        }
    }

    /// Starts a set-returning function, strictness included: no rows for NULL arguments.
    pub fn eval_set(&self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<SetRows> {
        if self.strict && args.iter().any(|arg| matches!(arg, Datum::Null)) {
            return Ok(Box::new(std::iter::empty()));
        }
        match self.body {
            Body::Set(eval) => eval(args, context),
            Body::Scalar(eval) => {
                Ok(Box::new(std::iter::once(eval(args, context).map(|value| vec![value]))))
            }
            Body::Session => Err(types::SqlError::internal(format!(
                "function {} is not evaluated as a set",
                self.name
            ))),
        }
    }
}

/// An operator's declaration and code.
pub struct Operator {
    pub symbol: &'static str,
    /// 0 for a prefix operator.
    pub left: Oid,
    pub right: Oid,
    pub returns: Oid,
    pub strict: bool,
    pub volatility: Volatility,
    pub eval: Eval,
}

impl Operator {
    /// A strict, immutable infix operator.
    pub(super) const fn new(
        symbol: &'static str,
        left: Oid,
        right: Oid,
        returns: Oid,
        eval: Eval,
    ) -> Operator {
        Operator {
            symbol,
            left,
            right,
            returns,
            strict: true,
            volatility: Volatility::Immutable,
            eval,
        }
    }

    /// A strict, immutable prefix operator.
    pub(super) const fn prefix(
        symbol: &'static str,
        right: Oid,
        returns: Oid,
        eval: Eval,
    ) -> Operator {
        Operator::new(symbol, 0, right, returns, eval)
    }

    /// A comparison: boolean.
    pub(super) const fn test(symbol: &'static str, left: Oid, right: Oid, eval: Eval) -> Operator {
        Operator::new(symbol, left, right, oid::BOOL, eval)
    }

    pub(super) const fn null_aware(self) -> Operator {
        Operator { strict: false, ..self }
    }

    pub(super) const fn stable(self) -> Operator {
        Operator { volatility: Volatility::Stable, ..self }
    }

    /// Evaluates, strictness included. A prefix operator gets one argument.
    pub fn eval(&self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.strict && args.iter().any(|arg| matches!(arg, Datum::Null)) {
            return Ok(Datum::Null);
        }
        (self.eval)(args, context)
    }
}

/// An aggregate's declaration.
pub struct Aggregate {
    pub name: &'static str,
    /// Declared argument types; empty for `count(*)`.
    pub args: &'static [Oid],
    pub returns: Oid,
    /// Rows with a NULL argument are skipped by the caller.
    pub strict: bool,
    /// Whether partial states may be computed apart (on shards), encoded and merged. When false,
    /// the order of rows matters or the state is as large as the input.
    pub splittable: bool,
    /// Makes an empty state.
    pub state: fn() -> Box<dyn AggState>,
}

/// The running state of an aggregate over one group.
pub trait AggState: Send {
    /// Takes one row's arguments.
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()>;
    /// Takes all rows of the argument columns at once, rows with NULLs skipped, if the state knows
    /// a way faster than [`AggState::update`] for each; false: it has taken nothing.
    fn update_all(&mut self, _args: &[Arc<Vector>], _rows: usize) -> bool {
        false
    }
    /// Takes a state that was encoded elsewhere.
    fn merge(&mut self, encoded: &[u8]) -> SqlResult<()>;
    /// Appends the state for [`AggState::merge`].
    fn encode(&self, out: &mut Vec<u8>);
    /// The aggregate's value; the state may go on afterwards (window frames).
    fn finish(&self, context: &EvalContext<'_>) -> SqlResult<Datum>;
    /// Bytes held beyond a few machine words, for memory accounting.
    fn memory(&self) -> usize {
        0
    }
}
